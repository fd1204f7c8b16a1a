"""Fill keypoints that the estimator did not find."""

import numpy as np


def missing_keypoints(keypoints: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Which keypoints are missing: not a number, or of score zero.

    Args:
        keypoints (np.ndarray): (N, K, D).
        scores (np.ndarray): (N, K).

    Returns:
        np.ndarray: Bool, (N, K).
    """
    return np.isnan(keypoints).any(-1) | ~(scores > 0)


def fill_missing(
    keypoints: np.ndarray, missing: np.ndarray, seq_len: np.ndarray
) -> np.ndarray:
    """Interpolate missing keypoints within each sequence.

    Linear in time between the nearest frames where the keypoint was seen,
    constant before the first and after the last of them. A keypoint never
    seen in a sequence is put at the mean of the others, frame by frame.

    Args:
        keypoints (np.ndarray): Sequences one after the other, (N, K, D).
        missing (np.ndarray): Keypoints to fill, bool, (N, K).
        seq_len (np.ndarray): Frames of each sequence, (S, ).

    Returns:
        np.ndarray: Filled keypoints, (N, K, D); a new array only if
        something is missing.

    Raises:
        ValueError: If a sequence has no keypoint at all.
    """
    if not missing.any():
        return keypoints
    seq_len = np.asarray(seq_len)
    ends = np.cumsum(seq_len)
    first = np.repeat(ends - seq_len, seq_len)[:, None]
    last = np.repeat(ends - 1, seq_len)[:, None]
    frames = np.arange(len(keypoints))[:, None]

    # Nearest seen frame before and after; outside the sequence if none.
    before = np.maximum.accumulate(np.where(missing, -1, frames), axis=0)
    after = np.minimum.accumulate(
        np.where(missing, len(keypoints), frames)[::-1], axis=0
    )[::-1]
    has_before, has_after = before >= first, after <= last
    before = np.where(has_before, before, after)
    after = np.where(has_after, after, before)
    never = ~(has_before | has_after)
    if (never.all(1)).any():
        sequence = np.searchsorted(ends, np.argmax(never.all(1)), 'right')
        raise ValueError(
            f'sequence {sequence} has no keypoint in any frame: nothing to '
            'interpolate from'
        )
    before[never], after[never] = 0, 0

    gap = np.maximum(after - before, 1)
    weight = ((frames - before) / gap)[..., None].astype(keypoints.dtype)
    columns = np.arange(keypoints.shape[1])[None]
    left, right = keypoints[before, columns], keypoints[after, columns]
    filled = np.where(
        missing[..., None], left + (right - left) * weight, keypoints
    )
    if never.any():
        others = np.where(never[..., None], 0, filled).sum(1, keepdims=True)
        count = (~never).sum(1)[:, None, None]
        center = (others / count).astype(keypoints.dtype)
        filled = np.where(never[..., None], center, filled)
    return filled
