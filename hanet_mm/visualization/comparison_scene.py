"""One pose sequence before and after refinement, drawn frame by frame."""

from dataclasses import dataclass
from typing import List, Optional, Sequence, Tuple

import cv2
import numpy as np
from numpy.typing import ArrayLike

from hanet_mm.core.metrics.errors import position_errors
from hanet_mm.visualization.drawing import (
    draw_joints,
    draw_skeleton,
    draw_text,
    draw_trail,
)
from hanet_mm.visualization.error_strip import ErrorStrip, format_error

_BACKGROUND = (20, 22, 27)
_PANEL = (29, 32, 39)
_GRID = (40, 44, 53)
_TEXT = (236, 239, 244)
_MUTED = (150, 157, 170)
_TRUTH = (125, 132, 146)
_ACCENTS = ((255, 167, 77), (92, 200, 255))  # input, refined

_HEADER = 44
_STRIP = 100
_GAP = 8
_GRID_CELLS = 8
# Of the space that the poses take, on each side.
_VIEW_MARGIN = 0.12
# A picture is darkened to this, so that limbs stand out from it.
_IMAGE_LIGHT = 0.65


@dataclass(frozen=True)
class SceneStyle:
    """What a skeleton looks like.

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
        self.style = style
        self.num_frames = len(poses[0])
        self._image_size = image_size
        self._to_panel = _fit_view(poses[1:], image_size, style.panel_size)
        scale, shift = self._to_panel[:, :2].T, self._to_panel[:, 2]
        on_panel = [pose @ scale + shift for pose in poses]
        self._poses, self._truth = on_panel[:2], on_panel[2:]
        self._errors = []
        if truth is not None:
            self._errors = [_frame_errors(p, poses[2]) for p in poses[:2]]
        self._strip = self._make_strip(titles)
        self._canvas = self._make_canvas(titles)

    @property
    def size(self) -> Tuple[int, int]:
        """Width and height of a frame."""
        width, height = self.style.panel_size
        strip = _STRIP if self._errors else 0
        return 2 * width + _GAP, _HEADER + height + strip

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
        canvas = self._canvas.copy()
        panels = self._panels(canvas)
        if image is not None:
            self._draw_image(panels, image, frame)
        for side, panel in enumerate(panels):
            self._draw_panel(panel, side, frame)
        count = f'frame {frame + 1} / {self.num_frames}'
        height = self.style.panel_size[1]
        draw_text(panels[0], count, (14, height - 18), 14, _MUTED)
        if self._strip:
            self._draw_errors(canvas, frame)
        return canvas

    def _panels(self, canvas: np.ndarray) -> List[np.ndarray]:
        """The two pictures of a canvas, as views."""
        width, height = self.style.panel_size
        rows = canvas[_HEADER : _HEADER + height]
        return [rows[:, :width], rows[:, width + _GAP :]]

    def _draw_panel(self, panel: np.ndarray, side: int, frame: int) -> None:
        """Draw the truth, the trails and the pose of one panel."""
        style, poses = self.style, self._poses[side]
        if self._truth:
            grey = [_TRUTH] * len(style.links)
            width = max(style.line_width // 2, 1)
            draw_skeleton(
                panel, self._truth[0][frame], style.links, grey, width
            )
        start = max(frame - style.trail, 0)
        for joint in style.trail_joints:
            trail = poses[start : frame + 1, joint]
            draw_trail(panel, trail, _ACCENTS[side], _PANEL, 2)
        pose = poses[frame]
        draw_skeleton(
            panel, pose, style.links, style.link_colors, style.line_width
        )
        draw_joints(panel, pose, style.radius, _TEXT, _BACKGROUND)

    def _draw_image(
        self, panels: List[np.ndarray], image: np.ndarray, frame: int
    ) -> None:
        """Put the picture behind both panels."""
        expected = (*(self._image_size or ())[::-1], 3)
        if image.shape != expected:
            raise ValueError(
                f'picture {frame} must have shape {expected}, '
                f'got {image.shape}'
            )
        cv2.warpAffine(
            cv2.convertScaleAbs(image, alpha=_IMAGE_LIGHT),
            self._to_panel,
            self.style.panel_size,
            dst=panels[0],
            borderValue=_PANEL,
        )
        panels[1][:] = panels[0]

    def _draw_errors(self, canvas: np.ndarray, frame: int) -> None:
        """Write the errors of a frame and draw the strip."""
        width = self.style.panel_size[0]
        for side, right in enumerate((width, self.size[0])):
            error = format_error(self._errors[side][frame : frame + 1])
            text = f'error {error}'
            position = (right - 14, _HEADER // 2)
            draw_text(canvas, text, position, 17, _TEXT, align='right')
        self._strip.draw(canvas[-_STRIP:], frame)

    def _make_strip(self, titles: Sequence[str]) -> Optional[ErrorStrip]:
        """The strip with the errors over time, if they are known."""
        if not self._errors:
            return None
        return ErrorStrip(
            (self.size[0], _STRIP),
            dict(zip(titles, self._errors)),
            dict(zip(titles, _ACCENTS)),
            _BACKGROUND,
            _MUTED,
        )

    def _make_canvas(self, titles: Sequence[str]) -> np.ndarray:
        """Everything that does not move."""
        width, height = self.style.panel_size
        canvas = np.full((*self.size[::-1], 3), _BACKGROUND, np.uint8)
        lines = np.arange(0, width, width // _GRID_CELLS)
        for panel in self._panels(canvas):
            panel[:] = _PANEL
            panel[:, lines[1:]] = _GRID
            panel[lines[(lines > 0) & (lines < height)]] = _GRID
        for title, color, x in zip(titles, _ACCENTS, (0, width + _GAP)):
            position = (x + 14, _HEADER // 2)
            draw_text(canvas, title, position, 18, color, bold=True)
        if self._truth:
            position = (width - 14, height - 18)
            panel = self._panels(canvas)[0]
            draw_text(panel, 'grey: truth', position, 14, _MUTED, 'right')
        return canvas


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


def _fit_view(
    poses: List[np.ndarray],
    image_size: Optional[Tuple[int, int]],
    panel_size: Tuple[int, int],
) -> np.ndarray:
    """Affine map (2, 3) from the sequence to a panel, all of it in sight."""
    if image_size is None:
        points = np.concatenate([pose.reshape(-1, 2) for pose in poses])
        points = points[np.isfinite(points).all(axis=1)]
        if not len(points):
            points = np.zeros((1, 2))
        low, high = points.min(axis=0), points.max(axis=0)
        margin = _VIEW_MARGIN * (high - low).max()
        low, high = low - margin, high + margin
    else:
        low, high = np.zeros(2), np.array(image_size, float)
    panel = np.array(panel_size)
    scale = (panel / np.maximum(high - low, 1)).min()
    shift = panel / 2 - scale * (low + high) / 2
    return np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def _frame_errors(pose: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Mean error of each frame (T,) over the keypoints that are there."""
    errors = position_errors(pose, truth)
    known = np.isfinite(errors)
    total = np.where(known, errors, 0).sum(axis=1)
    count = known.sum(axis=1)
    out = np.full(len(errors), np.nan)
    return np.divide(total, count, out=out, where=count > 0)
