# Copyright (c) hanet_mm contributors. All rights reserved.
"""Average precision of PoseTrack over person tracks."""

from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from hanet_mm.core.metrics.posetrack_ap import (
    ASSIGNMENTS,
    inside_polygons,
    posetrack_ap,
)
from hanet_mm.evaluation.pose_sequence_metric import (
    PoseSequenceMetric,
    known_mean,
    sample_field,
)

# The columns of the paper's Table 3 and of the toolkit, by keypoint name.
_COLUMNS = dict(
    Head=('nose', 'head_bottom', 'head_top'),
    Shoulder=('left_shoulder', 'right_shoulder'),
    Elbow=('left_elbow', 'right_elbow'),
    Wrist=('left_wrist', 'right_wrist'),
    Hip=('left_hip', 'right_hip'),
    Knee=('left_knee', 'right_knee'),
    Ankle=('left_ankle', 'right_ankle'),
)


class LabelledFrames(NamedTuple):
    """A person in L labelled frames; NaN for joints that do not exist."""

    video: np.ndarray  # (L, ) str
    frame_number: np.ndarray  # (L, ) int64
    gt: np.ndarray  # (L, K, 2)
    head_size: np.ndarray  # (L, ) NaN where no truth
    pred: np.ndarray  # (L, K, 2)
    scores: np.ndarray  # (L, K)
    gt_order: np.ndarray  # (L, ) int64, place in the list of its frame
    pred_order: np.ndarray  # (L, ) int64


