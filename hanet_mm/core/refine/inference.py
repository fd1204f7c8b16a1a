# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refine sequences window by window, mirrored or not."""

from typing import Callable, List, NamedTuple, Optional, Sequence

import torch
from torch import Tensor

from ..nn.decoder import RefinedPoses
from .normalization import finish_poses, fit_normalization
from .windows import OverlapMean, window_table

Network = Callable[[Tensor, Tensor], RefinedPoses]


def mirror(poses: Tensor) -> Tensor:
    """Mirror poses (..., D) left to right about the origin of the window."""
    return torch.cat([-poses[..., :1], poses[..., 1:]], dim=-1)


def check_flip(
    normalization: str, flip_indices: Optional[Sequence[int]]
) -> None:
    """Raise a ValueError if windows of this normalization have no mirror."""
    if flip_indices is not None and normalization not in ('box', 'root'):
        raise ValueError(
            "mirrored windows need the normalization 'box' or 'root', got "
            f'{normalization!r}'
        )


def mirrored_network(
    network: Network, flip_indices: Optional[Sequence[int]]
) -> Network:
    """Average the network's final poses with those of mirrored windows.

    ``flip_indices`` holds the opposite-side joint of each joint (None: the
    network itself); all other outputs are those of the unmirrored window.
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
    """Refined keypoints (T, K, D), covered frames (T, ), error (T, K).

    Frames outside every window are unchanged, with NaN as error; a sequence
    without any observation is NaN. The error is the expected one, in input
    units.
    """

    keypoints: Tensor
    covered: Tensor
    expected_error: Optional[Tensor] = None


class RefinedWindows(NamedTuple):
    """Keypoints (B, T, K, D), expected errors (B, T, K), in input units."""

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
    """Refine windows (B, T, K, D) without gaps, each in its own coordinates.

    Scores (B, T, K) are 0 where missing; image sizes W, H are (B, 2).
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
    """Refine sequences (T_i, K, D) of any length, all their windows together.

    Windows are normalised one by one, refined, decoded and averaged where they
    overlap. Scores (T_i, K) are 0 where filled, image sizes W, H are (S, 2);
    ``window_batch`` bounds the memory and ``tail`` is as in
    :func:`window_starts`.
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
