# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refine results of all frames of a video, held in memory."""

from typing import Any, Iterable, List, Optional, Sequence, Union

from hanet_mm.core.data.files import PathLike

from ..refine import RefineOptions, refine_opened
from .base import ResultPoses, ResultReader
from .registry import find_common_kind, find_kind


def refine(
    results: Iterable[Any],
    refiner: Union[PathLike, Any, None] = None,
    image_size: Optional[Sequence[int]] = None,
    fps: Optional[float] = None,
    **options: Any,
) -> List[Any]:
    """Refine the results of a pose estimator on a video.

    People are linked over frames by the ids in the results. Without ids they
    are linked by :class:`hanet_mm.apis.tracking.PoseTracker` if a frame has
    several people. Someone without id among others who have one stays as
    estimated. Missing keypoints of people who were found are filled, frames
    without them are not.

    Example:
        >>> results = YOLO('yolo11n-pose.pt').track('clip.mp4', stream=True)
        >>> refined = hanet_mm.refine(results)
        >>> refined[0].keypoints.xy

    Args:
        results (Iterable): One for each frame, in order, also from a
            generator; None or an empty list is a frame without people. See
            :data:`hanet_mm.apis.objects.registry.KINDS`: Ultralytics,
            MediaPipe, MMPose, supervision, rtmlib, or dicts of Detectron2,
            torchvision and others.
        refiner (PathLike | Refiner | SequenceFilter, optional): See
            :func:`hanet_mm.apis.refine_file`. Defaults to None: the bundled
            refiner for such poses.
        image_size (Sequence[int], optional): W, H in pixels; replaces what
            the results say. MediaPipe's need it, unless they have
            segmentation masks: they are fractions of it.
        fps (float, optional): Frames per second. Defaults to None: the
            refiner's.
        **options: ``device``, ``skeleton``, ``others``, ``tracker``,
            ``max_gap``, ``ignore_scores`` and ``unswap``, see
            :func:`hanet_mm.apis.refine_file`.

    Returns:
        list: Copies of the results with refined keypoints. Scores, boxes and
        all else are as they were; the input does not change.

    Raises:
        ValueError: One line naming the kind of result, its place and the
            fault.
    """
    settings = RefineOptions(refiner, image_size, fps=fps, **options).load()
    if not isinstance(results, list) and find_kind(results) is not None:
        raise ValueError(
            'expected the results of all frames in a list, found one of '
            f'{type(results).__name__}; StreamingRefiner takes single ones'
        )
    given = list(results)
    reader = ResultReader(find_common_kind(given), settings.image_size)
    poses = ResultPoses(given, reader, settings.tracker)
    refined: List[Any] = []
    refine_opened(poses, refined, settings)
    return refined
