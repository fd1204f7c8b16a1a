# Copyright (c) hanet_mm contributors. All rights reserved.
"""Amounts of simulated errors, and ranges of them.

A model trained on one amount of noise learns that amount. With ranges, each
sequence has an estimator of its own.
"""

from dataclasses import dataclass, field, fields
from types import SimpleNamespace
from typing import Any, Dict, Mapping, Sequence, Tuple, Union

import numpy as np

from .signals import Amount, per_sequence

_PROBABILITIES: Tuple[Tuple[str, ...], ...] = (
    ('occlusion_freeze', 'occlusion_limb', 'occlusion_other'),
    ('occlusion_unseen',),
    ('outside_clamp', 'outside_stray'),
    ('score_high',),
    ('score_information',),
)
USUAL_FPS = 30.0
"""Frame rate that durations in seconds are converted with if none is known."""

_SECONDS = '_seconds'
_POSITIVE = ('score_tolerance', 'score_high', 'score_power')


def check_amount(name: str, amount: Amount) -> None:
    """Raise a ValueError unless the amount is in the range of its kind.

    The ending of its name tells the kind; others are sizes, >= 0.
    """
    value = np.asarray(amount, dtype=np.float64)
    unit = name.endswith(('_share', '_correlation'))
    low = 1.0 if name.endswith(('_frames', '_factor')) else 0.0
    wrong = ~(value >= low) | (unit & (value >= 1))
    if wrong.any():
        wanted = 'in [0, 1)' if unit else f'>= {low:g}'
        found = value[wrong].flat[0] if value.ndim else value
        raise ValueError(f'{name}: expected {wanted}, found {found}')
    if name in _POSITIVE and (value == 0).any():
        raise ValueError(f'{name}: expected > 0, found 0')


