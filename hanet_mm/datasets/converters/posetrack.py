"""PoseTrack's annotation and an estimator's output -> the flat layout."""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.datasets.converters.posetrack_annotations import (
    list_files,
    read_annotations,
)
from hanet_mm.datasets.converters.posetrack_detections import (
    Detections,
    read_detections,
)
from hanet_mm.datasets.converters.posetrack_matching import (
    IOU_THRESHOLD,
    OKS_THRESHOLD,
)
from hanet_mm.datasets.converters.posetrack_report import (
    PUBLISHED_VIDEOS,
    compare_videos,
    describe,
)
from hanet_mm.datasets.converters.posetrack_scene import MAX_LOST, Track
from hanet_mm.datasets.converters.posetrack_tracks import build_tracks
from hanet_mm.datasets.converters.posetrack_video import KEYPOINTS, Video
from hanet_mm.datasets.converters.progress import track

# Paper section 4.4: boxes are enlarged by 25 %.
BOX_SCALE = 1.25


class _Sequence(NamedTuple):
    name: str
    arrays: Dict[str, np.ndarray]  # (T, ...) each
    image_size: Tuple[int, int]


def convert_posetrack(
    annotations: PathLike,
    predictions: PathLike,
    out: PathLike,
    dataset: str,
    split: Optional[str] = None,
    images: Optional[PathLike] = None,
    image_size: Optional[Tuple[int, int]] = None,
    use_track_ids: bool = False,
    estimator: Optional[str] = None,
    fps: float = 25.0,
    progress: bool = False,
) -> List[str]:
    """Convert a split of PoseTrack to the flat layout.

    A sequence is one person of a video, from the first to the last frame in
    which the person is annotated or found. Persons who were never found, and
    poses that fit no annotated person, are sequences too: misses and false
    positives of the estimator, which AP counts.

    Args:
        annotations: Folder of PoseTrack's JSON files, or one file; see
            :mod:`hanet_mm.datasets.converters.posetrack_annotations`.
        predictions: The estimator's JSON file or folder; see
            :mod:`hanet_mm.datasets.converters.posetrack_detections`.
        out: Flat ``.npz`` to write.
        dataset: ``'posetrack17'`` or ``'posetrack18'``.
        split: ``'train'`` or ``'val'``, to compare the number of videos with
            the published one.
        images: Folder to which the names of the images are relative, to read
            their sizes where the annotation has none.
        image_size: Width and height, px, where neither says it.
        use_track_ids: Whether to follow persons by the estimator's ids.
        estimator: What to call the estimator; by default the name of its
            file or folder.
        fps: Frame rate to note, 1/s; the files have none.
        progress: Whether to show progress on stderr.

    Returns:
        What was read, matched and left over, a line each.

    Raises:
        ValueError: One line naming file, key, video and frame.
    """
    _check_choice(dataset, split)
    videos = read_annotations(
        track(list_files(annotations), 'Annotations', progress)
    )
    found, empty = read_detections(
        track(list_files(predictions), 'Predictions', progress), videos
    )
    counts: Counter = Counter({'poses without score': empty})
    sequences: List[_Sequence] = []
    for video in track(list(videos.values()), 'Videos', progress):
        size = _image_size(video, images, image_size)
        tracks, counted = build_tracks(video, found[video.name], use_track_ids)
        counts.update(counted)
        counts['videos'] += 1
        counts['labelled videos'] += counted['labelled frames'] > 0
        sequences += [
            _Sequence(
                video.name, _arrays(video, person, found[video.name]), size
            )
            for person in tracks
        ]
    if not sequences:
        raise ValueError(
            f'{annotations}: expected annotated persons or poses in some of '
            f'{len(videos)} videos, found none'
        )
    meta = _meta(dataset, split, estimator or Path(predictions).stem, videos)
    flat = _flatten(sequences, fps, meta)
    save_pose_sequences(out, flat)
    return [
        *compare_videos(dataset, split, counts),
        *describe(counts),
        f'{len(flat)} sequences, {len(flat.scores)} frames -> {out}',
    ]


def enlarge(boxes: np.ndarray, factor: float) -> np.ndarray:
    """Boxes (N, 4) x1 y1 x2 y2 made larger about their centres."""
    center = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]) / 2 * factor
    return np.concatenate([center - half, center + half], axis=1)


