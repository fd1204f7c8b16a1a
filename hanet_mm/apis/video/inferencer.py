# Copyright (c) hanet_mm contributors. All rights reserved.
"""The inferencer from videos to refined poses, built by name in MMPose."""

import math
import os
from typing import Any, Dict, Iterator, List, Optional, Tuple, Union

from mmpose.registry import INFERENCERS

from hanet_mm.core.data.gaps import check_max_gap
from hanet_mm.core.refine.refiner import Refiner, load_refiner
from hanet_mm.core.refine.swap_chains import swap_chains
from hanet_mm.core.stream.refiner import StreamingRefiner

from .frames import Frame
from .pipeline import (
    Keep,
    PoseReader,
    StageClock,
    VideoPipeline,
    check_counts,
)
from .refine_stage import (
    BufferedStream,
    NamedFilter,
    RefineStage,
    SkeletonAdapter,
)
from .sources import FrameSource, SourceLike, open_source
from .stages import PoseModels, make_stages
from .tracker import PoseTracker

# Look-ahead for cameras: about 1/6 s.
_LIVE_LOOKAHEAD = 4


@INFERENCERS.register_module()
class PoseRefinementInferencer(PoseModels):
    """Detects, estimates, tracks and refines the poses in a video.

    Example:
        >>> inferencer = PoseRefinementInferencer(
        ...     'human', refiner='coco17-2d')
        >>> for frame in inferencer('video.mp4'):
        ...     for person in frame['instances']:
        ...         person['track_id'], person['keypoints']

    Args:
        pose2d (str): Alias, config name or path of a config, as
            :class:`mmpose.apis.MMPoseInferencer` takes it.
        pose2d_weights (str, optional): File or URL. Defaults to None: those
            of MMPose's model index.
        det_model (str, optional): Alias, config name or path of a config;
            ``'whole_image'`` takes each frame for one person. Defaults to
            None: MMPose's default detector.
        det_weights (str, optional): File or URL. Defaults to None: those of
            the model index.
        det_cat_ids (int | Sequence[int], optional): Categories of the
            detector that are persons. Defaults to None: 0, or MMPose's
            choice for its default detector.
        refiner (optional): Name of a refiner of the package or a portable
            file, see :func:`hanet_mm.load_refiner`; a
            :class:`hanet_mm.core.refine.refiner.Refiner`, or a filter of
            :mod:`hanet_mm.filters`. Keypoints are matched by name; those
            that it does not know pass through. Defaults to None: poses are
            tracked and not refined.
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
        device (str, optional): Defaults to None: the GPU if there is one.

    Raises:
        ValueError: One line: a model that cannot be found or loaded (what
            was tried, and how local files are passed), a refiner that does
            not fit, or a number out of range.
    """

    def __init__(
        self,
        pose2d: str,
        pose2d_weights: Optional[str] = None,
        det_model: Optional[str] = None,
        det_weights: Optional[str] = None,
        det_cat_ids: Union[int, Tuple[int, ...], List[int], None] = None,
        refiner: Any = None,
        lookahead: Optional[int] = None,
        det_interval: int = 1,
        batch_size: int = 8,
        bbox_thr: float = 0.3,
        kpt_thr: float = 0.0,
        ignore_scores: bool = False,
        unswap: bool = False,
        max_gap: int = 10,
        device: Optional[str] = None,
    ) -> None:
        # First what is quick to check: models take a while to build.
        if isinstance(refiner, (str, os.PathLike)):
            refiner = load_refiner(refiner)
        check_counts(det_interval=det_interval, batch_size=batch_size)
        check_max_gap(max_gap)
        self.max_gap, self.kpt_thr = max_gap, kpt_thr
        self.ignore_scores, self.unswap = ignore_scores, unswap
        super().__init__(
            pose2d,
            pose2d_weights,
            det_model,
            det_weights,
            det_cat_ids,
            device,
        )
        self.refiner, self.lookahead = refiner, lookahead
        if isinstance(refiner, Refiner):
            refiner.to(next(self.model.parameters()).device)
        detector, estimator = make_stages(self, batch_size, bbox_thr)
        self.reader = PoseReader(detector, estimator, det_interval, batch_size)
        meta = self.model.dataset_meta
        self.keypoint_names: List[str] = [
            meta['keypoint_id2name'][i] for i in range(meta['num_keypoints'])
        ]
        self.links: List[Tuple[int, int]] = list(meta['skeleton_links'])
        self.tracker = PoseTracker(
            sigmas=meta.get('sigmas'), new_track_score=bbox_thr
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
            ``keypoints_input`` (K, 2) and ``filled`` (K,). NaN: missing.

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

        def make_refine(size: Tuple[int, int]) -> RefineStage:
            stream = self._stream(source, size)
            return RefineStage(
                stream,
                self.adapter,
                self.max_gap,
                self.kpt_thr,
                self.ignore_scores,
            )

        pipeline = VideoPipeline(self.reader, self.tracker, make_refine)
        return pipeline.run(source, clock, keep)

    def _stream(self, source: FrameSource, size: Tuple[int, int]) -> Any:
        """The refiner as a stream for this source."""
        refiner, max_gap = self.refiner, self.max_gap
        if refiner is None:
            return None
        if isinstance(refiner, NamedFilter):
            refiner = refiner.at_rate(source.fps)
        if not isinstance(refiner, Refiner):
            chains = swap_chains(self.keypoint_names) if self.unswap else None
            return BufferedStream(refiner, max_gap, chains, source.fps)
        lookahead = self.lookahead
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
        return self.refiner.window_size - 1 + math.ceil(self.max_gap * ratio)

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
