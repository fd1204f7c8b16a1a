"""Amounts of the simulated estimator's errors."""

from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any, Dict, Tuple, Union

import numpy as np

from .temporal_noise import Amount, per_sequence

# Where in its range a number has to lie, by the ending of its name; others
# are sizes, >= 0.
_UNIT = ('_share', '_correlation')
_AT_LEAST_ONE = ('_frames', '_factor')
_PROBABILITIES: Tuple[Tuple[str, ...], ...] = (
    ('occlusion_freeze', 'occlusion_limb', 'occlusion_other'),
    ('occlusion_unseen',),
    ('outside_clamp', 'outside_stray'),
    ('score_high',),
)
_POSITIVE = ('score_tolerance', 'score_high', 'score_power')


@dataclass(frozen=True)
class EstimatorNoise:
    """How wrong the simulated estimator is.

    Each amount is one number, or one for each of S sequences, (S,).
    Lengths are parts of the person's size (longer side of the box), a
    ``*_share`` is the mean part of (joint, frame) pairs concerned, a
    ``*_frames`` the mean duration in frames. The defaults put the input
    near the PCK that the paper gives for SimpleBaseline on Sub-JHMDB
    (Table 1: 94.4 / 81.3 / 56.9 at 0.2 / 0.1 / 0.05); what they set to 0
    is off.

    Args:
        jitter (float): Standard deviation per coordinate.
        jitter_correlation (float): Lag-1 correlation of the jitter, [0, 1).
        jitter_spread (float): Sigma of the log-normal factor on the jitter
            of each joint of each sequence.
        jitter_blur (float): Standard deviation added to that of the jitter,
            as a part of the way that the joint goes in one frame.
        jitter_tails (float): Sigma of a log-normal factor on the jitter of
            each limb that varies over time and keeps the mean square: times
            of high uncertainty among calm ones.
        jitter_tail_frames (float): How long they are, as ``drift_frames``.
        drift (float): Slow error, standard deviation per coordinate.
        drift_frames (float): How slow: its correlation over n frames is
            about exp(-n / drift_frames) (1 + n / drift_frames).
        drift_limb_correlation (float): Correlation of the drifts of two
            joints of the same arm or leg, or of trunk and head.
        depth_factor (float): With three coordinates, factor >= 1 on the
            random errors along the last one, the depth.
        occlusion_share (float): Hidden joints.
        occlusion_frames (float): How long they are hidden.
        occlusion_freeze (float): Probability that a hidden joint stays where
            it was instead of drifting to its mirrored joint.
        occlusion_limb (float): Probability that it drifts to any joint of
            the body instead.
        occlusion_other (float): Probability that it drifts to the same joint
            of somebody who stands beside and moves alike.
        occlusion_std (float): Further constant error while hidden.
        occlusion_unseen (float): Probability that the score does not tell.
        limb_swap_share (float): Left and right arm, or leg, exchanged.
        limb_swap_frames (float): How long.
        half_swap_share (float): Left and right exchanged from the shoulders
            to the wrists, or from the hips to the feet.
        half_swap_frames (float): How long.
        body_swap_share (float): All of left and right exchanged.
        body_swap_frames (float): How long.
        outlier_share (float): Single estimates far off.
        outlier_std (float): How far, standard deviation per coordinate.
        outside_clamp (float): Probability that a joint of a sequence is
            reported at the border of the image while it is outside.
        outside_stray (float): Probability that it is reported at another
            joint, inside, instead. Otherwise it is reported where it is.
        missing_share (float): Joints not found: NaN, score 0.
        missing_frames (float): How long.
        frame_missing_share (float): Frames in which nobody was found.
        frame_missing_frames (float): How long.
        score_tolerance (float): Error at which the score is 1/2.
        score_noise (float): Sigma of the log-normal factor on the error
            that the score reports.
        score_correlation (float): Lag-1 correlation of that factor's log.
        score_high (float): Score of a sure estimate, (0, 1].
        score_span (float): How much lower the score of a very unsure one
            is; 0: all scores are alike.
        score_power (float): Exponent of the score before it is brought
            there: score_high - score_span (1 - score ^ score_power).

    Raises:
        ValueError: A share is not in [0, 1), a correlation likewise, a
            duration is below one frame, a factor below 1, a size is
            negative, probabilities are above 1 in sum, or arrays are not
            (S,) each.
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
    depth_factor: Amount = 1.0
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
    score_high: Amount = 1.0
    score_span: Amount = 1.0
    score_power: Amount = 1.0

    def __post_init__(self) -> None:
        lengths = set()
        for name in (item.name for item in fields(self)):
            value = np.asarray(getattr(self, name), dtype=np.float64)
            unit = name.endswith(_UNIT)
            low = 1.0 if name.endswith(_AT_LEAST_ONE) else 0.0
            wrong = ~(value >= low) | (unit & (value >= 1))
            if wrong.any():
                wanted = 'in [0, 1)' if unit else f'>= {low:g}'
                found = value[wrong].flat[0] if value.ndim else value
                raise ValueError(f'{name}: expected {wanted}, found {found}')
            lengths.add(value.shape)
        lengths.discard(())
        if len(lengths) > 1 or any(len(shape) != 1 for shape in lengths):
            raise ValueError(
                'expected numbers or arrays (S,) of one length, found '
                f'{sorted(lengths)}'
            )
        self._check_ranges()

    def _check_ranges(self) -> None:
        for name in _POSITIVE:
            if np.any(np.asarray(getattr(self, name)) == 0):
                raise ValueError(f'{name}: expected > 0, found 0')
        for names in _PROBABILITIES:
            highest = np.max(sum(np.asarray(getattr(self, x)) for x in names))
            # Sums of several may be above 1 by rounding.
            if highest > 1 + 1e-6:
                raise ValueError(
                    f'{" + ".join(names)}: expected at most 1, found '
                    f'{highest:g}'
                )

    def columns(self, num: int) -> SimpleNamespace:
        """Every amount as (S or 1, 1, 1), to combine with (S, T, K).

        Args:
            num (int): Number of sequences S.

        Returns:
            SimpleNamespace: Float64 arrays by the names of the amounts.

        Raises:
            ValueError: If there are amounts for another number of sequences.
        """
        columns = {
            item.name: per_sequence(getattr(self, item.name), 3)
            for item in fields(self)
        }
        for name, column in columns.items():
            if np.ndim(getattr(self, name)) and len(column) != num:
                raise ValueError(
                    f'{name}: expected one number or ({num},), found '
                    f'({len(column)},)'
                )
        return SimpleNamespace(**columns)


LIFTER_NOISE: Dict[str, float] = dict(
    jitter=0.0024,
    jitter_correlation=0.0,
    jitter_spread=0.3,
    drift=0.0167,
    drift_frames=20.0,
    drift_limb_correlation=0.6,
    depth_factor=2.0,
    occlusion_share=0.04,
    occlusion_frames=10.0,
    occlusion_freeze=0.4,
    occlusion_std=0.02,
    limb_swap_share=0.0,
    body_swap_share=0.0,
    outlier_share=0.0,
    missing_share=0.0,
    score_tolerance=0.06,
    score_noise=2.5,
)
"""Errors of an estimator that lifts poses to 3D.

