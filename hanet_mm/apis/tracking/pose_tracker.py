"""Tell the persons of a video apart, frame by frame, by box and pose."""

from typing import Any, List, NamedTuple, Optional, Sequence

import numpy as np
from numpy.typing import ArrayLike

from .association import (
    FREE,
    REPEATED,
    assign_free,
    find_repeated,
    recovery,
)
from .detections import Detections, read_detections
from .similarity import Persons, person_similarity
from .track import Track

# Mean of COCO's sigmas of the body, without the face.
_SIGMA = 0.08
# For how many misses a person is remembered after each sight.
_MISSES_PER_HIT = 3


class TrackedFrame(NamedTuple):
    """Who the persons of a frame are, in the order in which they came."""

    track_ids: np.ndarray  # (N, ) int64, -1: nobody's
    segments: np.ndarray  # (N, ) int64 within the track, -1: nobody's


class PoseTracker:
    """Tracker of persons with boxes and keypoints.

    Detections are assigned to the known persons, all at once (Hungarian
    method), by ``w OKS + (1 - w) IoU`` with where their pose and box should
    be now. Three rounds, each with what the ones before left over:

    1. all persons, detections with a score of ``new_track_score`` or more;
    2. detections with a lower score (ByteTrack, ECCV 2022: someone half
       hidden has a low score), here for persons missed before, too: who comes
       out from behind someone is half hidden at first;
    3. recovery of persons that did not move as predicted (compare OC-SORT,
       CVPR 2023): detections near the last sight with the same size and, up
       to the place, the same pose.

    Whoever moved by more than ``max_jump`` body sizes per frame begins a new
    segment of the track.

    What then is left with a score of at least ``new_track_score`` is a new
    person. A person that is missed is remembered for ``max_missed`` frames,
    but for no more than three times as many calls as it has been seen in; the
    other persons have no part in that. Ids are not used again.

    Why not one of the trackers around: MMDet's ByteTracker and OCSORTTracker
    hand no keypoints to their association, drop and reorder detections, do
    not move on in frames without anybody and keep all they have seen in
    memory; norfair matches greedily and holds numpy and filterpy at old
    releases; trackers knows boxes only and needs numpy 2; boxmot is heavy.
    So the motion model is MMDet's ``KalmanFilter``, the assignment is scipy's
    ``linear_sum_assignment``, and between them is this package.

    Args:
        sigmas (Sequence[float], optional): How widely annotators place each
            keypoint, (K, ), ``dataset_meta['sigmas']``. Defaults to 0.08 for
            all.
        oks_weight (float): w, 0: boxes only, 1: keypoints where there are
            any. Defaults to 0.7.
        match_thr (float): Least similarity in rounds 1 and 2. Defaults to
            0.3.
        new_track_score (float): Least score of a new person. Detections
            below it, if the detector gives any, serve round 2. Defaults to
            0.3.
        keypoint_thr (float): Keypoints with a lower score do not count.
            Defaults to 0.3.
        max_missed (int): How many frames a person is remembered. Defaults to
            30.
        max_jump (float): Largest move within a segment, in body sizes per
            frame. Defaults to 1.

    Raises:
        ImportError: If scipy or MMDet is not installed.
        ValueError: If an argument is out of range.
    """

    def __init__(
        self,
        sigmas: Optional[Sequence[float]] = None,
        oks_weight: float = 0.7,
        match_thr: float = 0.3,
        new_track_score: float = 0.3,
        keypoint_thr: float = 0.3,
        max_missed: int = 30,
        max_jump: float = 1.0,
    ) -> None:
        # Here, for split_jumps needs numpy only.
        from mmdet.models.task_modules.tracking import KalmanFilter

        if not 0 <= oks_weight <= 1:
            raise ValueError(
                f'oks_weight must be from 0 to 1, got {oks_weight}'
            )
        if not 0 < match_thr <= 1:
            raise ValueError(
                f'match_thr must be above 0 and at most 1, got {match_thr}'
            )
        if max_missed < 0 or max_jump <= 0:
            raise ValueError(
                'max_missed must be at least 0 and max_jump above 0, got '
                f'{max_missed} and {max_jump}'
            )
        self.sigmas = np.asarray(
            _SIGMA if sigmas is None else sigmas, np.float64
        )
        self.oks_weight = oks_weight
        self.match_thr = match_thr
        self.new_track_score = new_track_score
        self.keypoint_thr = keypoint_thr
        self.max_missed = max_missed
        self.max_jump = max_jump
        self._motion: Any = KalmanFilter()
        self.reset()

    def reset(self) -> None:
        """Forget everybody, for another video: ids begin with 0 again."""
        self._tracks: List[Track] = []
        self._next_id = 0
        self._frame_index: Optional[int] = None
        self._num_keypoints: Optional[int] = None

    def update(
        self,
        frame_index: int,
        bboxes: Optional[ArrayLike],
        bbox_scores: Optional[ArrayLike],
        keypoints: ArrayLike,
        keypoint_scores: Optional[ArrayLike] = None,
    ) -> TrackedFrame:
        """Tell who the persons of the next frame are.

        Nobody's (id -1) are: who is found a second time in the same frame,
        of which the one with the higher score counts; a detection with a low
        score that continues no track; and one without a finite box and with
        less than three keypoints.

        Args:
            frame_index (int): Higher than that of the last call. Frames may
                be left out.
            bboxes (array, optional): (N, 4) x1, y1, x2, y2 px, NaN where
                missing. Defaults to boxes around the keypoints.
            bbox_scores (array, optional): (N, ). Defaults to 1.
            keypoints (array): (N, K, 2) px, NaN where missing; N may be 0.
            keypoint_scores (array, optional): (N, K). Defaults to 1.

        Returns:
            TrackedFrame: Ids and segments, (N, ) each.

        Raises:
            ValueError: One line naming the frame, if a shape is wrong or the
                frames do not come in order.
        """
        found = read_detections(
            frame_index,
            bboxes,
            bbox_scores,
            keypoints,
            keypoint_scores,
            self.keypoint_thr,
        )
        self._check_order(frame_index, found)
        self._predict(frame_index)
        return self._take(frame_index, found, self._assign(found))

    def _check_order(self, frame_index: int, found: Detections) -> None:
        last = self._frame_index
        if last is not None and frame_index <= last:
            raise ValueError(
                f'frame {frame_index}: expected a frame after {last}, the '
                'last one; reset() begins another video'
            )
        count = found.persons.keypoints.shape[1]
        if found.num_given:
            expected = self.sigmas.size if self.sigmas.ndim else count
            expected = self._num_keypoints or expected
            if count != expected:
                raise ValueError(
                    f'frame {frame_index}: expected {expected} keypoints, '
                    f'found {count}'
                )
            self._num_keypoints = count

    def _predict(self, frame_index: int) -> None:
        if self._frame_index is not None:
            steps = frame_index - self._frame_index
            for track in self._tracks:
                # After a long pause, where someone was is as good as any.
                track.predict(min(steps, self.max_missed + 1))
        self._frame_index = frame_index

    def _assign(self, found: Detections) -> np.ndarray:
        """Place of the track of each detection, ``FREE`` or ``REPEATED``."""
        persons, sigmas = found.persons, self.sigmas
        assigned = np.full(len(found.scores), FREE)
        if not len(assigned):
            return assigned
        alike = person_similarity(persons, persons, sigmas, self.oks_weight)
        assigned[find_repeated(alike)] = REPEATED
        if not self._tracks:
            return assigned
        predicted = Persons(
            np.stack([track.predicted_box for track in self._tracks]),
            np.stack([track.predicted_keypoints for track in self._tracks]),
            np.stack([track.valid for track in self._tracks]),
        )
        similarity = person_similarity(
            predicted, persons, sigmas, self.oks_weight
        )
        similarity[similarity < self.match_thr] = 0
        high = found.scores >= self.new_track_score
        assign_free(similarity, assigned, high)
        assign_free(similarity, assigned, ~high)
        nearness = recovery(self._tracks, predicted, persons, sigmas)
        assign_free(nearness, assigned, high)
        return assigned

    def _take(
        self, frame_index: int, found: Detections, assigned: np.ndarray
    ) -> TrackedFrame:
        """Move the tracks to their detections and begin the new ones."""
        ids = np.full(found.num_given, -1, np.int64)
        segments = ids.copy()
        known = self._tracks
        for track in known:
            track.missed += 1
        for place, number in enumerate(assigned):
            new = number == FREE
            if number == REPEATED or (
                new and found.scores[place] < self.new_track_score
            ):
                continue
            if new:
                track = Track(self._next_id, self._motion)
                self._next_id += 1
                self._tracks = [*self._tracks, track]
            else:
                track = known[number]
            person = found.persons.take(np.array([place]))
            track.see(person, frame_index, self.max_jump)
            ids[found.index[place]] = track.track_id
            segments[found.index[place]] = track.segment
        self._tracks = [x for x in self._tracks if self._remembers(x)]
        return TrackedFrame(ids, segments)

    def _remembers(self, track: Track) -> bool:
        if not track.missed:
            return True
        away = self._frame_index - track.last_frame
        return away <= self.max_missed and track.missed <= (
            _MISSES_PER_HIT * track.hits
        )
