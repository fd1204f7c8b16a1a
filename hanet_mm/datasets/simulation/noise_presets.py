# Copyright (c) hanet_mm contributors. All rights reserved.
"""Presets of the amounts of simulated errors.

Where the ranges of the presets 'any' and 'any-lifter' come from:

- The kinds of error are the taxonomy of M. R. Ronchi and P. Perona,
  "Benchmarking and error diagnosis in multi-instance pose estimation", ICCV
  2017: jitter about the right place, inversion (left for right), swap (a
  joint of somebody else) and miss. The ranges are wide on purpose: from
  better than any estimator to unusably bad.
- A. Zeng et al., "SmoothNet", ECCV 2022, section 1, show that calm frames
  alternate with runs of bad ones in which errors are long and large; missing
  and hidden frames that neighbours must recover are the subject of their
  "DeciWatch", ECCV 2022.
- The middle of the jitter is near the PCK of SimpleBaseline on Sub-JHMDB, and
  of a lifter near the MPJPE of FCN on Human3.6M, like the fixed amounts
  (HANet, Tables 1 and 2).
- Recordings of recent top-down estimators show the whole body inverted in up
  to a third of the frames of a sequence, for one frame up to a second and
  with scores of 0.98; slow drift above the jitter; and scores that tell
  little of the error. Durations are in frames and cover 15 to 60 per second.
"""

from typing import Any, Dict


def _log(low: float, high: float, off: float = 0.0) -> Dict[str, Any]:
    return dict(low=low, high=high, log=True, off=off)


def _flat(low: float, high: float, off: float = 0.0) -> Dict[str, Any]:
    return dict(low=low, high=high, off=off)


