# Copyright (c) hanet_mm contributors. All rights reserved.
"""Make the noisy clip of the demo, ``noisy_clip.npz``; needs MMPose.

Two procedural people of ten seconds before a camera, as COCO's 17 keypoints,
with the errors of a simulated estimator. The kinds and amounts of error were
chosen before there was a refiner to try on them, and the seed is the first
that was tried. In ``meta['filters']`` are settings of the classical filters
that have the least mean error on other people with the same kinds of error,
so that the demo need not tune them.

    python tools/demo_data/make_clip.py tools/demo_data/noisy_clip.npz
"""

import argparse
from pathlib import Path
from typing import Any, Dict

import numpy as np

from hanet_mm.core.data.files import PathLike, write_npz
from hanet_mm.core.data.sequences import PoseSequences, flat_arrays
from hanet_mm.core.poses.boxes import box_sizes, boxes_around
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.datasets.simulation import (
    BOX_MARGIN,
    EstimatorNoise,
    generate_motion,
    simulate_estimator_noise,
)
from hanet_mm.datasets.simulation.cameras import sample_cameras
from hanet_mm.datasets.simulation.keypoints import procedural_keypoints
from hanet_mm.filters import FILTERS, tune_filter

NAMES = SKELETONS['coco17'].keypoint_names
IMAGE_SIZE, FPS = (1280, 720), 30.0
NUM_PEOPLE, NUM_FRAMES = 2, 300
TUNING_PEOPLE, TUNING_FRAMES = 60, 100
SEED, TUNING_SEED = 0, 1
NOISE = EstimatorNoise(
    jitter=0.015,
    jitter_correlation=0.4,
    jitter_blur=0.15,
    jitter_tails=0.5,
    drift=0.015,
    drift_frames=15,
    drift_limb_correlation=0.5,
    occlusion_share=0.1,
    occlusion_frames=9,
    occlusion_limb=0.2,
    body_swap_share=0.1,
    body_swap_frames=5,
    limb_swap_share=0.02,
    outlier_share=0.01,
    missing_share=0.02,
    missing_frames=5,
    frame_missing_share=0.01,
    frame_missing_frames=3,
    score_noise=1.5,
)
# Steps of the stored numbers: they compress well, and nobody sees them.
_PIXEL_STEP, _SCORE_STEP = 1 / 8, 1 / 100


def coco_joints(joints: np.ndarray) -> np.ndarray:
    """COCO's keypoints of procedural people, (S, T, 16, 3) -> (S, T, 17, 3).

    Both are in metres with z up, as the camera wants them.
    """
    x, up, toward = np.moveaxis(procedural_keypoints(joints, NAMES), -1, 0)
    return np.stack([x, -toward, up], axis=-1)


def make_sequences(
    seed: int, num_people: int, num_frames: int
) -> PoseSequences:
    """People before a camera, what is true and what is estimated."""
    rngs = map(np.random.default_rng, np.random.SeedSequence(seed).spawn(3))
    motion_rng, camera_rng, noise_rng = rngs
    motion = generate_motion(motion_rng, num_people, num_frames, FPS)
    camera = sample_cameras(camera_rng, motion.joints, IMAGE_SIZE, FPS)
    truth = camera.project(coco_joints(motion.joints)).astype(np.float32)
    boxes = boxes_around(truth, margin=BOX_MARGIN)
    estimates, scores = simulate_estimator_noise(
        truth, box_sizes(boxes), noise_rng, NOISE, NAMES
    )
    scores = np.maximum(_round_to(scores, _SCORE_STEP), _SCORE_STEP)
    scores[np.isnan(estimates).any(-1)] = 0
    return PoseSequences(
        keypoints_est=_flat(_round_to(estimates, _PIXEL_STEP)),
        scores=_flat(scores),
        seq_len=np.full(num_people, num_frames),
        seq_name=np.array([f'person {i + 1}' for i in range(num_people)]),
        keypoints_gt=_flat(_round_to(truth, _PIXEL_STEP)),
        bboxes=_flat(_round_to(boxes, _PIXEL_STEP)),
        image_size=np.tile(np.float32(IMAGE_SIZE), (num_people, 1)),
        fps=np.full(num_people, FPS, np.float32),
        meta=dict(
            dataset='procedural motion',
            estimator='simulated',
            units='px',
            keypoint_names=list(NAMES),
        ),
    )


def tune_filters(sequences: PoseSequences) -> Dict[str, Dict[str, Any]]:
    """Arguments of every filter with the least mean error."""
    reports = (tune_filter(name, sequences)[1] for name in FILTERS)
    return {
        report.name: {
            # Plain numbers, of digits that a reader can take in.
            key: value if isinstance(value, int) else float(f'{value:.4g}')
            for key, value in report.arguments.items()
        }
        for report in reports
    }


def save_clip(path: PathLike) -> None:
    """Make the clip and write it, compressed, whole or not at all."""
    clip = make_sequences(SEED, NUM_PEOPLE, NUM_FRAMES)
    clip.meta['filters'] = tune_filters(
        make_sequences(TUNING_SEED, TUNING_PEOPLE, TUNING_FRAMES)
    )
    write_npz(path, flat_arrays(clip), compressed=True)


def _round_to(values: np.ndarray, step: float) -> np.ndarray:
    return np.round(values / step) * np.float32(step)


def _flat(values: np.ndarray) -> np.ndarray:
    """(S, T, ...) -> (S * T, ...)."""
    return values.reshape(-1, *values.shape[2:])


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('out', type=Path)
    save_clip(parser.parse_args().out)


if __name__ == '__main__':
    main()
