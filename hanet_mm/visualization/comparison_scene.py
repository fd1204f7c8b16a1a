# Copyright (c) hanet_mm contributors. All rights reserved.
"""One pose sequence before and after refinement, drawn frame by frame."""

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import ArrayLike

from hanet_mm.core.metrics.errors import position_errors

from .drawing import draw_skeleton, draw_text
from .error_strip import ErrorStrip, format_error
from .side_by_side import (
    ACCENTS,
    BACKGROUND,
    HEADER,
    MUTED,
    TEXT,
    Figure,
    SideBySide,
    fit_view,
    to_panel_pixels,
)

_TRUTH = (125, 132, 146)
_STRIP = 100
# Of the space that the poses take, on each side.
_VIEW_MARGIN = 0.12


@dataclass(frozen=True)
class SceneStyle:
    """Appearance of a skeleton.

    Args:
        panel_size (tuple): Width and height of each panel.
        links (Sequence): Pairs of keypoint indices, the limbs.
        link_colors (Sequence): RGB of each limb.
        line_width (int): Of limbs, in pixels.
        radius (int): Of joints, in pixels.
        trail (int): Frames that a trail reaches back.
        trail_joints (Sequence[int]): Keypoints that leave a trail.
    """

    panel_size: Tuple[int, int]
    links: Sequence[Sequence[int]]
    link_colors: Sequence[Sequence[int]]
    line_width: int
    radius: int
    trail: int
    trail_joints: Sequence[int]


