# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refine sequences at any frame rate, window by window, mirrored or not."""

from typing import Any, Callable, List, NamedTuple, Optional, Sequence

import numpy as np
import torch
from torch import Tensor

from ..nn.decoder import RefinedPoses
from .frame_rate import at_positions, from_grid, snap, split_pauses
from .normalization import finish_poses, fit_normalization
from .windows import OverlapMean, window_table

Network = Callable[[Tensor, Tensor], RefinedPoses]


def mirror(poses: Tensor) -> Tensor:
    """Left for right about the origin of the window, (..., D)."""
    return torch.cat([-poses[..., :1], poses[..., 1:]], dim=-1)


def check_flip(
    normalization: str, flip_indices: Optional[Sequence[int]]
) -> None:
    """Raise a ValueError if windows of this normalisation have no mirror.

    Args:
        normalization (str): See
            :func:`hanet_mm.core.refine.normalization.fit_normalization`.
        flip_indices (Sequence[int], optional): Whether to mirror at all.
    """
    if flip_indices is not None and normalization not in ('box', 'root'):
        raise ValueError(
            "mirrored windows need the normalization 'box' or 'root', got "
            f'{normalization!r}'
        )


def mirrored_network(
    network: Network, flip_indices: Optional[Sequence[int]]
) -> Network:
    """A network whose final poses are the mean with those of the mirror.

    Args:
        network (Callable): From poses (B, T, K, D) and scores (B, T, K) to
            :class:`RefinedPoses`.
        flip_indices (Sequence[int], optional): Joint of the other side of
            each joint. None: the network itself.

    Returns:
        Callable: Used like the network; what else it tells is of the window
        as it is.
    """
    if flip_indices is None:
        return network
    flip = list(flip_indices)

    def refine(poses: Tensor, scores: Tensor) -> RefinedPoses:
        refined = network(poses, scores)
        other = network(mirror(poses[:, :, flip]), scores[..., flip]).final
        final = (refined.final + mirror(other[:, :, flip])) / 2
        return refined._replace(final=final)

    return refine


class RefinedSequence(NamedTuple):
    """A refined sequence.

    Attributes:
        keypoints (Tensor): Refined, in the coordinates of the input,
            (T, K, D). Frames that no window covers are as they came; a
            sequence in which nothing was seen is NaN.
        covered (Tensor): Frames that a window covers, bool, (T, ). All,
            unless the tail was dropped.
        expected_error (Tensor, optional): How far off each keypoint is to
            be expected, in the unit of the input, (T, K); of networks that
            tell, NaN at frames that no window covers.
    """

    keypoints: Tensor
    covered: Tensor
    expected_error: Optional[Tensor] = None


class RefinedWindows(NamedTuple):
    """Refined windows in the coordinates of the input.

    Attributes:
        keypoints (Tensor): (B, T, K, D).
        expected_error (Tensor, optional): In their unit, (B, T, K).
    """

    keypoints: Tensor
    expected_error: Optional[Tensor]


@torch.no_grad()
def refine_windows(
    network: Callable[[Tensor, Tensor], RefinedPoses],
    poses: Tensor,
    scores: Tensor,
    normalization: str,
    image_size: Optional[Tensor] = None,
    root: Optional[Sequence[int]] = None,
) -> RefinedWindows:
    """Refine windows, each in coordinates of its own.

    Args:
        network (Callable): From normalised windows (B, T, K, D) and their
            scores to :class:`RefinedPoses`.
        poses (Tensor): Estimates without gaps, (B, T, K, D).
        scores (Tensor): Of the estimates, 0 where the estimator saw nothing,
            (B, T, K).
        normalization (str): See :func:`fit_normalization`.
        image_size (Tensor, optional): W, H of each window, (B, 2).
        root (Sequence[int], optional): Root joints for 'root'.

    Returns:
        RefinedWindows: In the coordinates of the input.
    """
    affine = fit_normalization(
        normalization, poses, scores > 0, image_size, root
    )
    output = network(affine.encode(poses), scores)
    error = None
    if output.log_error is not None:
        # Of unequal units the longer one.
        unit = affine.scale.amax(-1)
        error = output.log_error.exp().to(poses.dtype) * unit
    return RefinedWindows(affine.decode(output.final.to(poses.dtype)), error)


