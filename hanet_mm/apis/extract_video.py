# Copyright (c) hanet_mm contributors. All rights reserved.
"""Estimates for the annotated persons of one video.

N: frames of all sequences (flat), M: annotated persons of a frame, P: persons
found in it, K: keypoints.
"""

from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np

from hanet_mm.core.data.gaps import (
    fill_missing,
    missing_keypoints,
    nearest_seen,
)
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.assignment import assign_pairs
from hanet_mm.core.poses.boxes import (
    box_areas,
    box_iou,
    boxes_around,
    enlarge_boxes,
    keypoint_similarity,
)

from .annotations.bbox_file import FoundBoxes
from .annotations.posetrack_sequences import BOX_MARGIN, ENLARGED
from .video.frames import Frame
from .video.pipeline import PoseReader, StageClock
from .video.refine_stage import SkeletonAdapter
from .video.sources import (
    VIDEO_SUFFIXES,
    FrameSource,
    ImageSource,
    open_source,
)

# Persons less similar than this do not match: by their keypoints, and by
# their boxes where keypoints cannot tell, or the pose is badly wrong.
OKS_THRESHOLD = 0.3
IOU_THRESHOLD = 0.3
# Spread of a keypoint relative to the person, about the mean of COCO's; used
# for all, because it is not known for the keypoints of any skeleton.
_SIGMA = 0.08


class Annotation(NamedTuple):
    """Places of the annotated persons, in annotated frames and in between.

    Poses are interpolated between two annotated frames of a sequence, so that
    sparsely annotated videos can be matched in all frames.
    """

    keypoints: np.ndarray  # (N, K, 2) px
    known: np.ndarray  # keypoints that can be compared, bool (N, K)
    boxes: np.ndarray  # (N, 4) x1 y1 x2 y2 px; NaN where nobody is known
    annotated: np.ndarray  # any annotated keypoint, bool (N,)

    def present(self, rows: np.ndarray) -> np.ndarray:
        """Select the rows in which the person is known to be present."""
        return rows[np.isfinite(self.boxes[rows]).all(-1)]


class AnnotatedVideo(NamedTuple):
    """A video and the sequences in it."""

    name: str  # ``seq_name`` of the sequences
    sequences: np.ndarray  # their numbers
    rows: np.ndarray  # their flat frames, ascending
    part: Path  # file that keeps its estimates


class ExtractionWork(NamedTuple):
    """Inputs shared by all videos."""

    seqs: PoseSequences  # N flat frames
    annotation: Annotation
    numbers: np.ndarray  # frame of the video, (N,) int64
    root: Path  # folder of the videos
    inferencer: Any
    adapter: SkeletonAdapter  # to the annotated keypoints
    gt_boxes: bool
    # Names of the pictures, (N,), '' = none; None: frames of videos.
    images: Optional[np.ndarray] = None
    # Boxes by the names of pictures; None: a detector finds them.
    detections: Optional[Dict[str, FoundBoxes]] = None

    @property
    def known_boxes(self) -> bool:
        """Whether no detector has to run."""
        return self.gt_boxes or self.detections is not None

    @property
    def box_margin(self) -> float:
        """Share by which boxes are enlarged, unless they already were."""
        found = self.seqs.meta.get('bboxes')
        return 0.0 if found == ENLARGED else BOX_MARGIN


def run_video(
    video: AnnotatedVideo, work: ExtractionWork, advance: Callable[[], object]
) -> Dict[str, np.ndarray]:
    """Estimate the annotated persons of a video: the arrays of its part."""
    source, by_frame = _open_video(video, work)
    shape = work.seqs.scores.shape
    estimates = np.full((*shape, 2), np.nan, np.float32)
    scores = np.zeros(shape, np.float32)
    size = None
    reader = _make_reader(by_frame, work)
    # Boxes that are carried from frame to frame need all of them.
    every = reader.det_interval > 1
    frames = _wanted_frames(source, by_frame, work, video, every)
    for frame in reader.read(frames, reader.batch_size, StageClock()):
        size = frame.size
        if frame.index not in by_frame:
            continue
        rows = by_frame[frame.index]
        map_poses(frame, work.adapter)
        if work.gt_boxes:
            there = work.annotation.present(rows)
            pairs = list(zip(there, range(len(there))))
        else:
            pairs = match_persons(work.annotation, rows, frame)
        for row, person in pairs:
            estimates[row] = frame.keypoints[person]
            scores[row] = frame.keypoint_scores[person]
        advance()
    return dict(
        keypoints_est=estimates[video.rows],
        scores=scores[video.rows],
        image_size=np.asarray(size, np.float32),
        fps=np.asarray(source.fps or np.nan, np.float32),
        keypoint_names=np.asarray(work.seqs.meta['keypoint_names']),
    )


def find_video(root: Path, name: str) -> Path:
    """The video, or the folder of pictures, of a sequence."""
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


def _open_video(
    video: AnnotatedVideo, work: ExtractionWork
) -> Tuple[FrameSource, Dict[int, np.ndarray]]:
    """The source of a video and the flat frames of its frames."""
    by_number = rows_by_frame(video, work)
    if work.images is None:
        return open_source(find_video(work.root, video.name)), by_number
    names = [work.images[found[0]] for found in by_number.values()]
    missing = [x for x in names if not (work.root / x).is_file()]
    if missing or not names:
        text = f'{len(missing)} of {len(names)} pictures are missing'
        place = work.root / missing[0] if missing else work.root
        raise FileNotFoundError(f'{place}: no such picture; {text}')
    source = ImageSource([work.root / x for x in names], video.name)
    return source, dict(enumerate(by_number.values()))


