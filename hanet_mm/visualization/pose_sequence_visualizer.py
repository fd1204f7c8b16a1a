# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pose sequences before and after refinement, side by side."""

from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, Optional, Sequence, Tuple

import cv2
import mmcv
import numpy as np
from mmpose.registry import VISUALIZERS
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer
from numpy.typing import ArrayLike

from hanet_mm.core.data.files import PathLike, atomic_path
from hanet_mm.visualization.changes_plot import changes_figure
from hanet_mm.visualization.comparison_scene import (
    ComparisonScene,
    SceneStyle,
)
from hanet_mm.visualization.sample_poses import (
    SamplePoses,
    poses_of_sample,
)
from hanet_mm.visualization.video_writer import open_video
from hanet_mm.visualization.window import check_screen

_TITLES = ('Input', 'Refined')
_DPI = 100
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
        self._meta: dict = {}

    def set_dataset_meta(
        self, dataset_meta: dict, skeleton_style: str = 'mmpose'
    ) -> None:
        """Take skeleton, colours and names, in every process of several."""
        super().set_dataset_meta(dataset_meta, skeleton_style)
        # MMEngine keeps and gives its own in the main process only.
        self._meta = self.dataset_meta or dataset_meta

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

    def add_datasample(
        self,
        name: str,
        image: Optional[np.ndarray],
        data_sample: PoseDataSample,
        draw_gt: bool = True,
        draw_pred: bool = True,
        show: bool = False,
        wait_time: float = 0,
        out_file: Optional[str] = None,
        step: int = 0,
        **kwargs: Any,
    ) -> np.ndarray:
        """Draw a sequence: the joints that refining changes most, over frames.

        Where the frames of the recording are there (``img_path`` of the
        metainfo, T files) and poses are 2D, the frame that was changed most
        is drawn on its picture, too. A sample of a single image is drawn as
        by :class:`mmpose.visualization.PoseLocalVisualizer`.

        Args:
            name (str): Of the window, and in the backends.
            image (np.ndarray, optional): Not used for sequences.
            data_sample (PoseDataSample): With ``est_instances``.
            draw_gt (bool): Whether to draw the truth.
            draw_pred (bool): Whether to draw the refined poses.
            show (bool): Whether to open a window.
            wait_time (float): How long it stays, in seconds; 0: until a key.
            out_file (str, optional): The picture; that of the frame gets
                ``_frame<number>`` added to its name. Written whole or not at
                all. Defaults to None: pictures go to the backends.
            step (int): Of the backends.
            **kwargs: Of a single image.

        Returns:
            np.ndarray: The curves, (H, W, 3) uint8 RGB.
        """
        if 'est_instances' not in data_sample:
            kwargs.update(draw_gt=draw_gt, draw_pred=draw_pred, show=show)
            kwargs.update(wait_time=wait_time, out_file=out_file, step=step)
            return super().add_datasample(name, image, data_sample, **kwargs)
        poses = poses_of_sample(data_sample, draw_gt, draw_pred)
        curves = self._draw_curves(data_sample, poses)
        pictures = {'': curves, **self._draw_frame(data_sample, poses)}
        for ending, picture in pictures.items():
            if show:
                self.show(picture, f'{name}{ending}', wait_time)
            if out_file is not None:
                path = Path(out_file)
                _write(
                    path.with_name(path.stem + ending + path.suffix), picture
                )
            else:
                self.add_image(f'{name}{ending}', picture, step)
        return curves

    def show(self, *args: Any, **kwargs: Any) -> None:
        """Show a picture; see the parent class.

        Raises:
            ValueError: If there is no screen, or an OpenCV without windows.
        """
        check_screen('write pictures instead')
        super().show(*args, **kwargs)

    def _draw_curves(
        self, sample: PoseDataSample, poses: SamplePoses
    ) -> np.ndarray:
        names = self._meta['keypoint_id2name']
        figure = changes_figure(
            poses.truth,
            poses.before,
            poses.after,
            poses.change,
            [names[i] for i in range(poses.before.shape[1])],
            first_frame=int(sample.get('frame_ids', [0])[0]),
            unit=poses.unit,
            title=f'{sample.get("seq_name", "")}{poses.note}',
        )
        figure.set_dpi(_DPI)
        figure.canvas.draw()
        return np.array(figure.canvas.buffer_rgba())[..., :3]

    def _draw_frame(
        self, sample: PoseDataSample, poses: SamplePoses
    ) -> Dict[str, np.ndarray]:
        """The most changed frame on its picture, by what its name ends in."""
        files = sample.get('img_path')
        if files is None or poses.after is None or poses.unit != 'px':
            return {}
        frame = int(np.nan_to_num(poses.change).mean(1).argmax())
        image = mmcv.imread(files[frame])
        if image is None:
            raise ValueError(
                f'{files[frame]}: expected an image, found what OpenCV '
                'cannot read'
            )
        picture = self.draw_comparison(
            frame, poses.before, poses.after, poses.truth, image[..., ::-1]
        )
        return {f'_frame{frame}': picture}

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
        ids = self._meta.get('keypoint_name2id', {})
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


def _write(path: Path, picture: np.ndarray) -> None:
    """Write a picture, (H, W, 3) uint8 RGB, whole or not at all."""
    _, content = cv2.imencode(path.suffix, picture[..., ::-1])
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.tobytes())


def _next_picture(pictures: Iterator[np.ndarray], frame: int) -> np.ndarray:
    """The picture of a frame, or an error that says it is missing."""
    picture = next(pictures, None)
    if picture is None:
        raise ValueError(f'there is a pose but no picture for frame {frame}')
    return picture
