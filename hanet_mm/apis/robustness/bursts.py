"""Runs of frames in which something happens."""

import numpy as np


def burst_frames(
    count: int, share: float, mean_length: float, rng: np.random.Generator
) -> np.ndarray:
    """Choose frames in bursts.

    Lengths are geometric (a burst goes on with the same chance in every
    frame); the bursts lie anywhere, do not touch, and have exactly the share
    of the frames: the last one is cut to that.

    Args:
        count (int): Number of frames.
        share (float): Share of them in bursts, from 0 to 0.5.
        mean_length (float): Mean length of a burst in frames, at least 1.
        rng (np.random.Generator): Chance.

    Returns:
        np.ndarray: bool (count,), True in ``round(share * count)`` frames.

    Raises:
        ValueError: If the share is not from 0 to 0.5.
    """
    if not 0 <= share <= 0.5:
        raise ValueError(f'share: expected from 0 to 0.5, found {share}')
    inside = round(share * count)
    lengths = rng.geometric(1 / mean_length, inside)
    ends = np.minimum(np.cumsum(lengths), inside)
    ends = np.unique(ends)
    lengths = np.diff(ends, prepend=0)
    # Each burst comes before another one of the frames outside, or last.
    places = rng.choice(count - inside + 1, len(lengths), replace=False)
    starts = np.sort(places) + ends - lengths
    change = np.zeros(count + 1, np.int64)
    change[starts] += 1
    change[starts + lengths] -= 1
    return change[:count].cumsum() > 0
