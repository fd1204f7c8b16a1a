# Copyright (c) hanet_mm contributors. All rights reserved.
"""Track the people of a video, frame by frame, by box and pose.

M: known people, N: detections of a frame, K: keypoints; boxes x1, y1, x2, y2.
"""

from typing import List, NamedTuple, Optional, Sequence

import numpy as np
from numpy.typing import ArrayLike

from hanet_mm.core.data.gaps import UNKNOWN_SCORE
from hanet_mm.core.data.plausible import LARGEST, beyond_float32
from hanet_mm.core.poses.assignment import assign_pairs
from hanet_mm.core.poses.boxes import (
    MIN_COMMON_KEYPOINTS,
    box_areas,
    box_centers,
    box_iou,
    boxes_around,
    keypoint_similarity,
)

from .jumps import body_sizes, valid_keypoints
from .known_people import (
    KnownPerson,
    People,
    predict_all,
    predicted_people,
    see_all,
)

_SIGMA = 0.08  # mean of COCO's sigmas of the body, without the face
_MISSES_PER_HIT = 3  # misses for which a person is remembered
# Top-down estimators see a person with this much around the keypoints.
_PADDING = 1.25
_FREE, _REPEATED = -1, -2  # in place of the number of a track
# As alike as this, two detections of a frame are the same person twice.
_DUPLICATE = 0.7
# Recovery: farthest away (body sizes) and least similarity of aligned poses.
_REACH_LOST, _REACH_NEXT, _POSE_RECOVERED = 0.5, 1.0, 0.5
# The same of a jump, by someone seen this often.
_REACH_JUMP, _POSE_JUMP, _HITS_JUMP = 2.0, 0.85, 10
_SIZE_RATIO = 1.3  # how much larger one body may be than the other


class TrackedFrame(NamedTuple):
    """Track ids of the people of a frame, in the order of the input."""

    track_ids: np.ndarray  # (N, ) int64, -1: not a person of its own
    segments: np.ndarray  # (N, ) int64 within the track, -1 likewise


