"""Tell the persons of a video apart, frame by frame, by box and pose."""

from typing import Any, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np
from numpy.typing import ArrayLike

from .jumps import body_sizes, enclosing_boxes, relative_moves, valid_keypoints

# With fewer keypoints in common a pose tells nothing; the box has to.
MIN_KEYPOINTS = 3


class Persons(NamedTuple):
    """Persons of one frame, float64."""

    boxes: np.ndarray  # (N, 4) px, finite
    keypoints: np.ndarray  # (N, K, 2) px
    valid: np.ndarray  # (N, K) bool

    def take(self, index: np.ndarray) -> 'Persons':
        """Those at the given places."""
        return Persons(*(array[index] for array in self))


def box_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (M, 4) and (N, 4), (M, N)."""
    first, second = first[:, None], second[None]
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    common = np.clip(high - low, 0, None).prod(-1)
    union = _areas(first) + _areas(second) - common
    return common / np.maximum(union, 1e-12)


def keypoint_similarity(
    first: Persons, second: Persons, sigmas: np.ndarray, align: bool = False
) -> np.ndarray:
    """Object keypoint similarity (OKS) of COCO between tracked persons.

    ``mean_k exp(-d_k^2 / (2 a (2 sigma_k)^2))`` over the keypoints that both
    have, with a the mean of the two areas.

    Args:
        first: M persons.
        second: N persons.
        sigmas: (K, ).
        align: Compare the poses, wherever they are: without their mean
            distance.

    Returns:
        (M, N) from 0 to 1; NaN with less than ``MIN_KEYPOINTS`` in common.
    """
    both = first.valid[:, None] & second.valid[None]  # (M, N, K)
    count = both.sum(-1)
    steps = second.keypoints[None] - first.keypoints[:, None]
    steps = np.where(both[..., None], steps, 0)
    if align:
        mean = steps.sum(2) / np.maximum(count, 1)[..., None]
        steps -= mean[:, :, None]
    areas = (_areas(first.boxes)[:, None] + _areas(second.boxes)[None]) / 2
    spread = 2 * areas[..., None] * (2 * sigmas) ** 2
    closeness = np.exp(-(steps**2).sum(-1) / np.maximum(spread, 1e-12))
    total = (closeness * both).sum(-1)
    out = np.full(count.shape, np.nan)
    return np.divide(total, count, out=out, where=count >= MIN_KEYPOINTS)


def person_similarity(
    first: Persons, second: Persons, sigmas: np.ndarray, oks_weight: float
) -> np.ndarray:
    """Weighted mean of OKS and IoU, the IoU where there is no OKS, (M, N)."""
    iou = box_iou(first.boxes, second.boxes)
    oks = keypoint_similarity(first, second, sigmas)
    mixed = oks_weight * oks + (1 - oks_weight) * iou
    return np.where(np.isnan(oks), iou, mixed)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)


# Top-down estimators see a person with this much around the keypoints.
_PADDING = 1.25


class Detections(NamedTuple):
    """The persons of a frame that can be tracked, best first."""

    persons: Persons
    scores: np.ndarray  # (N, ) float64
    index: np.ndarray  # (N, ) their places in what came
    num_given: int


def read_detections(
    frame_index: int,
    bboxes: Optional[ArrayLike],
    bbox_scores: Optional[ArrayLike],
    keypoints: ArrayLike,
    keypoint_scores: Optional[ArrayLike],
    keypoint_thr: float,
) -> Detections:
    """Check the persons of a frame and leave out those that say nothing.

    A person without a finite box of a positive size gets the one around its
    keypoints; with fewer than three of these it is left out. The order is
    one of the persons, not of the arguments: by score, then by box.

    Args:
        frame_index: For messages.
        bboxes: (N, 4) x1, y1, x2, y2 px; None: around the keypoints.
        bbox_scores: (N, ); None or NaN: 1.
        keypoints: (N, K, 2) px; anything empty: nobody.
        keypoint_scores: (N, K); None: 1.
        keypoint_thr: Lowest score of a keypoint that counts.

    Raises:
        ValueError: One line naming the frame and the shape.
    """
    points = np.asarray(keypoints, np.float64)
    if points.ndim and not len(points):
        # Readers have no K for a frame without anybody.
        nobody = Persons(
            np.zeros((0, 4)), np.zeros((0, 0, 2)), np.zeros((0, 0), bool)
        )
        return Detections(nobody, np.zeros(0), np.zeros(0, np.int64), 0)
    try:
        if points.ndim != 3 or points.shape[2] != 2:
            raise ValueError(
                f'keypoints must have shape (N, K, 2), got {points.shape}'
            )
        valid = valid_keypoints(points, keypoint_scores, keypoint_thr)
        boxes = _read_boxes(bboxes, points, valid)
        scores = np.ones(len(points))
        if bbox_scores is not None:
            scores = _shaped('bbox_scores', bbox_scores, scores.shape)
            scores = np.where(np.isnan(scores), 1, scores)
    except ValueError as error:
        raise ValueError(f'frame {frame_index}: {error}') from None
    order = np.lexsort([*boxes.T[::-1], -scores])
    order = order[np.isfinite(boxes[order]).all(1)]
    persons = Persons(boxes, points, valid).take(order)
    return Detections(persons, scores[order], order, len(points))


def _read_boxes(
    bboxes: Optional[ArrayLike], points: np.ndarray, valid: np.ndarray
) -> np.ndarray:
    around = enclosing_boxes(points, valid)
    around[valid.sum(1) < MIN_KEYPOINTS] = np.nan
    middle = (around[:, :2] + around[:, 2:]) / 2
    # Keypoints in a line have a box, too.
    half = np.maximum((around[:, 2:] - around[:, :2]) * _PADDING / 2, 0.5)
    around = np.concatenate([middle - half, middle + half], 1)
    if bboxes is None:
        return around
    boxes = _shaped('bboxes', bboxes, (len(points), 4))
    usable = np.isfinite(boxes).all(1)
    usable &= (boxes[:, 2:] > boxes[:, :2]).all(1)
    return np.where(usable[:, None], boxes, around)


def _shaped(name: str, value: ArrayLike, shape: tuple) -> np.ndarray:
    array = np.asarray(value, np.float64)
    if array.shape != shape:
        raise ValueError(f'{name} must have shape {shape}, got {array.shape}')
    return array


# In place of the number of a track.
FREE = -1
REPEATED = -2

# As alike as this, two detections of a frame are the same person twice.
_DUPLICATE = 0.7
# Recovery: farthest away, in body sizes, and least likeness of the poses
# wherever they are, after a miss and in the very next frame.
_REACH_LOST, _REACH_NEXT = 0.5, 1.0
_POSE_RECOVERED = 0.5
# The same of a jump, by someone seen this often.
_REACH_JUMP, _POSE_JUMP, _HITS_JUMP = 2.0, 0.85, 10
# How much larger one body may be than the other.
_SIZE_RATIO = 1.3


def assign_free(
    similarity: np.ndarray, assigned: np.ndarray, allowed: np.ndarray
) -> None:
    """Assign free detections to free persons, in place.

    The sum of the similarities is the largest that there is (Hungarian
    method).

    Args:
        similarity: (M, N), 0 where it cannot be.
        assigned: Number of the person of each detection, ``FREE`` or
            ``REPEATED``, (N, ).
        allowed: Detections that take part, (N, ) bool.
    """
    # Here, for split_jumps needs numpy only.
    from scipy.optimize import linear_sum_assignment

    columns = np.flatnonzero(allowed & (assigned == FREE))
    rows = np.setdiff1d(np.arange(len(similarity)), assigned)
    values = similarity[np.ix_(rows, columns)]
    row, column = linear_sum_assignment(values, maximize=True)
    chosen = values[row, column] > 0
    assigned[columns[column[chosen]]] = rows[row[chosen]]


def find_repeated(similarity: np.ndarray) -> np.ndarray:
    """Which detections are someone found a second time.

    Args:
        similarity: Of the detections with each other, best first, (N, N).

    Returns:
        (N, ) bool.
    """
    alike = np.tril(similarity >= _DUPLICATE, -1)
    repeated = np.zeros(len(alike), bool)
    for index in np.flatnonzero(alike.any(1)):
        repeated[index] = (alike[index] & ~repeated).any()
    return repeated


def recovery(
    tracks: Sequence['Track'],
    predicted: Persons,
    persons: Persons,
    sigmas: np.ndarray,
) -> np.ndarray:
    """How well detections fit persons that did not move as predicted.

    Args:
        tracks: The known persons.
        predicted: Where they should be.
        persons: The detections.
        sigmas: Of the keypoints.

    Returns:
        (M, N) from 0 to 1, 0 where it cannot be.
    """
    fresh = np.array([[track.missed == 0] for track in tracks])
    steady = np.array([[track.hits >= _HITS_JUMP] for track in tracks])
    last_seen = np.stack([track.box for track in tracks])
    sizes, found = body_sizes(last_seen)[:, None], body_sizes(persons.boxes)
    away = np.minimum(
        _distances(last_seen, persons.boxes),
        _distances(predicted.boxes, persons.boxes),
    ) / np.maximum(sizes, found)
    pose = keypoint_similarity(predicted, persons, sigmas, align=True)
    reach = np.where(fresh, _REACH_NEXT, _REACH_LOST)
    fits = (away < reach) & (pose >= _POSE_RECOVERED)
    jumps = (away < _REACH_JUMP) & (pose >= _POSE_JUMP)
    fits |= fresh & steady & jumps
    fits &= np.maximum(sizes / found, found / sizes) <= _SIZE_RATIO
    return np.where(fits, (1 - away / _REACH_JUMP) * pose, 0)


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Between the middles of boxes (M, 4) and (N, 4), (M, N)."""
    first, second = ((x[:, :2] + x[:, 2:]) / 2 for x in (first, second))
    return np.linalg.norm(first[:, None] - second[None], axis=-1)


