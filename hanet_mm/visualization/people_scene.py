# Copyright (c) hanet_mm contributors. All rights reserved.
"""Poses of many people over the frames of a video, before and after."""

import colorsys
import math
from collections import deque
from functools import lru_cache
from typing import Any, Deque, Dict, List, Optional, Sequence, Tuple

import numpy as np

from .side_by_side import (
    GAP,
    TRAIL_JOINTS,
    Figure,
    SideBySide,
    fit_view,
    to_panel_pixels,
)

# Both panels together are at most this wide, in pixels.
_MAX_WIDTH = 1920
# Keypoints of a lower score are not drawn, as in MMPose.
_KPT_THR = 0.3
# Sides of a panel, as a geometric mean, on which texts have their usual size.
_USUAL_SIDE = 720
# Frames that a trajectory reaches back.
_TRAIL = 20


class PeopleScene:
    """Draws the poses of a frame, the estimator's left, the refined right.

    Each person has a colour and its track id as label, or its name.

    Args:
        size (tuple): Width and height of the first frame. Frames of another
            size are fitted into the same panels.
        links (Sequence): Pairs of keypoint numbers, the limbs.
        keypoint_names (Sequence[str]): Of the keypoints.
        refined (bool): Whether there are refined poses. Defaults to True.
        trajectories (bool): Whether wrists and ankles leave a trail, fading
            with age. Defaults to False.
        titles (Sequence[str]): Over the panels; the last one is left out
            without refined poses.
    """

    def __init__(
        self,
        size: Tuple[int, int],
        links: Sequence[Sequence[int]],
        keypoint_names: Sequence[str],
        refined: bool = True,
        trajectories: bool = False,
        titles: Sequence[str] = ('Estimated', 'Refined'),
    ) -> None:
        titles = titles[: 1 + refined]
        room = (_MAX_WIDTH - GAP * refined) / len(titles)
        scale = min(1, room / size[0])
        # Video has even sides only; the grid of a panel needs eight pixels.
        width, height = (max(8, int(x * scale) // 2 * 2) for x in size)
        # Lines and texts grow with the picture.
        scale = max(1.0, math.sqrt(width * height) / _USUAL_SIDE)
        line = round(2 * scale)
        self._board = SideBySide(
            (width, height), links, titles, line, line, scale=scale
        )
        self._trail_joints = [
            index
            for index, name in enumerate(keypoint_names)
            if trajectories and name in TRAIL_JOINTS
        ]
        self._trails: Dict[tuple, Deque[np.ndarray]] = {}

    @property
    def size(self) -> Tuple[int, int]:
        """Width and height of what is drawn."""
        return self._board.size

    def background(self, image: np.ndarray) -> np.ndarray:
        """A picture (H, W, 3) uint8 RGB as :meth:`draw` takes it."""
        return self._board.background(image, self._view(image.shape[1::-1]))

    def draw(
        self, frame: Any, names: Optional[Dict[int, str]] = None
    ) -> np.ndarray:
        """Draw a frame, (h, w, 3) uint8 RGB of ``size``.

        Args:
            frame (Any): A finished :class:`hanet_mm.apis.video.frames.Frame`
                whose ``image`` was made by :meth:`background`.
            names (dict, optional): Labels of people by their track ids.
        """
        board = self._board
        canvas = board.canvas(frame.image)
        shown = frame.keypoint_scores >= _KPT_THR
        sides = (frame.keypoints, shown), (frame.refined, shown | frame.filled)
        view = self._view(frame.size)
        for side, panel in enumerate(board.panels(canvas)):
            poses, visible = sides[side]
            poses = np.where(visible[..., None], poses, np.nan)
            for row, pose in enumerate(to_panel_pixels(view, poses)):
                person = int(frame.track_ids[row]), int(frame.segments[row])
                label = (names or {}).get(person[0], str(person[0]))
                board.draw(panel, self._figure(side, person, pose, label))
        here = set(zip(frame.track_ids.tolist(), frame.segments.tolist()))
        for key in [x for x in self._trails if x[1] not in here]:
            del self._trails[key]
        return canvas

    def _figure(
        self,
        side: int,
        person: Tuple[int, int],
        pose: np.ndarray,
        label: str,
    ) -> Figure:
        color = track_color(person[0])
        colors = [color] * len(self._board.links)
        trails: List[np.ndarray] = []
        if self._trail_joints:
            new: Deque[np.ndarray] = deque(maxlen=_TRAIL)
            trail = self._trails.setdefault((side, person), new)
            trail.append(pose[self._trail_joints])
            trails = list(np.stack(trail, axis=1))
        return Figure(pose, colors, trails, color, label)

    def _view(self, size: Sequence[int]) -> np.ndarray:
        return fit_view(np.zeros(2), np.array(size), self._board.panel_size)


@lru_cache(maxsize=256)
def track_color(track_id: int) -> Tuple[int, int, int]:
    """A colour, RGB, far from that of the tracks before."""
    # Steps of the golden ratio never come near to earlier ones.
    hue = (0.08 + track_id * 0.61803398875) % 1
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.65, 1.0)
    return int(255 * red), int(255 * green), int(255 * blue)
