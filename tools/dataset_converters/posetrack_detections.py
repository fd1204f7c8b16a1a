# Copyright (c) hanet_mm contributors. All rights reserved.
"""What an estimator found in PoseTrack's images.

Read are lists in the form of COCO's results, as MMPose writes them,
``[{image_id, category_id, keypoints, score, bbox, track_id}, ..]``, and
PoseTrack's own form of results with such a list in ``annotations`` and the
names of the keypoints in ``categories``; one file or a folder of them.

``keypoints`` are x, y, score of 17 keypoints, the ears among them, or of 15.
Without names they have the order of PoseTrack 2018. ``image_id`` is the
number of the image in the annotation or its name ``.../<video>/<file>``.

Read is also the pickle of ``tools/test.py --dump``, whose samples name their
image by ``img_path``; it is unpickled only on explicit trust.
"""

from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Tuple

import numpy as np
from common import load_pickle

from hanet_mm.apis.annotations.fields import numbers, take
from hanet_mm.apis.annotations.posetrack import (
    KEYPOINTS,
    ImageKey,
    Video,
    category_names,
    corners,
    image_key,
    keypoint_order,
)
from hanet_mm.core.data.files import PathLike, read_json
from hanet_mm.core.poses.boxes import boxes_around

# Where the 15 keypoints lie among 17: the ears are the fourth and fifth.
_ORDERS = {
    15: list(range(15)),
    17: [0, 1, 2, *range(5, 17)],
}


class Detections(NamedTuple):
    """The n poses that were found in one frame."""

    keypoints: np.ndarray  # (n, 15, 2) float32 px, NaN = missing
    scores: np.ndarray  # (n, 15) float32, 0 = missing
    bboxes: np.ndarray  # (n, 4) float32 x1 y1 x2 y2, px
    track_ids: List[Optional[int]]  # by the estimator, n of them


class _Detection(NamedTuple):
    keypoints: np.ndarray
    scores: np.ndarray
    bbox: np.ndarray
    track_id: Optional[int]


def read_detections(
    files: Iterable[PathLike],
    videos: Dict[str, Video],
    trust_pickle: bool = False,
) -> Tuple[Dict[str, Dict[int, Detections]], int]:
    """Read an estimator's output: video -> frame number -> poses.

    Also returns the number of poses that were left out because none of their
    keypoints has a score above 0.
    """
    places: Dict[ImageKey, Tuple[str, int]] = {
        key: (name, number)
        for name, video in videos.items()
        for key, number in video.images.items()
    }
    found: Dict[str, Dict[int, List[_Detection]]] = {
        name: {} for name in videos
    }
    empty = 0
    for path in files:
        entries, order, count = _open(path, trust_pickle)
        for index, entry in enumerate(entries):
            where = f'{path}: entry {index}'
            name, number = _place(entry, places, where)
            where = f'{where} ({name}, frame {number})'
            detection = _read(entry, order, count, where)
            if (detection.scores > 0).any():
                found[name].setdefault(number, []).append(detection)
            else:
                empty += 1
    return {
        name: {number: _stack(items) for number, items in frames.items()}
        for name, frames in found.items()
    }, empty


def _open(
    path: PathLike, trust_pickle: bool
) -> Tuple[List[Any], Optional[List[int]], Tuple[int, ...]]:
    """Entries of a file, the order of keypoints if named, their numbers."""
    if Path(path).suffix in ('.pkl', '.pickle'):
        return _read_dump(path, trust_pickle), None, (17, 15)
    content, order, count = read_json(path), None, (17, 15)
    if isinstance(content, dict):
        names = category_names(content, str(path))
        order = keypoint_order(names, f'{path}: categories')
        content, count = take(content, 'annotations', str(path)), (len(names),)
    if not isinstance(content, list):
        raise ValueError(
            f'{path}: expected a list of poses, found {type(content).__name__}'
        )
    return content, order, count


