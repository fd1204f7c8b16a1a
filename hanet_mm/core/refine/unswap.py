# Copyright (c) hanet_mm contributors. All rights reserved.
"""Undo swaps of left and right, decided once for a whole sequence.

An estimator that takes the left side for the right one does so for a run of
frames: the keypoints jump to the other side and back. Which frames are
swapped is found by dynamic programming (Viterbi, IEEE Transactions on
Information Theory 13, 1967) over the states "as given" and "swapped" of three
chains: the trunk with the face, the arms, and the legs.

A side costs what it is further from the last three seen frames of the chain,
and from where these lead at constant speed, and a little more if it is the
swapped one. Distances are in units of what the chain moves anyway, so noise
needs more evidence than clean motion; where left and right lie on each other
they say nothing. The side of the majority is taken as right unless ``odds``
say otherwise. All costs are about natural log-odds.
"""

from typing import List, NamedTuple, Optional, Sequence

import numpy as np

from ..data.blocks import alike_groups
from .frame_rate import USUAL_RATE
from .swap_chains import SwapChains
from .swap_costs import measure_motion
from .swap_decoder import SwapDecoder
from .swap_windows import swapped_windows
from .threads import map_threads

# Frames that a decoder takes at once: that many blocks run side by side.
_TOGETHER = 2**14


class Unswapped(NamedTuple):
    """Keypoints with left and right corrected.

    Attributes:
        keypoints (np.ndarray): (T, K, D).
        scores (np.ndarray): (T, K).
        swapped (np.ndarray): Keypoints that changed places, bool (T, K).
    """

    keypoints: np.ndarray
    scores: np.ndarray
    swapped: np.ndarray


def unswap(
    keypoints: np.ndarray,
    chains: SwapChains,
    scores: Optional[np.ndarray] = None,
    odds: Optional[np.ndarray] = None,
    fps: float = USUAL_RATE,
) -> Unswapped:
    """Undo swaps of left and right in a sequence.

    Args:
        keypoints (np.ndarray): (T, K, D), D = 2 or 3, any unit; NaN is
            missing. Or of many short sequences without odds, (T, S, K, D).
        chains (SwapChains): See :func:`swap_chains`.
        scores (np.ndarray, optional): (T, K); 0 is missing. Defaults to
            None: 1 where keypoints are not NaN.
        odds (np.ndarray, optional): Further evidence, of a network or of the
            face: natural log-odds that a keypoint is given on the wrong
            side, (T, K); NaN or 0 = not known. Defaults to None.
        fps (float): Frames per second. Defaults to 30.

    Returns:
        Unswapped: Corrected keypoints and scores, and which were swapped.
    """
    seen = np.isfinite(keypoints).all(-1)
    if scores is None:
        scores = seen.astype(np.float32)
    seen = seen & (scores > 0)
    if keypoints.ndim > 3:
        swapped = swapped_windows(keypoints, seen, chains, fps)
    else:
        swapped = _decide(keypoints, seen, chains, odds, fps)
    swapped &= seen | seen[..., chains.flip_indices]
    return swap_sides(keypoints, scores, swapped, chains)


def unswap_all(
    keypoints: Sequence[np.ndarray],
    chains: SwapChains,
    scores: Sequence[np.ndarray],
    fps: Sequence[float],
) -> List[Unswapped]:
    """:func:`unswap` for many sequences, those of equal length together."""
    results: List[Unswapped] = [None] * len(keypoints)  # type: ignore

    def undo(group: Sequence[int]) -> None:
        given = [[x[i] for i in group] for x in (keypoints, scores)]
        if len(group) == 1:
            (points,), (known,) = given
            found = [unswap(points, chains, known, fps=fps[group[0]])]
        else:
            points, known = (np.stack(x, axis=1) for x in given)
            every = unswap(points, chains, known, fps=fps[group[0]])
            found = [
                Unswapped(*(x[:, i] for x in every)) for i in range(len(group))
            ]
        for i, one in zip(group, found):
            results[i] = one

    map_threads(undo, list(alike_groups([len(x) for x in keypoints], fps)))
    return results


def _decide(
    keypoints: np.ndarray,
    seen: np.ndarray,
    chains: SwapChains,
    odds: Optional[np.ndarray],
    fps: float,
) -> np.ndarray:
    """Swapped keypoints, bool (T, K)."""
    scale = measure_motion(keypoints, seen, chains)
    decoder = SwapDecoder(chains, scale, fps)
    for start in range(0, len(keypoints), _TOGETHER):
        rows = slice(start, start + _TOGETHER)
        evidence = None if odds is None else odds[rows]
        decoder.push(keypoints[rows], seen[rows], evidence)
    return decoder.swapped()


def swap_sides(
    keypoints: np.ndarray,
    scores: np.ndarray,
    swapped: np.ndarray,
    chains: SwapChains,
) -> Unswapped:
    """Let the keypoints (..., K) that are swapped change places in pairs."""
    if not swapped.any():
        return Unswapped(keypoints, scores, swapped)
    flip = chains.flip_indices
    return Unswapped(
        np.where(swapped[..., None], keypoints[..., flip, :], keypoints),
        np.where(swapped, scores[..., flip], scores),
        swapped,
    )
