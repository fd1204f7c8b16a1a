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
    """

    keypoints: Tensor
    covered: Tensor


@torch.no_grad()
def refine_windows(
    network: Callable[[Tensor], RefinedPoses],
    poses: Tensor,
    valid: Tensor,
    normalization: str,
    image_size: Optional[Tensor] = None,
    root: Optional[Sequence[int]] = None,
) -> Tensor:
    """Refine windows, each in coordinates of its own.

    Args:
        network (Callable): From normalised windows (B, T, K, D) to
            :class:`RefinedPoses`.
        poses (Tensor): Estimates without gaps, (B, T, K, D).
        valid (Tensor): Keypoints that the estimator saw, bool, (B, T, K).
        normalization (str): See :func:`fit_normalization`.
        image_size (Tensor, optional): W, H of each window, (B, 2).
        root (Sequence[int], optional): Root joints for 'root'.

    Returns:
        Tensor: Refined, in the coordinates of the input, (B, T, K, D).
    """
    affine = fit_normalization(normalization, poses, valid, image_size, root)
    final = network(affine.encode(poses)).final
    return affine.decode(final.to(poses.dtype))


@torch.no_grad()
def refine_sequences(
    network: Callable[[Tensor], RefinedPoses],
    keypoints: Sequence[Tensor],
    valid: Sequence[Tensor],
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
        network (Callable): From normalised windows (B, T, K, D) to
            :class:`RefinedPoses`.
        keypoints (Sequence[Tensor]): Estimates without gaps, (T_i, K, D)
            each, on one device.
        valid (Sequence[Tensor]): Keypoints that the estimator saw, bool,
            (T_i, K) each; the others were filled.
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
    flat_valid = torch.cat(list(valid))
    table = window_table(seq_len, window, stride, tail)
    device = flat.device
    frames = torch.from_numpy(table.frames).to(device)
    inside = torch.from_numpy(table.inside).to(device)
    sequence = torch.from_numpy(table.sequence).to(device)
    merged = OverlapMean(len(flat), flat)
    for batch in torch.arange(len(frames), device=device).split(window_batch):
        places = frames[batch]
        poses = flat[places]
        sizes = None
        if image_size is not None:
            sizes = image_size.to(device)[sequence[batch]]
        final = refine_windows(
            network, poses, flat_valid[places], normalization, sizes, root
        )
        merged.add(final, places, inside[batch])
    covered = merged.covered
    refined = finish_poses(normalization, merged.result())
    refined = torch.where(covered[:, None, None], refined, flat)
    seen = torch.stack([x.any() for x in flat_valid.split(seq_len)])
    known = seen.repeat_interleave(torch.tensor(seq_len, device=device))
    refined = refined.masked_fill(~known[:, None, None], float('nan'))
    return [
        RefinedSequence(*pair)
        for pair in zip(refined.split(seq_len), covered.split(seq_len))
    ]
