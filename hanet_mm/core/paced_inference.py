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
            :class:`hanet_mm.core.inference.RefinedSequence`.
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
            poses = finish_poses(normalization, _brought(poses, part))
            if error is not None:
                error = _brought(error[..., None], part)[..., 0]
        results[part.sequence].append(PacedSequence(poses, error))
    return [_joined(x) for x in results]


def _brought(values: Tensor, part: _Part) -> Tensor:
    """From the refiner's frames to those given, (G, K, D) -> (T, K, D)."""
    brought = from_grid(values.cpu().numpy(), part.positions)
    return torch.from_numpy(brought).to(values.device)


def _joined(parts: List[PacedSequence]) -> PacedSequence:
    if len(parts) == 1:
        return parts[0]
    error = None
    if parts[0].expected_error is not None:
        error = torch.cat([part.expected_error for part in parts])
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