@torch.no_grad()
def refine_sequences(
    network: Callable[[Tensor, Tensor], RefinedPoses],
    keypoints: Sequence[Tensor],
    scores: Sequence[Tensor],
    window: int,
    stride: int,
    normalization: str,
    image_size: Optional[Tensor] = None,
    root: Optional[Sequence[int]] = None,
    tail: str = 'cover',
    window_batch: int = 512,
) -> List[RefinedSequence]:
    """Refine sequences of any length, all their windows together.

    Windows are normalised one by one, refined, put back into the coordinates
    of the input, and averaged where they overlap.

    Args:
        network (Callable): See :func:`refine_windows`.
        keypoints (Sequence[Tensor]): Estimates without gaps, (T_i, K, D)
            each, on one device.
        scores (Sequence[Tensor]): Of the estimates, 0 where they were
            filled, (T_i, K) each.
        window (int): Frames of a window.
        stride (int): Frames from one window to the next.
        normalization (str): See :func:`fit_normalization`.
        image_size (Tensor, optional): W, H of each sequence, (S, 2).
        root (Sequence[int], optional): Root joints for 'root'.
        tail (str): See :func:`window_starts`. Defaults to 'cover'.
        window_batch (int): Windows that run at once; bounds the memory.
            Defaults to 512.

    Returns:
        list[RefinedSequence]: In the order of the input.
    """
    if not keypoints:
        return []
    seq_len = [len(x) for x in keypoints]
    flat = finish_poses(normalization, torch.cat(list(keypoints)))
    flat_scores = torch.cat(list(scores)).to(flat)
    table = window_table(seq_len, window, stride, tail)
    device = flat.device
    frames = torch.from_numpy(table.frames).to(device)
    inside = torch.from_numpy(table.inside).to(device)
    sequence = torch.from_numpy(table.sequence).to(device)
    merged = OverlapMean(len(flat), flat)
    errors = OverlapMean(len(flat), flat[..., :1])
    for batch in torch.arange(len(frames), device=device).split(window_batch):
        places = frames[batch]
        poses = flat[places]
        sizes = None
        if image_size is not None:
            sizes = image_size.to(device)[sequence[batch]]
        # Repetitions that fill up a short sequence are no estimates.
        known = flat_scores[places] * inside[batch, :, None]
        refined = refine_windows(
            network, poses, known, normalization, sizes, root
        )
        merged.add(refined.keypoints, places, inside[batch])
        if refined.expected_error is not None:
            error = refined.expected_error[..., None]
            errors.add(error, places, inside[batch])
    covered = merged.covered
    result = finish_poses(normalization, merged.result())
    result = torch.where(covered[:, None, None], result, flat)
    seen = torch.stack([(x > 0).any() for x in flat_scores.split(seq_len)])
    known = seen.repeat_interleave(torch.tensor(seq_len, device=device))
    result = result.masked_fill(~known[:, None, None], float('nan'))
    expected: Sequence[Optional[Tensor]] = [None] * len(seq_len)
    if errors.covered.any():
        expected = errors.result()[..., 0].split(seq_len)
    columns = (result.split(seq_len), covered.split(seq_len), expected)
    return [RefinedSequence(*parts) for parts in zip(*columns)]


class _Part(NamedTuple):
    """Frames between two pauses, at the rate of the refiner.

    Attributes:
        sequence (int): Which sequence they are of.
        keypoints (np.ndarray): (G, K, D).
        scores (np.ndarray): 0 = missing, (G, K).
        positions (np.ndarray, optional): Of the frames that were given,
            None if these are they.
    """

    sequence: int
    keypoints: np.ndarray
    scores: np.ndarray
    positions: Optional[np.ndarray] = None