def _read_dump(path: PathLike, trust_pickle: bool) -> List[Any]:
    """Samples of a dump in the form of COCO's results, a person each."""
    samples = load_pickle(path, trust_pickle)
    if not isinstance(samples, list):
        raise ValueError(
            f'{path}: expected a list of samples, '
            f'found {type(samples).__name__}'
        )
    entries = []
    for index, sample in enumerate(samples):
        try:
            image = sample['img_path']
            found = sample['pred_instances']
            points = np.asarray(found['keypoints'], np.float32)
            scores = np.asarray(found['keypoint_scores'], np.float32)
            values = np.concatenate([points, scores[..., None]], -1)
            boxes = np.asarray(found['bboxes'], np.float32).reshape(-1, 4)
            boxes[:, 2:] -= boxes[:, :2]
            persons = [*zip(values, boxes)]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f'{path}: sample {index}: expected img_path and '
                'pred_instances with keypoints, keypoint_scores and bboxes '
                f'({type(error).__name__}: {error})'
            ) from None
        # Of several frames, as PoseTrack18VideoDataset gives, the first.
        image = image if isinstance(image, str) else str(image[0])
        entries += [
            dict(image_id=image, keypoints=points, bbox=box)
            for points, box in persons
        ]
    return entries


def _place(
    entry: Any, places: Dict[ImageKey, Tuple[str, int]], where: str
) -> Tuple[str, int]:
    key = take(entry, 'image_id', where)
    lookup = image_key(key) if isinstance(key, str) else key
    if not isinstance(lookup, (int, str)) or lookup not in places:
        raise ValueError(
            f"{where}: key 'image_id': {key!r} is no image of the annotation"
        )
    return places[lookup]


def _read(
    entry: dict, order: Optional[List[int]], count: Tuple[int, ...], where: str
) -> _Detection:
    if entry.get('category_id', 1) != 1:
        raise ValueError(
            f"{where}: key 'category_id': expected 1 (a person), found "
            f'{entry["category_id"]!r}'
        )
    if 'keypoints' not in entry and 'bbox' in entry:
        raise ValueError(
            f"{where}: key 'keypoints' is missing: these are boxes of a "
            'detector; expected what an estimator found in them'
        )
    values = numbers(
        take(entry, 'keypoints', where),
        tuple(3 * number for number in count),
        'keypoints',
        where,
    ).reshape(-1, 3)
    scores = values[:, 2]
    if entry.get('scores'):  # beside the keypoints, as PoseTrack has them
        scores = numbers(entry['scores'], (len(values),), 'scores', where)
    order = order or _ORDERS[len(values)]
    points, scores = values[order, :2], scores[order]
    missing = np.isnan(points).any(-1)
    if np.isnan(scores[~missing]).any():
        raise ValueError(f"{where}: key 'keypoints': a score is NaN")
    # A heatmap without any response gives scores below 0.
    missing |= ~(scores > 0)
    points = np.where(missing[:, None], np.float32(np.nan), points)
    bbox = corners(entry.get('bbox'), 'bbox', where)
    if bbox is None or not (bbox[2:] > bbox[:2]).all():
        bbox = boxes_around(points)
    track_id = entry.get('track_id')
    if track_id is not None and not isinstance(track_id, int):
        raise ValueError(
            f"{where}: key 'track_id': expected an integer, found {track_id!r}"
        )
    scores = np.where(missing, np.float32(0), scores)
    return _Detection(points, scores, bbox, track_id)


def _stack(items: List[_Detection]) -> Detections:
    return Detections(
        np.stack([item.keypoints for item in items]),
        np.stack([item.scores for item in items]),
        np.stack([item.bbox for item in items]),
        [item.track_id for item in items],
    )


def no_detections() -> Detections:
    """Detections of a frame without people."""
    count = len(KEYPOINTS)
    return Detections(
        np.zeros((0, count, 2), np.float32),
        np.zeros((0, count), np.float32),
        np.zeros((0, 4), np.float32),
        [],
    )
