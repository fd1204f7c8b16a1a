"""Cameras all around: pictures of people, and people before a camera.

Camera coordinates: x right, y down, z depth. A small turn of the camera
shifts the picture, so pan, shake and the place in the image are shifts.
"""

from typing import Tuple

import numpy as np

from ..synthetic.temporal_noise import smooth_noise

# Degrees: how far the camera looks down, and how much it is tilted.
_PITCH, _ROLL = (-15.0, 45.0), (-8.0, 8.0)
# From the middle of the person in metres; nobody comes nearer than this.
_DISTANCE, _NEAREST = (2.0, 10.0), 0.8
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


def view_rotations(
    yaw: np.ndarray, pitch: np.ndarray, roll: np.ndarray
) -> np.ndarray:
    """World (y up) to camera.

    Args:
        yaw (np.ndarray): Around the vertical in radians, (S,).
        pitch (np.ndarray): How far the camera looks down in radians, (S,).
        roll (np.ndarray): Turn of the picture in radians, clockwise, (S,).

    Returns:
        np.ndarray: Rotations, (S, 3, 3) float32.
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
    upright = np.diag([1.0, -1.0, -1.0])
    return (tilt @ nod @ upright @ turn).astype(np.float32)


def before_camera(rng: np.random.Generator, joints: np.ndarray) -> np.ndarray:
    """Put people before cameras that stand still.

    Args:
        rng (np.random.Generator): Source of randomness.
        joints (np.ndarray): World, metres, y up, (S, T, K, 3) float32.

    Returns:
        np.ndarray: Camera coordinates in metres, (S, T, K, 3) float32.
    """
    num = len(joints)
    yaw = rng.uniform(-np.pi, np.pi, num)
    pitch, roll = (
        np.radians(rng.uniform(*ends, num)) for ends in (_PITCH, _ROLL)
    )
    rotation = view_rotations(yaw, pitch, roll)
    flat = joints.reshape(num, -1, 3)
    flat = flat - flat.mean(axis=1, keepdims=True)
    seen = flat @ rotation.transpose(0, 2, 1)
    near, far = _DISTANCE
    distance = near * (far / near) ** rng.random(num)
    distance = np.maximum(distance, _NEAREST - seen[..., 2].min(axis=1))
    seen[..., 2] += distance[:, None].astype(np.float32)
    return seen.reshape(joints.shape)


def project(points: np.ndarray, focal: np.ndarray) -> np.ndarray:
    """Pinhole projection.

    Args:
        points (np.ndarray): Camera coordinates in metres, (S, T, K, 3).
        focal (np.ndarray): Focal lengths in px, (S,).

    Returns:
        np.ndarray: Pixels relative to the principal point, (S, T, K, 2).
    """
    scale = focal.astype(points.dtype)[:, None, None] / points[..., 2]
    return points[..., :2] * scale[..., None]


def _focal(
    rng: np.random.Generator, seen: np.ndarray, image_size: np.ndarray
) -> np.ndarray:
    """Focal lengths in px that give people the size wanted, (S,)."""
    small, large = _PERSON
    wanted = small * (large / small) ** rng.random(len(seen))
    tall = np.ptp(project(seen, np.ones(len(seen))), axis=2).max(axis=(1, 2))
    longer = image_size.max(axis=1)
    return np.clip(
        wanted * image_size[:, 1] / tall,
        _FOCAL[0] * longer,
        _FOCAL[1] * longer,
    )


def _camera_work(
    rng: np.random.Generator, path: np.ndarray, fps: np.ndarray
) -> np.ndarray:
    """Shift of the picture by pan and shake, in widths, (S, T, 2)."""
    num, frames, _ = path.shape
    time = np.linspace(-1, 1, frames)
    # Who follows does so slowly: along the parabola nearest to the path.
    basis, _ = np.linalg.qr(np.stack([time**n for n in range(3)], axis=1))
    slow = (basis @ basis.T) @ path
    shift = -rng.uniform(0, 1, (num, 1, 1)) * slow
    pan = rng.uniform(-_PAN, _PAN, (num, 1, 2)) * [1, 0.3]
    pan *= rng.random((num, 1, 1)) < _PAN_SHARE
    seconds = 0.5 * (frames - 1) * time[:, None] / fps[:, None, None]
    shift += pan * seconds
    low, high = _SHAKE
    shake = low * (high / low) ** rng.random((num, 1, 1))
    shake *= rng.random((num, 1, 1)) < _SHAKE_SHARE
    shift += shake * smooth_noise(rng, path.shape, _SHAKE_TIME * fps)
    return shift


def _place(
    rng: np.random.Generator, pixels: np.ndarray, image_size: np.ndarray
) -> np.ndarray:
    """Shift of the whole window into the image, (S, 2)."""
    num = len(pixels)
    low, high = pixels.min(axis=(1, 2)), pixels.max(axis=(1, 2))
    # Where there is no room either end may be cut off, or both.
    inside = -low + rng.random((num, 2)) * (image_size - (high - low))
    anywhere = rng.random((num, 2)) * image_size - pixels.mean(axis=(1, 2))
    cut = rng.random((num, 1)) < _CUT_SHARE
    return np.where(cut, anywhere, inside)


def pictures(
    rng: np.random.Generator, joints: np.ndarray, fps: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Take pictures of people.

    Args:
        rng (np.random.Generator): Source of randomness.
        joints (np.ndarray): World, metres, y up, (S, T, K, 3) float32.
        fps (np.ndarray): Frame rates, (S,).

    Returns:
        Tuple[np.ndarray, np.ndarray]: Pixels (S, T, K, 2) float32, some of
        them outside of the image, and width and height in px, (S, 2).
    """
    num = len(joints)
    image_size = _IMAGES[rng.integers(len(_IMAGES), size=num)]
    seen = before_camera(rng, joints)
    pixels = project(seen, _focal(rng, seen, image_size))
    width = image_size[:, :1, None]
    shift = width * _camera_work(rng, pixels.mean(axis=2) / width, fps)
    pixels += shift[:, :, None].astype(np.float32)
    place = _place(rng, pixels, image_size)
    return pixels + place[:, None, None].astype(np.float32), image_size