# A box that shrinks while its person is hidden must not vanish, px.
_MIN_HEIGHT = 1.0
_MIN_ASPECT = 1e-2


class Track:
    """Last sight of a person, and the motion of its box.

    The motion is MMDet's Kalman filter of the box, with constant velocity;
    the pose is carried along with the middle of the box.

    Args:
        track_id: Of the person.
        motion: MMDet's ``KalmanFilter``.

    Attributes:
        segment: How often the track was torn.
        last_frame: Number of the frame where the person was seen last.
        hits: In how many frames it was seen.
        missed: In how many frames since then it was not.
        box: Last seen, (4, ) x1, y1, x2, y2.
        keypoints: Last seen, (K, 2).
        valid: Which of them there were, (K, ) bool.
    """

    def __init__(self, track_id: int, motion: Any) -> None:
        self.track_id = track_id
        self.motion = motion
        self.segment = 0
        self.hits = 0

    def predict(self, num_frames: int) -> None:
        """Move the box on by some frames."""
        for _ in range(num_frames):
            if self.missed:
                self.mean[7] = 0  # what hides a person shrinks its box first
            self.mean, self.covariance = self.motion.predict(
                self.mean, self.covariance
            )
        self.mean[2] = max(self.mean[2], _MIN_ASPECT)
        self.mean[3] = max(self.mean[3], _MIN_HEIGHT)

    @property
    def predicted_box(self) -> np.ndarray:
        """Where the box should be, (4, )."""
        width = self.mean[2] * self.mean[3]
        half = np.array([width, self.mean[3]]) / 2
        return np.concatenate([self.mean[:2] - half, self.mean[:2] + half])

    @property
    def predicted_keypoints(self) -> np.ndarray:
        """Where the keypoints should be, (K, 2)."""
        return self.keypoints + (self.mean[:2] - self._anchor)

    def see(self, person: Persons, frame_index: int, max_jump: float) -> None:
        """Take the place of a detection.

        Args:
            person: One person.
            frame_index: Of the frame.
            max_jump: Body sizes for each frame. Beyond it, a segment begins.
        """
        (box,), (keypoints,), (valid,) = person
        size = np.maximum(box[2:] - box[:2], _MIN_HEIGHT)
        measured = np.concatenate(
            [(box[:2] + box[2:]) / 2, [size[0] / size[1], size[1]]]
        )
        jumped = bool(self.hits) and self._jumps(
            person, max_jump * (frame_index - self.last_frame)
        )
        if jumped or not self.hits:
            self.mean, self.covariance = self.motion.initiate(measured)
        else:
            self.mean, self.covariance = self.motion.update(
                self.mean, self.covariance, measured
            )
        self.segment += jumped
        self.box, self.keypoints, self.valid = box, keypoints, valid
        self._anchor = self.mean[:2].copy()
        self.last_frame = frame_index
        self.hits += 1
        self.missed = 0

    def _jumps(self, person: Persons, allowance: float) -> bool:
        last = (self.keypoints[None], self.valid[None], self.box[None])
        boxes, keypoints, valid = person
        (move,) = relative_moves(last, (keypoints, valid, boxes))
        return bool(move > allowance)


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


