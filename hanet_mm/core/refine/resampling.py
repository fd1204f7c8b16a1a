# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refine sequences taken at any times, within what they give evidence of."""

from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from ..data.blocks import alike_groups, row_blocks
from .evidence import GivenPoses, keep_to_evidence
from .frame_rate import (
    at_positions,
    count_phases,
    from_grid,
    last_frames,
    phase_coverage,
    snap,
)
from .inference import Network, RefinedSequence, refine_sequences
from .normalization import finish_poses
from .pauses import split_pauses
from .rigid import RigidBody
from .threads import map_threads
from .trust import MISSING


class ResampledSequence(NamedTuple):
    """Refined keypoints (T, K, D), expected errors and reasons (T, K).

    The reasons, see :data:`hanet_mm.core.refine.trust.REASONS`, are None
    without a limit.
    """

    keypoints: Tensor
    expected_error: Optional[Tensor]
    reason: Optional[np.ndarray] = None


class _Piece(NamedTuple):
    """Given frames between two pauses, (F, K, D) and (F, K).

    ``positions`` (F, ) are in refiner frames, from 0 on; None: 0, 1, 2, ...
    """

    sequence: int
    frames: slice
    keypoints: np.ndarray
    scores: np.ndarray
    positions: Optional[np.ndarray] = None


def refine_resampled(
    network: Network,
    keypoints: Sequence[np.ndarray],
    scores: Sequence[np.ndarray],
    positions: Optional[Sequence[np.ndarray]],
    window: int,
    normalization: str,
    image_size: Optional[Tensor] = None,
    device: Optional[torch.device] = None,
    rates: Optional[Sequence[float]] = None,
    swapped: Optional[Sequence[Optional[np.ndarray]]] = None,
    body: Optional[RigidBody] = None,
    **options: Any,
) -> List[ResampledSequence]:
    """Run :func:`refine_sequences` on frames (T_i, K, D) taken at any times.

    Sequences at another rate or with uneven time stamps are resampled at the
    refiner's frames, refined there, and resampled at the given frames, whose
    ``positions`` (T_i, ) are in refiner frames (None: 0, 1, 2, ...). At
    twice the rate and more that is done several times, from other frames on,
    so that all frames are used, and the results are averaged. A pause as
    long as a window splits a sequence; a part without observations is NaN.

    With ``rates``, the frames per second of each sequence, the results are
    limited to what the sequence gives evidence of, see
    :func:`keep_to_evidence`; ``swapped`` (T_i, K) are the keypoints whose
    sides were corrected before, ``body`` is that of 3D poses.
    """
    pieces = _pieces(keypoints, scores, positions, window)
    grids = [_grids(piece) for piece in pieces]
    owner = [p.sequence for p, own in zip(pieces, grids) for _ in own]
    parts = [
        _on_grid(piece, grid)
        for piece, own in zip(pieces, grids)
        for grid in own
    ]
    refined = refine_sequences(
        network,
        [torch.from_numpy(poses) for poses, _ in parts],
        [torch.from_numpy(known) for _, known in parts],
        window=window,
        normalization=normalization,
        image_size=None if image_size is None else image_size[owner],
        device=device,
        **options,
    )
    rest = iter(refined)
    found = [
        _back(piece, own, [next(rest) for _ in own], normalization)
        for piece, own in zip(pieces, grids)
    ]
    if rates is not None:
        found = _limit_all(pieces, found, rates, swapped, body)
    results: List[List[ResampledSequence]] = [[] for _ in keypoints]
    for piece, result in zip(pieces, found):
        results[piece.sequence].append(result)
    return [_join(x) for x in results]


def _pieces(
    keypoints: Sequence[np.ndarray],
    scores: Sequence[np.ndarray],
    positions: Optional[Sequence[np.ndarray]],
    window: int,
) -> List[_Piece]:
    pieces = []
    for index, (points, known) in enumerate(zip(keypoints, scores)):
        if positions is None:
            whole = slice(0, len(points))
            pieces.append(_Piece(index, whole, points, known))
            continue
        for place in split_pauses(positions[index], window):
            times = snap(positions[index][place])
            times = snap(times - times[0])
            piece = _Piece(index, place, points[place], known[place])
            if not (np.diff(times) == 1).all():
                piece = piece._replace(positions=times)
            pieces.append(piece)
    return pieces


def _grids(piece: _Piece) -> List[np.ndarray]:
    """Positions at which a piece is refined, of each phase."""
    times = piece.positions
    if times is None:
        return [np.arange(len(piece.keypoints))]
    starts = _starts(times)
    return [
        start + np.arange(end + 1)
        for start, end in zip(starts, last_frames(times, starts))
        if end >= 0
    ]


def _starts(times: np.ndarray) -> np.ndarray:
    count = count_phases(np.diff(times))
    return np.arange(count) / count


