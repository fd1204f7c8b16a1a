"""Estimates for the annotated persons of one video."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

import numpy as np

from hanet_mm.core.data.sequences import PoseSequences

from .extraction_matching import (
    Annotation,
    enlarge_boxes,
    map_poses,
    match_persons,
)
from .video.frames import Boxes, no_boxes
from .video.reader import PoseReader, StageClock
from .video.refine_stage import SkeletonAdapter
from .video.sources import VIDEO_SUFFIXES, Frame, FrameSource, open_source


@dataclass(eq=False)
class AnnotatedVideo:
    """A video and the sequences in it.

    Attributes:
        name: ``seq_name`` of the sequences.
        sequences: Their numbers.
        rows: Their flat frames, ascending.
        part: File that keeps its estimates.
    """

    name: str
    sequences: np.ndarray
    rows: np.ndarray
    part: Path


@dataclass(eq=False)
class ExtractionWork:
    """What all videos have in common.

    Attributes:
        seqs: The annotated sequences, N flat frames.
        annotation: Their persons.
        numbers: Frame of the video, (N,) int64.
        root: Folder of the videos.
        inferencer: Has ``reader`` and ``keypoint_names``.
        adapter: From the estimator's keypoints to the annotated ones.
        gt_boxes: Whether the estimator gets the annotated boxes.
    """

    seqs: PoseSequences
    annotation: Annotation
    numbers: np.ndarray
    root: Path
    inferencer: Any
    adapter: SkeletonAdapter
    gt_boxes: bool


class AnnotatedBoxes:
    """A detector that gives the annotated boxes of one frame after another.

    Args:
        boxes: Of the frames that will come, in their order.
    """

    def __init__(self, boxes: Iterator[Boxes]) -> None:
        self.boxes = boxes

    def __call__(self, images: Sequence[np.ndarray]) -> List[Boxes]:
        """Give the boxes of the next frames."""
        return [next(self.boxes) for _ in images]


def run_video(
    video: AnnotatedVideo,
    work: ExtractionWork,
    advance: Callable[[], object],
) -> Dict[str, np.ndarray]:
    """Estimate the poses of the annotated persons of a video.

    Args:
        video: Which one; n flat frames.
        work: Annotations and models.
        advance: Counts a frame.

    Returns:
        ``keypoints_est`` (n, K, 2), ``scores`` (n, K), ``image_size`` (2,),
        ``fps`` (NaN: not known) and ``keypoint_names`` (K,).

    Raises:
        ValueError: If it cannot be read, lacks annotated frames, or has
            another size than the annotations say.
        OSError: If there is no such video.
    """
    source = open_source(find_video(work.root, video.name))
    by_frame = _rows_by_frame(video, work)
    shape = work.seqs.scores.shape
    estimates = np.full((*shape, 2), np.nan, np.float32)
    scores = np.zeros(shape, np.float32)
    size = None
    reader = _reader(by_frame, work)
    # Boxes that are carried from frame to frame need all of them.
    every = reader.det_interval > 1
    frames = _wanted(source, by_frame, work, video, every)
    for frame, found in reader.read(frames, reader.batch_size, StageClock()):
        size = frame.size
        if frame.index not in by_frame:
            continue
        rows = by_frame[frame.index]
        poses = map_poses(found, work.adapter)
        if work.gt_boxes:
            there = rows[work.annotation.present[rows]]
            pairs = list(zip(there, range(len(there))))
        else:
            pairs = match_persons(work.annotation, rows, poses)
        for row, person in pairs:
            estimates[row] = poses.keypoints[person]
            scores[row] = poses.keypoint_scores[person]
        advance()
    return dict(
        keypoints_est=estimates[video.rows],
        scores=scores[video.rows],
        image_size=np.asarray(size, np.float32),
        fps=np.asarray(source.fps or np.nan, np.float32),
        keypoint_names=np.asarray(work.seqs.meta['keypoint_names']),
    )


def find_video(root: Path, name: str) -> Path:
    """The video, or the folder of pictures, of a sequence.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If there are several.
    """
    place = root / name
    found = [place] if place.exists() else []
    if place.parent.is_dir():
        found += sorted(
            path
            for path in place.parent.iterdir()
            if path.stem == place.name
            and path.suffix.lower() in VIDEO_SUFFIXES
            and path != place
        )
    if not found:
        raise FileNotFoundError(
            f'{place}: no such video or folder of pictures'
        )
    if len(found) > 1:
        raise ValueError(
            f'{place}: expected one video or folder of pictures, found '
            + ' and '.join(path.name for path in found)
        )
    return found[0]


def _rows_by_frame(
    video: AnnotatedVideo, work: ExtractionWork
) -> Dict[int, np.ndarray]:
    """Flat frames by the number of their frame in the video, ascending."""
    numbers = work.numbers[video.rows]
    frames, first = np.unique(np.sort(numbers), return_index=True)
    order = video.rows[np.argsort(numbers, kind='stable')]
    return dict(zip(frames.tolist(), np.split(order, first[1:])))


def _reader(
    by_frame: Dict[int, np.ndarray], work: ExtractionWork
) -> PoseReader:
    """The inferencer's reader, or one that gets the annotated boxes."""
    reader = work.inferencer.reader
    if not work.gt_boxes:
        return reader
    detector = AnnotatedBoxes(
        _boxes(rows, work.annotation) for rows in by_frame.values()
    )
    return PoseReader(detector, reader.estimator, 1, reader.batch_size)


def _boxes(rows: np.ndarray, annotation: Annotation) -> Boxes:
    boxes = annotation.boxes[rows[annotation.present[rows]]]
    if not len(boxes):
        return no_boxes()
    boxes = enlarge_boxes(boxes).astype(np.float32)
    return Boxes(boxes, np.ones(len(boxes), np.float32))


def _wanted(
    source: FrameSource,
    by_frame: Dict[int, np.ndarray],
    work: ExtractionWork,
    video: AnnotatedVideo,
    every: bool,
) -> Iterator[Frame]:
    """The frames of the sequences; refuses a video that lacks some.

    Frames before the last of them that belong to no sequence are given only
    if ``every`` is True.
    """
    last = max(by_frame)
    expected: Optional[np.ndarray] = None
    if work.seqs.image_size is not None:
        expected = work.seqs.image_size[video.sequences]
    count = 0
    for frame in source:
        count += 1
        if expected is not None and (expected != frame.size).any():
            wrong = expected[(expected != frame.size).any(1)][0]
            raise ValueError(
                f'{source.name}: frame {frame.index}: expected '
                f'{wrong[0]:g} x {wrong[1]:g} px as annotated, found '
                f'{frame.size[0]} x {frame.size[1]}'
            )
        if every or frame.index in by_frame:
            yield frame
        if frame.index >= last:
            return
    raise ValueError(
        f'{source.name}: expected at least {last + 1} frames as annotated, '
        f'found {count}'
    )
