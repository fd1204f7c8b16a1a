"""Refine sequences at any frame rates, each at the rate of the refiner."""

from typing import Any, Callable, List, NamedTuple, Optional, Sequence

import numpy as np
import torch
from torch import Tensor

from .decoder import RefinedPoses
from .frame_rate import split_pauses
from .inference import refine_sequences
from .normalization import finish_poses
from .resampling import at_positions, from_grid, snap


class _Part(NamedTuple):
    """Frames between two pauses, at the rate of the refiner.

    Attributes:
        sequence (int): Which sequence they are of.
        keypoints (np.ndarray): (G, K, D).
        seen (np.ndarray): Bool, (G, K).
        positions (np.ndarray, optional): Of the frames that were given,
            None if these are they.
    """

    sequence: int
    keypoints: np.ndarray
    seen: np.ndarray
    positions: Optional[np.ndarray] = None


def refine_paced(
    network: Callable[[Tensor], RefinedPoses],
    keypoints: Sequence[np.ndarray],
    seen: Sequence[np.ndarray],
    positions: Optional[Sequence[np.ndarray]],
    window: int,
    normalization: str,
    image_size: Optional[Tensor] = None,
    device: Optional[torch.device] = None,
    **options: Any,
) -> List[Tensor]:
    """:func:`refine_sequences` of frames taken at any times.

    Sequences at another rate, or with uneven time stamps, are interpolated
    at the refiner's frames, refined there, and the refined poses are
    interpolated at the frames given. A pause as long as a window divides a
    sequence; a part in which nothing was seen is NaN. All go through the
    network together.

    Args:
        network (Callable): See :func:`refine_sequences`.
        keypoints (Sequence[np.ndarray]): Without gaps, (T_i, K, D) each.
        seen (Sequence[np.ndarray]): Keypoints that were not filled, bool,
            (T_i, K) each.
        positions (Sequence[np.ndarray], optional): Times of the frames in
            frames of the refiner, (T_i, ) each. None: as they follow.
        window (int): Frames of a window.
        normalization (str): See :func:`fit_normalization`.
        image_size (Tensor, optional): W, H of each sequence, (S, 2).
        device (torch.device, optional): Of the network.
        **options: For :func:`refine_sequences`.

    Returns:
        list[Tensor]: Refined keypoints, (T_i, K, D) each.
    """
    parts = []
    for index, (points, known) in enumerate(zip(keypoints, seen)):
        if positions is None:
            parts.append(_Part(index, points, known))
        else:
            parts += _parts(index, points, known, positions[index], window)
    owner = torch.tensor([part.sequence for part in parts], dtype=torch.long)
    refined = refine_sequences(
        network,
        [torch.from_numpy(part.keypoints).to(device) for part in parts],
        [torch.from_numpy(part.seen).to(device) for part in parts],
        window=window,
        normalization=normalization,
        image_size=None if image_size is None else image_size[owner],
        **options,
    )
    results: List[List[Tensor]] = [[] for _ in keypoints]
    for part, result in zip(parts, refined):
        poses = result.keypoints
        if part.positions is not None:
            brought = from_grid(poses.cpu().numpy(), part.positions)
            poses = torch.from_numpy(brought).to(poses.device)
            poses = finish_poses(normalization, poses)
        results[part.sequence].append(poses)
    return [x[0] if len(x) == 1 else torch.cat(x) for x in results]


def _parts(
    sequence: int,
    keypoints: np.ndarray,
    seen: np.ndarray,
    positions: np.ndarray,
    window: int,
) -> List[_Part]:
    parts = []
    for place in split_pauses(positions, window):
        points, known = keypoints[place], seen[place]
        times = snap(positions[place] - positions[place.start])
        if (np.diff(times) == 1).all():
            parts.append(_Part(sequence, points, known))
            continue
        grid = np.arange(np.ceil(times[-1]) + 1)
        on_grid = at_positions(points, known, times, grid)
        parts.append(_Part(sequence, *on_grid, times))
    return parts
