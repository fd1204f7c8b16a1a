# Copyright (c) hanet_mm contributors. All rights reserved.
"""From videos to refined poses, with any pose estimator."""

import math
import os
from dataclasses import dataclass
from typing import Any, Dict, Iterator, Optional, Tuple

import torch

from hanet_mm.core.data.extras import import_extra
from hanet_mm.core.data.gaps import check_max_gap
from hanet_mm.core.refine.refiner import Refiner, load_refiner
from hanet_mm.core.refine.swap_chains import swap_chains
from hanet_mm.core.refine.weights_file import default_refiner
from hanet_mm.core.stream.refiner import StreamingRefiner

from .adapter import SkeletonAdapter
from .estimators.base import PoseEstimator, check_device
from .estimators.registry import default_pose2d, is_mmpose, make_estimator
from .frames import Frame
from .pipeline import (
    Detector,
    Keep,
    PoseReader,
    StageClock,
    VideoPipeline,
    check_counts,
)
from .refine_stage import BufferedStream, NamedFilter, RefineStage
from .sources import FrameSource, SourceLike, open_source
from .tracker import PoseTracker

# Look-ahead for cameras: about 1/6 s.
_LIVE_LOOKAHEAD = 4
# In place of a name: the bundled refiner that suits the estimator.
DEFAULT = 'default'


@dataclass
class RefinementOptions:
    """How the poses of a video are found, tracked and refined.

    Args:
        refiner (optional): Name of a refiner of the package or a portable
            file, see :func:`hanet_mm.load_refiner`; a
            :class:`hanet_mm.core.refine.refiner.Refiner`, a filter of
            :mod:`hanet_mm.filters`, or ``'default'``: the bundled refiner
            that suits the estimator, with feet or without. Keypoints are
            matched by name; those that it does not know pass through.
            Defaults to None: poses are tracked and not refined.
        lookahead (int, optional): Frames that the refiner waits for, see
            :class:`hanet_mm.core.stream.refiner.StreamingRefiner`; a gap in
            which a whole person is missed is filled if the person is back by
            then. Defaults to None: as many as make the result that of the
            whole video; 4 for a camera.
        det_interval (int): The detector runs every so many frames; between
            them persons are looked for around their last pose. Defaults to
            1.
        batch_size (int): Frames in a batch of the detector, and persons in
            one of the estimator. Defaults to 8.
        bbox_thr (float): Lowest score of a detected person. Defaults to 0.3.
        kpt_thr (float): Keypoints of a lower score count as missing.
            Defaults to 0: only those of score 0.
        ignore_scores (bool): Whether the refiner learns from the scores only
            which keypoints are missing. Defaults to False.
        unswap (bool): Whether swaps of left and right are undone before a
            filter; refiners decide themselves about swaps. Defaults to False.
        max_gap (int): Gaps of up to so many frames are filled, longer ones
            stay empty. Defaults to 10.
        engine (str): What runs a refiner by name, see
            :func:`hanet_mm.load_refiner`. Defaults to 'torch'.

    Raises:
        ValueError: A number out of range, or no such refiner.
    """

    refiner: Any = None
    lookahead: Optional[int] = None
    det_interval: int = 1
    batch_size: int = 8
    bbox_thr: float = 0.3
    kpt_thr: float = 0.0
    ignore_scores: bool = False
    unswap: bool = False
    max_gap: int = 10
    engine: str = 'torch'

    def __post_init__(self) -> None:
        named = isinstance(self.refiner, (str, os.PathLike))
        if named and self.refiner != DEFAULT:
            self.refiner = load_refiner(self.refiner, engine=self.engine)
        check_counts(
            det_interval=self.det_interval, batch_size=self.batch_size
        )
        check_max_gap(self.max_gap)


