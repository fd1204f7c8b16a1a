# Copyright (c) hanet_mm contributors. All rights reserved.
"""The formats by name, and the format of a file."""

import re
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Optional, Sequence, Tuple

from hanet_mm.core.data.files import PathLike, npz_keys, read_json, read_npz

from ..errors import naming_file
from .base import PoseFile, Source

# Endings ('folder' for a folder) by the name of the format, which is its
# module. The first format that matches a file is taken.
FORMATS: Dict[str, Tuple[str, ...]] = {
    'mmpose': ('.json',),
    'alphapose': ('.json',),
    'coco': ('.json',),
    'coco_dict': ('.json',),
    'ultralytics': ('.json',),
    'mediapipe': ('.json',),
    'openpose': ('folder',),
    'mmpose_folder': ('folder',),
    'ultralytics_txt': ('folder',),
    'videopose3d': ('.npz',),
    'arrays': ('.npz', '.npy'),
    'npz': ('.npz',),
    'deeplabcut': ('.csv',),
    'csv': ('.csv',),
    'trc': ('.trc',),
    'c3d': ('.c3d',),
    'sleap_h5': ('.h5',),
    'smpl_pickle': ('.pkl',),
}
KINDS = tuple(dict.fromkeys(kind for x in FORMATS.values() for kind in x))


def open_poses(
    path: PathLike,
    format: Optional[str] = None,
    image_size: Optional[Sequence[float]] = None,
    tracker: Optional[Any] = None,
    dims: Optional[int] = None,
    trust_pickle: bool = False,
) -> PoseFile:
    """Open a pose file.

    Args:
        path: A file, or a folder with a file for each frame.
        format: A key of :data:`FORMATS`. Defaults to None: by the content.
        image_size: W, H in pixels, for coordinates that are fractions of it;
            replaces the size in the file.
        tracker: :class:`hanet_mm.apis.tracking.PoseTracker` or an object
            with the same methods, for files without person ids.
        dims: 2 for keypoints of x, y and a score, 3 for x, y, z. Defaults
            to None: by the content; an error where that may be either.
        trust_pickle: Whether to load pickles, which can run any code: only
            of files that you trust.

    Returns:
        PoseFile: The persons over time; its ``save`` writes the same format.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: One line naming the file, the frame and the field.
    """
    check_no_address(path)
    path = Path(path)
    if format is not None and format not in FORMATS:
        raise ValueError(
            f'format: expected one of {", ".join(FORMATS)}, found {format!r}'
        )
    kind = _find_kind(path)
    if not path.exists():
        raise FileNotFoundError(f'{path}: no such pose file')
    if format is not None and kind not in FORMATS[format]:
        raise ValueError(
            f'{path}: format {format}: expected '
            f'{_list_kinds(FORMATS[format])}, found {kind}'
        )
    if dims not in (None, 2, 3):
        raise ValueError(f'dims: expected 2 or 3, found {dims!r}')
    choices = [name for name, kinds in FORMATS.items() if kind in kinds]
    if format is not None:
        choices = [format]
    with naming_file(path, f'the format {" or ".join(choices)}'):
        content = _peek(path, kind)
        source = Source(
            path, kind, content, image_size, tracker, dims, trust_pickle
        )
        for name in choices:
            if format is not None or _module(name).matches(source):
                with naming_file(path, f'the format {name}'):
                    return _module(name).read(source)
        raise ValueError(
            f'{path}: expected one of the formats {", ".join(choices)}, found '
            f'{_describe(source)}'
        )


def check_no_address(path: PathLike) -> None:
    """Raise a ValueError if a path is an address in the network."""
    # A Path has one slash less. Drives have names of one letter.
    is_address = re.match(r'[A-Za-z][\w+.-]+:/', str(path))
    if is_address and not Path(path).exists():
        raise ValueError(
            f'{path}: expected a pose file or folder, found an address: '
            'download it first (hanet-mm video takes addresses of videos)'
        )


def is_pose_folder(path: Path) -> bool:
    """Whether a folder is one recording, not a folder of pose files."""
    return path.is_dir() and any(
        _module(name).matches(Source(path, 'folder'))
        for name, kinds in FORMATS.items()
        if 'folder' in kinds
    )


def _module(name: str) -> ModuleType:
    return import_module(f'{__package__}.{name}')


def _find_kind(path: Path) -> str:
    if path.is_dir():
        return 'folder'
    kind = path.suffix.lower()
    if kind not in KINDS:
        raise ValueError(
            f'{path}: expected {_list_kinds(KINDS)}, found '
            f'{kind or "no ending"}'
        )
    return kind


def _list_kinds(kinds: Sequence[str]) -> str:
    endings = [kind for kind in kinds if kind != 'folder']
    parts = [f'a file ending in {" or ".join(endings)}'] if endings else []
    if 'folder' in kinds:
        parts.append('a folder with a file for each frame')
    return ', or '.join(parts)


def _peek(path: Path, kind: str) -> Any:
    if kind == '.json':
        return read_json(path)
    if kind == '.csv':
        return _module('csv').read_table(path)
    if kind == '.npz':
        known = (
            *('data', 'keypoints', 'ids', 'track_ids', 'keypoints_est'),
            *('scores', 'keypoint_scores'),
        )
        if 'positions_2d' in npz_keys(path):
            return {'positions_2d': ()}
        return {x: y.shape for x, y in read_npz(path, (), known).items()}
    return None


def _describe(source: Source) -> str:
    content = source.content
    if isinstance(content, dict):
        return f'a dict with {", ".join(map(str, content)) or "nothing"}'
    if source.kind == '.csv':
        return f'the columns {", ".join(content.columns) or "none"}'
    if isinstance(content, list) and content:
        first = content[0]
        keys = f' with {", ".join(first)}' if isinstance(first, dict) else ''
        return f'a list of {type(first).__name__}{keys}'
    return 'something else' if content is None else type(content).__name__
