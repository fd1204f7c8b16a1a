"""A pinhole camera that looks at a person, pans along and shakes."""

from dataclasses import dataclass
from typing import Tuple

import numpy as np

from .actions import wander

# Part of the frame, from its middle to its border, that the person may fill.
_FRAMING = 0.94
# Aim height in metres.
_AIM = 0.95


@dataclass
class Camera:
    """One camera per sequence.

    Args:
        position (np.ndarray): Optical centre, world frame, metres, (S, 3).
        rotation (np.ndarray): World to camera, (S, T, 3, 3); camera axes
            are right, down, forward.
        focal (np.ndarray): Focal length in px, (S,).
        centre (np.ndarray): Principal point in px, (2,).
    """

    position: np.ndarray
    rotation: np.ndarray
    focal: np.ndarray
    centre: np.ndarray

    def project(self, points: np.ndarray) -> np.ndarray:
        """Pinhole projection without lens distortion.

        Args:
            points (np.ndarray): World points in metres, (S, T, K, 3), all
                in front of the camera.

        Returns:
            np.ndarray: Pixels x, y, (S, T, K, 2).
        """
        rays = points - self.position[:, None, None]
        rays = np.matmul(rays, np.swapaxes(self.rotation, -1, -2))
        scale = self.focal[:, None, None, None] / rays[..., 2:]
        return rays[..., :2] * scale + self.centre


def look_at(
    position: np.ndarray, target: np.ndarray, roll: np.ndarray
) -> np.ndarray:
    """Rotation of a camera that looks at a target, z being up.

    Args:
        position (np.ndarray): Optical centre in metres, (..., 3).
        target (np.ndarray): Point to look at in metres, (..., 3).
        roll (np.ndarray): Clockwise turn of the camera in radians, (...).

    Returns:
        np.ndarray: World to camera, rows right, down, forward,
        (..., 3, 3).
    """
    forward = target - position
    forward = forward / np.linalg.norm(forward, axis=-1, keepdims=True)
    # forward x up, up being (0, 0, 1)
    right = np.stack(
        [forward[..., 1], -forward[..., 0], np.zeros_like(forward[..., 0])], -1
    )
    right /= np.linalg.norm(right, axis=-1, keepdims=True)
    down = np.cross(forward, right)
    cosine, sine = np.cos(roll)[..., None], np.sin(roll)[..., None]
    return np.stack(
        [cosine * right + sine * down, cosine * down - sine * right, forward],
        axis=-2,
    )


def sample_cameras(
    rng: np.random.Generator,
    joints: np.ndarray,
    image_size: Tuple[int, int],
    fps: float,
) -> Camera:
    """Draw cameras that keep people in the frame.

    View all around, mostly from chest height, sometimes from below or from
    well above; 2.5 to 8 m away; the person takes up 55 to 95 % of the
    frame's height unless the way walked asks for more room. The camera
    follows the way partly and trembles by up to about 0.2 degrees.

    Args:
        rng (np.random.Generator): Source of randomness.
        joints (np.ndarray): World joints in metres, the last one the
            pelvis, (S, T, J, 3).
        image_size (Tuple[int, int]): Width and height in px.
        fps (float): Frames per second.

    Returns:
        Camera: S cameras over T frames.
    """
    num, frames = joints.shape[:2]
    way = joints[:, :, -1].copy()
    way[..., 2] = _AIM
    middle = 0.5 * (way.min(axis=1) + way.max(axis=1))
    extent = np.linalg.norm(way - middle[:, None], axis=-1).max(axis=1)
    distance = rng.uniform(2.5, 8.0, num) + extent
    azimuth = rng.uniform(-np.pi, np.pi, num)
    slope = np.tan(np.clip(rng.normal(0.12, 0.16, num), -0.2, 0.6))
    outward = np.stack([np.cos(azimuth), np.sin(azimuth), slope], axis=-1)
    position = middle + distance[:, None] * outward
    follow = rng.uniform(0.0, 1.0, (num, 1, 1))
    target = middle[:, None] + follow * (way - middle[:, None])
    target += rng.normal(0.0, 0.15, (num, 1, 3))
    shake = rng.uniform(0.0, 0.0035, (num, 1)) * distance[:, None]
    trembling = wander(rng, num, 2.5 * np.arange(frames) / fps, 3)
    target += np.moveaxis(shake * trembling, 0, -1)
    roll = rng.normal(0.0, 0.04, (num, 1)) * np.ones(frames)
    rotation = look_at(position[:, None], target, roll)
    half = 0.5 * np.asarray(image_size, dtype=np.float64)
    wanted = rng.uniform(0.55, 0.95, num) * 2 * half[1] * distance / 1.7
    camera = Camera(position, rotation, np.ones(num), np.zeros(2))
    spread = np.abs(camera.project(joints)).max(axis=(1, 2))
    most = (_FRAMING * half / spread).min(axis=-1)
    return Camera(position, rotation, np.minimum(wanted, most), half)