@dataclass(frozen=True)
class EstimatorNoise:
    """Errors of a simulated estimator.

    Each amount is one number, or one for each of S sequences, (S,).
    Lengths are fractions of the person's size (longer side of the box), a
    ``*_share`` is the mean share of affected (joint, frame) pairs, a
    ``*_frames`` the mean duration in frames. The defaults put the input
    near the PCK that the paper gives for SimpleBaseline on Sub-JHMDB
    (Table 1: 94.4 / 81.3 / 56.9 at 0.2 / 0.1 / 0.05); 0 turns a kind off.

    Args:
        jitter (float): Standard deviation per coordinate.
        jitter_correlation (float): Lag-1 correlation of the jitter, [0, 1).
        jitter_spread (float): Sigma of the log-normal factor on the jitter
            of each joint of each sequence.
        jitter_blur (float): Standard deviation added to that of the jitter,
            as a fraction of the joint's displacement per frame.
        jitter_tails (float): Sigma of a log-normal factor on the jitter of
            each limb that varies over time and keeps the mean square: times
            of high uncertainty among calm ones.
        jitter_tail_frames (float): Their duration, as ``drift_frames``.
        drift (float): Standard deviation of a slow error per coordinate.
        drift_frames (float): Its correlation over n frames is about
            exp(-n / drift_frames) (1 + n / drift_frames).
        drift_limb_correlation (float): Correlation of the drifts of two
            joints of the same arm or leg, or of trunk and head.
        bias (float): Standard deviation per coordinate of a constant error
            of each joint of a sequence, as of another definition of the
            joint. Scores do not follow it.
        depth_factor (float): In 3D, factor >= 1 on the random errors along
            the last coordinate, the depth.
        depth_flip_share (float): In 3D, share of bones of arms and legs whose
            depth has the wrong sign; what hangs on such a bone moves along.
            Scores do not follow it.
        depth_flip_frames (float): Duration.
        scale_drift (float): In 3D, standard deviation of the logarithm of a
            slowly changing factor on the whole body. Scores do not follow it.
        scale_drift_frames (float): As ``drift_frames``.
        occlusion_share (float): Share of hidden joints.
        occlusion_frames (float): Duration.
        occlusion_freeze (float): Probability that a hidden joint stays where
            it was instead of drifting to its mirrored joint.
        occlusion_limb (float): Probability that it drifts to any joint of
            the body instead.
        occlusion_other (float): Probability that it drifts to the same joint
            of a second person beside with the same motion.
        occlusion_std (float): Further constant error while hidden.
        occlusion_unseen (float): Probability that the score stays high.
        limb_swap_share (float): Share with left and right arm, or leg,
            swapped.
        limb_swap_frames (float): Duration.
        half_swap_share (float): Share with left and right swapped from the
            shoulders to the wrists, or from the hips to the feet.
        half_swap_frames (float): Duration.
        body_swap_share (float): Share with all of left and right swapped.
        body_swap_frames (float): Duration.
        outlier_share (float): Share of single estimates far off.
        outlier_std (float): Their standard deviation per coordinate.
        outside_clamp (float): Probability that a joint of a sequence is
            reported at the border of the image while it is outside.
        outside_stray (float): Probability that it is reported at another
            joint, inside, instead. Otherwise it is reported where it is.
        missing_share (float): Share of joints not found: NaN, score 0.
        missing_frames (float): Duration.
        frame_missing_share (float): Share of frames without any person.
        frame_missing_frames (float): Duration.
        score_tolerance (float): Error at which the score is 1/2.
        score_noise (float): Sigma of the log-normal factor on the error
            that the score reports.
        score_correlation (float): Lag-1 correlation of that factor's log.
        score_information (float): How far scores follow the error of their
            own keypoint and frame instead of that of another one, as weight
            of its logarithm: 1 = its own, 0 = nothing of it.
        score_high (float): Score of a sure estimate, (0, 1].
        score_span (float): Difference to the score of a very unsure one;
            0: all scores are alike.
        score_power (float): Exponent p in the reported score,
            score_high - score_span (1 - score ^ p).

    Raises:
        ValueError: If a share or correlation is not in [0, 1), a duration is
            below one frame, a factor below 1, a size is negative,
            probabilities sum to more than 1, or arrays are not (S,) each.
    """

    jitter: Amount = 0.031
    jitter_correlation: Amount = 0.5
    jitter_spread: Amount = 0.35
    jitter_blur: Amount = 0.0
    jitter_tails: Amount = 0.0
    jitter_tail_frames: Amount = 5.0
    drift: Amount = 0.0
    drift_frames: Amount = 15.0
    drift_limb_correlation: Amount = 0.0
    bias: Amount = 0.0
    depth_factor: Amount = 1.0
    depth_flip_share: Amount = 0.0
    depth_flip_frames: Amount = 6.0
    scale_drift: Amount = 0.0
    scale_drift_frames: Amount = 30.0
    occlusion_share: Amount = 0.13
    occlusion_frames: Amount = 6.0
    occlusion_freeze: Amount = 0.4
    occlusion_limb: Amount = 0.0
    occlusion_other: Amount = 0.0
    occlusion_std: Amount = 0.1
    occlusion_unseen: Amount = 0.0
    limb_swap_share: Amount = 0.02
    limb_swap_frames: Amount = 3.0
    half_swap_share: Amount = 0.0
    half_swap_frames: Amount = 4.0
    body_swap_share: Amount = 0.01
    body_swap_frames: Amount = 4.0
    outlier_share: Amount = 0.012
    outlier_std: Amount = 0.25
    outside_clamp: Amount = 0.0
    outside_stray: Amount = 0.0
    missing_share: Amount = 0.005
    missing_frames: Amount = 3.0
    frame_missing_share: Amount = 0.0
    frame_missing_frames: Amount = 2.0
    score_tolerance: Amount = 0.13
    score_noise: Amount = 1.2
    score_correlation: Amount = 0.0
    score_information: Amount = 1.0
    score_high: Amount = 1.0
    score_span: Amount = 1.0
    score_power: Amount = 1.0

    def __post_init__(self) -> None:
        shapes = set()
        for item in fields(self):
            amount = getattr(self, item.name)
            check_amount(item.name, amount)
            shapes.add(np.shape(amount))
        shapes.discard(())
        if len(shapes) > 1 or any(len(shape) != 1 for shape in shapes):
            raise ValueError(
                'expected numbers or arrays (S,) of one length, found '
                f'{sorted(shapes)}'
            )
        for names in _PROBABILITIES:
            highest = np.max(sum(np.asarray(getattr(self, x)) for x in names))
            # Sums of several may be above 1 by rounding.
            if highest > 1 + 1e-6:
                raise ValueError(
                    f'{" + ".join(names)}: expected at most 1, found '
                    f'{highest:g}'
                )

    @classmethod
    def of_checked(cls, amounts: Mapping[str, Amount]) -> 'EstimatorNoise':
        """Noise of amounts that are known to be in order.

        To check those of a chunk takes as long as to make all its cameras.
        """
        noise = object.__new__(cls)
        # Defaults are attributes of the class.
        vars(noise).update(amounts)
        return noise

    def draw(
        self, rng: np.random.Generator, num: int, fps: Amount = USUAL_FPS
    ) -> 'EstimatorNoise':
        """Return itself: the same amounts for ``num`` sequences."""
        return self

    def columns(self, num: int) -> SimpleNamespace:
        """Amounts of S = ``num`` sequences by name, (S or 1, 1) float64."""
        columns = {}
        for item in fields(self):
            amount = getattr(self, item.name)
            column = columns[item.name] = per_sequence(amount, 2)
            if np.ndim(amount) and len(column) != num:
                raise ValueError(
                    f'{item.name}: expected one number or ({num},), found '
                    f'({len(column)},)'
                )
        return SimpleNamespace(**columns)


