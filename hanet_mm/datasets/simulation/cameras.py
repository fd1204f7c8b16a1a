# Copyright (c) hanet_mm contributors. All rights reserved.
"""Cameras: one that follows a person (z up), and views all around (y up).

Camera coordinates: x right, y down, z depth. In :func:`pictures` a small turn
of the camera shifts the picture, so pan, shake and the place in the image are
shifts. S sequences, T frames, K joints; people are worked on in planes, see
:mod:`.planes`.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Tuple

import numpy as np

from .planes import to_planes, to_points
from .signals import smooth_noise, wander

# Part of the frame, from its middle to its border, that the person may fill.
_FRAMING = 0.94
# Aim height in metres.
_AIM = 0.95
# Degrees: how far the camera looks down, and how much it is tilted.
_PITCH, _ROLL = (-15.0, 45.0), (-8.0, 8.0)
# The same of a share of the cameras: from the floor, from above, tilted.
_ANY_PITCH, _ANY_ROLL, _ANY_SHARE = (-35.0, 85.0), (-30.0, 30.0), 0.2
# From the middle of the person in metres; nobody comes nearer than this.
_DISTANCE, _NEAREST = (2.0, 10.0), 0.8
# The same of :func:`sample_view`.
_VIEW_PITCH, _VIEW_DISTANCE, _VIEW_NEAREST = (0.0, 15.0), (3.0, 6.0), 1.5
# Focal length in longer sides of the image, longer side of the person in
# heights of the image; the first has the last word.
_FOCAL, _PERSON = (0.8, 2.5), (0.15, 1.2)
# Width and height in px.
_IMAGES = np.float32(
    [(640, 480), (1280, 720), (1920, 1080), (480, 640), (1080, 1920)]
)
# Share of pictures in which people may be cut off by the border.
_CUT_SHARE = 0.2
# Pan in image widths per second, by half of the cameras; others follow.
_PAN, _PAN_SHARE = 0.2, 0.5
# Shake in image widths, of most cameras, and how fast, in seconds.
_SHAKE, _SHAKE_SHARE, _SHAKE_TIME = (0.0002, 0.005), 0.7, 0.08


@dataclass
class Camera:
    """One camera per sequence; rows of rotations are right, down, forward."""

    position: np.ndarray  # optical centre in the world in metres, (S, 3)
    rotation: np.ndarray  # world to camera, (S, T, 3, 3)
    focal: np.ndarray  # focal length in px, (S,)
    centre: np.ndarray  # principal point in px, (2,)

    def project(self, points: np.ndarray) -> np.ndarray:
        """Project world points (S, T, K, 3) in front to px, (S, T, K, 2)."""
        rays = points - self.position[:, None, None]
        rays = np.matmul(rays, np.swapaxes(self.rotation, -1, -2))
        scale = self.focal[:, None, None, None] / rays[..., 2:]
        return rays[..., :2] * scale + self.centre


def look_at(
    position: np.ndarray, target: np.ndarray, roll: np.ndarray
) -> np.ndarray:
    """World-to-camera rotation (..., 3, 3) that looks at a target, z up.

    Position and target are (..., 3); roll is the clockwise turn of the camera
    in radians, (...).
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

    They view people from all around, mostly from chest height, sometimes from
    below or from well above, from 2.5 to 8 m away; a person takes up 55 to
    95 % of the frame's height unless the path needs more room. They follow
    the path partly and shake by up to about 0.2 degrees. ``joints`` are in
    the world in metres, the last one is the pelvis, (S, T, J, 3).
    """
    num, frames = joints.shape[:2]
    path = joints[:, :, -1].copy()
    path[..., 2] = _AIM
    middle = 0.5 * (path.min(axis=1) + path.max(axis=1))
    extent = np.linalg.norm(path - middle[:, None], axis=-1).max(axis=1)
    distance = rng.uniform(2.5, 8.0, num) + extent
    azimuth = rng.uniform(-np.pi, np.pi, num)
    slope = np.tan(np.clip(rng.normal(0.12, 0.16, num), -0.2, 0.6))
    outward = np.stack([np.cos(azimuth), np.sin(azimuth), slope], axis=-1)
    position = middle + distance[:, None] * outward
    follow = rng.uniform(0.0, 1.0, (num, 1, 1))
    target = middle[:, None] + follow * (path - middle[:, None])
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


def view_rotations(
    yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray
) -> np.ndarray:
    """World (y up) to camera rotations (..., 3, 3) of angles in radians.

    Yaw is about the vertical, pitch is how far the camera looks down, roll
    turns the picture clockwise.
    """
    one, zero = np.ones_like(yaw), np.zeros_like(yaw)

    def matrix(*rows: Tuple[np.ndarray, ...]) -> np.ndarray:
        return np.stack([np.stack(row, -1) for row in rows], -2)

    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = matrix((cos, zero, sin), (zero, one, zero), (-sin, zero, cos))
    cos, sin = np.cos(pitch), np.sin(pitch)
    nod = matrix((one, zero, zero), (zero, cos, -sin), (zero, sin, cos))
    cos, sin = np.cos(roll), np.sin(roll)
    tilt = matrix((cos, -sin, zero), (sin, cos, zero), (zero, zero, one))
    return tilt @ nod @ np.diag([1.0, -1.0, -1.0]) @ turn


def sample_view(
    rng: np.random.Generator, joints: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Draw a level, static camera that looks at the middle of a motion.

    ``joints`` are in the world in metres, y up, (T, J, 3). Returns rotation R
    (3, 3) and translation t (3,) into camera coordinates R x + t.
    """
    yaw = rng.uniform(-np.pi, np.pi)
    pitch = np.radians(rng.uniform(*_VIEW_PITCH))
    distance = rng.uniform(*_VIEW_DISTANCE)
    rotation = view_rotations(yaw, pitch, 0.0)
    seen = joints.astype(np.float64) @ rotation.T
    middle = 0.5 * (seen.min(axis=(0, 1)) + seen.max(axis=(0, 1)))
    distance = max(distance, _VIEW_NEAREST + middle[2] - seen[..., 2].min())
    return rotation, np.array([0, 0, distance]) - middle


