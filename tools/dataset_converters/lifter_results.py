# Copyright (c) hanet_mm contributors. All rights reserved.
"""3D estimates for the images of an annotation in MMPose's layout.

Two forms are read:

- the pickle of ``tools/test.py --dump`` for a pose lifter: a sample has
  ``target_img_path``, the names of its frames, and ``pred_instances`` with
  ``keypoints`` in metres and ``keypoint_scores``; it is unpickled only on
  explicit trust;
- an ``.npz`` of plain arrays: ``joints_3d`` (M, K, 3) in metres and, both
  optional, ``scores`` (M, K) and ``imgname`` (M,); without names the rows
  are those of the annotation.
"""

from pathlib import Path
from typing import Any, Callable, Iterator, List, NamedTuple, Tuple

import numpy as np
from common import load_pickle

from hanet_mm.apis.annotations.mocap import (
    MocapImages,
    check_rows,
    read_mocap_images,
)
from hanet_mm.core.data.archive_rows import open_rows
from hanet_mm.core.data.files import PathLike, npz_keys

# Estimates of some frames: keypoints (n, K, 3) m, scores (n, K).
Block = Tuple[np.ndarray, np.ndarray]


class LifterResults(NamedTuple):
    """Estimates of M frames."""

    images: MocapImages  # M of them
    blocks: Callable[[], Iterator[Block]]  # all M, in order


def read_lifter_results(
    path: PathLike,
    dataset: str,
    keypoints: int,
    annotated: MocapImages,
    trust_pickle: bool = False,
) -> LifterResults:
    """Read estimates in either form; the name's ending says which."""
    if Path(path).suffix in ('.pkl', '.pickle'):
        return _read_dump(path, dataset, keypoints, trust_pickle)
    return _read_npz(path, dataset, keypoints, annotated)


def _read_npz(
    path: PathLike, dataset: str, keypoints: int, annotated: MocapImages
) -> LifterResults:
    found = npz_keys(path)
    images = annotated
    if 'imgname' in found:
        images = read_mocap_images(path, dataset)
    shape = (len(images.number), keypoints)
    scored = 'scores' in found
    keys = ('joints_3d', 'scores') if scored else ('joints_3d',)
    with open_rows(path, *keys) as rows:
        for key, array, dims in zip(keys, rows, ((3,), ())):
            check_rows(array, f'{path}: {key}', shape + dims)

    def blocks() -> Iterator[Block]:
        with open_rows(path, 'joints_3d') as (joints,):
            scores = _scores(path) if scored else None
            for block in joints:
                points = block.astype(np.float32)
                known = (~np.isnan(points).any(-1)).astype(np.float32)
                if scores is not None:
                    known *= scores(len(points))
                yield points, known

    return LifterResults(images, blocks)


def _scores(path: PathLike) -> Callable[[int], np.ndarray]:
    """A function that gives the next rows of the scores."""
    with open_rows(path, 'scores') as (rows,):
        # A third of the keypoints' numbers; they fit where those do not.
        whole = np.concatenate([x.astype(np.float32) for x in rows])
    place = 0

    def take(count: int) -> np.ndarray:
        nonlocal place
        place += count
        return whole[place - count : place]

    return take


def _read_dump(
    path: PathLike, dataset: str, keypoints: int, trust_pickle: bool
) -> LifterResults:
    samples = load_pickle(path, trust_pickle)
    if not isinstance(samples, list) or not samples:
        raise ValueError(
            f'{path}: expected a list of samples, found '
            f'{"an empty " if not samples else ""}{type(samples).__name__}'
        )
    images = MocapImages(dataset)
    names: List[Any] = []
    parts: List[Block] = []
    for index, sample in enumerate(samples):
        more, points, scores = _read_sample(
            sample, keypoints, f'{path}: sample {index}'
        )
        names += more
        parts.append((points, scores))
        samples[index] = None  # they may be millions
    images.add(names, f'{path}: target_img_path')
    return LifterResults(images, lambda: iter(parts))


def _read_sample(
    sample: Any, keypoints: int, where: str
) -> Tuple[List[Any], np.ndarray, np.ndarray]:
    """Names, keypoints (n, K, 3) and scores (n, K) of a window's targets."""
    try:
        names = np.atleast_1d(sample['target_img_path']).tolist()
        instances = sample['pred_instances']
        points = np.asarray(instances['keypoints'], np.float32)
        scores = np.asarray(instances['keypoint_scores'], np.float32)
        points = points.reshape(len(names), keypoints, 3)
        scores = scores.reshape(len(names), keypoints)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f'{where}: expected target_img_path (in meta_keys of '
            f'PackPoseInputs) and pred_instances with keypoints (n, '
            f'{keypoints}, 3) and keypoint_scores (n, {keypoints}) '
            f'({type(error).__name__}: {error})'
        ) from None
    scores = np.where(np.isnan(points).any(-1), 0, np.maximum(scores, 0))
    return names, points, scores
