"""Scores that an estimator might give to its own errors."""

from types import SimpleNamespace
from typing import Optional

import numpy as np

from .temporal_noise import correlated_noise

# Score of an error as large as the tolerance is 1/2; the power sets how
# fast it falls. A found joint never has score 0.
_SCORE_POWER = 1.2
_LOWEST_SCORE = 1e-3


def scores_of_errors(
    rng: np.random.Generator,
    error: np.ndarray,
    noise: np.ndarray,
    correlation: Optional[np.ndarray] = None,
) -> np.ndarray:
    """Noisy decreasing function of the error relative to the tolerance.

    Args:
        rng (np.random.Generator): Source of randomness.
        error (np.ndarray): Error / error at which the score is 1/2, any
            shape.
        noise (float or np.ndarray): Sigma of the log-normal factor on the
            error that the score reports, broadcastable to that shape.
        correlation (np.ndarray, optional): Of the logarithm of that factor
            between neighbours along the second axis. Defaults to None: they
            are independent.

    Returns:
        np.ndarray: Scores in (0, 1], of that shape.
    """
    if correlation is None:
        chance = rng.standard_normal(error.shape, dtype=np.float32)
    else:
        chance = correlated_noise(rng, error.shape, correlation)
    doubt = error**_SCORE_POWER
    doubt *= np.exp(np.asarray(noise, dtype=np.float32) * chance)
    return np.maximum(1 / (1 + doubt), _LOWEST_SCORE)


def onto_scale(scores: np.ndarray, amounts: SimpleNamespace) -> np.ndarray:
    """Bring scores in (0, 1] onto the scale of an estimator.

    Args:
        scores (np.ndarray): (S, T, K).
        amounts (SimpleNamespace): See :meth:`EstimatorNoise.columns`.

    Returns:
        np.ndarray: high - span (1 - score ^ power), not below 0.001,
        (S, T, K).
    """
    high, span, power = (
        getattr(amounts, f'score_{name}').astype(np.float32)
        for name in ('high', 'span', 'power')
    )
    if (high == 1).all() and (span == 1).all() and (power == 1).all():
        return scores
    return np.maximum(high - span * (1 - scores**power), _LOWEST_SCORE)
