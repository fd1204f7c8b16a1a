# Copyright (c) hanet_mm contributors. All rights reserved.
"""Which numbers are scores of keypoints.

A score is a confidence from 0, missing, to 1. What estimators write is often
the peak of a heat map or of a classification, which no one keeps below 1
(OpenPose up to 1.4, RTMPose 1.1, RTMW and Detectron2 several): up to
``HIGHEST`` a score above 1 counts as 1. Peaks slightly below 0 are missing.

Other quantities are refused, in files, sequences, filters and streams alike:
what they mean would have to be guessed from frames that a stream does not
have yet. Percent exceed ``HIGHEST``, logits fall below ``LOWEST``. They can
be rescaled, or ignored: then 0 and NaN are missing and all others unknown.
"""

from typing import Callable

import numpy as np

from .gaps import UNKNOWN_SCORE

LOWEST, HIGHEST = -0.1, 20.0


def usual_scores(
    scores: np.ndarray, name_frame: Callable[[int], str]
) -> np.ndarray:
    """Check scores (T, K) and limit them to 0..1; NaN stays.

    ``name_frame`` names a frame of them in the error. The same array if all
    are within 0..1.
    """
    if scores.size and 0 <= scores.min() <= scores.max() <= 1:
        return scores
    wrong = (scores < LOWEST) | (scores > HIGHEST)
    if wrong.any():
        frame, keypoint = np.argwhere(wrong)[0]
        raise ValueError(
            f'{name_frame(int(frame))}, keypoint {keypoint}: expected a score '
            f'in 0..1, found {scores[frame, keypoint]:g}; rescale percent and '
            'logits, or ignore them (scores=None, --ignore-scores)'
        )
    if not ((scores < 0) | (scores > 1)).any():  # but NaN
        return scores
    return np.clip(scores, 0, 1)


def ignored_scores(scores: np.ndarray) -> np.ndarray:
    """Scores (T, K) with missing ones 0 and all others unknown, float32."""
    missing = np.isnan(scores) | ((scores <= 0) & (scores >= LOWEST))
    return np.where(missing, 0, UNKNOWN_SCORE).astype(np.float32)