def _on_grid(piece: _Piece, grid: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    if piece.positions is None:
        return piece.keypoints, piece.scores
    poses = np.empty((len(grid), *piece.keypoints.shape[1:]), np.float32)
    known = np.empty(poses.shape[:2], np.float32)
    for rows in row_blocks(len(grid)):
        poses[rows], known[rows] = at_positions(
            piece.keypoints, piece.scores, piece.positions, grid[rows]
        )
    return poses, known


def _back(
    piece: _Piece,
    grids: Sequence[np.ndarray],
    refined: Sequence[RefinedSequence],
    normalization: str,
) -> ResampledSequence:
    """Mean of the refined phases at the given frames."""
    times = piece.positions
    if times is None:
        return ResampledSequence(*refined[0][::2])
    first = refined[0]
    dims = first.keypoints.shape[-1]
    mean = np.empty((len(times), *first.keypoints.shape[1:]), np.float32)
    error = None
    if first.expected_error is not None:
        error = np.empty(mean.shape[:2], np.float32)
    values = [_poses_and_errors(x) for x in refined]
    starts = _starts(times)
    for rows in row_blocks(len(times)):
        inside = phase_coverage(times[rows], starts, times[-1])
        total: Any = 0.0
        for served, grid, result in zip(inside, grids, values):
            local = snap(times[rows] - grid[0]).clip(0, len(grid) - 1)
            found = np.concatenate([from_grid(x, local) for x in result], -1)
            total = total + np.where(served[:, None, None], found, 0)
        total = total / inside.sum(0)[:, None, None]
        mean[rows] = total[..., :dims]
        if error is not None:
            error[rows] = total[..., -1]
    poses = torch.from_numpy(mean).to(first.keypoints)
    poses = finish_poses(normalization, poses)
    unknown = poses.isnan()
    if unknown.any() and (piece.scores > 0).any():
        # Frames between the refiner's may be the only ones with a keypoint.
        given = torch.from_numpy(piece.keypoints).to(poses)
        poses = torch.where(unknown, given, poses)
    return ResampledSequence(
        poses, None if error is None else torch.from_numpy(error).to(poses)
    )


def _poses_and_errors(refined: RefinedSequence) -> List[np.ndarray]:
    """Poses (T, K, D) and, if there are some, expected errors (T, K, 1)."""
    parts = [refined.keypoints.cpu().numpy()]
    if refined.expected_error is not None:
        parts.append(refined.expected_error[..., None].cpu().numpy())
    return parts


def _limit_all(
    pieces: Sequence[_Piece],
    results: Sequence[ResampledSequence],
    rates: Sequence[float],
    swapped: Optional[Sequence[Optional[np.ndarray]]],
    body: Optional[RigidBody],
) -> List[ResampledSequence]:
    """Limit all pieces, those of equal length and rate together."""
    limited = list(results)
    known = []
    for index, piece in enumerate(pieces):
        if piece.scores.any():
            known.append(index)
            continue
        reason = np.full(piece.scores.shape, MISSING, np.uint8)
        limited[index] = limited[index]._replace(reason=reason)
    sizes = [len(pieces[i].scores) for i in known]
    own_rates = [rates[pieces[i].sequence] for i in known]

    def limit(members: Sequence[int]) -> None:
        group = [known[i] for i in members]
        own = [pieces[i] for i in group]
        found = _limit(
            own,
            [results[i] for i in group],
            own_rates[members[0]],
            swapped,
            body,
        )
        for i, result in zip(group, found):
            limited[i] = result

    map_threads(limit, list(alike_groups(sizes, own_rates)))
    return limited


def _beside(sequences: Sequence[np.ndarray]) -> np.ndarray:
    """Sequences (T, ...) of equal length as (T, S, ...); one is no copy."""
    if len(sequences) == 1:
        return sequences[0][:, None]
    return np.stack(sequences, axis=1)


def _limit(
    pieces: Sequence[_Piece],
    results: Sequence[ResampledSequence],
    fps: float,
    swapped: Optional[Sequence[Optional[np.ndarray]]],
    body: Optional[RigidBody],
) -> List[ResampledSequence]:
    """Limit pieces of equal length, together as (T, S, K, D)."""
    poses = _beside([piece.keypoints for piece in pieces])
    missing = _beside([piece.scores == 0 for piece in pieces])
    undone = None
    if swapped is not None:
        every = [(swapped[p.sequence], p) for p in pieces]
        own = [x[p.frames] for x, p in every if x is not None]
        undone = _beside(own) if own else None
    refined = _beside([x.keypoints.cpu().numpy() for x in results])
    errors = [
        x.expected_error for x in results if x.expected_error is not None
    ]
    expected = rejected = None
    if errors:
        expected = _beside([x.cpu().numpy() for x in errors])
        rejected = np.isnan(expected)
    given = GivenPoses(poses, missing, undone, fps)
    trusted = keep_to_evidence(refined, expected, given, body, overwrite=True)
    if rejected is not None:
        # The one that the network expects is that of its own poses.
        trusted.expected_error[rejected] = np.nan
    limited = []
    for i, result in enumerate(results):
        like = result.keypoints
        better = torch.from_numpy(trusted.keypoints[:, i]).to(like)
        reason = trusted.reason[:, i]
        result = result._replace(keypoints=better, reason=reason)
        if rejected is not None:
            error = torch.from_numpy(trusted.expected_error[:, i]).to(like)
            result = result._replace(expected_error=error)
        limited.append(result)
    return limited


def _join(pieces: List[ResampledSequence]) -> ResampledSequence:
    if len(pieces) == 1:
        return pieces[0]
    errors = [x.expected_error for x in pieces if x.expected_error is not None]
    reasons = [x.reason for x in pieces if x.reason is not None]
    return ResampledSequence(
        torch.cat([piece.keypoints for piece in pieces]),
        torch.cat(errors) if errors else None,
        np.concatenate(reasons) if reasons else None,
    )