def rows_by_frame(
    video: AnnotatedVideo, work: ExtractionWork
) -> Dict[int, np.ndarray]:
    """Flat frames by the number of their frame in the video, ascending."""
    rows = video.rows
    if work.images is not None:
        rows = rows[work.images[rows] != '']
    numbers = work.numbers[rows]
    frames, first = np.unique(np.sort(numbers), return_index=True)
    order = rows[np.argsort(numbers, kind='stable')]
    return dict(zip(frames.tolist(), np.split(order, first[1:])))


def _make_reader(
    by_frame: Dict[int, np.ndarray], work: ExtractionWork
) -> PoseReader:
    """The inferencer's reader, or one whose boxes are known already."""
    reader = work.inferencer.reader
    if not work.known_boxes:
        return reader
    boxes = (_boxes(rows, work) for rows in by_frame.values())

    def detect(frames: Sequence[Frame]) -> None:
        for frame in frames:
            frame.bboxes, frame.bbox_scores = next(boxes)

    return PoseReader(detect, reader.estimator, 1, reader.batch_size)


def _boxes(rows: np.ndarray, work: ExtractionWork) -> FoundBoxes:
    """Boxes of a frame: annotated, or read."""
    if work.detections is not None and work.images is not None:
        none = FoundBoxes(
            np.zeros((0, 4), np.float32), np.zeros(0, np.float32)
        )
        return work.detections.get(work.images[rows[0]], none)
    boxes = work.annotation.boxes[work.annotation.present(rows)]
    boxes = enlarge_boxes(boxes, work.box_margin).astype(np.float32)
    return FoundBoxes(boxes, np.ones(len(boxes), np.float32))


def _wanted_frames(
    source: FrameSource,
    by_frame: Dict[int, np.ndarray],
    work: ExtractionWork,
    video: AnnotatedVideo,
    every: bool,
) -> Iterator[Frame]:
    """Frames of the sequences, or all up to the last; some may not lack."""
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


def read_annotation(seqs: PoseSequences) -> Annotation:
    """Take the ground truth of sequences, D = 2 px, for matching."""
    truth = seqs.keypoints_gt
    weights = seqs.visible
    if weights is None:
        weights = np.ones(truth.shape[:2], np.float32)
    missing = missing_keypoints(truth, weights)
    annotated = ~missing.all(1)
    keypoints = np.where(missing[..., None], np.nan, truth)
    known = ~missing
    for start, length in zip(seqs.starts, seqs.seq_len):
        rows = slice(start, start + length)
        if annotated[rows].any():
            before, after = nearest_seen(missing[rows])
            known[rows] = (before >= 0) & (after < length)
            keypoints[rows] = fill_missing(
                keypoints[rows], missing[rows], np.array([length])
            )
    boxes = boxes_around(keypoints, known)
    if seqs.bboxes is not None:
        given = annotated & np.isfinite(seqs.bboxes).all(-1)
        boxes[given] = seqs.bboxes[given]
    return Annotation(keypoints, known, boxes, annotated)


def match_persons(
    annotation: Annotation, rows: np.ndarray, found: Frame
) -> List[Tuple[int, int]]:
    """Match the persons of flat frames (M,) with P found ones, one-to-one.

    First the pairs with the largest sum of object keypoint similarities, of
    those of at least ``OKS_THRESHOLD``; then, among the persons that are
    left, likewise by the IoU of their boxes. Returns pairs of a flat frame
    and the number of a person found.
    """
    rows = annotation.present(rows)
    if not len(rows) or not len(found):
        return []
    boxes = annotation.boxes[rows].astype(np.float64)
    seen = found.bboxes.astype(np.float64)
    valid = ~missing_keypoints(found.keypoints, found.keypoint_scores)
    similarity = keypoint_similarity(
        annotation.keypoints[rows],
        found.keypoints,
        annotation.known[rows][:, None] & valid[None],
        (box_areas(boxes)[:, None] + box_areas(seen)[None]) / 2,
        np.full(found.keypoints.shape[1], _SIGMA),
    )
    pairs = assign_pairs(np.nan_to_num(similarity), OKS_THRESHOLD)
    # Boxes of detectors surround the body, those of keypoints its joints.
    overlap = np.maximum(
        box_iou(boxes, seen), box_iou(enlarge_boxes(boxes, BOX_MARGIN), seen)
    )
    for m, p in pairs:
        overlap[m], overlap[:, p] = 0, 0
    pairs += assign_pairs(overlap, IOU_THRESHOLD)
    return [(int(rows[m]), p) for m, p in pairs]


def map_poses(frame: Frame, adapter: SkeletonAdapter) -> None:
    """Map to the annotated keypoints; missing ones are NaN, score 0."""
    keypoints, scores = adapter.to_refiner(
        frame.keypoints, frame.keypoint_scores
    )
    lost = ~np.isfinite(keypoints).all(-1) | ~np.isfinite(scores)
    # A heatmap without any response gives scores below 0.
    lost |= ~(scores > 0)
    points = np.where(lost[..., None], np.nan, keypoints)
    frame.keypoints = points.astype(np.float32)
    frame.keypoint_scores = np.where(lost, 0, scores).astype(np.float32)
