# Copyright (c) hanet_mm contributors. All rights reserved.
"""Amounts of simulated errors as configs describe them."""

from dataclasses import dataclass
from typing import Mapping, Sequence, Tuple, Union

import numpy as np

from .noise_params import (
    DURATIONS,
    USUAL_FPS,
    EstimatorNoise,
    EstimatorNoiseRanges,
)
from .noise_presets import NOISE_PRESETS
from .signals import Amount


@dataclass(frozen=True)
class NoiseMixture:
    """Each sequence has an estimator of one of several sources.

    The sources are equally probable.
    """

    sources: Tuple[Union[EstimatorNoise, EstimatorNoiseRanges], ...]

    def draw(
        self, rng: np.random.Generator, num: int, fps: Amount = USUAL_FPS
    ) -> EstimatorNoise:
        """Draw the amounts of ``num`` sequences, see the sources."""
        which = rng.integers(len(self.sources), size=num)
        drawn = [source.draw(rng, num, fps) for source in self.sources]
        # Others have their default in all of them.
        names = {name: None for noise in drawn for name in vars(noise)}
        amounts = {
            name: np.choose(which, [getattr(noise, name) for noise in drawn])
            for name in names
        }
        return EstimatorNoise.of_checked(amounts)


NoiseSource = Union[EstimatorNoise, EstimatorNoiseRanges, NoiseMixture]
"""All draw the amounts of sequences: ``draw(rng, num)``."""


def noise_source(
    noise: Union[str, dict, NoiseSource, Sequence[Union[str, dict]], None],
) -> NoiseSource:
    """Make the noise, or the ranges of it, that a config describes.

    Args:
        noise (str or dict or NoiseSource or list, optional): Key of
            ``NOISE_PRESETS``; or amounts by name, where any given as
            ``dict(low=..., high=...)`` or in seconds makes ranges of them; or
            a list of such, of which each sequence has one; None: the
            defaults of :class:`EstimatorNoise`.

    Returns:
        NoiseSource: One of them.

    Raises:
        ValueError: If a preset is unknown, a value is wrong or the list is
            empty.
    """
    if isinstance(noise, (EstimatorNoise, EstimatorNoiseRanges, NoiseMixture)):
        return noise
    if isinstance(noise, (list, tuple)):
        if not noise:
            raise ValueError('noise: expected at least one, found none')
        return NoiseMixture(tuple(_one_source(x) for x in noise))
    return _one_source(noise)


def _one_source(
    noise: Union[str, dict, None],
) -> Union[EstimatorNoise, EstimatorNoiseRanges]:
    if isinstance(noise, str):
        if noise not in NOISE_PRESETS:
            raise ValueError(
                f'noise has to be one of {tuple(NOISE_PRESETS)} or a dict, '
                f'got {noise!r}'
            )
        noise = NOISE_PRESETS[noise]
    amounts = noise or {}
    ranges = any(isinstance(x, Mapping) for x in amounts.values())
    if ranges or {*amounts} & {*DURATIONS}:
        return EstimatorNoiseRanges(amounts)
    return EstimatorNoise(**amounts)
