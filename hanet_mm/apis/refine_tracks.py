# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refine the tracks of a pose file, each part between cuts by itself."""

from dataclasses import fields
from typing import Any, Dict, List, Optional, Sequence, Tuple, cast

import numpy as np

from hanet_mm.core.refine.frame_rate import USUAL_RATE
from hanet_mm.core.refine.refiner import Refiner, RefineResult

from .formats import PoseFile
from .keypoint_plan import (
    KeypointPlan,
    Poses,
    find_chains,
    nonempty_indices,
)
from .refine_options import RefineOptions
from .video.jumps import split_cuts


def refine_tracks(
    poses: PoseFile, refiner: Any, plan: KeypointPlan, options: RefineOptions
) -> Tuple[List[Optional[RefineResult]], List[np.ndarray]]:
    """Refine the tracks of a file; None for tracks without known keypoints.

    The second result is the first frame after each cut of each track, see
    :func:`split_cuts`. Nothing is smoothed over them; rotations, which are
    nowhere, have none.
    """
    path, tracks = poses.path, poses.tracks
    inputs = [plan.to_refiner(track) for track in tracks]
    # Values for each track; filters need none.
    knowledge: Dict[str, list] = {}
    shared: Dict[str, Any] = {}
    if options.unswap:
        shared['chains'] = find_chains(poses, options.skeleton)
        rates = [x.fps or USUAL_RATE for x in tracks]
        knowledge['fps'] = rates
    if isinstance(refiner, Refiner):
        _check_shapes(poses, inputs, refiner)
        if refiner.normalization == 'image':
            knowledge['image_size'] = _image_sizes(poses)
        if refiner.fps is not None:
            rates = [x.fps or refiner.fps for x in tracks]
            knowledge['fps'] = rates
    some = nonempty_indices(inputs)
    if not some:
        raise ValueError(
            f'{path}: no person has a keypoint known to the refiner '
            f'({plan.report})'
        )
    cuts = [np.zeros(0, np.int64) for _ in tracks]
    if not poses.has_rotations:
        for i in some:
            cuts[i] = np.flatnonzero(np.diff(split_cuts(*inputs[i]))) + 1
    parts = [_split(*inputs[i], cuts[i]) for i in some]
    owners = [i for i, own in zip(some, parts) for _ in own]
    try:
        results = refiner.refine(
            [points for own in parts for points, _ in own],
            [scores for own in parts for _, scores in own],
            **{
                key: [values[i] for i in owners]
                for key, values in knowledge.items()
            },
            **shared,
        )
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    rest = iter(results)
    found: List[Optional[RefineResult]] = [None] * len(tracks)
    for index, own in zip(some, parts):
        result = _join([next(rest) for _ in own])
        if not np.isfinite(result.keypoints).all():
            raise ValueError(
                f'{path}: {tracks[index].name}: the refined keypoints are '
                'not finite: coordinates beyond float32, or a damaged refiner'
            )
        found[index] = result
    return found, cuts


def _split(
    points: np.ndarray, scores: Optional[np.ndarray], cuts: np.ndarray
) -> List[Poses]:
    """The parts of keypoints (T, K, D) and scores (T, K) or None."""
    if scores is None:
        return [(x, None) for x in np.split(points, cuts)]
    return list(zip(np.split(points, cuts), np.split(scores, cuts)))


def _join(parts: Sequence[RefineResult]) -> RefineResult:
    """One result of those of its parts."""
    if len(parts) == 1:
        return parts[0]
    joined = {}
    for name in (x.name for x in fields(RefineResult)):
        values = [getattr(part, name) for part in parts]
        if all(x is not None for x in values):
            joined[name] = np.concatenate(values)
    return RefineResult(**joined)


def _check_shapes(
    poses: PoseFile, inputs: List[tuple], refiner: Refiner
) -> None:
    head = refiner.network.head
    # Rotations may be axis-angle too.
    dims = (3, 6) if refiner.normalization == 'rot6d' else (head.coord_dims,)
    for track, (points, _) in zip(poses.tracks, inputs):
        if points.shape[1:] not in [(head.num_keypoints, x) for x in dims]:
            raise ValueError(
                f'{poses.path}: {track.name}: the refiner expects keypoints '
                f'(T, K, D) = (T, {head.num_keypoints}, '
                f'{" or ".join(map(str, dims))}), found {points.shape}'
            )


def _image_sizes(poses: PoseFile) -> List[Sequence[float]]:
    sizes = [track.image_size for track in poses.tracks]
    if any(size is None for size in sizes):
        raise ValueError(
            f"{poses.path}: has no image size, which the refiner's 'image' "
            'normalisation needs: give it with --image-size W H'
        )
    return cast(List[Sequence[float]], sizes)