class PacedSequence(NamedTuple):
    """A refined sequence at the frames given.

    Attributes:
        keypoints (Tensor): (T, K, D).
        expected_error (Tensor, optional): (T, K), see
            :class:`hanet_mm.core.refine.inference.RefinedSequence`.
    """

    keypoints: Tensor
    expected_error: Optional[Tensor]


def refine_paced(
    network: Callable[[Tensor, Tensor], RefinedPoses],
    keypoints: Sequence[np.ndarray],
    scores: Sequence[np.ndarray],
    positions: Optional[Sequence[np.ndarray]],
    window: int,
    normalization: str,
    image_size: Optional[Tensor] = None,
    device: Optional[torch.device] = None,
    **options: Any,
) -> List[PacedSequence]:
    """:func:`refine_sequences` of frames taken at any times.

    Sequences at another rate, or with uneven time stamps, are interpolated
    at the refiner's frames, refined there, and the refined poses are
    interpolated at the frames given. A pause as long as a window divides a
    sequence; a part in which nothing was seen is NaN. All go through the
    network together.

    Args:
        network (Callable): See :func:`refine_sequences`.
        keypoints (Sequence[np.ndarray]): Without gaps, (T_i, K, D) each.
        scores (Sequence[np.ndarray]): Of the keypoints, 0 where they were
            filled, (T_i, K) each.
        positions (Sequence[np.ndarray], optional): Times of the frames in
            frames of the refiner, (T_i, ) each. None: as they follow.
        window (int): Frames of a window.
        normalization (str): See :func:`fit_normalization`.
        image_size (Tensor, optional): W, H of each sequence, (S, 2).
        device (torch.device, optional): Of the network.
        **options: For :func:`refine_sequences`.

    Returns:
        list[PacedSequence]: In the order of the input.
    """
    parts = []
    for index, (points, known) in enumerate(zip(keypoints, scores)):
        if positions is None:
            parts.append(_Part(index, points, known))
        else:
            parts += _parts(index, points, known, positions[index], window)
    owner = torch.tensor([part.sequence for part in parts], dtype=torch.long)
    refined = refine_sequences(
        network,
        [torch.from_numpy(part.keypoints).to(device) for part in parts],
        [torch.from_numpy(part.scores).to(device) for part in parts],
        window=window,
        normalization=normalization,
        image_size=None if image_size is None else image_size[owner],
        **options,
    )
    results: List[List[PacedSequence]] = [[] for _ in keypoints]
    for part, result in zip(parts, refined):
        poses, error = result.keypoints, result.expected_error
        if part.positions is not None:
            poses = _resample_back(poses, part.positions)
            poses = finish_poses(normalization, poses)
            if error is not None:
                error = _resample_back(error[..., None], part.positions)
                error = error[..., 0]
        results[part.sequence].append(PacedSequence(poses, error))
    return [_join_parts(x) for x in results]


def _resample_back(values: Tensor, positions: np.ndarray) -> Tensor:
    """From the refiner's frames to those given, (G, K, D) -> (T, K, D)."""
    resampled = from_grid(values.cpu().numpy(), positions)
    return torch.from_numpy(resampled).to(values.device)


def _join_parts(parts: List[PacedSequence]) -> PacedSequence:
    if len(parts) == 1:
        return parts[0]
    errors = [x.expected_error for x in parts if x.expected_error is not None]
    error = torch.cat(errors) if errors else None
    return PacedSequence(torch.cat([part.keypoints for part in parts]), error)


def _parts(
    sequence: int,
    keypoints: np.ndarray,
    scores: np.ndarray,
    positions: np.ndarray,
    window: int,
) -> List[_Part]:
    parts = []
    for place in split_pauses(positions, window):
        points, known = keypoints[place], scores[place]
        times = snap(positions[place] - positions[place.start])
        if (np.diff(times) == 1).all():
            parts.append(_Part(sequence, points, known))
            continue
        grid = np.arange(np.ceil(times[-1]) + 1)
        on_grid = at_positions(points, known, times, grid)
        parts.append(_Part(sequence, *on_grid, times))
    return parts
