"""Pose sequences of procedural people with simulated estimates."""

from typing import Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.sequences import PoseSequences

from .body import JHMDB_KEYPOINT_NAMES
from .camera import sample_cameras
from .estimator_noise import box_size, simulate_estimator_noise
from .motion import generate_motion
from .noise_params import EstimatorNoise
from .timeline import ACTIONS

# Sequences made at once. A fixed number: the first sequences of a seed stay
# the same however many are asked for.
_CHUNK = 64
# Boxes are the joints' bounding boxes enlarged by this, as in JHMDB files.
_BOX_ENLARGEMENT = 1.1


def joint_boxes(keypoints: np.ndarray) -> np.ndarray:
    """Bounding boxes of the joints, 10 % larger.

    Args:
        keypoints (np.ndarray): Pixels, (..., K, 2).

    Returns:
        np.ndarray: Boxes x1, y1, x2, y2 in px, (..., 4).
    """
    low, high = keypoints.min(axis=-2), keypoints.max(axis=-2)
    middle = 0.5 * (low + high)
    half = 0.5 * _BOX_ENLARGEMENT * (high - low)
    return np.concatenate([middle - half, middle + half], axis=-1)


def _generate_chunk(
    seeds: Sequence[np.random.SeedSequence],
    seq_len_range: Tuple[int, int],
    image_size: Tuple[int, int],
    fps: float,
    actions: Sequence[str],
    noise: Optional[EstimatorNoise],
) -> Tuple[np.ndarray, ...]:
    """Lengths (S,), truth, boxes, estimates and scores (S, T, ...)."""
    length_rng, motion_rng, camera_rng, noise_rng = map(
        np.random.default_rng, seeds
    )
    low, high = seq_len_range
    lengths = length_rng.integers(low, high + 1, _CHUNK)
    motion = generate_motion(motion_rng, _CHUNK, high, fps, actions)
    # Shorter sequences stop moving at their end: the camera frames only
    # what will be kept.
    frames = np.minimum(np.arange(high), lengths[:, None] - 1)
    joints = np.take_along_axis(motion.joints, frames[..., None, None], axis=1)
    camera = sample_cameras(camera_rng, joints, image_size, fps)
    truth = camera.project(joints[..., : len(JHMDB_KEYPOINT_NAMES), :])
    truth = truth.astype(np.float32)
    boxes = joint_boxes(truth)
    estimates, scores = simulate_estimator_noise(
        truth, box_size(boxes), noise_rng, noise
    )
    return lengths, truth, boxes, estimates, scores


def _check(
    num_sequences: int,
    seq_len_range: Tuple[int, int],
    image_size: Tuple[int, int],
    fps: float,
) -> None:
    low, high = seq_len_range
    if num_sequences < 1:
        raise ValueError(
            f'num_sequences: expected >= 1, found {num_sequences}'
        )
    if not 1 <= low <= high:
        raise ValueError(
            f'seq_len_range: expected 1 <= min <= max, found {seq_len_range}'
        )
    if min(image_size) < 1:
        raise ValueError(f'image_size: expected >= 1 px, found {image_size}')
    if not fps > 0:
        raise ValueError(f'fps: expected > 0, found {fps}')


def generate_synthetic_sequences(
    num_sequences: int,
    seq_len_range: Tuple[int, int] = (40, 80),
    seed: int = 0,
    image_size: Tuple[int, int] = (640, 480),
    fps: float = 25.0,
    actions: Sequence[str] = ACTIONS,
    noise: Optional[EstimatorNoise] = None,
) -> PoseSequences:
    """Generate people who act in front of a camera, and estimates of them.

    The result depends on the arguments alone; another seed gives other
    people, movements, cameras and errors. The noise does not change the
    motion.

    Args:
        num_sequences (int): Number of sequences S.
        seq_len_range (Tuple[int, int]): Shortest and longest sequence in
            frames.
        seed (int): Seed >= 0.
        image_size (Tuple[int, int]): Width and height in px.
        fps (float): Frames per second.
        actions (Sequence[str]): What people do, see ``ACTIONS``.
        noise (EstimatorNoise, optional): Errors of the estimator. Defaults
            to None: ``EstimatorNoise()``.

    Returns:
        PoseSequences: JHMDB-15 keypoints in px with simulated estimates.

    Raises:
        ValueError: A number, the range or an action is wrong.
    """
    _check(num_sequences, seq_len_range, image_size, fps)
    high = seq_len_range[1]
    parts = []
    for first in range(0, num_sequences, _CHUNK):
        seeds = np.random.SeedSequence((seed, first // _CHUNK)).spawn(4)
        lengths, *arrays = _generate_chunk(
            seeds, seq_len_range, image_size, fps, actions, noise
        )
        lengths = lengths[: num_sequences - first]
        kept = np.arange(high) < lengths[:, None]
        parts.append([lengths, *(x[: len(lengths)][kept] for x in arrays)])
    lengths, truth, boxes, estimates, scores = map(np.concatenate, zip(*parts))
    return PoseSequences(
        keypoints_est=estimates,
        scores=scores,
        seq_len=lengths,
        seq_name=np.array(
            [f'synthetic-{seed}-{i:06d}' for i in range(num_sequences)]
        ),
        keypoints_gt=truth,
        visible=np.ones_like(scores),
        bboxes=boxes,
        image_size=np.tile(np.float32(image_size), (num_sequences, 1)),
        fps=np.full(num_sequences, fps, dtype=np.float32),
        meta=dict(
            dataset='synthetic',
            estimator='simulated',
            units='px',
            keypoint_names=list(JHMDB_KEYPOINT_NAMES),
        ),
    )
