# Copyright (c) hanet_mm contributors. All rights reserved.
"""Where the people of a clip are, and the camera that sees them."""

from typing import Tuple

import numpy as np

from hanet_mm.datasets.simulation.cameras import Camera, look_at
from hanet_mm.datasets.simulation.motion import generate_motion
from hanet_mm.datasets.simulation.signals import wander

_CLOSEST = 0.55  # metres between two people, if there is room


def place_people(
    rng: np.random.Generator, people: int, frames: int, fps: float
) -> np.ndarray:
    """Let people act near each other, nobody inside another.

    Args:
        rng (np.random.Generator): Source of randomness.
        people (int): P >= 1.
        frames (int): T.
        fps (float): Frames per second.

    Returns:
        np.ndarray: Joints in the world in metres, (T, P, J, 3).
    """
    joints = np.moveaxis(
        generate_motion(rng, people, frames, fps).joints, 0, 1
    )
    placed = joints[:, :1]
    for person in range(1, people):
        best, most = None, -1.0
        # The room grows with the number of people.
        radius = 0.7 + 0.25 * np.sqrt(person)
        for _ in range(12):
            angle = rng.uniform(0, 2 * np.pi)
            place = radius * np.array([np.cos(angle), np.sin(angle), 0.0])
            moved = joints[:, person : person + 1] + place
            gap = moved[:, :, -1, :2] - placed[:, :, -1, :2]
            closest = np.linalg.norm(gap, axis=-1).min()
            if closest > most:
                best, most = moved, closest
            if most > _CLOSEST:
                break
        placed = np.concatenate([placed, best], axis=1)
    return placed


def make_camera(
    rng: np.random.Generator,
    joints: np.ndarray,
    time: np.ndarray,
    image_size: Tuple[int, int],
) -> Camera:
    """A camera that keeps all people in the frame, pans and trembles.

    Its picture is cut so that the people fill it, in height or in width.

    Args:
        rng (np.random.Generator): Source of randomness.
        joints (np.ndarray): Metres in the world, (T, P, J, 3), P >= 1.
        time (np.ndarray): Seconds of the frames, (T,).
        image_size (Tuple[int, int]): Width and height in px.

    Returns:
        Camera: One camera over T frames.
    """
    frames = len(time)
    way = joints[:, :, -1].mean(1)
    way = np.concatenate([way[:, :2], np.full((frames, 1), 0.9)], axis=-1)
    middle = 0.5 * (way.min(0) + way.max(0))
    away = joints.reshape(-1, 3) - middle
    extent = np.linalg.norm(away[:, :2], axis=-1).max()
    azimuth, slope = rng.uniform(-np.pi, np.pi), rng.uniform(-0.05, 0.35)
    distance = extent + rng.uniform(2.5, 7.0)
    outward = np.array([np.cos(azimuth), np.sin(azimuth), slope])
    position = middle + distance * outward
    target = middle + rng.uniform(0.0, 1.0) * (way - middle)
    shake = rng.uniform(0.0, 0.003) * distance
    target = target + shake * wander(rng, 1, 2.5 * time, 3)[:, 0].T
    turn = look_at(position, target, rng.normal(0.0, 0.04) * np.ones(frames))
    size = np.asarray(image_size, dtype=np.float64)
    unit = Camera(position[None], turn[None], np.ones(1), np.zeros(2))
    seen = unit.project(joints.reshape(1, frames, -1, 3)).reshape(-1, 2)
    # A third of a head around the joints belongs to the body as well.
    low = seen.min(0) - 0.16 / distance
    high = seen.max(0) + 0.16 / distance
    focal = rng.uniform(0.75, 1.0) * (size / (high - low)).min()
    spare = size - focal * (high - low)
    centre = rng.uniform(0.2, 0.8, 2) * spare - focal * low
    return Camera(position[None], turn[None], np.array([focal]), centre)