class RefinedVideo:
    """Estimates, tracks and refines the poses in a video.

    Made by :func:`hanet_mm.apis.make_inferencer`.

    Args:
        estimator (PoseEstimator): Finds the poses.
        options (RefinementOptions): What is done with them.
        detector (Callable, optional): Finds the people, for an estimator
            that needs it, see :data:`hanet_mm.apis.video.pipeline.Detector`.
        device (str, optional): Of the refiner. Defaults to None: the GPU if
            there is one.

    Raises:
        ValueError: If the refiner does not fit the estimator.

    Attributes:
        default_name: Name of the refiner if it was chosen by default, or ''.
    """

    def __init__(
        self,
        estimator: PoseEstimator,
        options: RefinementOptions,
        detector: Optional[Detector] = None,
        device: Optional[str] = None,
    ) -> None:
        self.estimator, self.options = estimator, options
        self.keypoint_names = list(estimator.keypoint_names)
        self.links = list(estimator.links)
        self.refiner, self.default_name = options.refiner, ''
        if isinstance(self.refiner, str):
            self.default_name = default_refiner(2, self.keypoint_names)
            self.refiner = load_refiner(
                self.default_name, engine=options.engine
            )
        if isinstance(self.refiner, Refiner):
            # Engines other than torch run on the CPU.
            use_gpu = options.engine == 'torch' and torch.cuda.is_available()
            self.refiner.to(device or ('cuda' if use_gpu else 'cpu'))
        self.reader = PoseReader(
            detector, estimator, options.det_interval, options.batch_size
        )
        self.tracker = PoseTracker(
            sigmas=estimator.sigmas, new_track_score=options.bbox_thr
        )
        self.adapter = self._adapter()

    def __call__(
        self,
        inputs: SourceLike,
        fps: Optional[float] = None,
        keep_images: bool = False,
    ) -> Iterator[Dict[str, Any]]:
        """Give the refined poses of a video, frame by frame.

        Args:
            inputs: Path of a video or of a folder of pictures, number of a
                camera, or an iterable of frames (H, W, 3) uint8 BGR or of
                pairs (frame, seconds).
            fps (float, optional): Frames per second, in place of what the
                source says.
            keep_images (bool): Whether each result has the picture as
                ``image``. Defaults to False.

        Yields:
            dict: In order, as they get ready: ``frame_id``, ``timestamp``
            (seconds or None), ``image_size`` (W, H) and ``instances``: dicts
            with ``track_id``, ``segment`` (part of the track that was
            refined as one sequence), ``bbox`` (4,), ``bbox_score``,
            ``keypoints`` (K, 2), ``keypoint_scores`` (K,),
            ``keypoints_input`` (K, 2) and ``filled`` (K,); ``swapped`` and
            ``reason`` (K,), as in :class:`RefineResult`, from refiners that
            tell them. NaN: missing.

        Raises:
            ValueError: If this is not a video.
            OSError: If there is no such file or camera, or it fails.
        """
        source = open_source(inputs, fps)
        keep = (lambda image: image) if keep_images else None
        return (frame.result() for frame in self.run(source, keep=keep))

    def run(
        self,
        source: FrameSource,
        clock: Optional[StageClock] = None,
        keep: Optional[Keep] = None,
    ) -> Iterator[Frame]:
        """Run over an open source, see :meth:`VideoPipeline.run`."""
        options = self.options

        def make_refine(size: Tuple[int, int]) -> RefineStage:
            stream = self._stream(source, size)
            return RefineStage(
                stream,
                self.adapter,
                options.max_gap,
                options.kpt_thr,
                options.ignore_scores,
                self.estimator.is_visibility,
            )

        self.estimator.start()
        pipeline = VideoPipeline(self.reader, self.tracker, make_refine)
        return pipeline.run(source, clock, keep)

    def _stream(self, source: FrameSource, size: Tuple[int, int]) -> Any:
        """The refiner as a stream for this source."""
        refiner, max_gap = self.refiner, self.options.max_gap
        if refiner is None:
            return None
        if isinstance(refiner, NamedFilter):
            refiner = refiner.at_rate(source.fps)
        if not isinstance(refiner, Refiner):
            chains = None
            if self.options.unswap:
                chains = swap_chains(self.keypoint_names)
            return BufferedStream(refiner, max_gap, chains, source.fps)
        lookahead = self.options.lookahead
        if lookahead is None:
            lookahead = _LIVE_LOOKAHEAD if source.live else self._all(source)
        return StreamingRefiner(
            refiner,
            lookahead,
            fps=source.fps,
            max_gap=max_gap,
            image_size=size if refiner.normalization == 'image' else None,
        )

    def _all(self, source: FrameSource) -> int:
        """Look-ahead with which a stream is as good as the whole video."""
        rates = self.refiner.fps, source.fps
        ratio = rates[0] / rates[1] if all(rates) else 1.0
        # The windows wait until a gap has closed.
        return (
            self.refiner.window_size
            - 1
            + math.ceil(self.options.max_gap * ratio)
        )

    def _adapter(self) -> SkeletonAdapter:
        """Match the keypoints of the estimator and the refiner."""
        if not isinstance(self.refiner, Refiner):
            return SkeletonAdapter()
        head = self.refiner.network.head
        if head.coord_dims != 2:
            raise ValueError(
                'refiner: expected one of 2D keypoints, found '
                f'{head.coord_dims} coordinates'
            )
        names = self.refiner.keypoint_names
        count = len(self.keypoint_names)
        if not names and head.num_keypoints != count:
            raise ValueError(
                f'refiner: has {head.num_keypoints} keypoints without names, '
                f'the estimator has {count}: they cannot be matched'
            )
        return SkeletonAdapter(self.keypoint_names, names)


