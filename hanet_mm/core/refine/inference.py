# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refine sequences window by window, mirrored or not."""

from typing import Callable, List, NamedTuple, Optional, Sequence

import torch
from torch import Tensor

from ..data.steps import watched
from ..nn.decoder import RefinedPoses
from .normalization import finish_poses, fit_normalization
from .windows import OverlapMean, table_weights, window_table

# Windows that run at once: on a CPU as many as its cache holds.
_WINDOW_BATCH = {'cpu': 128}

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


def _join(sequences: Sequence[Tensor]) -> Tensor:
    """All frames; those of a single sequence are not copied."""
    return sequences[0] if len(sequences) == 1 else torch.cat(list(sequences))


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
    taper: bool = False,
    window_batch: Optional[int] = None,
    device: Optional[torch.device] = None,
) -> List[RefinedSequence]:
    """Refine sequences (T_i, K, D) of any length, all their windows together.

    Windows are normalised one by one, refined, decoded and averaged where they
    overlap. Scores (T_i, K) are 0 where filled, image sizes W, H are (S, 2);
    ``window_batch`` bounds the memory (None: what is fastest), ``tail`` is
    as in :func:`window_starts` and ``taper`` as in :func:`window_weights`.
    All together go to a ``device``, and what is refined comes back.
    """
    if not keypoints:
        return []
    seq_len = [len(x) for x in keypoints]
    origin = keypoints[0].device
    flat = _join(keypoints).to(device or origin)
    flat = finish_poses(normalization, flat)
    flat_scores = _join(scores).to(flat)
    table = window_table(seq_len, window, stride, tail)
    device = flat.device
    window_batch = window_batch or _WINDOW_BATCH.get(device.type, 512)
    merged = OverlapMean(len(flat), flat)
    errors: Optional[OverlapMean] = None
    for first in watched(range(0, len(table.start), window_batch)):
        batch = table.rows(slice(first, first + window_batch))
        places = torch.from_numpy(batch.frames).to(device)
        inside = torch.from_numpy(batch.inside).to(device)
        weights = torch.from_numpy(table_weights(batch, taper)).to(flat)
        poses = flat[places]
        sizes = None
        if image_size is not None:
            sequence = torch.from_numpy(batch.sequence)
            sizes = image_size.to(device)[sequence.to(device)]
        # Repetitions that fill up a short sequence are no estimates.
        known = flat_scores[places] * inside[..., None]
        refined = refine_windows(
            network, poses, known, normalization, sizes, root
        )
        merged.add(refined.keypoints, places, weights)
        if refined.expected_error is not None:
            error = refined.expected_error[..., None]
            if errors is None:
                errors = OverlapMean(len(flat), flat[..., :1])
            errors.add(error, places, weights)
    covered = merged.covered
    result = finish_poses(normalization, merged.result())
    if not covered.all():
        result = torch.where(covered[:, None, None], result, flat)
    lengths = torch.tensor(seq_len, device=device)
    owner = torch.arange(len(seq_len), device=device).repeat_interleave(
        lengths, output_size=len(flat)
    )
    count = flat_scores.new_zeros(len(seq_len))
    seen = (flat_scores > 0).any(-1).to(count)
    known = count.index_add_(0, owner, seen)[owner] > 0
    if not known.all():
        result = result.masked_fill(~known[:, None, None], float('nan'))
    expected: Sequence[Optional[Tensor]] = [None] * len(seq_len)
    if errors is not None:
        expected = errors.result()[..., 0].to(origin).split(seq_len)
    result, covered = result.to(origin), covered.to(origin)
    columns = (result.split(seq_len), covered.split(seq_len), expected)
    return [RefinedSequence(*parts) for parts in zip(*columns)]
