# Copyright (c) hanet_mm contributors. All rights reserved.
"""Keypoints that MMPose wrote for the clips of a video data set.

Four forms are read, one person or more in a frame:

- ``predictions/<clip>.json`` of an inferencer run on a video: a list of
  ``{frame_id, instances}`` with frames counted from 0;
- ``<clip>.json`` of MMPose's demo scripts: ``{meta_info, instance_info}``
  with frames counted from 1 and the keypoints' names;
- ``<clip>/<image>.json`` of an inferencer run on a folder of images named by
  their number, counted from 1;
- the pickle of ``tools/test.py --dump``, whose images are
  ``.../action/clip/<number>``; it is unpickled only on explicit trust.
"""

from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np
from common import load_pickle

from hanet_mm.apis.formats.mmpose import parse_instances, parse_mmpose_video
from hanet_mm.core.data.files import PathLike, read_json

# Persons of one frame: keypoints (n, K, 2) px, scores (n, K).
Persons = Tuple[np.ndarray, np.ndarray]


class ClipPredictions(NamedTuple):
    """What an estimator found in one clip; frames count from 0."""

    source: str  # file or folder, for messages
    frames: Dict[int, Persons]  # where somebody was found, or all
    keypoint_names: Optional[Tuple[str, ...]] = None


def open_predictions(
    path: PathLike, trust_pickle: bool = False
) -> Callable[[str], Optional[ClipPredictions]]:
    """Return a function from ``action/clip`` to its predictions, or None.

    ``path`` is a folder of JSON files (``action/clip.json`` or ``clip.json``,
    or a folder of that name with a file an image), or a ``.pkl`` dump.
    """
    path = Path(path)
    if path.is_dir():
        return lambda clip: _find_in_folder(path, clip)
    if path.suffix in ('.pkl', '.pickle'):
        return _read_dump(path, trust_pickle).get
    raise ValueError(
        f'{path}: expected a folder of predictions or a .pkl dump, found '
        + ('another file' if path.exists() else 'nothing')
    )


def order_keypoints(
    predictions: ClipPredictions, names: Sequence[str]
) -> ClipPredictions:
    """Order keypoints by name; without names their number has to fit."""
    found = predictions.keypoint_names
    if found is None:
        _check_number(predictions, len(names))
        return predictions
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(
            f'{predictions.source}: the estimator has no keypoints '
            f'{", ".join(missing)}: expected the skeleton {", ".join(names)}, '
            f'found {", ".join(found)}'
        )
    _check_number(predictions, len(found))
    order = [found.index(name) for name in names]
    frames = {
        frame: (keypoints[:, order], scores[:, order])
        for frame, (keypoints, scores) in predictions.frames.items()
    }
    return ClipPredictions(predictions.source, frames, tuple(names))