_AMOUNTS = tuple(item.name for item in fields(EstimatorNoise))


DURATIONS = {
    name[: name.rindex('_')] + _SECONDS: name
    for name in _AMOUNTS
    if name.endswith(('_frames', 'jitter_correlation', 'score_correlation'))
}
"""Amounts of frames by the names that they have in seconds."""


def _in_frames(
    amounts: Mapping[str, Amount], fps: Amount
) -> Dict[str, Amount]:
    """Convert durations in seconds to amounts of frames."""
    converted = {}
    for name, amount in amounts.items():
        if name not in DURATIONS:
            converted[name] = amount
            continue
        frames = np.asarray(amount) * np.asarray(fps)
        target = DURATIONS[name]
        if target.endswith('_frames'):
            converted[target] = np.maximum(frames, 1.0)
        else:
            converted[target] = np.exp(-1 / np.maximum(frames, 1e-3))
    return converted


@dataclass(frozen=True)
class Range:
    """Range of an amount, of which each sequence draws one number.

    With ``log`` the logarithm is uniform instead of the number itself, and low
    is above 0; ``off`` is the probability that the number is 0 instead.
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

    @property
    def least(self) -> float:
        """The smallest number that may be drawn."""
        return 0.0 if self.off > 0 else self.low

    def draw(self, rng: np.random.Generator, num: int) -> np.ndarray:
        """Draw ``num`` numbers, (num,)."""
        return draw_ranges([self], rng, num)[0]


def draw_ranges(
    ranges: Sequence[Range], rng: np.random.Generator, num: int
) -> np.ndarray:
    """Draw ``num`` numbers of each of R ranges, (R, num)."""
    low, high, log, off = np.array(
        [(x.low, x.high, x.log, x.off) for x in ranges]
    ).T[..., None]
    ratio = np.divide(high, low, out=np.ones_like(low), where=log > 0)
    at, chance = rng.random((len(ranges), 2, num)).swapaxes(0, 1)
    drawn = np.where(log > 0, low * ratio**at, low + (high - low) * at)
    return np.where(chance < off, 0.0, drawn)


@dataclass(frozen=True)
class EstimatorNoiseRanges:
    """Estimators of all sorts: numbers or ranges by names of amounts.

    Amounts that are not given have their default. ``*_seconds`` in place of a
    ``*_frames`` is the mean duration in seconds, and in place of a
    ``*_correlation`` the time in which the correlation falls to 1/e: both
    become amounts of frames when the frame rate is known. Raises a ValueError
    if an amount is unknown, or the ends of a range cannot be one.
    """

    ranges: Mapping[str, Union[float, Range, dict]] = field(
        default_factory=dict
    )

    def __post_init__(self) -> None:
        unknown = sorted(set(self.ranges) - set(_AMOUNTS) - set(DURATIONS))
        if unknown:
            raise ValueError(f'ranges: expected {_AMOUNTS}, found {unknown}')
        twice = sorted(
            {DURATIONS.get(x) for x in self.ranges} & {*self.ranges}
        )
        if twice:
            raise ValueError(
                f'{twice[0]}: expected once, found in seconds too'
            )
        made: Dict[str, Union[float, Range]] = {}
        for name, value in self.ranges.items():
            try:
                made[name] = Range(**value) if _is_dict(value) else value
            except ValueError as error:
                raise ValueError(f'{name}: {error}') from None
        object.__setattr__(self, 'ranges', made)
        for end in ('low', 'high', 'least'):
            ends = {k: getattr(v, end, v) for k, v in made.items()}
            for name in {*ends} & {*DURATIONS}:
                check_amount(name, ends[name])
            EstimatorNoise(**_in_frames(ends, USUAL_FPS))

    def draw(
        self, rng: np.random.Generator, num: int, fps: Amount = USUAL_FPS
    ) -> EstimatorNoise:
        """Draw the amounts of ``num`` sequences, (num,) where in a range.

        ``fps`` is one number or that of each sequence, (num,). Raises a
        ValueError if it is needed and not above 0.
        """
        needed = not self.ranges.keys().isdisjoint(DURATIONS)
        if needed and not np.all(np.asarray(fps) > 0):
            raise ValueError(f'fps: expected > 0, found {np.min(fps):g}')
        wide = {k: v for k, v in self.ranges.items() if isinstance(v, Range)}
        drawn = dict(self.ranges)
        if wide:
            drawn.update(zip(wide, draw_ranges([*wide.values()], rng, num)))
        # All is between the ends, which were checked.
        return EstimatorNoise.of_checked(_in_frames(drawn, fps))


def _is_dict(value: Any) -> bool:
    return isinstance(value, Mapping)