def make_inferencer(
    pose2d: Optional[str] = None,
    pose2d_weights: Optional[str] = None,
    det_model: Optional[str] = None,
    det_weights: Optional[str] = None,
    det_cat_ids: Any = None,
    device: Optional[str] = None,
    **options: Any,
) -> RefinedVideo:
    """Make what turns videos into refined poses, with any estimator.

    Example:
        >>> inferencer = make_inferencer('mediapipe', refiner='coco17-2d')
        >>> for frame in inferencer('video.mp4'):
        ...     for person in frame['instances']:
        ...         person['track_id'], person['keypoints']

    Args:
        pose2d (str, optional): ``'mediapipe'`` (one person); ``'rtmlib'``,
            ``'rtmlib:body_with_feet'`` or ``'rtmlib:wholebody'``;
            ``'ultralytics:MODEL'``; or what
            :class:`hanet_mm.apis.inferencers.PoseRefinementInferencer`
            takes. Defaults to None: MMPose's ``'human'`` where MMPose is
            installed, else MediaPipe.
        pose2d_weights (str, optional): File, of MMPose or rtmlib.
        det_model (str, optional): Of MMPose.
        det_weights (str, optional): File, of MMPose or rtmlib.
        det_cat_ids (int | Sequence[int], optional): Of MMPose.
        device (str, optional): Defaults to None: the GPU if there is one.
        **options: See :class:`RefinementOptions`.

    Raises:
        ImportError: If the estimator is not installed; it names the extra.
        ValueError: One line: a model that cannot be found or loaded, an
            option that the estimator does not have, a refiner that does not
            fit, or a number out of range.
    """
    pose2d = pose2d or default_pose2d()
    if is_mmpose(pose2d):
        import_extra('mmpose', f'--pose2d {pose2d}')
        from .inferencer import PoseRefinementInferencer

        return PoseRefinementInferencer(
            pose2d=pose2d,
            pose2d_weights=pose2d_weights,
            det_model=det_model,
            det_weights=det_weights,
            det_cat_ids=det_cat_ids,
            device=device,
            **options,
        )
    settings = RefinementOptions(**options)
    for name, value in (
        ('det_model', det_model),
        ('det_cat_ids', det_cat_ids),
        ('det_interval', settings.det_interval > 1),
    ):
        if value:
            raise ValueError(
                f'{name}: not for {pose2d}, which finds people by itself'
            )
    check_device(device)
    estimator = make_estimator(
        pose2d,
        pose2d_weights,
        det_weights=det_weights,
        bbox_thr=settings.bbox_thr,
        device=device,
    )
    return RefinedVideo(estimator, settings, device=device)
