"""Poses of many persons over the frames of a video."""

import colorsys
from collections import deque
from functools import lru_cache
from typing import Any, Deque, Dict, Sequence, Tuple

import cv2
import numpy as np

from hanet_mm.visualization.drawing import (
    draw_joints,
    draw_skeleton,
    draw_text,
    draw_trail,
)

# Both panels together are at most this wide, in pixels.
_MAX_WIDTH = 1920
# A picture is darkened to this, so that limbs stand out from it.
_IMAGE_LIGHT = 0.75
# Keypoints of a lower score are not drawn, as in MMPose.
_KPT_THR = 0.3
# Frames that a trajectory reaches back.
_TRAIL = 20
_TRAIL_JOINTS = ('right_wrist', 'left_wrist', 'right_ankle', 'left_ankle')
_FADED = (25, 27, 32)
_WHITE, _DARK = (236, 239, 244), (20, 22, 27)


class PosePainter:
    """Draws the poses of a frame, the estimator's left, the refined right.

    Args:
        size (tuple): Width and height of the first frame. Frames of another
            size are fitted into the same panels.
        links (Sequence): Pairs of keypoint numbers, the limbs.
        keypoint_names (Sequence[str]): Of the keypoints.
        refined (bool): Whether there are refined poses. Defaults to True.
        trajectories (bool): Whether wrists and ankles draw their way, fading
            with age. Defaults to False.
    """

    def __init__(
        self,
        size: Tuple[int, int],
        links: Sequence[Sequence[int]],
        keypoint_names: Sequence[str],
        refined: bool = True,
        trajectories: bool = False,
    ) -> None:
        self.sides = {'estimated': 'keypoints_input'}
        if refined:
            self.sides['refined'] = 'keypoints'
        scale = min(1, _MAX_WIDTH / len(self.sides) / size[0])
        # Video has even sides only.
        width, height = (max(2, int(x * scale) // 2 * 2) for x in size)
        self.panel = width, height
        self.line = max(2, round(height / 240))
        self.links = links
        self.trail_joints = [
            index
            for index, name in enumerate(keypoint_names)
            if trajectories and name in _TRAIL_JOINTS
        ]
        self._trails: Dict[tuple, Deque[np.ndarray]] = {}

    @property
    def size(self) -> Tuple[int, int]:
        """Width and height of what is drawn."""
        return len(self.sides) * self.panel[0], self.panel[1]

    def draw(self, result: Dict[str, Any], image: np.ndarray) -> np.ndarray:
        """Draw a frame.

        Args:
            result (dict): Of the pipeline.
            image (np.ndarray): (H, W, 3) uint8 BGR.

        Returns:
            np.ndarray: (h, w, 3) uint8 RGB, of ``size``.
        """
        width, height = self.panel
        scale = min(width / image.shape[1], height / image.shape[0])
        shift = (
            np.array(self.panel) - scale * np.array(image.shape[1::-1])
        ) / 2
        background = self._background(image, scale, shift)
        canvas = np.tile(background, (1, len(self.sides), 1))
        for place, (title, key) in enumerate(self.sides.items()):
            panel = canvas[:, place * width : (place + 1) * width]
            for instance in result['instances']:
                points = _visible(instance, key) * scale + shift
                self._draw_person(panel, instance, points, key)
            draw_text(panel, title, (12, 18), 15, _WHITE, bold=True)
        self._forget(result)
        return canvas

    def _background(
        self, image: np.ndarray, scale: float, shift: np.ndarray
    ) -> np.ndarray:
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        fitted = cv2.warpAffine(
            image, matrix, self.panel, flags=cv2.INTER_LINEAR
        )
        fitted = cv2.cvtColor(fitted, cv2.COLOR_BGR2RGB)
        return cv2.convertScaleAbs(fitted, alpha=_IMAGE_LIGHT)

    def _draw_person(
        self,
        panel: np.ndarray,
        instance: Dict[str, Any],
        points: np.ndarray,
        key: str,
    ) -> None:
        color = track_color(instance['track_id'])
        if self.trail_joints:
            name = (key, instance['track_id'], instance['segment'])
            trail = self._trails.setdefault(name, deque(maxlen=_TRAIL))
            trail.append(points[self.trail_joints])
            for way in np.stack(trail, axis=1):
                draw_trail(panel, way, color, _FADED, max(1, self.line - 1))
        colors = [color] * len(self.links)
        draw_skeleton(panel, points, self.links, colors, self.line)
        draw_joints(panel, points, self.line, _WHITE, _DARK)
        if np.isfinite(points).any():
            x, y = np.nanmin(points, axis=0)
            place = int(np.clip(x, 0, self.panel[0] - 20)), int(y) - 10
            if 0 <= place[1] < self.panel[1]:
                draw_text(panel, str(instance['track_id']), place, 13, color)

    def _forget(self, result: Dict[str, Any]) -> None:
        """Drop the trails of persons who are not in the frame."""
        here = {(x['track_id'], x['segment']) for x in result['instances']}
        for name in [x for x in self._trails if x[1:] not in here]:
            del self._trails[name]


@lru_cache(maxsize=256)
def track_color(track_id: int) -> Tuple[int, int, int]:
    """A colour, RGB, far from that of the tracks before."""
    # Steps of the golden ratio never come near to earlier ones.
    hue = (0.08 + track_id * 0.61803398875) % 1
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.65, 1.0)
    return int(255 * red), int(255 * green), int(255 * blue)


def _visible(instance: Dict[str, Any], key: str) -> np.ndarray:
    """Keypoints (K, 2) that are drawn, NaN for the others."""
    shown = instance['keypoint_scores'] >= _KPT_THR
    if key == 'keypoints':
        shown = shown | instance['filled']
    return np.where(shown[:, None], instance[key], np.nan)
