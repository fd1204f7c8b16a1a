# Copyright (c) hanet_mm contributors. All rights reserved.
"""Sequences and chunks of windows from motion, cameras and estimators."""

from typing import NamedTuple, Optional, Sequence, Tuple, Union

import numpy as np

from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.boxes import box_sizes, boxes_around
from hanet_mm.core.poses.skeleton_data import SKELETONS

from .actions import ACTIONS
from .body import JHMDB_KEYPOINT_NAMES
from .cameras import before_camera, pictures, sample_cameras
from .estimators import SimulatedEstimators
from .keypoints import mirror_bodies, sample_factors, scale_bodies
from .motion import generate_motion
from .motion_bank import MotionBank, cut_windows
from .noise import simulate_estimator_noise
from .noise_params import EstimatorNoise
from .noise_sources import NoiseSource

BOX_MARGIN = 0.1
"""Boxes are those of the joints enlarged by this, as in JHMDB files."""

DIMS = {'coco17': 2, 'coco_wholebody_body': 2, 'h36m17': 3}
"""Skeletons of windows and their coordinates: 2D px, 3D metres."""

# Sequences made at once. A fixed number: the first sequences of a seed stay
# the same however many are asked for.
_CHUNK = 64
# Padded windows have at least this share of frames.
_SHORTEST = 0.15
FPS_RANGE = (15.0, 60.0)
"""Frame rates of windows where nothing else is said."""

# Factors on the recorded speed.
_SPEED_RANGE = (0.7, 1.4)


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

    The result depends on the arguments alone; another seed gives other people,
    movements, cameras and errors. The noise does not change the motion.
    Sequences are of ``seq_len_range`` frames, shortest and longest, and hold
    JHMDB-15 keypoints in px with simulated estimates. Raises a ValueError if a
    number, the range or an action is wrong.
    """
    _check(num_sequences, seq_len_range, image_size, fps)
    high = seq_len_range[1]
    chunks = []
    for first in range(0, num_sequences, _CHUNK):
        seeds = np.random.SeedSequence((seed, first // _CHUNK)).spawn(4)
        lengths, *arrays = _generate_sequences(
            seeds, seq_len_range, image_size, fps, actions, noise
        )
        lengths = lengths[: num_sequences - first]
        kept = np.arange(high) < lengths[:, None]
        chunks.append([lengths, *(x[: len(lengths)][kept] for x in arrays)])
    lengths, truth, boxes, estimates, scores = map(
        np.concatenate, zip(*chunks)
    )
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


def _generate_sequences(
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
    boxes = boxes_around(truth, margin=BOX_MARGIN)
    estimates, scores = simulate_estimator_noise(
        truth, box_sizes(boxes), noise_rng, noise
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


class Chunk(NamedTuple):
    """S windows of T frames."""

    truth: np.ndarray  # px, or metres before the camera, (S, T, K, D) float32
    estimates: np.ndarray  # the same, NaN = missing
    scores: np.ndarray  # (S, T, K) float32, 0 = missing
    # Of the truth, 0 where the motion is not clean or there is no frame,
    # (S, T, K) float32.
    weights: np.ndarray
    fps: np.ndarray  # (S,) float32
    image_size: Optional[np.ndarray]  # width, height in px, (S, 2); 2D only
    boxes: np.ndarray  # around the truth, (S, T, 2D); in pictures enlarged


class ChunkGenerator:
    """Makes windows from motion: bodies, views, estimates.

    The skeleton is one of ``DIMS``, in pictures or in 3D; each window has an
    estimator of its own; ``short_share`` of them are padded; frame rates are
    within ``fps_range``.
    """

    def __init__(
        self,
        bank: MotionBank,
        skeleton: str,
        noise: Union[NoiseSource, SimulatedEstimators],
        window_size: int,
        short_share: float,
        fps_range: Tuple[float, float] = FPS_RANGE,
    ):
        self.bank = bank
        self.skeleton = skeleton
        if not isinstance(noise, SimulatedEstimators):
            noise = SimulatedEstimators(noise)
        self.estimators = noise
        self.window_size = window_size
        self.short_share = short_share
        self.fps_range = fps_range

    def motion(
        self, rng: np.random.Generator, num: int
    ) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Motion of people of all builds, see :func:`cut_windows`."""
        joints, clean, fps = cut_windows(
            rng,
            self.bank,
            num,
            self.window_size,
            self.fps_range,
            _SPEED_RANGE,
        )
        joints = mirror_bodies(joints, self.skeleton, rng.random(num) < 0.5)
        joints = scale_bodies(joints, self.skeleton, *sample_factors(rng, num))
        return joints, clean, fps

    def __call__(self, rng: np.random.Generator, num: int) -> Chunk:
        """Make ``num`` windows; nothing but ``rng`` decides about them."""
        joints, clean, fps = self.motion(rng, num)
        image_size = None
        if DIMS[self.skeleton] == 2:
            truth, image_size = pictures(rng, joints, fps)
            boxes = boxes_around(truth, margin=BOX_MARGIN)
        else:
            truth = before_camera(rng, joints)
            boxes = boxes_around(truth)
        estimates, scores = self.estimators(
            rng,
            truth,
            box_sizes(boxes),
            SKELETONS[self.skeleton].keypoint_names,
            image_size,
            fps,
        )
        present = _present_frames(rng, num, self.window_size, self.short_share)
        scores *= present[..., None]
        missing = scores == 0
        _, _, count, dims = truth.shape
        estimates.reshape(-1, dims)[np.flatnonzero(missing)] = np.nan
        # A window without any estimate becomes the truth with weight 0.
        empty = missing.all(axis=(1, 2))
        estimates[empty] = truth[empty]
        scores[empty] = 1
        weights = (clean & present & ~empty[:, None]).astype(np.float32)
        weights = np.repeat(weights[..., None], count, axis=2)
        return Chunk(truth, estimates, scores, weights, fps, image_size, boxes)


def _present_frames(
    rng: np.random.Generator, num: int, frames: int, share: float
) -> np.ndarray:
    """Frames that windows have; the others are padding, bool (S, T).

    The short ones of a chunk are of one length, anywhere in the window: what
    is measured in windows is measured in all of a length at once.
    """
    length = np.rint(frames * rng.uniform(_SHORTEST, 1))
    length = np.where(rng.random(num) < share, np.maximum(length, 1), frames)
    first = np.floor(rng.random(num) * (frames - length + 1))
    frame = np.arange(frames)
    begin, end = first[:, None], (first + length)[:, None]
    return (frame >= begin) & (frame < end)