# An estimator that lifts poses to 3D. Only the amounts are fitted: on captured
# motion (30 frames per second) the root-relative MPJPE and the acceleration
# error of the estimates are near those that the paper gives for FCN on
# Human3.6M (Table 2: 54.6 mm and 19.2 mm / frame^2). It is neither that
# estimator nor that data set.
_LIFTER: Dict[str, Any] = dict(
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

_SCORES: Dict[str, Any] = dict(
    # From scores that follow the error to scores that ignore it.
    score_tolerance=_log(0.03, 0.5),
    score_noise=_flat(0.2, 3.0),
    score_correlation=_flat(0.0, 0.9, off=0.3),
    # Maxima of heat maps end at 0.6 to 1, depending on the estimator.
    score_high=_flat(0.6, 1.0),
    score_span=_flat(0.4, 1.0, off=0.08),
    score_power=_log(0.5, 2.0),
)

# Top-down estimators of keypoints in pictures.
_ANY: Dict[str, Any] = dict(
    # Jitter: a twentieth to twice that of the fixed preset.
    jitter=_log(0.0015, 0.06),
    jitter_correlation=_flat(0.0, 0.85, off=0.15),
    jitter_spread=_flat(0.1, 0.7),
    jitter_blur=_flat(0.0, 0.35, off=0.3),
    jitter_tails=_flat(0.0, 1.0, off=0.3),
    jitter_tail_frames=_log(1.0, 12.0),
    # Drift: from none to more than the jitter.
    drift=_log(0.002, 0.05, off=0.15),
    drift_frames=_log(4.0, 60.0),
    drift_limb_correlation=_flat(0.0, 0.9),
    # Misses and swaps.
    occlusion_share=_log(0.01, 0.25, off=0.15),
    occlusion_frames=_log(2.0, 30.0),
    occlusion_freeze=_flat(0.0, 0.5),
    occlusion_limb=_flat(0.0, 0.25),
    occlusion_other=_flat(0.0, 0.25),
    occlusion_std=_flat(0.02, 0.2),
    occlusion_unseen=_flat(0.0, 0.6, off=0.3),
    # Inversions: few in most sequences, a third in some.
    limb_swap_share=_log(0.002, 0.1, off=0.35),
    limb_swap_frames=_log(1.0, 15.0),
    half_swap_share=_log(0.002, 0.15, off=0.6),
    half_swap_frames=_log(1.0, 20.0),
    body_swap_share=_log(0.005, 0.33, off=0.4),
    body_swap_frames=_log(1.0, 30.0),
    outlier_share=_log(0.001, 0.05, off=0.3),
    outlier_std=_flat(0.1, 0.5),
    outside_clamp=_flat(0.0, 0.6),
    outside_stray=_flat(0.0, 0.3),
    missing_share=_log(0.002, 0.3, off=0.4),
    missing_frames=_log(1.0, 12.0),
    frame_missing_share=_log(0.005, 0.3, off=0.65),
    frame_missing_frames=_log(1.0, 8.0),
    **_SCORES,
)

# What recent estimators in real clips have in common, lifted or not. Amounts
# are drawn in their order here: another one changes what a seed gives.
_REAL_SWAPS: Dict[str, Any] = dict(
    limb_swap_share=_log(0.002, 0.05, off=0.4),
    limb_swap_seconds=_log(0.03, 0.4),
    half_swap_share=_log(0.002, 0.05, off=0.7),
    half_swap_seconds=_log(0.03, 0.4),
    body_swap_share=_log(0.005, 0.3, off=0.5),
    body_swap_seconds=_log(0.03, 1.0),
)
_REAL_REPORTS: Dict[str, Any] = dict(
    missing_share=_log(0.002, 0.2, off=0.6),
    missing_seconds=_log(0.03, 0.5),
    frame_missing_share=_log(0.005, 0.3, off=0.6),
    frame_missing_seconds=_log(0.03, 0.8),
    score_tolerance=_log(0.02, 2.0),
    score_noise=_flat(0.3, 3.0),
    score_seconds=_log(0.03, 1.0),
    score_information=_flat(0.1, 1.0, off=0.1),
    score_high=_flat(0.85, 1.0),
    score_span=_flat(0.5, 1.0, off=0.05),
    score_power=1.0,
)

# Recent top-down estimators in real clips; see the top of this file.
_REAL: Dict[str, Any] = dict(
    jitter=_log(0.0013, 0.03),
    jitter_seconds=_log(0.005, 0.08),
    jitter_spread=_flat(0.1, 0.7),
    jitter_blur=_flat(0.0, 0.3, off=0.3),
    jitter_tails=_flat(0.0, 1.2, off=0.2),
    jitter_tail_seconds=_log(0.05, 0.5),
    drift=_log(0.004, 0.06, off=0.1),
    drift_seconds=_log(0.15, 1.5),
    drift_limb_correlation=_flat(0.0, 0.9),
    bias=_log(0.004, 0.03, off=0.1),
    occlusion_share=_log(0.005, 0.12, off=0.2),
    occlusion_seconds=_log(0.07, 1.0),
    occlusion_freeze=_flat(0.0, 0.5),
    occlusion_limb=_flat(0.0, 0.2),
    occlusion_other=_flat(0.0, 0.1),
    occlusion_std=_flat(0.02, 0.15),
    occlusion_unseen=_flat(0.0, 0.8, off=0.2),
    **_REAL_SWAPS,
    outlier_share=_log(0.001, 0.03, off=0.3),
    outlier_std=_flat(0.05, 0.4),
    outside_clamp=_flat(0.0, 0.6),
    outside_stray=_flat(0.0, 0.3),
    **_REAL_REPORTS,
)

# Estimators of 3D poses relative to the root.
_ANY_LIFTER: Dict[str, Any] = dict(
    jitter=_log(0.0008, 0.015),
    jitter_correlation=_flat(0.0, 0.7, off=0.3),
    jitter_spread=_flat(0.1, 0.6),
    jitter_blur=_flat(0.0, 0.2, off=0.4),
    jitter_tails=_flat(0.0, 1.0, off=0.3),
    jitter_tail_frames=_log(1.0, 12.0),
    drift=_log(0.004, 0.04),
    drift_frames=_log(6.0, 60.0),
    drift_limb_correlation=_flat(0.2, 0.9),
    depth_factor=_flat(1.2, 3.5),
    occlusion_share=_log(0.01, 0.15, off=0.2),
    occlusion_frames=_log(3.0, 30.0),
    occlusion_freeze=_flat(0.2, 0.6),
    occlusion_limb=_flat(0.0, 0.1),
    occlusion_std=_flat(0.01, 0.08),
    occlusion_unseen=_flat(0.0, 0.8, off=0.3),
    # A lifter keeps the inversions of the keypoints that it lifts.
    limb_swap_share=_log(0.002, 0.05, off=0.6),
    limb_swap_frames=_log(1.0, 15.0),
    body_swap_share=_log(0.005, 0.2, off=0.6),
    body_swap_frames=_log(1.0, 30.0),
    outlier_share=_log(0.001, 0.03, off=0.5),
    outlier_std=_flat(0.03, 0.2),
    missing_share=_log(0.002, 0.2, off=0.6),
    missing_frames=_log(1.0, 12.0),
    frame_missing_share=_log(0.005, 0.3, off=0.6),
    frame_missing_frames=_log(1.0, 8.0),
    **dict(_SCORES, score_tolerance=_log(0.02, 0.3)),
)

# Recent estimators of 3D poses in video, relative to the root: lifters and
# MediaPipe's world landmarks. Swaps are those of the keypoints below them, and
# last as long; a bone may point to the wrong side of its joint in depth; the
# size of the body is guessed anew all the time; joints are placed where no
# motion capture would have them; depth is wrong by several times as much as
# the place in the picture, and slowly. Scores are those of the keypoints
# below, near 1 and hardly about depth, or there are none.
_REAL_LIFTER: Dict[str, Any] = dict(
    jitter=_log(0.0008, 0.012),
    jitter_seconds=_log(0.01, 0.12),
    jitter_spread=_flat(0.1, 0.6),
    jitter_blur=_flat(0.0, 0.2, off=0.3),
    jitter_tails=_flat(0.0, 1.2, off=0.2),
    jitter_tail_seconds=_log(0.05, 0.5),
    drift=_log(0.005, 0.045),
    drift_seconds=_log(0.15, 1.5),
    drift_limb_correlation=_flat(0.2, 0.9),
    bias=_log(0.003, 0.025, off=0.1),
    depth_factor=_flat(1.5, 4.0),
    depth_flip_share=_log(0.005, 0.15, off=0.3),
    depth_flip_seconds=_log(0.05, 0.8),
    scale_drift=_log(0.01, 0.08, off=0.2),
    scale_drift_seconds=_log(0.3, 3.0),
    occlusion_share=_log(0.005, 0.15, off=0.2),
    occlusion_seconds=_log(0.07, 1.0),
    occlusion_freeze=_flat(0.2, 0.6),
    occlusion_limb=_flat(0.0, 0.1),
    occlusion_std=_flat(0.01, 0.08),
    occlusion_unseen=_flat(0.0, 0.8, off=0.2),
    **_REAL_SWAPS,
    outlier_share=_log(0.001, 0.02, off=0.5),
    outlier_std=_flat(0.03, 0.2),
    **dict(
        _REAL_REPORTS,
        missing_share=_log(0.002, 0.1, off=0.8),
        score_information=_flat(0.0, 0.9, off=0.2),
        score_span=_flat(0.3, 1.0, off=0.3),
    ),
)

# Good estimates: several cameras, or markers. A refiner has to tell them from
# bad ones and leave them alone.
_GOOD_LIFTER: Dict[str, Any] = dict(
    _REAL_LIFTER,
    jitter=_log(0.0002, 0.004),
    jitter_blur=_flat(0.0, 0.1, off=0.5),
    drift=_log(0.0005, 0.01, off=0.3),
    bias=_log(0.001, 0.01, off=0.4),
    depth_factor=_flat(1.0, 3.0),
    depth_flip_share=_log(0.003, 0.03, off=0.8),
    scale_drift=_log(0.003, 0.03, off=0.5),
    occlusion_share=_log(0.003, 0.05, off=0.6),
    limb_swap_share=_log(0.002, 0.02, off=0.8),
    half_swap_share=_log(0.002, 0.02, off=0.9),
    body_swap_share=_log(0.005, 0.1, off=0.8),
    outlier_share=_log(0.001, 0.01, off=0.7),
)

# Next to nothing, about 1.5 mm in 3D: what refiners should leave alone.
_CLEAN: Dict[str, Any] = dict(
    jitter=0.0005,
    jitter_correlation=0.0,
    occlusion_share=0.0,
    limb_swap_share=0.0,
    body_swap_share=0.0,
    outlier_share=0.0,
    missing_share=0.0,
)

NOISE_PRESETS: Dict[str, Dict[str, Any]] = {
    'clean': _CLEAN,
    'lifter': _LIFTER,
    'any': _ANY,
    'real': _REAL,
    'any-lifter': _ANY_LIFTER,
    'real-lifter': _REAL_LIFTER,
    'good-lifter': _GOOD_LIFTER,
}
"""Amounts, or ranges of them, by the names that :func:`noise_source` takes."""
