# Copyright (c) hanet_mm contributors. All rights reserved.
"""Drawing of poses and text on RGB images.

Letters: K keypoints. Images are (H, W, 3) uint8 RGB and changed in place.
Keypoints are in pixels of the image; NaN is a missing one.
"""

from functools import lru_cache
from pathlib import Path
from typing import Sequence, Tuple

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

Color = Tuple[int, int, int]

# OpenCV takes integer coordinates; this many of their bits are the fraction,
# so that slow motion does not jump from pixel to pixel.
_SHIFT = 4
# Far outside of any image, but within OpenCV's integers.
_LIMIT = 2.0**15


def draw_skeleton(
    image: np.ndarray,
    keypoints: np.ndarray,
    links: Sequence[Sequence[int]],
    link_colors: Sequence[Sequence[int]],
    line_width: int,
) -> None:
    """Draw the limbs of one pose; a limb with a missing end is left out.

    Args:
        image (np.ndarray): RGB image, changed.
        keypoints (np.ndarray): (K, 2).
        links (Sequence): Pairs of keypoint indices.
        link_colors (Sequence): RGB of each link.
        line_width (int): In pixels.
    """
    points, present = _to_opencv(keypoints)
    for (a, b), color in zip(links, link_colors):
        if present[a] and present[b]:
            color = tuple(int(c) for c in color)
            cv2.line(
                image,
                points[a],
                points[b],
                color,
                line_width,
                cv2.LINE_AA,
                _SHIFT,
            )


def draw_joints(
    image: np.ndarray,
    keypoints: np.ndarray,
    radius: int,
    color: Color,
    edge_color: Color,
) -> None:
    """Draw the keypoints of one pose as discs with an edge.

    Args:
        image (np.ndarray): RGB image, changed.
        keypoints (np.ndarray): (K, 2).
        radius (int): Of the disc, in pixels.
        color (tuple): RGB of the disc.
        edge_color (tuple): RGB of the edge, one pixel wide.
    """
    points, present = _to_opencv(keypoints)
    for point, there in zip(points, present):
        if there:
            for size, fill in ((radius + 1, edge_color), (radius, color)):
                cv2.circle(
                    image, point, size << _SHIFT, fill, -1, cv2.LINE_AA, _SHIFT
                )


def draw_trail(
    image: np.ndarray,
    points: np.ndarray,
    color: Color,
    background: Color,
    line_width: int,
) -> None:
    """Draw the way of one keypoint, fading into the background with age.

    Args:
        image (np.ndarray): RGB image, changed.
        points (np.ndarray): Positions, oldest first, (n, 2).
        color (tuple): RGB of the newest end.
        background (tuple): RGB that the oldest end fades into.
        line_width (int): In pixels.
    """
    shade = np.linspace(0, 1, len(points))[1:, None]
    shades = (1 - shade) * np.array(background) + shade * np.array(color)
    steps = np.arange(len(points) - 1)
    links = np.stack([steps, steps + 1], axis=1)
    draw_skeleton(image, points, links, shades, line_width)


def draw_text(
    image: np.ndarray,
    text: str,
    position: Tuple[int, int],
    size: int,
    color: Color,
    align: str = 'left',
    bold: bool = False,
) -> None:
    """Write one line of text; what does not fit on the image is cut.

    Args:
        image (np.ndarray): RGB image, changed.
        text (str): The text.
        position (tuple): x of its left or right end, and y of the middle of
            its capital letters.
        size (int): Height of the letters, in pixels.
        color (tuple): RGB.
        align (str): ``'left'`` or ``'right'``. Defaults to ``'left'``.
        bold (bool): Whether the letters are bold. Defaults to False.
    """
    mask = _text_mask(text, size, bold)
    x, y = position[0], position[1] - mask.shape[0] // 2
    if align == 'right':
        x -= mask.shape[1]
    x0, y0 = max(x, 0), max(y, 0)
    mask = mask[y0 - y :, x0 - x :]
    area = image[y0 : y0 + mask.shape[0], x0 : x0 + mask.shape[1]]
    mask = mask[: area.shape[0], : area.shape[1], None]
    area[:] = area + mask * (np.array(color, np.float32) - area)


@lru_cache(maxsize=512)
def _text_mask(text: str, size: int, bold: bool) -> np.ndarray:
    """Opacity of the text, (h, w) from 0 to 1, capitals in the middle."""
    font = _font(size, bold)
    width = int(np.ceil(font.getlength(text))) + 1
    canvas = Image.new('L', (width, 2 * size))
    ImageDraw.Draw(canvas).text(
        # The capitals of the font are 0.73 of its size.
        (0, size + 0.365 * size),
        text,
        fill=255,
        font=font,
        anchor='ls',
    )
    return np.asarray(canvas, np.float32) / 255


@lru_cache(maxsize=16)
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """The font that comes with Matplotlib, so there on every machine."""
    name = 'DejaVuSans-Bold.ttf' if bold else 'DejaVuSans.ttf'
    path = Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / name
    return ImageFont.truetype(str(path), size)


def _to_opencv(keypoints: np.ndarray) -> Tuple[list, np.ndarray]:
    """Fixed-point coordinates of keypoints, and which of them are there."""
    present = np.isfinite(keypoints).all(axis=1)
    inside = np.clip(np.nan_to_num(keypoints), -_LIMIT, _LIMIT)
    return np.rint(inside * (1 << _SHIFT)).astype(int).tolist(), present
