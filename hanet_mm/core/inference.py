"""Refine whole sequences: the one path from poses to better poses."""

from typing import Callable, List, NamedTuple, Optional, Sequence

import torch
from torch import Tensor

from .decoder import RefinedPoses
from .normalization import finish_poses, fit_normalization
from .windows import OverlapMean, window_table


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
    refined = finish_poses(normalization, merged.result())
    refined = torch.where(covered[:, None, None], refined, flat)
    seen = torch.stack([(x > 0).any() for x in flat_scores.split(seq_len)])
    known = seen.repeat_interleave(torch.tensor(seq_len, device=device))
    refined = refined.masked_fill(~known[:, None, None], float('nan'))
    error = [None] * len(seq_len)
    if errors.covered.any():
        error = errors.result()[..., 0].split(seq_len)
    return [
        RefinedSequence(*parts)
        for parts in zip(refined.split(seq_len), covered.split(seq_len), error)
    ]
