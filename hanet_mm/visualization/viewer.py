# Copyright (c) hanet_mm contributors. All rights reserved.
"""A page on which a recording can be looked at, without network.

Letters: T frames, K keypoints, D coordinates.
"""

import base64
import json
from pathlib import Path
from typing import Any, Dict, Optional

import numpy as np

from hanet_mm.core.data.files import PathLike, atomic_path
from hanet_mm.core.metrics.measures import present
from hanet_mm.core.poses.boxes import person_size

from .recording import Recording, ShownPerson

# Bits of the marks of a keypoint.
FILLED, SWAPPED, OUTLIER = 1, 2, 4
# Integer that stands for a missing coordinate.
_NOTHING = -(2**15)
_LARGEST = 2**15 - 1
# Integers are used where their steps are below this part of a person.
_FINE = 2e-4
_PAGE = Path(__file__).parent / 'page'
_SCRIPTS = ('data.js', 'scene.js', 'plots.js', 'main.js')


def write_viewer(path: PathLike, recording: Recording) -> None:
    """Write the page of a recording, whole or not at all.

    Args:
        path (PathLike): The ``.html`` file.
        recording (Recording): What to show.

    Raises:
        ValueError: If the file does not end in ``.html``.
    """
    if not str(path).lower().endswith(('.html', '.htm')):
        raise ValueError(f'{path}: expected an output ending in .html')
    text = viewer_page(recording)
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def viewer_page(recording: Recording) -> str:
    """The page of a recording: HTML that needs nothing beside it."""
    content = json.dumps(viewer_content(recording), allow_nan=False)
    # Names of any kind stay text, also "</script>".
    content = content.replace('<', '\\u003c')
    script = '\n'.join(_read(name) for name in _SCRIPTS)
    page = _read('page.html')
    for mark, text in (
        ('/*STYLE*/', _read('page.css')),
        ('/*SCRIPT*/', script),
        ('/*DATA*/', content),
    ):
        page = page.replace(mark, text)
    return page


def viewer_content(recording: Recording) -> Dict[str, Any]:
    """What the page holds of a recording, as JSON content.

    Coordinates are packed: ``type`` is ``'int16'``, for ``middle + step * n``
    of each coordinate with -32768 for a missing one, or ``'float32'``;
    ``data`` is (T, K, D), little-endian, base64. ``marks`` are bits, uint8
    (T, K).
    """
    return dict(
        title=recording.title,
        keypoint_names=list(recording.keypoint_names),
        links=[list(map(int, x)) for x in recording.links],
        dims=recording.dims,
        fps=recording.fps,
        image_size=recording.image_size,
        unit=recording.unit,
        one_clock=recording.one_clock,
        people=[_pack_person(x) for x in recording.people],
    )


def _pack_person(person: ShownPerson) -> Dict[str, Any]:
    marks = FILLED * person.filled.astype(np.uint8)
    for bit, flags in ((SWAPPED, person.swapped), (OUTLIER, person.outliers)):
        if flags is not None:
            marks |= bit * flags.astype(np.uint8)
    return dict(
        name=person.name,
        first_frame=int(person.first_frame),
        num_frames=len(person.poses),
        poses=pack(person.poses),
        before=None if person.before is None else pack(person.before),
        marks=_text(marks),
    )


def pack(poses: np.ndarray) -> Optional[Dict[str, Any]]:
    """Pack coordinates (T, K, D), see :func:`viewer_content`; None if all are
    missing.
    """
    there = present(poses)
    if not there.any():
        return None
    low, high = poses[there].min(0), poses[there].max(0)
    middle = (low + high) / 2
    step = float((high - low).max() / (2 * _LARGEST)) or 1.0
    # Also where the person has no size.
    if not step <= _FINE * person_size(poses, there):
        values = np.where(there[..., None], poses, np.nan)
        return dict(type='float32', data=_text(values.astype('<f4')))
    numbers = np.rint((poses - middle) / step)
    numbers = np.where(there[..., None], numbers, _NOTHING)
    return dict(
        type='int16',
        middle=middle.tolist(),
        step=step,
        data=_text(numbers.astype('<i2')),
    )


def _text(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode()


def _read(name: str) -> str:
    return (_PAGE / name).read_text(encoding='utf-8')