def follow_truth(
    predictions: ClipPredictions, truth: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Take in each frame the person that is nearest to the truth (T, K, 2).

    Nearest is by the mean distance of the annotated keypoints, whatever that
    distance is: a wrong pose stays an error of the estimator. Returns
    estimates (T, K, 2) px and scores (T, K); NaN and 0 where nobody was
    found.
    """
    estimate = np.full(truth.shape, np.nan, np.float32)
    scores = np.zeros(truth.shape[:2], np.float32)
    for frame, (keypoints, confidence) in predictions.frames.items():
        if not len(keypoints) or not 0 <= frame < len(truth):
            continue
        distance = np.linalg.norm(keypoints - truth[frame], axis=-1)
        known = ~np.isnan(distance)
        total = np.where(known, distance, 0).sum(-1)
        # A person without any comparable keypoint comes last.
        mean = np.where(known.any(-1), total / known.sum(-1).clip(1), np.inf)
        best = int(np.argmin(mean))
        estimate[frame] = keypoints[best]
        # A heatmap without any response gives scores below 0.
        scores[frame] = np.maximum(confidence[best], 0)
    return estimate, scores


def _check_number(predictions: ClipPredictions, expected: int) -> None:
    for frame, (keypoints, _) in predictions.frames.items():
        if len(keypoints) and keypoints.shape[1] != expected:
            raise ValueError(
                f'{predictions.source}: frame {frame}: expected {expected} '
                f'keypoints, found {keypoints.shape[1]}'
            )


def _find_in_folder(root: Path, clip: str) -> Optional[ClipPredictions]:
    for place in (root / clip, root / clip.rsplit('/', 1)[-1]):
        file = place.with_name(place.name + '.json')
        if file.is_file():
            return _read_clip_file(file)
        images = sorted(place.glob('*.json')) if place.is_dir() else []
        if images:
            frames = {
                _frame_of_image(path, path.stem): _persons(
                    path, 'the image', read_json(path)
                )
                for path in images
            }
            return ClipPredictions(str(place), frames)
    return None


def _read_clip_file(path: Path) -> ClipPredictions:
    video = parse_mmpose_video(read_json(path), path)
    for frame, _ in video.frames:
        if frame < video.first:
            raise ValueError(
                f'{path}: expected each frame_id once and from {video.first} '
                f'on, found {frame}'
            )
    frames = {
        frame - video.first: _persons(
            path, f'frame {frame - video.first}', instances
        )
        for frame, instances in video.frames
    }
    return ClipPredictions(str(path), frames, video.keypoint_names)


def _persons(path: Path, where: str, instances: Any) -> Persons:
    """Stack the persons of a frame."""
    instances = parse_instances(instances, f'{path}: {where}')
    if not instances:
        return np.zeros((0, 0, 2), np.float32), np.zeros((0, 0), np.float32)
    try:
        return _stack(
            [item['keypoints'] for item in instances],
            [item['keypoint_scores'] for item in instances],
        )
    except (KeyError, TypeError, ValueError):
        raise ValueError(
            f'{path}: {where}: expected instances with keypoints (K, 2) and '
            'keypoint_scores (K,)'
        ) from None


def _stack(keypoints: Any, scores: Any) -> Persons:
    keypoints = np.asarray(keypoints, np.float32)
    scores = np.asarray(scores, np.float32)
    if keypoints.ndim != 3 or keypoints.shape[2] != 2:
        raise ValueError(f'expected (n, K, 2), found {keypoints.shape}')
    if scores.shape != keypoints.shape[:2]:
        raise ValueError(f'expected (n, K), found {scores.shape}')
    return keypoints, scores


def _frame_of_image(path: Path, stem: str) -> int:
    if not stem.isdigit() or int(stem) < 1:
        raise ValueError(
            f'{path}: expected images named by their number, from 1 on, '
            f'found {stem!r}'
        )
    return int(stem) - 1


def _read_dump(path: Path, trust_pickle: bool) -> Dict[str, ClipPredictions]:
    """Group the samples of a dump by clip; a sample is one person."""
    samples = load_pickle(path, trust_pickle)
    if not isinstance(samples, list):
        raise ValueError(
            f'{path}: expected a list of samples, '
            f'found {type(samples).__name__}'
        )
    found: Dict[str, Dict[int, List[Persons]]] = {}
    for index, sample in enumerate(samples):
        try:
            image = str(sample['img_path']).replace('\\', '/').split('/')
            instances = sample['pred_instances']
            persons = _stack(
                instances['keypoints'], instances['keypoint_scores']
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f'{path}: sample {index}: expected img_path and '
                'pred_instances with keypoints and keypoint_scores '
                f'({type(error).__name__}: {error})'
            ) from None
        frame = _frame_of_image(path, image[-1].rpartition('.')[0])
        clip = found.setdefault('/'.join(image[-3:-1]), {})
        clip.setdefault(frame, []).append(persons)
    return {
        clip: ClipPredictions(
            f'{path}: {clip}',
            {
                frame: tuple(map(np.concatenate, zip(*persons)))
                for frame, persons in frames.items()
            },
        )
        for clip, frames in found.items()
    }
