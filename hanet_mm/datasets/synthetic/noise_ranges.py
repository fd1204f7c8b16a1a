"""Ranges from which the errors of a sequence are drawn.

Whoever is trained on one amount of noise learns that amount. Here each
sequence has an estimator of its own.
"""

from dataclasses import dataclass, field, fields
from typing import Any, Dict, Mapping, Union

import numpy as np

from .noise_params import EstimatorNoise, estimator_noise
from .range_presets import RANGE_PRESETS

_AMOUNTS = tuple(item.name for item in fields(EstimatorNoise))


@dataclass(frozen=True)
class Range:
    """One number per sequence.

    Args:
        low (float): Smallest.
        high (float): Largest.
        log (bool): Whether the logarithm is uniform instead of the number
            itself; then low > 0. Defaults to False.
        off (float): Probability that the number is 0 instead, [0, 1].
            Defaults to 0.

    Raises:
        ValueError: If these do not make a range.
    """

    low: float
    high: float
    log: bool = False
    off: float = 0.0

    def __post_init__(self) -> None:
        if not self.low <= self.high or (self.log and not self.low > 0):
            raise ValueError(f'expected low <= high, low > 0 if log: {self}')
        if not 0 <= self.off <= 1:
            raise ValueError(f'off: expected in [0, 1], found {self.off}')

    def draw(self, rng: np.random.Generator, num: int) -> np.ndarray:
        """Draw ``num`` numbers, (num,)."""
        at = rng.random(num)
        if self.log:
            drawn = self.low * (self.high / self.low) ** at
        else:
            drawn = self.low + (self.high - self.low) * at
        return np.where(rng.random(num) < self.off, 0.0, drawn)


@dataclass(frozen=True)
class EstimatorNoiseRanges:
    """Estimators of all sorts.

    Args:
        ranges (Mapping[str, float or Range or dict]): By amounts of
            :class:`EstimatorNoise`: one number for all, or a range, also as
            arguments of :class:`Range`. An amount without one has its
            default.

    Raises:
        ValueError: If an amount is unknown, or the ends of a range cannot
            be an amount.
    """

    ranges: Mapping[str, Union[float, Range, dict]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        unknown = sorted(set(self.ranges) - set(_AMOUNTS))
        if unknown:
            raise ValueError(f'ranges: expected {_AMOUNTS}, found {unknown}')
        made: Dict[str, Union[float, Range]] = {}
        for name, value in self.ranges.items():
            try:
                made[name] = Range(**value) if _is_dict(value) else value
            except ValueError as error:
                raise ValueError(f'{name}: {error}') from None
        object.__setattr__(self, 'ranges', made)
        for end in ('low', 'high'):
            EstimatorNoise(**{k: getattr(v, end, v) for k, v in made.items()})

    def draw(self, rng: np.random.Generator, num: int) -> EstimatorNoise:
        """Draw the amounts of ``num`` sequences.

        Args:
            rng (np.random.Generator): Source of randomness.
            num (int): Number of sequences S.

        Returns:
            EstimatorNoise: Those with a range are arrays (S,).
        """
        drawn = {
            name: value.draw(rng, num) if isinstance(value, Range) else value
            for name, value in self.ranges.items()
        }
        return EstimatorNoise(**drawn)


def _is_dict(value: Any) -> bool:
    return isinstance(value, Mapping)


NoiseSource = Union[EstimatorNoise, EstimatorNoiseRanges]


def noise_source(noise: Union[str, dict, NoiseSource, None]) -> NoiseSource:
    """Make the noise, or the ranges of it, that a config describes.

    Args:
        noise (str or dict or NoiseSource, optional): Name of a preset of
            either kind; or amounts by name, where any given as
            ``dict(low=..., high=...)`` makes ranges of them; None: the
            defaults of :class:`EstimatorNoise`.

    Returns:
        NoiseSource: One or the other.

    Raises:
        ValueError: For the name of no preset or a wrong value.
    """
    if isinstance(noise, EstimatorNoiseRanges):
        return noise
    if isinstance(noise, str) and noise in RANGE_PRESETS:
        return EstimatorNoiseRanges(RANGE_PRESETS[noise])
    if _is_dict(noise) and any(map(_is_dict, noise.values())):
        return EstimatorNoiseRanges(noise)
    return estimator_noise(noise)


def draw_noise(
    source: NoiseSource, rng: np.random.Generator, num: int
) -> EstimatorNoise:
    """Amounts of ``num`` sequences; those that are not drawn, as they are."""
    if isinstance(source, EstimatorNoiseRanges):
        return source.draw(rng, num)
    return source