@METRICS.register_module()
class PoseTrackAP(PoseSequenceMetric):
    """Average precision of joints by the PoseTrack protocol, in percent.

    A data sample is the track of one person; its ``seq_name`` is the video.
    Tracks of the same video are put together frame by frame
    (``gt_instances.frame_number``), and only labelled frames
    (``gt_instances.annotated``) count. A track may be a person with estimates,
    a person who was never detected (all joints are misses), or a false
    detection (all joints are false positives). See
    :mod:`hanet_mm.core.metrics.posetrack_ap` for hits, assignment and AP.
    Joints inside ``dataset_meta['ignore_regions']`` (``{video: {frame number
    as text: [polygon [[x, y], ...], ...]}}``) are removed first, predicted
    and annotated ones, as in the public toolkit.

    With source ``'input'`` a joint is predicted where the estimate is valid.
    With ``'pred'`` it is predicted where the refined joint is finite, in gaps
    of the estimate too, with the score it has there (0: last in the
    ranking); frames that were not refined count as their estimate does.

    The results are ``AP``, the mean over all joints, and ``AP/Head``,
    ``/Shoulder``, ``/Elbow``, ``/Wrist``, ``/Hip``, ``/Knee``, ``/Ankle``,
    the columns of the paper's Table 3. Joints that are never annotated are
    in no mean. A table, with every joint, goes to the log. To keep the best
    checkpoint: ``CheckpointHook(save_best='refined/AP', rule='greater')``.

    Args:
        thr (float): Largest distance of a hit, in head sizes.
        assignment (str): How the persons of a frame are assigned:
            ``'poseval'``, as the toolkit does, or ``'score'``, greedily by
            score; see
            :func:`hanet_mm.core.metrics.posetrack_ap.assign_persons`.
        keep_order (bool): Whether the figure is that of the toolkit in every
            case, ties too. Then the places that persons have in the lists of
            their frame count (``gt_instances.order`` and
            ``est_instances.order``, from 0, -1 for nobody, which the
            converter of PoseTrack writes; predictions in gaps of the estimate
            come last), and a column is NaN where one of its joints is.
            Defaults to False: the order of persons does not matter.
        **kwargs: ``source``, ``prefix`` and more, see
            :class:`PoseSequenceMetric`.

    Raises:
        ValueError: If an argument is out of range; while evaluating, if a
            field is missing or does not fit the others.
    """

    def __init__(
        self,
        thr: float = 0.5,
        assignment: str = 'poseval',
        keep_order: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if not thr > 0:
            raise ValueError(f'PoseTrackAP: thr must be above 0, got {thr!r}')
        if assignment not in ASSIGNMENTS:
            raise ValueError(
                'PoseTrackAP: assignment must be one of '
                f'{list(ASSIGNMENTS)}, got {assignment!r}'
            )
        self.thr = thr
        self.assignment = assignment
        self.keep_order = keep_order

    def measure(self, comparison: LabelledFrames) -> LabelledFrames:
        """Keep the track: persons meet only when all tracks are there."""
        return comparison

    def compute_metrics(
        self, results: List[LabelledFrames]
    ) -> Dict[str, float]:
        """AP over all tracks in percent by name; NaN if nothing counts."""
        ap = self._joint_ap(results) if results else np.zeros(0)
        if np.isnan(ap).all():
            return dict(AP=self.nothing_to_count())
        columns = self._columns(_COLUMNS, len(ap))
        mean_of = np.mean if self.keep_order else known_mean
        row = {
            name: float(mean_of(ap[joints]))
            for name, joints in columns.items()
        }
        mean = known_mean(ap)
        self._log_table(dict(row, Mean=mean), ap, len(results))
        return dict(AP=mean, **{f'AP/{name}': row[name] for name in row})

    def _joint_ap(self, results: List[LabelledFrames]) -> np.ndarray:
        """AP of every joint in percent, (K, )."""
        rows = _join(results)
        first = _first_rows(rows)
        self._ignore_regions(rows, first)
        frame = np.searchsorted(first, np.arange(len(rows.gt)), 'right')
        true = ~np.isnan(rows.head_size)
        found = ~np.isnan(rows.pred).all((1, 2))
        found, true = np.flatnonzero(found), np.flatnonzero(true)
        if self.keep_order:
            found = found[np.argsort(rows.pred_order[found], kind='stable')]
            true = true[np.argsort(rows.gt_order[true], kind='stable')]
        return 100 * posetrack_ap(
            rows.pred[found],
            rows.scores[found],
            frame[found],
            rows.gt[true],
            frame[true],
            rows.head_size[true],
            self.thr,
            self.assignment,
            self.keep_order,
        )

    def _read(self, sample: dict) -> LabelledFrames:
        """Take the labelled frames from a data sample."""
        if 'seq_name' not in sample:
            raise ValueError('the data sample has no seq_name')
        gt = sample_field(sample, 'gt_instances', 'keypoints')
        if gt.ndim != 3 or gt.shape[2] != 2:
            raise ValueError(
                f'gt_instances.keypoints must have shape (T, K, 2), '
                f'got {gt.shape}'
            )
        visible, number, annotated, head_size = (
            _array(sample, 'gt_instances', key, gt.shape[:axes])
            for key, axes in (
                ('keypoints_visible', 2),
                ('frame_number', 1),
                ('annotated', 1),
                ('head_size', 1),
            )
        )
        pred, scores = self._predictions(sample, gt.shape)
        rows = annotated > 0
        track = LabelledFrames(
            np.full(rows.sum(), str(sample['seq_name'])),
            number[rows].astype(np.int64),
            _where(visible > 0, gt)[rows],
            head_size[rows],
            _where(np.isfinite(pred).all(-1), pred)[rows],
            scores[rows],
            *(
                self._order(sample, part, len(rows))[rows]
                for part in ('gt_instances', 'est_instances')
            ),
        )
        _check(track, visible[rows] > 0)
        return track

    def _order(self, sample: dict, part: str, length: int) -> np.ndarray:
        """Places in the lists of the frames, nobody's last, (T, )."""
        if not self.keep_order:
            return np.zeros(length, np.int64)
        order = _array(sample, part, 'order', (length,)).astype(np.int64)
        return np.where(order < 0, np.iinfo(np.int64).max, order)

    def _predictions(
        self, sample: dict, shape: Tuple[int, ...]
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Joints (T, K, 2), not finite if there is none, and scores (T, K)."""
        if self.source == 'pred':
            part = 'pred_instances'
            pred = _array(sample, part, 'keypoints', shape)
            scores = _array(sample, part, 'keypoint_scores', shape[:2])
            refined = np.ones(shape[:1], bool)
            if 'refined_mask' in sample[part]:
                mask = _array(sample, part, 'refined_mask', shape[:1])
                refined = mask.astype(bool)
            if refined.all():
                return pred, scores

        part = 'est_instances'
        estimate = _array(sample, part, 'keypoints', shape)
        estimate_scores = _array(sample, part, 'keypoint_scores', shape[:2])
        valid = _array(sample, part, 'keypoints_valid', shape[:2])
        estimate = _where(valid > 0, estimate)
        if self.source == 'input':
            return estimate, estimate_scores
        pred = np.where(refined[:, None, None], pred, estimate)
        return pred, np.where(refined[:, None], scores, estimate_scores)

    def _ignore_regions(self, rows: LabelledFrames, first: np.ndarray) -> None:
        """Remove, in place, the joints inside the regions of their frame."""
        regions = (self.dataset_meta or {}).get('ignore_regions') or {}
        for start, end in zip(first, [*first[1:], len(rows.gt)]):
            video, number = rows.video[start], rows.frame_number[start]
            polygons = regions.get(video, {}).get(str(number))
            if not polygons:
                continue
            persons = np.stack([rows.gt[start:end], rows.pred[start:end]])
            try:
                ignored = inside_polygons(persons, polygons)
            except ValueError as error:
                raise ValueError(
                    f'PoseTrackAP: ignore regions of video {video}, frame '
                    f'{number}: {error}'
                ) from error
            rows.gt[start:end][ignored[0]] = np.nan
            rows.pred[start:end][ignored[1]] = np.nan

    def _log_table(
        self, row: Dict[str, float], ap: np.ndarray, tracks: int
    ) -> None:
        """Write columns and joints to the log."""
        lines = [
            f'{self.prefix}: PoseTrack AP in percent, {tracks} tracks, '
            f'assignment {self.assignment!r}',
            ''.join(f'{name:>9}' for name in row),
            ''.join(f'{value:9.1f}' for value in row.values()),
        ]
        ids = (self.dataset_meta or {}).get('keypoint_name2id', {})
        lines += [f'{name:<15}{ap[ids[name]]:7.1f}' for name in ids]
        MMLogger.get_current_instance().info('\n'.join(lines))


def _array(
    sample: dict, instances: str, key: str, shape: Tuple[int, ...]
) -> np.ndarray:
    """Required array of a data sample, of the given shape."""
    array = sample_field(sample, instances, key)
    if array.shape != shape:
        raise ValueError(
            f'{instances}.{key} must have shape {shape}, got {array.shape}'
        )
    return array


def _where(known: np.ndarray, joints: np.ndarray) -> np.ndarray:
    """Joints, NaN where they are not known."""
    return np.where(known[..., None], joints, np.nan)


def _check(track: LabelledFrames, visible: np.ndarray) -> None:
    """Raise if labelled frames cannot be counted."""
    predicted = ~np.isnan(track.pred).any(-1)
    repeated = np.ones(len(visible), bool)
    repeated[np.unique(track.frame_number, return_index=True)[1]] = False
    unknown = (visible & ~np.isfinite(track.gt).all(-1)).any(1)
    headless = visible.any(1) & ~(track.head_size >= 0)
    unscored = (predicted & ~np.isfinite(track.scores)).any(1)
    problems = [
        (repeated, 'occurs twice in gt_instances.frame_number'),
        (unknown, 'has visible gt_instances.keypoints that are not finite'),
        (headless, 'has visible joints without a gt_instances.head_size'),
        (unscored, 'has predicted joints without a finite score'),
    ]
    for bad, problem in problems:
        if bad.any():
            number = track.frame_number[np.argmax(bad)]
            raise ValueError(f'frame {number} {problem}')


def _join(tracks: Sequence[LabelledFrames]) -> LabelledFrames:
    """Rows of all tracks, ordered by video and frame."""
    rows = LabelledFrames(*(np.concatenate(field) for field in zip(*tracks)))
    order = np.lexsort((rows.frame_number, rows.video))
    return LabelledFrames(*(field[order] for field in rows))


def _first_rows(rows: LabelledFrames) -> np.ndarray:
    """First row of each frame; rows are ordered by video and frame."""
    new = np.ones(len(rows.gt), bool)
    new[1:] = (rows.video[1:] != rows.video[:-1]) | (
        rows.frame_number[1:] != rows.frame_number[:-1]
    )
    return np.flatnonzero(new)
