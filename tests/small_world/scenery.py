# Copyright (c) hanet_mm contributors. All rights reserved.
"""Cluttered backgrounds, and things that move in front of people."""

from typing import List, Tuple

import cv2
import numpy as np


def make_background(
    rng: np.random.Generator, size: Tuple[int, int], clutter: int = 28
) -> np.ndarray:
    """A picture without people that is not easy to tell from one with.

    Args:
        rng (np.random.Generator): Source of randomness.
        size (Tuple[int, int]): Width and height in px.
        clutter (int): Number of boxes, discs and limb-like bars.

    Returns:
        np.ndarray: BGR, uint8 (H, W, 3).
    """
    width, height = size
    image = rng.uniform(40, 200, 3) * np.ones((height, width, 3))
    for cells in (3, 8, 24, 80):
        noise = rng.normal(0, 70 / cells**0.5, (cells, cells, 3))
        noise = 0.4 * noise + 0.6 * noise.mean(-1, keepdims=True)
        image += cv2.resize(noise, size, interpolation=cv2.INTER_CUBIC)
    image = np.clip(image, 0, 255).astype(np.uint8)
    for _ in range(clutter):
        _draw_thing(image, rng)
    return image


def _draw_thing(image: np.ndarray, rng: np.random.Generator) -> None:
    height, width = image.shape[:2]
    centre = rng.uniform(0, 1, 2) * (width, height)
    colour = _colour(rng)
    kind = rng.integers(3)
    if kind == 0:
        size = height * rng.uniform(0.05, 0.35, 2)
        box = (tuple(centre), tuple(size), rng.uniform(0, 180))
        cv2.fillPoly(image, [np.intp(cv2.boxPoints(box))], colour)
    elif kind == 1:
        axes = tuple(int(x) for x in height * rng.uniform(0.02, 0.12, 2))
        place = tuple(int(x) for x in centre)
        cv2.ellipse(image, place, axes, 0, 0, 360, colour, -1)
    else:
        angle, length = rng.uniform(0, np.pi), rng.uniform(0.1, 0.35) * height
        way = 0.5 * length * np.array([np.cos(angle), np.sin(angle)])
        thickness = int(height * rng.uniform(0.02, 0.06)) + 1
        ends = [tuple(np.intp(centre + sign * way)) for sign in (-1, 1)]
        cv2.line(image, *ends, colour, thickness)


def _colour(rng: np.random.Generator) -> Tuple[int, ...]:
    if rng.random() < 0.2:  # skin tones are not a sure sign of a person
        shade = rng.uniform(0.35, 1.0) * np.array([150, 180, 225])
        return tuple(int(x) for x in shade)
    return tuple(int(x) for x in rng.uniform(10, 245, 3))


def make_occluders(
    rng: np.random.Generator,
    count: int,
    time: np.ndarray,
    size: Tuple[int, int],
) -> List[List[Tuple[np.ndarray, np.ndarray]]]:
    """Boxes with stripes that swing to and fro in front of everything.

    Args:
        rng (np.random.Generator): Source of randomness.
        count (int): How many.
        time (np.ndarray): Seconds of the frames, (T,).
        size (Tuple[int, int]): Width and height of the image in px.

    Returns:
        list[list[tuple]]: For every frame what to fill, in order: corners in
        px, (4, 2), and colour BGR, (3,).
    """
    frames: List[List[Tuple[np.ndarray, np.ndarray]]] = [[] for _ in time]
    for _ in range(count):
        half = 0.5 * np.array(size) * rng.uniform([0.05, 0.12], [0.16, 0.45])
        middle = np.array(size) * rng.uniform([0.2, 0.3], [0.8, 0.95])
        swing = np.array(size) * rng.uniform([0.1, 0.0], [0.5, 0.1])
        phase = 2 * np.pi * (rng.uniform(0.1, 0.35) * time + rng.random())
        centres = middle + swing * np.sin(phase)[:, None]
        angle = rng.uniform(-0.4, 0.4)
        shapes = _striped_box(half, angle, int(rng.integers(1, 4)))
        colours = rng.uniform(10, 245, (len(shapes), 3))
        for frame, centre in zip(frames, centres):
            frame.extend(zip(shapes + centre, colours))
    return frames


def _striped_box(half: np.ndarray, angle: float, stripes: int) -> np.ndarray:
    """Corners of a box and of stripes on it, (1 + stripes, 4, 2)."""
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    boxes = [corners]
    for i in range(stripes):
        low = -1 + 2 * (i + 0.3) / stripes
        rows = np.array([low, low, low + 0.8 / stripes, low + 0.8 / stripes])
        boxes.append(np.stack([corners[:, 0], rows * half[1]], axis=-1))
    turn = np.array(
        [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
    )
    return np.array(boxes) @ turn