def before_camera(rng: np.random.Generator, joints: np.ndarray) -> np.ndarray:
    """Put people before static cameras: world (y up) to camera coordinates.

    Both are in metres, (S, T, K, 3) float32.
    """
    return to_points(_before_camera(rng, to_planes(joints)))


def _before_camera(rng: np.random.Generator, joints: np.ndarray) -> np.ndarray:
    """:func:`before_camera` in planes, (T, 3, S, K)."""
    num, count = joints.shape[2:]
    yaw = rng.uniform(-np.pi, np.pi, num)
    anyhow = rng.random((2, num)) < _ANY_SHARE
    pitch, roll = (
        np.radians(
            np.where(other, rng.uniform(*wide, num), rng.uniform(*usual, num))
        )
        for other, wide, usual in zip(
            anyhow, (_ANY_PITCH, _ANY_ROLL), (_PITCH, _ROLL)
        )
    )
    rotation = view_rotations(yaw, pitch, roll).astype(np.float32)
    # Factors and offsets of all joints: in one run of numbers.
    factors = rotation.transpose(1, 2, 0)[..., None].repeat(count, axis=-1)
    middle = joints.mean(axis=0).mean(axis=-1)
    offset = np.einsum('sij,js->is', rotation, middle)[..., None]
    seen = np.empty_like(joints)
    for axis in range(3):
        own = seen[:, axis]
        np.multiply(joints[:, 0], factors[axis, 0], out=own)
        own += joints[:, 1] * factors[axis, 1]
        own += joints[:, 2] * factors[axis, 2]
        own -= offset[axis].repeat(count, axis=-1)
    near, far = _DISTANCE
    distance = near * (far / near) ** rng.random(num)
    nearest = seen[:, 2].min(axis=0).min(axis=-1)
    distance = np.maximum(distance, _NEAREST - nearest).astype(np.float32)
    seen[:, 2] += distance[:, None].repeat(count, axis=-1)
    return seen


def project(points: np.ndarray, focal: np.ndarray) -> np.ndarray:
    """Project camera coordinates (S, T, K, 3) to px about the middle.

    Focal lengths are in px, (S,); the result is (S, T, K, 2).
    """
    scale = focal.astype(points.dtype)[:, None, None] / points[..., 2]
    return points[..., :2] * scale[..., None]