def assign_track_ids(
    frames: Sequence[Mapping[str, Any]],
    tracker: Optional[PoseTracker] = None,
) -> List[np.ndarray]:
    """Tell who is who in the frames of a video.

    Args:
        frames (Sequence[Mapping]): The persons of each frame in order:
            ``keypoints`` (n, K, 2) px, and where there are any
            ``keypoint_scores`` (n, K), ``bboxes`` (n, 4) x1, y1, x2, y2 and
            ``bbox_scores`` (n, ).
        tracker (PoseTracker, optional): It is reset first. Defaults to one
            with the default settings.

    Returns:
        List[np.ndarray]: Id of each person, (n, ) int64 for each frame; -1
        for what is nobody's, see :meth:`PoseTracker.update`.

    Raises:
        ImportError: If MMDet is not installed.
        ValueError: One line naming the frame and the shape.
    """
    if tracker is None:
        tracker = PoseTracker()
    tracker.reset()
    ids = []
    for index, frame in enumerate(frames):
        if 'keypoints' not in frame:
            raise ValueError(
                f"frame {index}: expected 'keypoints', found "
                f'{sorted(frame) or "nothing"}'
            )
        tracked = tracker.update(
            index,
            frame.get('bboxes'),
            frame.get('bbox_scores'),
            frame['keypoints'],
            frame.get('keypoint_scores'),
        )
        ids.append(tracked.track_ids)
    return ids
