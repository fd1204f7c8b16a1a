# Copyright (c) hanet_mm contributors. All rights reserved.
"""The inferencer from videos to refined poses, built by name in MMPose."""

from typing import Any, List, Optional, Tuple, Union

from mmpose.registry import INFERENCERS

from .refined_video import RefinedVideo, RefinementOptions
from .stages import PoseModels, make_stages


@INFERENCERS.register_module()
class PoseRefinementInferencer(RefinedVideo, PoseModels):
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
        refiner, lookahead, det_interval, batch_size, bbox_thr, kpt_thr,
            ignore_scores, unswap, max_gap, engine: See
            :class:`hanet_mm.apis.video.refined_video.RefinementOptions`.
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
        engine: str = 'torch',
    ) -> None:
        # First what is quick to check: models take a while to build.
        options = RefinementOptions(
            refiner,
            lookahead,
            det_interval,
            batch_size,
            bbox_thr,
            kpt_thr,
            ignore_scores,
            unswap,
            max_gap,
            engine,
        )
        PoseModels.__init__(
            self,
            pose2d,
            pose2d_weights,
            det_model,
            det_weights,
            det_cat_ids,
            device,
        )
        detector, estimator = make_stages(self, batch_size, bbox_thr)
        placed = str(next(self.model.parameters()).device)
        RefinedVideo.__init__(self, estimator, options, detector, placed)
