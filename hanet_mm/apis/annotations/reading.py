# Copyright (c) hanet_mm contributors. All rights reserved.
"""Annotations of any layout as sequences whose estimates are missing."""

import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.archive_rows import open_rows
from hanet_mm.core.data.files import PathLike, npz_keys, read_json
from hanet_mm.core.data.sequences import PoseSequences, load_pose_sequences
from hanet_mm.core.poses.skeleton_data import SKELETONS

from .frame_grid import FrameGrid
from .jhmdb import JHMDB_KEYPOINTS, AnnotatedClip, parse_mmpose_jhmdb
from .mocap import (
    MOCAP_DATASETS,
    check_names,
    check_rows,
    find_mocap_dataset,
    read_mocap_images,
)
from .posetrack import Video, list_files, parse_annotations
from .posetrack_sequences import (
    FPS,
    annotated_tracks,
    describe_annotation,
    track_boxes,
    truth_arrays,
)
from .pw3d import FPS as PW3D_FPS
from .pw3d import Pw3dPersons

# Of JHMDB's clips, 1/s; the files have none.
_JHMDB_FPS = 25.0
# ``scale`` is 1.2 times the longest side of the person's box, in 200 px.
_SCALE_PX = 200 / 1.2

# Name, arrays of frames and names of pictures of a sequence.
_Found = Tuple[str, Dict[str, np.ndarray], List[str]]


class AnnotatedImages(NamedTuple):
    """Annotated sequences and the pictures of their frames."""

    seqs: PoseSequences  # N flat frames; estimates are not to be used
    # Names of N pictures, relative to their root, '' = none; or None where
    # frames are those of videos or folders named as the sequences.
    images: Optional[np.ndarray] = None
    # Names of pictures by their number in the file; None where it has none.
    by_id: Optional[Dict[Any, str]] = None


def read_annotations(path: PathLike, root: PathLike) -> AnnotatedImages:
    """Read annotations in 2D, of whatever layout.

    Args:
        path: PoseTrack's ``.json`` (or a folder of them) or MMPose's of
            JHMDB, MMPose's ``h36m_*.npz`` or ``mpi_inf_3dhp_*.npz``, SPIN's
            of 3DPW with ``part``, or the flat layout.
        root: Folder to which the names of pictures are relative.

    Returns:
        AnnotatedImages: With ``keypoints_gt`` (N, K, 2) px, ``bboxes`` and
        names of pictures; of the flat layout as it is.

    Raises:
        ValueError: One line naming file and field: a wrong layout.
    """
    path = Path(path)
    folder = path.is_dir() and any(path.glob('*.json'))
    if folder or path.suffix.lower() == '.json':
        return _read_json(path, Path(root))
    if not path.is_dir() and 'imgname' in npz_keys(path):
        dataset = find_mocap_dataset(path)
        return _read_mocap(path, dataset) if dataset else _read_pw3d(path)
    return AnnotatedImages(
        load_pose_sequences(path, ('keypoints_gt',), allow_empty=True)
    )


def _read_json(path: Path, root: Path) -> AnnotatedImages:
    files = list_files(path)
    content = read_json(files[0])
    if _is_posetrack(content):
        contents = ((x, read_json(x)) for x in files[1:])
        videos = parse_annotations([(files[0], content), *contents])
        year = 17 if 'annolist' in content else 18
        return _posetrack(videos, f'posetrack{year}', path, root)
    return _jhmdb(parse_mmpose_jhmdb(content, files[0]), content)


def _is_posetrack(content: Any) -> bool:
    """Whether JSON content is PoseTrack's, by its keypoints."""
    if not isinstance(content, dict):
        return False
    categories = content.get('categories') or [{}]
    first = categories[0] if isinstance(categories, list) else {}
    names = first.get('keypoints') if isinstance(first, dict) else None
    names = names if isinstance(names, list) else []
    return 'annolist' in content or 'head_bottom' in names


def _posetrack(
    videos: Dict[str, Video], dataset: str, path: Path, root: Path
) -> AnnotatedImages:
    """Each annotated person, from the first to the last annotated frame."""
    found: List[_Found] = []
    sizes: List[Any] = []
    for video in videos.values():
        for track in annotated_tracks(video):
            arrays = truth_arrays(video, track)
            arrays['bboxes'] = track_boxes(track, {})
            names = [_posetrack_image(video, n, root) for n in track.span()]
            found.append((video.name, arrays, names))
            sizes.append(video.image_size)
    if not found:
        raise ValueError(f'{path}: expected annotated persons, found none')
    by_id = {
        key: video.frames[number].image
        for video in videos.values()
        for key, number in video.images.items()
    }
    meta = describe_annotation(dataset, videos)
    return _join(found, FPS, meta, sizes, by_id)


def _posetrack_image(video: Video, number: int, root: Path) -> str:
    """The picture of a frame; unlisted ones are looked for beside others."""
    frame = video.frames.get(number)
    if frame is not None and frame.image:
        return frame.image
    folder, _, first = video.image.rpartition('/')
    digits = re.match(r'\d+', first)
    if digits is None:
        return ''
    name = f'{number:0{len(digits[0])}d}{first[digits.end() :]}'
    name = f'{folder}/{name}' if folder else name
    return name if (root / name).is_file() else ''