class ComparisonScene:
    """Two panels, with the errors above and below them if they are known.

    Letters: T frames, K keypoints. NaN is a missing keypoint.

    Args:
        style (SceneStyle): The skeleton.
        titles (Sequence[str]): What stands over the panels.
        inputs (array): Estimated poses, left, (T, K, 2) px.
        refined (array): Refined poses, right, (T, K, 2) px.
        truth (array, optional): True poses, (T, K, 2) px.
        image_size (tuple, optional): Width and height of the pictures that
            the poses lie on; they are shown whole. Without pictures the
            panels show the space that the refined and true poses take.

    Raises:
        ValueError: If the poses do not fit each other or the skeleton.
    """

    def __init__(
        self,
        style: SceneStyle,
        titles: Sequence[str],
        inputs: ArrayLike,
        refined: ArrayLike,
        truth: Optional[ArrayLike] = None,
        image_size: Optional[Tuple[int, int]] = None,
    ) -> None:
        poses = [inputs, refined] + ([] if truth is None else [truth])
        poses = [np.asarray(pose, np.float64) for pose in poses]
        _check_poses(poses, style)
        self.style, self.num_frames = style, len(poses[0])
        self._image_size = image_size
        low, high = _extent(poses[1:], image_size)
        self._view = fit_view(low, high, style.panel_size)
        on_panel = [to_panel_pixels(self._view, pose) for pose in poses]
        self._poses, self._truth = on_panel[:2], on_panel[2:]
        self._errors = []
        if truth is not None:
            self._errors = [_frame_errors(p, poses[2]) for p in poses[:2]]
        self._board = SideBySide(
            style.panel_size,
            style.links,
            titles,
            style.line_width,
            style.radius,
            _STRIP if self._errors else 0,
        )
        if self._errors:
            width, height = style.panel_size
            panel = self._board.panels(self._board.blank)[0]
            place = (width - 14, height - 18)
            draw_text(panel, 'grey: truth', place, 14, MUTED, 'right')
            self._strip = ErrorStrip(
                (self.size[0], _STRIP),
                dict(zip(titles, self._errors)),
                dict(zip(titles, ACCENTS)),
                BACKGROUND,
                MUTED,
            )

    @property
    def size(self) -> Tuple[int, int]:
        """Width and height of a frame."""
        return self._board.size

    def render(
        self, frame: int, image: Optional[np.ndarray] = None
    ) -> np.ndarray:
        """Draw a frame.

        Args:
            frame (int): Which one.
            image (np.ndarray, optional): The picture behind the poses,
                (H, W, 3) RGB.

        Returns:
            np.ndarray: (h, w, 3) uint8 RGB, of ``size``.

        Raises:
            ValueError: If the picture is not of the scene's image size.
        """
        background = None
        if image is not None:
            expected = (*(self._image_size or ())[::-1], 3)
            if image.shape != expected:
                raise ValueError(
                    f'picture {frame} must have shape {expected}, '
                    f'got {image.shape}'
                )
            background = self._board.background(image, self._view)
        canvas = self._board.canvas(background)
        panels = self._board.panels(canvas)
        for side, panel in enumerate(panels):
            self._draw_panel(panel, side, frame)
        count = f'frame {frame + 1} / {self.num_frames}'
        height = self.style.panel_size[1]
        draw_text(panels[0], count, (14, height - 18), 14, MUTED)
        if self._errors:
            self._draw_errors(canvas, frame)
        return canvas

    def _draw_panel(self, panel: np.ndarray, side: int, frame: int) -> None:
        """Draw the truth, the trails and the pose of one panel."""
        style, poses = self.style, self._poses[side]
        for truth in self._truth:
            grey = [_TRUTH] * len(style.links)
            width = max(style.line_width // 2, 1)
            draw_skeleton(panel, truth[frame], style.links, grey, width)
        past = poses[max(frame - style.trail, 0) : frame + 1]
        trails = [past[:, joint] for joint in style.trail_joints]
        figure = Figure(poses[frame], style.link_colors, trails, ACCENTS[side])
        self._board.draw(panel, figure)

    def _draw_errors(self, canvas: np.ndarray, frame: int) -> None:
        """Write the errors of a frame and draw the strip."""
        width = self.style.panel_size[0]
        for side, right in enumerate((width, self.size[0])):
            error = format_error(self._errors[side][frame : frame + 1])
            text = f'error {error}'
            place = (right - 14, HEADER // 2)
            draw_text(canvas, text, place, 17, TEXT, align='right')
        self._strip.draw(canvas[-_STRIP:], frame)


def _check_poses(poses: List[np.ndarray], style: SceneStyle) -> None:
    """Raise if poses cannot be compared, or drawn as this skeleton."""
    shape = poses[0].shape
    if len(shape) != 3 or shape[0] < 1 or shape[2] != 2:
        raise ValueError(f'poses must have shape (T, K, 2), got {shape}')
    for pose in poses[1:]:
        if pose.shape != shape:
            raise ValueError(
                f'all poses must have the shape of the input {shape}, '
                f'got {pose.shape}'
            )
    last = np.max(style.links)
    if last >= shape[1]:
        raise ValueError(
            f'the skeleton needs keypoint {last}, the poses have {shape[1]} '
            'keypoints'
        )


def _extent(
    poses: List[np.ndarray], image_size: Optional[Tuple[int, int]]
) -> Tuple[np.ndarray, np.ndarray]:
    """First and last corner of the pictures, or of all poses with margin."""
    if image_size is not None:
        return np.zeros(2), np.array(image_size, float)
    points = np.concatenate([pose.reshape(-1, 2) for pose in poses])
    points = points[np.isfinite(points).all(axis=1)]
    if not len(points):
        points = np.zeros((1, 2))
    low, high = points.min(axis=0), points.max(axis=0)
    margin = _VIEW_MARGIN * (high - low).max()
    return low - margin, high + margin


def _frame_errors(pose: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Mean error of each frame (T,) over the keypoints that are there."""
    errors = position_errors(pose, truth)
    known = np.isfinite(errors)
    total = np.where(known, errors, 0).sum(axis=1)
    count = known.sum(axis=1)
    out = np.full(len(errors), np.nan)
    return np.divide(total, count, out=out, where=count > 0)