class PoseTracker:
    """Tracker of people with boxes and keypoints.

    Detections are assigned to the known people, all at once (Hungarian
    method), by ``w OKS + (1 - w) IoU`` with where their pose and box should
    be now (see :mod:`hanet_mm.apis.video.box_motion`). Three rounds, each
    with what the ones before left over:

    1. all people, detections with a score of ``new_track_score`` or more;
    2. detections with a lower score (ByteTrack, ECCV 2022: someone half
       hidden has a low score), also for people missed before;
    3. recovery of people who did not move as predicted (compare OC-SORT,
       CVPR 2023): detections near the last sight with the same size and, up
       to the place, the same pose.

    What then is left with a score of at least ``new_track_score`` is a new
    person. Someone missed is remembered for no more than three times as many
    calls as seen. Ids are not used again.

    Args:
        sigmas (Sequence[float], optional): Of the keypoints, (K, ),
            ``dataset_meta['sigmas']``. Defaults to 0.08 for all.
        oks_weight (float): w, 0: boxes only, 1: keypoints where there are
            any. Defaults to 0.7.
        match_thr (float): Least similarity in rounds 1 and 2. Defaults to
            0.3.
        new_track_score (float): Least score of a new person. Defaults to
            0.3.
        keypoint_thr (float): Keypoints with a lower score do not count.
            Defaults to 0.3.
        max_missed (int): How many frames a person is remembered. Defaults to
            30.
        max_jump (float): Whoever moves by more body sizes per frame begins a
            new segment of the track. Defaults to 1.

    Raises:
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
        for good, expected in (
            (0 <= oks_weight <= 1, f'oks_weight 0 to 1, found {oks_weight}'),
            (0 < match_thr <= 1, f'0 < match_thr <= 1, found {match_thr}'),
            (max_missed >= 0, f'max_missed from 0, found {max_missed}'),
            (max_jump > 0, f'max_jump above 0, found {max_jump}'),
        ):
            if not good:
                raise ValueError(f'expected {expected}')
        sigmas = _SIGMA if sigmas is None else sigmas
        self.sigmas = np.asarray(sigmas, np.float64)
        self.oks_weight, self.match_thr = oks_weight, match_thr
        self.new_track_score, self.keypoint_thr = new_track_score, keypoint_thr
        self.max_missed, self.max_jump = max_missed, max_jump
        self.reset()

    def reset(self) -> None:
        """Forget everybody, for another video: ids begin with 0 again."""
        self._known: List[KnownPerson] = []
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
        """Assign the people of the next frame to tracks.

        Id -1: someone found twice (the higher score counts), a low score
        that continues no track, or neither box nor three keypoints.

        Args:
            frame_index (int): Above that of the last call; may skip frames.
            bboxes (array, optional): (N, 4) x1, y1, x2, y2 px, NaN or
                infinite where unknown. Defaults to what encloses the
                keypoints.
            bbox_scores (array, optional): (N, ); None or NaN:
                :data:`hanet_mm.core.data.gaps.UNKNOWN_SCORE`.
            keypoints (array): (N, K, 2) px, NaN where missing.
            keypoint_scores (array, optional): (N, K). Defaults to None: all
                keypoints count.

        Returns:
            TrackedFrame: Ids and segments, (N, ) each.

        Raises:
            ValueError: If a shape, a value or the order of the frames is
                wrong; nothing has changed then.
        """
        given = bboxes, bbox_scores, keypoints, keypoint_scores
        try:
            people, scores = _read(*given, self.keypoint_thr)
            self._check(frame_index, people)
        except ValueError as error:
            raise ValueError(f'frame {frame_index}: {error}') from None
        if self._frame_index is not None:
            steps = frame_index - self._frame_index
            # After a long pause, where someone was is as good as any.
            predict_all(self._known, min(steps, self.max_missed + 1))
        self._frame_index = frame_index
        # An order of the people, not of the arguments: by score and box.
        order = np.lexsort([*people.boxes.T[::-1], -scores])
        order = order[np.isfinite(people.boxes[order]).all(1)]
        ids = np.full((2, len(scores)), -1, np.int64)
        people, scores = people.take(order), scores[order]
        ids[:, order] = self._follow(people, scores)
        return TrackedFrame(*ids)

    def _check(self, frame_index: int, people: People) -> None:
        last = self._frame_index
        if last is not None and frame_index <= last:
            raise ValueError(f'expected a frame after {last}, or reset()')
        if not len(people.boxes):
            return  # readers have no K for a frame without anybody
        count = people.keypoints.shape[1]
        expected = self.sigmas.size if self.sigmas.ndim else count
        expected = self._num_keypoints or expected
        if count != expected:
            raise ValueError(f'expected {expected} keypoints, found {count}')
        self._num_keypoints = count

    def _assign(self, people: People, scores: np.ndarray) -> np.ndarray:
        """Number of the known person, or ``_FREE`` or ``_REPEATED``, (N, )."""
        assigned = np.full(len(scores), _FREE)
        if len(assigned):
            assigned[_repeats(self._similarity(people, people))] = _REPEATED
        if not len(assigned) or not self._known:
            return assigned
        predicted = predicted_people(self._known)
        similarity = self._similarity(predicted, people)
        similarity[similarity < self.match_thr] = 0
        high = scores >= self.new_track_score
        _assign_free(similarity, assigned, high)
        _assign_free(similarity, assigned, ~high)
        nearness = _recovery(self._known, predicted, people, self.sigmas)
        _assign_free(nearness, assigned, high)
        return assigned

    def _similarity(self, first: People, second: People) -> np.ndarray:
        """Weighted mean of OKS and IoU, the IoU where there is no OKS."""
        iou = box_iou(first.boxes, second.boxes)
        oks = _pose_similarity(first, second, self.sigmas)
        mixed = self.oks_weight * oks + (1 - self.oks_weight) * iou
        return np.where(np.isnan(oks), iou, mixed)

    def _follow(self, people: People, scores: np.ndarray) -> np.ndarray:
        """Move tracks to their detections, begin new ones; ids, segments."""
        assigned = self._assign(people, scores)
        for person in self._known:
            person.missed += 1
        begun = (assigned == _FREE) & (scores >= self.new_track_score)
        new = [KnownPerson(self._next_id + x) for x in range(begun.sum())]
        self._next_id += len(new)
        assigned[begun] = len(self._known) + np.arange(len(new))
        self._known = [*self._known, *new]
        places = np.flatnonzero(assigned >= 0)
        seen = [self._known[x] for x in assigned[places]]
        see_all(seen, people.take(places), self._frame_index, self.max_jump)
        out = np.full((2, len(scores)), -1, np.int64)
        out[0, places] = [person.track_id for person in seen]
        out[1, places] = [person.segment for person in seen]
        oldest = self._frame_index - self.max_missed
        self._known = [
            x
            for x in self._known
            if x.last_frame >= oldest and x.missed <= _MISSES_PER_HIT * x.hits
        ]
        return out


def _read(
    bboxes: Optional[ArrayLike],
    bbox_scores: Optional[ArrayLike],
    keypoints: ArrayLike,
    keypoint_scores: Optional[ArrayLike],
    keypoint_thr: float,
) -> tuple:
    """Check the people of a frame; them and their box scores.

    Boxes without a positive size are replaced by those of the keypoints.
    """
    points = np.asarray(keypoints, np.float64)
    if points.ndim and not len(points):
        nobody = np.zeros((0, 0, 2)), np.zeros((0, 0), bool)
        return People(np.zeros((0, 4)), *nobody), np.zeros(0)
    if points.ndim != 3 or points.shape[2] != 2:
        raise ValueError(
            f'keypoints must have shape (N, K, 2), got {points.shape}'
        )
    wrong = beyond_float32(points)
    if wrong.any():
        person, keypoint, axis = np.argwhere(wrong)[0]
        raise ValueError(
            f'keypoints: expected at most {LARGEST:.0f}, found '
            f'{points[person, keypoint, axis]:g} of person {person}'
        )
    valid = valid_keypoints(points, keypoint_scores, keypoint_thr)
    around = boxes_around(points, valid)
    around[valid.sum(1) < MIN_COMMON_KEYPOINTS] = np.nan
    # Keypoints in a line have a box, too.
    half = np.maximum((around[:, 2:] - around[:, :2]) * _PADDING / 2, 0.5)
    middle = box_centers(around)
    boxes = np.concatenate([middle - half, middle + half], 1)
    if bboxes is not None:
        given = _check_shape('bboxes', bboxes, boxes.shape)
        usable = ~(np.isnan(given) | beyond_float32(given)).any(1)
        usable &= (given[:, 2:] > given[:, :2]).all(1)
        boxes = np.where(usable[:, None], given, boxes)
    scores = np.full(len(points), UNKNOWN_SCORE)
    if bbox_scores is not None:
        given = _check_shape('bbox_scores', bbox_scores, scores.shape)
        scores = np.where(np.isnan(given), scores, given)
    return People(boxes, points, valid), scores


def _check_shape(name: str, value: ArrayLike, shape: tuple) -> np.ndarray:
    array = np.asarray(value, np.float64)
    if array.shape != shape:
        raise ValueError(f'{name} must have shape {shape}, got {array.shape}')
    return array


def _pose_similarity(
    first: People, second: People, sigmas: np.ndarray, align: bool = False
) -> np.ndarray:
    """OKS with the mean of the two boxes as area, (M, N)."""
    areas = box_areas(first.boxes)[:, None] + box_areas(second.boxes)[None]
    both = first.valid[:, None] & second.valid[None]
    return keypoint_similarity(
        first.keypoints, second.keypoints, both, areas / 2, sigmas, align
    )


def _assign_free(
    similarity: np.ndarray, assigned: np.ndarray, allowed: np.ndarray
) -> None:
    """Assign allowed free detections to free people, in place.

    The sum of similarities (M, N) is the largest; 0 is never assigned.
    """
    columns = np.flatnonzero(allowed & (assigned == _FREE))
    rows = np.setdiff1d(np.arange(len(similarity)), assigned)
    for row, column in assign_pairs(similarity[np.ix_(rows, columns)]):
        assigned[columns[column]] = rows[row]


def _repeats(similarity: np.ndarray) -> np.ndarray:
    """Detections (best first) of someone found before, bool (N, )."""
    alike = np.tril(similarity >= _DUPLICATE, -1)
    repeated = np.zeros(len(alike), bool)
    for index in np.flatnonzero(alike.any(1)):
        repeated[index] = (alike[index] & ~repeated).any()
    return repeated


def _recovery(
    known: Sequence[KnownPerson],
    predicted: People,
    people: People,
    sigmas: np.ndarray,
) -> np.ndarray:
    """Similarity of detections to people off their path, (M, N)."""
    fresh = np.array([[person.missed == 0] for person in known])
    settled = np.array([[person.hits >= _HITS_JUMP] for person in known])
    last_seen = np.stack([person.box for person in known])
    sizes, found = body_sizes(last_seen)[:, None], body_sizes(people.boxes)
    places = box_centers(np.stack([last_seen, predicted.boxes]))
    steps = places[:, :, None] - box_centers(people.boxes)
    away = np.linalg.norm(steps, axis=-1).min(0) / np.maximum(sizes, found)
    pose = _pose_similarity(predicted, people, sigmas, align=True)
    reach = np.where(fresh, _REACH_NEXT, _REACH_LOST)
    fits = (away < reach) & (pose >= _POSE_RECOVERED)
    jumps = (away < _REACH_JUMP) & (pose >= _POSE_JUMP)
    fits |= fresh & settled & jumps
    fits &= np.maximum(sizes / found, found / sizes) <= _SIZE_RATIO
    return np.where(fits, (1 - away / _REACH_JUMP) * pose, 0)