def _jhmdb(clips: Dict[str, AnnotatedClip], content: Any) -> AnnotatedImages:
    found: List[_Found] = [
        (
            name,
            dict(
                keypoints_gt=clip.truth,
                bboxes=clip.bboxes,
                frame_number=np.arange(len(clip.truth)),
            ),
            clip.images,
        )
        for name, clip in clips.items()
    ]
    meta = dict(
        dataset='jhmdb',
        units='px',
        coords='2d',
        keypoint_names=list(JHMDB_KEYPOINTS),
        bboxes='annotated',
    )
    sizes = [clip.sizes[0] for clip in clips.values()]
    by_id = {image['id']: image['file_name'] for image in content['images']}
    return _join(found, _JHMDB_FPS, meta, sizes, by_id)


def _join(
    found: Sequence[_Found],
    fps: float,
    meta: Dict[str, Any],
    sizes: Sequence[Any],
    by_id: Dict[Any, str],
) -> AnnotatedImages:
    arrays = {
        key: np.concatenate([item[key] for _, item, _ in found])
        for key in found[0][1]
    }
    known = {key: arrays.pop(key) for key in ('keypoints_gt', 'bboxes')}
    seqs = _without_estimates(
        known['keypoints_gt'],
        bboxes=known['bboxes'],
        seq_len=np.array([len(names) for _, _, names in found]),
        seq_name=np.array([name for name, _, _ in found]),
        image_size=None if None in sizes else np.array(sizes),
        fps=np.full(len(found), fps),
        meta=meta,
        extras=arrays,
    )
    images = np.concatenate([names for _, _, names in found])
    return AnnotatedImages(seqs, images, by_id)


def _read_mocap(path: Path, dataset: str) -> AnnotatedImages:
    """MMPose's 3D annotation with its keypoints in 2D, ``part``."""
    known = MOCAP_DATASETS[dataset]
    images = read_mocap_images(path, dataset)
    grid = FrameGrid(images.sequence, images.number, images.names, path)
    return _from_rows(
        path,
        _read_rows(path, len(known.keypoints)),
        grid,
        grid.places(images.sequence, images.number),
        images.names,
        [known.fps(x) / y for x, y in zip(images.names, grid.step)],
        dict(dataset=dataset, keypoint_names=list(known.keypoints)),
    )


def _read_pw3d(path: Path) -> AnnotatedImages:
    """3DPW in SPIN's layout, where it has keypoints in 2D.

    The first 14 of SPIN's 24 joints are those of Leeds Sports Pose.
    """
    if 'part' not in npz_keys(path):
        raise ValueError(
            f"{path}: key 'part' is missing: expected keypoints in 2D "
            '(N, 24, 3), which an estimator can be compared with'
        )
    with open_rows(path, 'imgname', 'shape') as rows:
        check_names(rows[0], f'{path}: imgname')
        check_rows(rows[1], f'{path}: shape', (len(rows[0]), 10))
        images, shapes = (array.read() for array in rows)
    persons = Pw3dPersons(images, shapes, path)
    names = SKELETONS['lsp14'].keypoint_names
    values = _read_rows(path, 24)
    values['part'] = values['part'][:, : len(names)]
    return _from_rows(
        path,
        values,
        persons.grid,
        persons.places,
        persons.videos,
        PW3D_FPS / persons.grid.step,
        dict(dataset='pw3d', keypoint_names=list(names)),
    )


def _read_rows(path: Path, keypoints: int) -> Dict[str, np.ndarray]:
    """Names, keypoints and boxes of all rows."""
    with open_rows(path, 'imgname', 'part', 'center', 'scale') as rows:
        count = len(rows[0])
        shapes = dict(part=(count, keypoints, 3), center=(count, 2))
        values = {}
        for key, array in zip(('imgname', 'part', 'center', 'scale'), rows):
            if key != 'imgname':  # which was checked
                check_rows(array, f'{path}: {key}', shapes.get(key, (count,)))
            values[key] = array.read()
    return values


def _from_rows(
    path: Path,
    values: Dict[str, np.ndarray],
    grid: FrameGrid,
    places: np.ndarray,
    names: Sequence[str],
    fps: Any,
    meta: Dict[str, Any],
) -> AnnotatedImages:
    """Rows as flat frames; ``places`` says where each lies."""
    part, center = values['part'], values['center']
    truth = np.full((grid.total, *part.shape[1:]), np.nan, np.float32)
    boxes = np.full((grid.total, 4), np.nan, np.float32)
    side = (values['scale'] * _SCALE_PX / 2)[:, None]
    with np.errstate(over='ignore'):  # inf is refused below
        truth[places] = part
        boxes[places] = np.hstack([center - side, center + side])
    images = np.full(grid.total, '', values['imgname'].dtype)
    images[places] = values['imgname']
    try:
        seqs = _without_estimates(
            truth[..., :2],
            visible=np.nan_to_num(truth[..., 2]) > 0,
            bboxes=boxes,
            seq_len=grid.seq_len,
            seq_name=np.array(names),
            fps=fps,
            meta=dict(
                meta,
                units='px',
                coords='2d',
                bboxes='square, as high as the person, about center',
            ),
            extras={'frame_number': grid.numbers()},
        )
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    return AnnotatedImages(seqs, images.astype(str))


def _without_estimates(truth: np.ndarray, **fields: Any) -> PoseSequences:
    return PoseSequences(
        keypoints_est=np.full(truth.shape, np.nan, np.float32),
        scores=np.zeros(truth.shape[:2], np.float32),
        keypoints_gt=truth,
        **fields,
    )