def _focal(
    rng: np.random.Generator, flat: np.ndarray, image_size: np.ndarray
) -> np.ndarray:
    """Focal lengths in px that give people the size wanted, (S,).

    ``flat`` are their pictures at a focal length of 1, (T, 2, S, K).
    """
    small, large = _PERSON
    wanted = small * (large / small) ** rng.random(len(image_size))
    height = np.ascontiguousarray(np.moveaxis(flat[:, 1], -1, 0))
    tall = (height.max(axis=0) - height.min(axis=0)).max(axis=0)
    longer = image_size.max(axis=1)
    return np.clip(
        wanted * image_size[:, 1] / tall,
        _FOCAL[0] * longer,
        _FOCAL[1] * longer,
    )


@lru_cache(maxsize=16)
def _to_parabola(frames: int) -> np.ndarray:
    """Matrix (T, T) that makes of a path the nearest parabola."""
    time = np.linspace(-1, 1, frames)
    basis, _ = np.linalg.qr(np.stack([time**n for n in range(3)], axis=1))
    return basis @ basis.T


def _camera_work(
    rng: np.random.Generator, path: np.ndarray, fps: np.ndarray
) -> np.ndarray:
    """Shift of the picture by pan and shake, in widths, (S, T, 2)."""
    num, frames, _ = path.shape
    # A camera that follows does so slowly: along the nearest parabola.
    slow = np.tensordot(_to_parabola(frames), path, (1, 1)).swapaxes(0, 1)
    shift = -rng.uniform(0, 1, (num, 1, 1)) * slow
    pan = rng.uniform(-_PAN, _PAN, (num, 1, 2)) * [1, 0.3]
    pan *= rng.random((num, 1, 1)) < _PAN_SHARE
    middle = 0.5 * (frames - 1)
    seconds = (np.arange(frames)[:, None] - middle) / fps[:, None, None]
    shift += pan * seconds
    low, high = _SHAKE
    shake = low * (high / low) ** rng.random((num, 1, 1))
    shake *= rng.random((num, 1, 1)) < _SHAKE_SHARE
    shift += shake * smooth_noise(rng, path.shape, _SHAKE_TIME * fps)
    return shift


def _place(
    rng: np.random.Generator, pixels: np.ndarray, image_size: np.ndarray
) -> np.ndarray:
    """Shift of the whole window (T, 2, S, K) into the image, (S, 2)."""
    num = len(image_size)
    low, high = pixels.min(axis=0).min(-1).T, pixels.max(axis=0).max(-1).T
    # Where there is no room either end may be cut off, or both.
    inside = -low + rng.random((num, 2)) * (image_size - (high - low))
    middle = pixels.mean(axis=0).mean(-1).T
    anywhere = rng.random((num, 2)) * image_size - middle
    cut = rng.random((num, 1)) < _CUT_SHARE
    return np.where(cut, anywhere, inside)


def pictures(
    rng: np.random.Generator, joints: np.ndarray, fps: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Take pictures of people (S, T, K, 3), metres, y up, with moving cameras.

    Pixels (S, T, K, 2) float32, some of them outside of the image, and width
    and height in px, (S, 2).
    """
    num = len(joints)
    image_size = _IMAGES[rng.integers(len(_IMAGES), size=num)]
    seen = _before_camera(rng, to_planes(joints))
    pixels = seen[:, :2] / seen[:, 2:]
    focal = _focal(rng, pixels, image_size)[:, None].astype(np.float32)
    pixels *= focal.repeat(pixels.shape[-1], axis=-1)
    width = image_size[:, :1, None]
    count = pixels.shape[-1]
    # A product takes a seventh of the time of a mean.
    path = (pixels @ np.full(count, 1 / count, np.float32)).transpose(2, 0, 1)
    shift = width * _camera_work(rng, path / width, fps)
    pixels += shift.transpose(1, 2, 0)[..., None].astype(np.float32)
    place = _place(rng, pixels, image_size).astype(np.float32)
    pixels += place.T[..., None].repeat(count, axis=-1)
    return to_points(pixels), image_size