def _arrays(
    video: Video, person: Track, found: Dict[int, Detections]
) -> Dict[str, np.ndarray]:
    """Everything that the flat layout has of the frames of a track."""
    span = person.span()
    frames, count = len(span), len(KEYPOINTS)
    arrays = dict(
        keypoints_est=np.full((frames, count, 2), np.nan, np.float32),
        scores=np.zeros((frames, count), np.float32),
        keypoints_gt=np.full((frames, count, 2), np.nan, np.float32),
        head_size_gt=np.full(frames, np.nan, np.float32),
        frame_number=np.asarray(span, dtype=np.int64),
        track_id_gt=np.full(frames, person.track_id, dtype=np.int64),
        annotated=np.array(
            [n in video.frames and video.frames[n].labelled for n in span],
            dtype=np.float32,
        ),
    )
    for number, index in person.found.items():
        place = number - span.start
        arrays['keypoints_est'][place] = found[number].keypoints[index]
        arrays['scores'][place] = found[number].scores[index]
    for number, truth in person.truth.items():
        arrays['keypoints_gt'][number - span.start] = truth.keypoints
        if not np.isnan(truth.keypoints).all():
            arrays['head_size_gt'][number - span.start] = truth.head_size
    arrays['bboxes'] = enlarge(_boxes(person, found), BOX_SCALE)
    return arrays


def _boxes(person: Track, found: Dict[int, Detections]) -> np.ndarray:
    """Boxes of a track, (T, 4), before they are enlarged.

    Annotated ones where the person was annotated at all, else those of the
    poses; between them linear in time, outside of them the nearest.
    """
    boxes = {
        number: truth.bbox
        for number, truth in person.truth.items()
        if not np.isnan(truth.bbox).any()
    } or {n: found[n].bboxes[index] for n, index in person.found.items()}
    if not boxes:  # annotated without box, keypoints and head
        return np.full((len(person.span()), 4), np.nan, np.float32)
    numbers = sorted(boxes)
    known = np.stack([boxes[number] for number in numbers])
    return np.stack(
        [np.interp(person.span(), numbers, known[:, i]) for i in range(4)],
        axis=1,
    ).astype(np.float32)


def _flatten(
    sequences: List[_Sequence], fps: float, meta: Dict[str, Any]
) -> PoseSequences:
    arrays = {
        key: np.concatenate([item.arrays[key] for item in sequences])
        for key in sequences[0].arrays
    }
    extras = {
        key: arrays.pop(key)
        for key in ('frame_number', 'annotated', 'head_size_gt', 'track_id_gt')
    }
    return PoseSequences(
        **arrays,
        visible=~np.isnan(arrays['keypoints_gt']).any(-1),
        seq_len=np.array([len(item.arrays['scores']) for item in sequences]),
        seq_name=np.array([item.name for item in sequences]),
        image_size=np.array([item.image_size for item in sequences]),
        fps=np.full(len(sequences), fps),
        meta=meta,
        extras=extras,
    )


def _meta(
    dataset: str,
    split: Optional[str],
    estimator: str,
    videos: Dict[str, Video],
) -> Dict[str, Any]:
    regions = {
        name: {
            str(number): frame.regions
            for number, frame in sorted(video.frames.items())
            if frame.regions
        }
        for name, video in videos.items()
    }
    return {
        'dataset': dataset,
        'estimator': estimator,
        'units': 'px',
        'coords': '2d',
        'keypoint_names': list(KEYPOINTS),
        'protocol': f'{dataset} {split or "unnamed split"}, one sequence per '
        'person of a video; poses matched to annotated persons in labelled '
        f'frames by OKS >= {OKS_THRESHOLD}, then by IoU >= {IOU_THRESHOLD}, '
        f'followed over gaps of up to {MAX_LOST} frames elsewhere',
        'bboxes': 'annotated boxes enlarged by 25 %, in other frames '
        'interpolated; without annotation those of the estimates',
        'head_size': '0.6 of the diagonal of the annotated head box',
        'ignore_regions': {
            name: frames for name, frames in regions.items() if frames
        },
    }


def _image_size(
    video: Video,
    images: Optional[PathLike],
    image_size: Optional[Tuple[int, int]],
) -> Tuple[int, int]:
    if video.image_size is not None:
        return video.image_size
    if images is not None:
        from PIL import Image

        path = Path(images) / video.image
        try:
            with Image.open(path) as image:
                return image.size
        except OSError as error:
            raise ValueError(
                f'{path}: first image of {video.name}: cannot be read '
                f'({type(error).__name__})'
            ) from None
    if image_size is None:
        raise ValueError(
            f'{video.source}: {video.name}: the annotation has no width and '
            'height: expected a folder of images or an image size'
        )
    return image_size


def _check_choice(dataset: str, split: Optional[str]) -> None:
    if dataset not in PUBLISHED_VIDEOS:
        raise ValueError(
            f'dataset: expected one of {sorted(PUBLISHED_VIDEOS)}, '
            f'found {dataset!r}'
        )
    if split is not None and split not in PUBLISHED_VIDEOS[dataset]:
        raise ValueError(f"split: expected 'train' or 'val', found {split!r}")