Only the amounts are fitted: on captured motion (30 frames per second) the
root-relative MPJPE and the acceleration error of the estimates are near
those that the paper gives for FCN on Human3.6M (Table 2: 54.6 mm and
19.2 mm / frame^2). It is neither that estimator nor that data set.
"""

NOISE_PRESETS: Dict[str, Dict[str, float]] = dict(lifter=LIFTER_NOISE)
"""Arguments of :class:`EstimatorNoise` by name."""


def estimator_noise(
    noise: Union[str, Dict[str, Any], EstimatorNoise, None],
) -> EstimatorNoise:
    """Make the noise that a config describes.

    Args:
        noise (str or dict or EstimatorNoise, optional): Name of a preset,
            or arguments of :class:`EstimatorNoise`; None: its defaults.

    Returns:
        EstimatorNoise: The amounts.

    Raises:
        ValueError: For the name of no preset or a wrong value.
    """
    if isinstance(noise, EstimatorNoise):
        return noise
    if isinstance(noise, str):
        if noise not in NOISE_PRESETS:
            raise ValueError(
                f'noise has to be one of {tuple(NOISE_PRESETS)} or a dict, '
                f'got {noise!r}'
            )
        noise = NOISE_PRESETS[noise]
    return EstimatorNoise(**(noise or {}))
