# Copyright (c) hanet_mm contributors. All rights reserved.
"""Panels side by side with poses in them, such as before and after.

Pictures are (H, W, 3) uint8 RGB; poses (K, 2) in pixels of their panel, NaN
where a keypoint is missing.
"""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np

from .drawing import (
    Color,
    draw_joints,
    draw_skeleton,
    draw_text,
    draw_trail,
)

BACKGROUND = (20, 22, 27)
PANEL = (29, 32, 39)
TEXT = (236, 239, 244)
MUTED = (150, 157, 170)
ACCENTS = ((255, 167, 77), (92, 200, 255))  # input, refined
HEADER, GAP = 44, 8
TRAIL_JOINTS = ('right_wrist', 'left_wrist', 'right_ankle', 'left_ankle')

_GRID = (40, 44, 53)
_GRID_CELLS = 8
# A picture is darkened to this, so that limbs stand out from it.
_IMAGE_LIGHT = 0.65


class Figure(NamedTuple):
    """A pose to draw, in pixels of its panel."""

    pose: np.ndarray  # (K, 2)
    link_colors: Sequence[Sequence[int]]
    trails: Sequence[np.ndarray] = ()  # paths (n, 2) of joints, oldest first
    trail_color: Color = TEXT
    label: str = ''


class SideBySide:
    """Panels of one size beside each other, a title over each.

    Args:
        panel_size (tuple): Width and height of each panel.
        links (Sequence): Pairs of keypoint indices, the limbs.
        titles (Sequence[str]): One for each panel.
        line_width (int): Of limbs, in pixels.
        radius (int): Of joints, in pixels.
        footer (int): Height of the space below the panels. Defaults to 0.
        scale (float): Of all texts. Defaults to 1.
    """

    def __init__(
        self,
        panel_size: Tuple[int, int],
        links: Sequence[Sequence[int]],
        titles: Sequence[str],
        line_width: int,
        radius: int,
        footer: int = 0,
        scale: float = 1.0,
    ) -> None:
        self.panel_size, self.links = panel_size, links
        self.scale = scale
        # Even, as sides of a video have to be.
        self.header = round(HEADER * scale / 2) * 2
        self.line_width, self.radius = line_width, radius
        width, height = panel_size
        count = len(titles)
        self.size = count * (width + GAP) - GAP, self.header + height + footer
        self.lefts = [i * (width + GAP) for i in range(count)]
        self.blank = np.full((*self.size[::-1], 3), BACKGROUND, np.uint8)
        lines = np.arange(0, width, width // _GRID_CELLS)
        for panel in self.panels(self.blank):
            panel[:] = PANEL
            panel[:, lines[1:]] = _GRID
            panel[lines[(lines > 0) & (lines < height)]] = _GRID
        # A single panel is that of the input.
        for title, color, left in zip(titles, ACCENTS, self.lefts):
            place = (left + round(14 * scale), self.header // 2)
            size = round(18 * scale)
            draw_text(self.blank, title, place, size, color, bold=True)

    def panels(self, canvas: np.ndarray) -> List[np.ndarray]:
        """The panels of a canvas, as views."""
        width, height = self.panel_size
        rows = canvas[self.header : self.header + height]
        return [rows[:, left : left + width] for left in self.lefts]

    def background(
        self, image: np.ndarray, to_panel: np.ndarray
    ) -> np.ndarray:
        """A darkened picture in the size of a panel, mapped by (2, 3)."""
        return cv2.warpAffine(
            cv2.convertScaleAbs(image, alpha=_IMAGE_LIGHT),
            to_panel,
            self.panel_size,
            borderValue=PANEL,
        )

    def canvas(self, background: Optional[np.ndarray] = None) -> np.ndarray:
        """A new canvas with a background in each panel."""
        canvas = self.blank.copy()
        if background is not None:
            for panel in self.panels(canvas):
                panel[:] = background
        return canvas

    def draw(self, panel: np.ndarray, figure: Figure) -> None:
        """Draw a pose with its trails and its label."""
        pose = figure.pose
        for trail in figure.trails:
            width = max(2, self.line_width // 2)
            draw_trail(panel, trail, figure.trail_color, PANEL, width)
        draw_skeleton(
            panel, pose, self.links, figure.link_colors, self.line_width
        )
        draw_joints(panel, pose, self.radius, TEXT, BACKGROUND)
        if figure.label and np.isfinite(pose).any():
            size, above = round(13 * self.scale), round(10 * self.scale)
            x, y = np.nanmin(pose, axis=0)
            x = int(np.clip(x, 0, self.panel_size[0] - round(20 * self.scale)))
            if 0 <= int(y) - above < self.panel_size[1]:
                place = (x, int(y) - above)
                draw_text(panel, figure.label, place, size, figure.trail_color)


def fit_view(
    low: np.ndarray, high: np.ndarray, panel_size: Tuple[int, int]
) -> np.ndarray:
    """Affine map (2, 3) of a rectangle into a panel, all of it in sight."""
    panel = np.array(panel_size)
    scale = (panel / np.maximum(high - low, 1)).min()
    shift = panel / 2 - scale * (low + high) / 2
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def to_panel_pixels(to_panel: np.ndarray, points: np.ndarray) -> np.ndarray:
    """Map points (..., 2) by an affine map (2, 3)."""
    return points @ to_panel[:, :2].T + to_panel[:, 2]
