# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pose sequences before and after refinement, side by side."""

from typing import Any, Iterable, Iterator, Optional, Sequence, Tuple

import numpy as np
from mmpose.registry import VISUALIZERS
from mmpose.visualization import PoseLocalVisualizer
from numpy.typing import ArrayLike

from hanet_mm.core.data.files import PathLike
from hanet_mm.visualization.comparison_scene import (
    ComparisonScene,
    SceneStyle,
)
from hanet_mm.visualization.video_writer import open_video

_TITLES = ('Input', 'Refined')
_TRAIL_JOINTS = ('right_wrist', 'left_wrist', 'right_ankle', 'left_ankle')


@VISUALIZERS.register_module()
class PoseSequenceVisualizer(PoseLocalVisualizer):
    """Draws an estimated pose sequence and its refinement side by side.

    Skeleton and limb colours are those of the data set
    (``set_dataset_meta``), joints are white. The last positions of wrists
    and ankles follow them as a trail: where it is jagged, the pose trembles.
    If the truth is given it is drawn in grey, and the error of each frame is
    shown as a number and as a curve.

    Letters: T frames, K keypoints. A keypoint that is NaN is missing: it is
    not drawn, and in no error.

    Args:
        name (str): Name of the instance. Defaults to 'visualizer'.
        panel_size (tuple): Width and height of each of the two pictures,
            both even. Defaults to (640, 480).
        trail (int): Frames that a trail reaches back; 0 draws none.
            Defaults to 12.
        line_width (int): Of limbs, in pixels. Defaults to 4.
        radius (int): Of joints, in pixels. Defaults to 4.
        **kwargs: Passed on to
            :class:`mmpose.visualization.PoseLocalVisualizer`.

    Raises:
        ValueError: If a panel has an odd side, which video cannot have.
    """

    def __init__(
        self,
        name: str = 'visualizer',
        panel_size: Tuple[int, int] = (640, 480),
        trail: int = 12,
        line_width: int = 4,
        radius: int = 4,
        **kwargs: Any,
    ) -> None:
        if min(panel_size) < 16 or panel_size[0] % 2 or panel_size[1] % 2:
            raise ValueError(
                'PoseSequenceVisualizer: the sides of panel_size must be '
                f'even and at least 16, got {panel_size}'
            )
        super().__init__(name, line_width=line_width, radius=radius, **kwargs)
        self.panel_size = tuple(panel_size)
        self.trail = trail

    def draw_comparison(
        self,
        frame: int,
        inputs: ArrayLike,
        refined: ArrayLike,
        truth: Optional[ArrayLike] = None,
        image: Optional[np.ndarray] = None,
        titles: Sequence[str] = _TITLES,
    ) -> np.ndarray:
        """Draw one frame: the input left, the refined poses right.

        Args:
            frame (int): Which frame of the sequence.
            inputs (array): Estimated poses, (T, K, 2) px.
            refined (array): Refined poses, (T, K, 2) px.
            truth (array, optional): True poses, (T, K, 2) px.
            image (np.ndarray, optional): The picture that the poses lie on,
                (H, W, 3) uint8 RGB, shown whole. Without one the poses fill
                the panels.
            titles (Sequence[str]): What stands over the two panels.

        Returns:
            np.ndarray: (h, w, 3) uint8 RGB.

        Raises:
            ValueError: If the poses do not fit each other or the skeleton.
        """
        size = None if image is None else image.shape[1::-1]
        scene = self._scene(titles, inputs, refined, truth, size)
        return scene.render(frame, image)

    def write_comparison_video(
        self,
        path: PathLike,
        inputs: ArrayLike,
        refined: ArrayLike,
        truth: Optional[ArrayLike] = None,
        images: Optional[Iterable[np.ndarray]] = None,
        fps: float = 25.0,
        titles: Sequence[str] = _TITLES,
    ) -> None:
        """Write all frames as a video, one at a time.

        Args:
            path (path): The ``.mp4`` file. It appears once it is complete.
            inputs (array): Estimated poses, (T, K, 2) px.
            refined (array): Refined poses, (T, K, 2) px.
            truth (array, optional): True poses, (T, K, 2) px.
            images (Iterable, optional): The T pictures that the poses lie
                on, (H, W, 3) uint8 RGB, all of one size; read as needed.
                Without them the poses fill the panels.
            fps (float): Frames per second. Defaults to 25.
            titles (Sequence[str]): What stands over the two panels.

        Raises:
            ValueError: If the poses do not fit each other, the skeleton or
                the pictures, or the path or rate cannot be written.
            OSError: If OpenCV cannot write the video.
        """
        pictures = None if images is None else iter(images)
        first = None if pictures is None else _next_picture(pictures, 0)
        size = None if first is None else first.shape[1::-1]
        scene = self._scene(titles, inputs, refined, truth, size)
        with open_video(path, scene.size, fps) as write:
            write(scene.render(0, first))
            for frame in range(1, scene.num_frames):
                image = None
                if pictures is not None:
                    image = _next_picture(pictures, frame)
                write(scene.render(frame, image))

    def _scene(
        self,
        titles: Sequence[str],
        inputs: ArrayLike,
        refined: ArrayLike,
        truth: Optional[ArrayLike],
        image_size: Optional[Tuple[int, int]],
    ) -> ComparisonScene:
        """Poses and the skeleton of the data set, ready to draw."""
        if self.skeleton is None or self.link_color is None:
            raise ValueError(
                'PoseSequenceVisualizer: no skeleton to draw, call '
                'set_dataset_meta() first'
            )
        ids = self.dataset_meta.get('keypoint_name2id', {})
        style = SceneStyle(
            panel_size=self.panel_size,
            links=self.skeleton,
            link_colors=self.link_color,
            line_width=self.line_width,
            radius=self.radius,
            trail=self.trail,
            trail_joints=[ids[name] for name in _TRAIL_JOINTS if name in ids],
        )
        return ComparisonScene(
            style, titles, inputs, refined, truth, image_size
        )


def _next_picture(pictures: Iterator[np.ndarray], frame: int) -> np.ndarray:
    """The picture of a frame, or an error that says it is missing."""
    picture = next(pictures, None)
    if picture is None:
        raise ValueError(f'there is a pose but no picture for frame {frame}')
    return picture
