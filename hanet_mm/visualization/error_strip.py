# Copyright (c) hanet_mm contributors. All rights reserved.
"""The strip under a comparison video: error over time, with a cursor."""

from typing import Dict, Tuple

import cv2
import numpy as np

from hanet_mm.visualization.drawing import Color, draw_text

_MARGIN = 14
_TEXT_ROW = 26
_DIM = 0.35


class ErrorStrip:
    """Curves of the error of each frame, lit up to the frame being shown.

    Letters: T frames.

    Args:
        size (tuple): Width and height in pixels.
        errors (dict): Name to errors (T,) in px, NaN where unknown.
        colors (dict): Name to RGB of its curve.
        background (tuple): RGB behind the curves.
        text_color (tuple): RGB of the caption.
    """

    def __init__(
        self,
        size: Tuple[int, int],
        errors: Dict[str, np.ndarray],
        colors: Dict[str, Color],
        background: Color,
        text_color: Color,
    ) -> None:
        width, height = size
        self._text_color = text_color
        num_frames = len(next(iter(errors.values())))
        self._x = np.linspace(_MARGIN, width - _MARGIN, num_frames)
        blank = np.full((height, width, 3), background, np.uint8)
        self._lit = blank.copy()
        top = max(np.nanmax(values, initial=1) for values in errors.values())
        scale = (height - _TEXT_ROW - _MARGIN) / top
        for name, values in errors.items():
            self._draw_curve(values * scale, colors[name])
        # Not reached yet: the same curves, nearly as dark as the background.
        self._dim = cv2.addWeighted(self._lit, _DIM, blank, 1 - _DIM, 0)
        for image in (self._lit, self._dim):
            self._draw_caption(image, errors, colors)

    def draw(self, image: np.ndarray, frame: int) -> None:
        """Draw the strip as it is at a frame.

        Args:
            image (np.ndarray): RGB image of the strip's size, changed.
            frame (int): The frame being shown.
        """
        x = round(self._x[frame])
        image[:, :x] = self._lit[:, :x]
        image[:, x:] = self._dim[:, x:]
        image[_TEXT_ROW : image.shape[0] - _MARGIN // 2, x] = self._text_color

    def _draw_curve(self, heights: np.ndarray, color: Color) -> None:
        """Draw a curve on the lit strip, with a gap where it is unknown."""
        y = self._lit.shape[0] - _MARGIN // 2 - heights
        points = np.stack([self._x, y], axis=1)
        known = np.isfinite(heights)
        for run in np.split(
            np.arange(len(y)), np.flatnonzero(np.diff(known)) + 1
        ):
            if known[run[0]]:
                line = np.rint(points[run] * 16).astype(np.int32)
                cv2.polylines(
                    self._lit, [line], False, color, 2, cv2.LINE_AA, 4
                )

    def _draw_caption(
        self,
        image: np.ndarray,
        errors: Dict[str, np.ndarray],
        colors: Dict[str, Color],
    ) -> None:
        """Write what is drawn, and the mean of each curve."""
        y = _TEXT_ROW // 2
        draw_text(
            image, 'error of each frame', (_MARGIN, y), 13, self._text_color
        )
        x = image.shape[1] - _MARGIN
        for name in reversed(list(errors)):
            text = f'{name}: mean {format_error(errors[name])}'
            draw_text(image, text, (x, y), 13, colors[name], align='right')
            x -= image.shape[1] // 4


def format_error(errors: np.ndarray) -> str:
    """Mean of the known errors in px as text, n/a if none is."""
    known = errors[np.isfinite(errors)]
    return f'{known.mean():.1f} px' if known.size else 'n/a'
