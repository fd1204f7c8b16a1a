# Copyright (c) hanet_mm contributors. All rights reserved.
"""PoseTrack's annotated persons as sequences, one for each of a video."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any, Dict, List, Sequence

import numpy as np

from hanet_mm.core.poses.boxes import enlarge_boxes

from .posetrack import KEYPOINTS, Person, Video

# Paper section 4.4: boxes are enlarged by 25 %.
BOX_MARGIN = 0.25
# What ``meta`` says of such boxes.
ENLARGED = (
    'annotated boxes enlarged by 25 %, in other frames interpolated; without '
    'annotation those of the estimates'
)
# Of the videos, 1/s; the files have none.
FPS = 25.0


@dataclass(eq=False)
class Track:
    """One person of a video; keys are numbers of frames."""

    track_id: int  # as annotated, or that of nobody
    truth: Dict[int, Person] = field(default_factory=dict)
    found: Dict[int, int] = field(default_factory=dict)  # which detection

    def span(self) -> range:
        """From the first to the last frame with annotation or pose."""
        frames = [*self.truth, *self.found]
        return range(min(frames), max(frames) + 1)


def annotated_tracks(video: Video) -> List[Track]:
    """The annotated persons of a video, by id.

    Of an id that two persons of a frame share, the second is a person of its
    own, behind the first.
    """
    tracks: Dict[int, List[Track]] = defaultdict(list)
    for number in sorted(video.frames):
        for person in video.frames[number].persons:
            own = tracks[person.track_id]
            free = [track for track in own if number not in track.truth]
            if not free:
                free = [Track(person.track_id)]
                own += free
            free[0].truth[number] = person
    return [track for _, own in sorted(tracks.items()) for track in own]


def truth_arrays(video: Video, track: Track) -> Dict[str, np.ndarray]:
    """What the annotation says of the frames of a track, (T, ...) each."""
    span = track.span()
    arrays = dict(
        keypoints_gt=np.full(
            (len(span), len(KEYPOINTS), 2), np.nan, np.float32
        ),
        head_size_gt=np.full(len(span), np.nan, np.float32),
        frame_number=np.asarray(span, dtype=np.int64),
        track_id_gt=np.full(len(span), track.track_id, dtype=np.int64),
        order_gt=np.full(len(span), -1, np.int64),
        annotated=np.array(
            [n in video.frames and video.frames[n].labelled for n in span],
            dtype=np.float32,
        ),
    )
    for number, truth in track.truth.items():
        place = number - span.start
        arrays['order_gt'][place] = next(
            index
            for index, other in enumerate(video.frames[number].persons)
            if other is truth
        )
        arrays['keypoints_gt'][place] = truth.keypoints
        if not np.isnan(truth.keypoints).all():
            arrays['head_size_gt'][place] = truth.head_size
    return arrays


def track_boxes(track: Track, found: Dict[int, Sequence[float]]) -> np.ndarray:
    """Boxes of a track, (T, 4) x1 y1 x2 y2, enlarged by ``BOX_MARGIN``.

    Annotated ones where the person was annotated at all, else those found in
    frames by number; between them linear in time, outside of them the
    nearest.
    """
    boxes: Dict[int, Any] = {
        number: truth.bbox
        for number, truth in track.truth.items()
        if not np.isnan(truth.bbox).any()
    } or dict(found)
    if not boxes:  # annotated without box, keypoints and head
        return np.full((len(track.span()), 4), np.nan, np.float32)
    numbers = sorted(boxes)
    known = np.stack([boxes[number] for number in numbers])
    inside = np.stack(
        [np.interp(track.span(), numbers, known[:, i]) for i in range(4)],
        axis=1,
    ).astype(np.float32)
    return enlarge_boxes(inside, BOX_MARGIN)


def describe_annotation(
    dataset: str, videos: Dict[str, Video]
) -> Dict[str, Any]:
    """``meta`` of what comes from the annotation."""
    regions = {
        name: {
            str(number): frame.regions
            for number, frame in sorted(video.frames.items())
            if frame.regions
        }
        for name, video in videos.items()
    }
    return {
        'dataset': dataset,
        'units': 'px',
        'coords': '2d',
        'keypoint_names': list(KEYPOINTS),
        'bboxes': ENLARGED,
        'head_size': '0.6 of the diagonal of the annotated head box',
        'ignore_regions': {
            name: frames for name, frames in regions.items() if frames
        },
    }
