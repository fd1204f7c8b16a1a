"""The formats by name, and the one of a file."""

from pathlib import Path
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

import numpy as np

from hanet_mm.apis.npz_files import read_npz_poses
from hanet_mm.apis.pose_files import PoseFile
from hanet_mm.core.data.files import PathLike, read_json, read_npz

from .arrays import PoseArrays, is_pose_archive
from .coco import (
    ALPHAPOSE_SKELETONS,
    COCO_SKELETONS,
    ResultList,
    is_alphapose_list,
    is_result_list,
)
from .csv_table import CsvTable, read_header, table_names
from .mediapipe import MediaPipeLandmarks, is_mediapipe
from .mmpose import MMPosePredictions, is_mmpose_video
from .people import (
    AlphaPosePeople,
    OpenPoseFolder,
    is_openpose_folder,
    is_people_by_image,
)


class Source(NamedTuple):
    """A file to read.

    Attributes:
        path: Where it is.
        kind: Its ending, 'folder' if it is one.
        content: What is known of it: JSON as it is, the arrays of an archive
            that tell formats apart, the columns of a table.
        image_size: W, H in pixels, where the caller says it.
        tracker: Tells persons apart, where the caller has one.
    """

    path: Path
    kind: str
    content: Any
    image_size: Optional[Sequence[float]]
    tracker: Optional[Any]


class Format(NamedTuple):
    """A format of pose files.

    Attributes:
        kinds: Endings, or 'folder'.
        matches: Whether a source, of one of these kinds, seems to be in it.
        read: Reads it.
    """

    kinds: Sequence[str]
    matches: Callable[[Source], bool]
    read: Callable[[Source], PoseFile]


def _read_alphapose(source: Source) -> PoseFile:
    if is_people_by_image(source.content):
        return AlphaPosePeople(source.path, source.content, source.tracker)
    return _read_results(source, 'idx', ALPHAPOSE_SKELETONS)


def _read_results(
    source: Source, id_field: str, skeletons: Dict[int, Sequence[str]]
) -> PoseFile:
    if not isinstance(source.content, list):
        raise ValueError(
            f'{source.path}: expected a list of results, found '
            f'{type(source.content).__name__}'
        )
    return ResultList(
        source.path, source.content, id_field, skeletons, source.tracker
    )


# In this order: the first that matches is taken.
FORMATS: Dict[str, Format] = {
    'mmpose': Format(
        ('.json',),
        lambda x: is_mmpose_video(x.content),
        lambda x: MMPosePredictions(x.path, x.content, x.tracker),
    ),
    'alphapose': Format(
        ('.json',),
        lambda x: (
            is_alphapose_list(x.content) or is_people_by_image(x.content)
        ),
        _read_alphapose,
    ),
    'coco': Format(
        ('.json',),
        lambda x: is_result_list(x.content),
        lambda x: _read_results(x, 'track_id', COCO_SKELETONS),
    ),
    'mediapipe': Format(
        ('.json',),
        lambda x: is_mediapipe(x.content),
        lambda x: MediaPipeLandmarks(
            x.path, x.content, x.image_size, x.tracker
        ),
    ),
    'openpose': Format(
        ('folder',),
        lambda x: is_openpose_folder(x.path),
        lambda x: OpenPoseFolder(x.path, x.tracker),
    ),
    'arrays': Format(
        ('.npz', '.npy'),
        lambda x: x.kind == '.npy' or is_pose_archive(x.content),
        lambda x: PoseArrays(x.path, x.tracker),
    ),
    'npz': Format(('.npz',), lambda x: True, lambda x: read_npz_poses(x.path)),
    'csv': Format(
        ('.csv',),
        lambda x: bool(table_names(x.content)),
        lambda x: CsvTable(x.path, x.tracker),
    ),
}
KINDS = tuple(
    dict.fromkeys(kind for item in FORMATS.values() for kind in item.kinds)
)


def open_poses(
    path: PathLike,
    format: Optional[str] = None,
    image_size: Optional[Sequence[float]] = None,
    tracker: Optional[Any] = None,
) -> PoseFile:
    """Open a file of poses in any of the formats.

    Args:
        path: The file, or the folder for OpenPose.
        format: A key of :data:`FORMATS`. Defaults to None: by its content.
        image_size: W, H in pixels; for MediaPipe, whose landmarks are parts
            of the image, where the file does not say it.
        tracker: :class:`hanet_mm.apis.tracking.PoseTracker`, or what is used
            like it, for files that do not say who is who.

    Returns:
        PoseFile: The persons over time; its ``save`` writes the same format.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: One line naming the file, the frame and the field.
    """
    path = Path(path)
    if format is not None and format not in FORMATS:
        raise ValueError(
            f'format: expected one of {", ".join(FORMATS)}, found {format!r}'
        )
    kind = _find_kind(path)
    if not path.exists():
        raise FileNotFoundError(f'{path}: no such file of keypoints')
    source = Source(path, kind, _peek(path, kind), image_size, tracker)
    if format is not None:
        if kind not in FORMATS[format].kinds:
            raise ValueError(
                f'{path}: format {format}: expected '
                f'{_list_kinds(FORMATS[format].kinds)}, found {kind}'
            )
        return FORMATS[format].read(source)
    choices = {x: y for x, y in FORMATS.items() if kind in y.kinds}
    for item in choices.values():
        if item.matches(source):
            return item.read(source)
    raise ValueError(
        f'{path}: expected poses in the format of {", ".join(choices)}, '
        f'found {_describe(source)}'
    )


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
        parts.append('a folder of OpenPose')
    return ', or '.join(parts)


def _peek(path: Path, kind: str) -> Any:
    if kind == '.json':
        return read_json(path)
    if kind == '.csv':
        return read_header(path)
    if kind == '.npz':
        known = ('data', 'keypoints', 'ids', 'track_ids', 'keypoints_est')
        arrays: Dict[str, np.ndarray] = read_npz(path, (), known)
        flat = 'keypoints_est' in arrays
        return {} if flat else {x: y.shape for x, y in arrays.items()}
    return None


def _describe(source: Source) -> str:
    content = source.content
    if isinstance(content, dict):
        return f'a dict with {", ".join(map(str, content)) or "nothing"}'
    if source.kind == '.csv':
        return f'the columns {", ".join(content) or "none"}'
    if isinstance(content, list) and content:
        first = content[0]
        keys = f' with {", ".join(first)}' if isinstance(first, dict) else ''
        return f'a list of {type(first).__name__}{keys}'
    return 'something else' if content is None else type(content).__name__
