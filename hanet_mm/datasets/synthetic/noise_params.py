"""Amounts of the simulated estimator's errors."""

from dataclasses import dataclass, fields
from typing import Any, Dict, Union


@dataclass(frozen=True)
class EstimatorNoise:
    """How wrong the simulated estimator is.

    Lengths are parts of the person's size (longer side of the box), a
    ``*_share`` is the mean part of (joint, frame) pairs concerned, a
    ``*_frames`` the mean duration in frames. The defaults put the input
    near the PCK that the paper gives for SimpleBaseline on Sub-JHMDB
    (Table 1: 94.4 / 81.3 / 56.9 at 0.2 / 0.1 / 0.05).

    Args:
        jitter (float): Standard deviation per coordinate.
        jitter_correlation (float): Lag-1 correlation of the jitter, [0, 1).
        jitter_spread (float): Sigma of the log-normal factor on the jitter
            of each joint of each sequence.
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
        occlusion_std (float): Further constant error while hidden.
        limb_swap_share (float): Left and right arm, or leg, exchanged.
        limb_swap_frames (float): How long.
        body_swap_share (float): All of left and right exchanged.
        body_swap_frames (float): How long.
        outlier_share (float): Single estimates far off.
        outlier_std (float): How far, standard deviation per coordinate.
        missing_share (float): Joints not found: NaN, score 0.
        missing_frames (float): How long.
        score_tolerance (float): Error at which the score is 1/2.
        score_noise (float): Sigma of the log-normal factor on the error
            that the score reports.

    Raises:
        ValueError: A share is not in [0, 1), a correlation likewise, a
            duration is below one frame, a factor below 1, or a size is
            negative.
    """

    jitter: float = 0.031
    jitter_correlation: float = 0.5
    jitter_spread: float = 0.35
    drift: float = 0.0
    drift_frames: float = 15.0
    drift_limb_correlation: float = 0.0
    depth_factor: float = 1.0
    occlusion_share: float = 0.13
    occlusion_frames: float = 6.0
    occlusion_freeze: float = 0.4
    occlusion_std: float = 0.1
    limb_swap_share: float = 0.02
    limb_swap_frames: float = 3.0
    body_swap_share: float = 0.01
    body_swap_frames: float = 4.0
    outlier_share: float = 0.012
    outlier_std: float = 0.25
    missing_share: float = 0.005
    missing_frames: float = 3.0
    score_tolerance: float = 0.13
    score_noise: float = 1.2

    def __post_init__(self) -> None:
        for name in (item.name for item in fields(self)):
            value = getattr(self, name)
            unit = name.endswith(('_share', '_correlation'))
            low = 1.0 if name.endswith(('_frames', '_factor')) else 0.0
            if not value >= low or (unit and value >= 1):
                wanted = 'in [0, 1)' if unit else f'>= {low:g}'
                raise ValueError(f'{name}: expected {wanted}, found {value}')
        if not self.score_tolerance > 0:
            raise ValueError('score_tolerance: expected > 0, found 0')


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
