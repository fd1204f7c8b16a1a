# Copyright (c) hanet_mm contributors. All rights reserved.
"""Estimates of other people with the errors of a bank.

S sequences, T frames, K keypoints, D coordinates.
"""

from typing import Sequence, Tuple

import numpy as np

from hanet_mm.core.data.gaps import missing_keypoints
from hanet_mm.core.poses.boxes import box_sizes, boxes_around
from hanet_mm.core.poses.skeleton import plain_name

from .displacement import Scene, constant_errors, drift
from .error_bank import ErrorBank
from .foot_errors import draw_errors
from .keypoints import keypoint_parts
from .noise import taken_from
from .noise_params import EstimatorNoiseRanges
from .planes import to_planes, to_points

SLOW_ERRORS = EstimatorNoiseRanges(
    dict(
        drift=dict(low=0.008, high=0.06, log=True),
        drift_seconds=dict(low=0.2, high=1.0, log=True),
        drift_limb_correlation=dict(low=0.0, high=0.9),
        bias=dict(low=0.004, high=0.03, log=True),
    )
)
"""Slow errors on top of those of a bank, whose consensus follows them.

With them and the constant errors of a bank made of real clips, the constant,
slow and total errors are near those that the same estimators have against
hand annotation of clips of the same kind (JHMDB, split 1, training clips). The
bias stands for constant errors where a bank has none, being of one network.
"""


def replay_errors(
    truth: np.ndarray,
    rng: np.random.Generator,
    bank: ErrorBank,
    keypoint_names: Sequence[str],
    fps: np.ndarray,
) -> Tuple[np.ndarray, np.ndarray]:
    """Estimates with the errors of a bank for the true keypoints.

    On top come the constant errors of the bank and slow ones, of
    ``SLOW_ERRORS``. A bank without feet gives them errors of ankles, see
    :func:`draw_errors`.

    Args:
        truth (np.ndarray): (S, T, K, D); NaN = unknown, missing from the
            result.
        rng (np.random.Generator): Source of randomness.
        bank (ErrorBank): The errors.
        keypoint_names (Sequence[str]): K names.
        fps (np.ndarray): Frame rates, one number or (S,).

    Returns:
        Tuple[np.ndarray, np.ndarray]: Estimates like the truth, NaN =
        missing, and scores (S, T, K), 0 = missing, both float32.

    Raises:
        ValueError: If the bank has other keypoints or coordinates.
    """
    num, frames, count, dims = truth.shape
    if dims != bank.errors.shape[-1]:
        raise ValueError(
            f'bank: expected errors with {dims} coordinates, found '
            f'{bank.errors.shape[-1]}'
        )
    drawn = draw_errors(rng, bank, num, frames, fps, keypoint_names)
    sizes = box_sizes(boxes_around(truth))
    size = np.nan_to_num(np.nanmedian(sizes, axis=1), nan=1.0)
    size = size[:, None, None, None].astype(np.float32)
    scene = Scene(
        rng,
        to_planes(truth),
        np.broadcast_to(size[..., 0, 0], (frames, num, count)),
        SLOW_ERRORS.draw(rng, num, fps).columns(num),
        keypoint_parts(tuple(map(plain_name, keypoint_names)), dims),
    )
    places = truth + size * (drawn.bias + to_points(drift(scene)))
    if not len(bank.biases):
        places += to_points(constant_errors(scene))
    places = taken_from(places, drawn.source)
    estimates = (places + size * drawn.errors).astype(np.float32)
    scores = drawn.scores
    missing = missing_keypoints(
        estimates.reshape(-1, *estimates.shape[2:]),
        scores.reshape(-1, scores.shape[2]),
    ).reshape(scores.shape)
    estimates[missing] = np.nan
    return estimates, np.where(missing, np.float32(0), scores)
