"""Amounts of the simulated estimator's errors."""

from dataclasses import dataclass, fields


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
            duration is below one frame, or a size is negative.
    """

    jitter: float = 0.031
    jitter_correlation: float = 0.5
    jitter_spread: float = 0.35
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
            low = 1.0 if name.endswith('_frames') else 0.0
            if not value >= low or (unit and value >= 1):
                wanted = 'in [0, 1)' if unit else f'>= {low:g}'
                raise ValueError(f'{name}: expected {wanted}, found {value}')
        if not self.score_tolerance > 0:
            raise ValueError('score_tolerance: expected > 0, found 0')
