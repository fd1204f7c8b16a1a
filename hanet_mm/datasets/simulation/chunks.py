"""Windows of simulated people and estimators, many at a time."""

from typing import NamedTuple, Optional, Tuple

import numpy as np

from ..synthetic import box_size, simulate_estimator_noise
from ..synthetic.generator import joint_boxes
from ..synthetic.noise_ranges import NoiseSource, draw_noise
from .body_scaling import mirror_bodies, sample_factors, scale_bodies
from .motion_bank import SKELETONS, MotionBank, cut_windows
from .views import before_camera, pictures

DIMS = {'coco17': 2, 'h36m17': 3}
"""Coordinates: pixels of pictures, or metres before the camera."""

# Windows in which the person is there for a part of the time only have at
# least this share of frames.
_SHORTEST = 0.15


class Chunk(NamedTuple):
    """S windows.

    Args:
        truth (np.ndarray): Pixels, or metres in camera coordinates,
            (S, T, K, D) float32.
        estimates (np.ndarray): The same, NaN = missing.
        scores (np.ndarray): (S, T, K) float32, 0 = missing.
        weights (np.ndarray): Of the truth, 0 where the motion is not clean
            or the window has no frame, (S, T, K) float32.
        fps (np.ndarray): Frame rates, (S,) float32.
        image_size (np.ndarray, optional): Width and height in px, (S, 2);
            in pictures only.
    """

    truth: np.ndarray
    estimates: np.ndarray
    scores: np.ndarray
    weights: np.ndarray
    fps: np.ndarray
    image_size: Optional[np.ndarray]


class ChunkGenerator:
    """Makes windows from motion: bodies, views, estimates.

    Args:
        bank (MotionBank): Motion of the skeleton.
        skeleton (str): 'coco17', for pictures, or 'h36m17', for 3D poses.
        noise (NoiseSource): Errors of the estimators, of each window anew.
        window_size (int): Frames T.
        short_share (float): Share of windows that are padded, [0, 1].
        fps_range (Tuple[float, float]): Lowest and highest frame rate.
            Defaults to (15, 60).
        speed_range (Tuple[float, float]): How much faster than recorded.
            Defaults to (0.7, 1.4).
    """

    def __init__(
        self,
        bank: MotionBank,
        skeleton: str,
        noise: NoiseSource,
        window_size: int,
        short_share: float,
        fps_range: Tuple[float, float] = (15.0, 60.0),
        speed_range: Tuple[float, float] = (0.7, 1.4),
    ):
        self.bank = bank
        self.skeleton = skeleton
        self.noise = noise
        self.window_size = window_size
        self.short_share = short_share
        self.fps_range = fps_range
        self.speed_range = speed_range

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
            self.speed_range,
        )
        joints = mirror_bodies(joints, self.skeleton, rng.random(num) < 0.5)
        joints = scale_bodies(joints, self.skeleton, *sample_factors(rng, num))
        return joints, clean, fps

    def __call__(self, rng: np.random.Generator, num: int) -> Chunk:
        """Make a chunk.

        Args:
            rng (np.random.Generator): Source of randomness; nothing else
                decides about the result.
            num (int): Number of windows S.

        Returns:
            Chunk: The windows.
        """
        joints, clean, fps = self.motion(rng, num)
        image_size = None
        if DIMS[self.skeleton] == 2:
            truth, image_size = pictures(rng, joints, fps)
            size = box_size(joint_boxes(truth))
        else:
            truth = before_camera(rng, joints)
            size = np.ptp(truth, axis=2).max(axis=-1)
        estimates, scores = simulate_estimator_noise(
            truth,
            size,
            rng,
            draw_noise(self.noise, rng, num),
            SKELETONS[self.skeleton],
            image_size,
        )
        there = _there(rng, num, self.window_size, self.short_share)
        found = (scores > 0) & there[..., None]
        # A window in which nobody was found is none: the truth, unweighted.
        empty = ~found.any(axis=(1, 2))
        estimates[~found] = np.nan
        estimates[empty] = truth[empty]
        scores = np.where(found, scores, np.float32(0))
        scores[empty] = 1
        weights = clean & there & ~empty[:, None]
        weights = np.repeat(weights[..., None], truth.shape[2], axis=2)
        return Chunk(
            truth,
            estimates,
            scores,
            weights.astype(np.float32),
            fps,
            image_size,
        )


def _there(
    rng: np.random.Generator, num: int, frames: int, share: float
) -> np.ndarray:
    """Frames that windows have; the others are padding, bool (S, T)."""
    length = np.rint(frames * rng.uniform(_SHORTEST, 1, num))
    length = np.where(rng.random(num) < share, np.maximum(length, 1), frames)
    first = np.floor(rng.random(num) * (frames - length + 1))
    frame = np.arange(frames)
    begin, end = first[:, None], (first + length)[:, None]
    return (frame >= begin) & (frame < end)
