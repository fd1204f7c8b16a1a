# Copyright (c) hanet_mm contributors. All rights reserved.
"""Average precision of the joints of many people, as PoseTrack counts it.

The persons of all frames stand in flat arrays, with the number of the frame
of each: M predicted persons, G true persons, K joints. A joint that is not
predicted or not annotated is NaN. The protocol is that of the data set's
public evaluation toolkit, poseval (Andriluka et al., PoseTrack: A Benchmark
for Human Pose Estimation and Tracking, CVPR 2018; the paper's Table 3):

1. A predicted joint hits a true one if their distance is at most ``thr``
   times the head size of the true person (0.6 times the diagonal of the head
   box).
2. The persons of a frame are assigned one to one by the share of the true
   person's annotated joints that are hit.
3. Joint by joint, the predicted joints of all frames are ranked by score.
   True are those that hit the joint of the person they were assigned to, all
   others are false, those of persons without a partner too. AP is the area
   below the precision made monotone over the recall.
"""

from typing import NamedTuple, Sequence

import numpy as np
from numpy.typing import ArrayLike


def inside_polygons(
    points: ArrayLike, polygons: Sequence[ArrayLike]
) -> np.ndarray:
    """Find the points inside at least one of several polygons.

    A point on an edge is outside. Where a polygon overlaps itself, the
    even-odd rule holds. Fewer than three corners enclose nothing.

    Args:
        points (array): (..., 2); NaN is outside.
        polygons (Sequence[array]): Corners, (V, 2) each; the last is joined
            with the first.

    Returns:
        np.ndarray: Bool, (...).

    Raises:
        ValueError: If a polygon is not of finite corners of two numbers.

    Examples:
        >>> square = [[0, 0], [4, 0], [4, 4], [0, 4]]
        >>> inside_polygons([[1, 1], [4, 1], [5, 1]], [square])
        array([ True, False, False])
    """
    points = np.asarray(points, np.float64)
    x, y = points[..., :1], points[..., 1:]
    inside = np.zeros(points.shape[:-1], bool)
    for number, corners in enumerate(polygons):
        polygon = _corners(number, corners)
        (ax, ay), (bx, by) = polygon.T, np.roll(polygon, -1, axis=0).T
        # Above 0 where the point is to the left of the edge from a to b.
        side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        # The ray from the point towards larger x crosses the edge.
        crossed = ((ay > y) != (by > y)) & ((side > 0) == (by > ay))
        on_edge = (
            (side == 0)
            & (np.minimum(ax, bx) <= x)
            & (x <= np.maximum(ax, bx))
            & (np.minimum(ay, by) <= y)
            & (y <= np.maximum(ay, by))
        )
        inside |= (crossed.sum(-1) % 2 == 1) & ~on_edge.any(-1)
    return inside & ~np.isnan(points).any(-1)


def _corners(number: int, corners: ArrayLike) -> np.ndarray:
    """Corners of a polygon, (V, 2) float64."""
    try:
        polygon = np.asarray(corners, np.float64)
    except (TypeError, ValueError):
        polygon = None
    if polygon is not None and not polygon.size:
        polygon = polygon.reshape(0, 2)
    if (
        polygon is None
        or polygon.ndim != 2
        or polygon.shape[1] != 2
        or not np.isfinite(polygon).all()
    ):
        raise ValueError(
            f'polygon {number} must be a list of corners [x, y], '
            f'got {str(corners)[:60]}'
        )
    return polygon


ASSIGNMENTS = ('poseval', 'score')


class PersonPairs(NamedTuple):
    """Each predicted person with each true person of its frame, N pairs."""

    pred: np.ndarray  # (N, ) index of the predicted person
    gt: np.ndarray  # (N, ) index of the true person
    hits: np.ndarray  # (N, K) bool
    share: np.ndarray  # (N, ) hits of the annotated joints, 0 to 1


def posetrack_ap(
    pred: ArrayLike,
    scores: ArrayLike,
    pred_frames: ArrayLike,
    gt: ArrayLike,
    gt_frames: ArrayLike,
    head_sizes: ArrayLike,
    thr: float = 0.5,
    assignment: str = 'poseval',
    keep_order: bool = False,
) -> np.ndarray:
    """Average precision of every joint.

    Frames without a true person are left out together with what was
    predicted there, as in the toolkit; a true person without an annotated
    joint keeps its frame. Where the toolkit leaves it to the order in its
    files who comes first, predictions come in descending order of their mean
    score and truths in descending order of the head size, and predictions of
    equal score enter the curve at once, so that the order of the arguments
    does not matter. With ``keep_order`` it matters as in the toolkit.

    Args:
        pred (array): Predicted joints, (M, K, 2) px.
        scores (array): Scores of the predicted joints, (M, K), finite where
            predicted.
        pred_frames (array): Frame of each predicted person, (M, ) int.
        gt (array): Annotated joints, (G, K, 2) px.
        gt_frames (array): Frame of each true person, (G, ) int.
        head_sizes (array): Head size of each true person, (G, ) px. Nothing
            is hit where it is 0.
        thr (float): Largest distance of a hit, in head sizes.
        assignment (str): How persons are assigned, see
            :func:`assign_persons`.
        keep_order (bool): Whether the figure is that of the toolkit in every
            case: frames in the order of their numbers, the persons of a frame
            in the order of the arguments, equal scores in whatever order
            NumPy's sort leaves them, and AP 0 for a joint that is neither
            annotated nor predicted.

    Returns:
        np.ndarray: AP from 0 to 1, (K, ) float64; NaN where a joint is never
        annotated.

    Raises:
        ValueError: If a shape is wrong or the assignment unknown.

    Examples:
        >>> gt = [[[0.0, 0.0], [9.0, 0.0]]]
        >>> pred = [[[1.0, 0.0], [9.0, 3.0]]]
        >>> posetrack_ap(pred, [[0.9, 0.8]], [7], gt, [7], [4.0])
        array([1., 0.])
    """
    found, true = _persons('pred', pred), _persons('gt', gt)
    each = _check_shape('scores', scores, found.shape[:2])
    found_at = _check_shape('pred_frames', pred_frames, found.shape[:1])
    true_at = _check_shape('gt_frames', gt_frames, true.shape[:1])
    sizes = _check_shape('head_sizes', head_sizes, true.shape[:1])
    if found.shape[1] != true.shape[1]:
        raise ValueError(
            f'pred must have the {true.shape[1]} joints of gt, '
            f'got {found.shape[1]}'
        )

    means = _mean(each, ~np.isnan(found).any(-1))
    if keep_order:
        order, true_order = (
            np.argsort(frames, kind='stable') for frames in (found_at, true_at)
        )
    else:
        order, true_order = _listing(found, means), _listing(true, sizes)
    order = order[np.isin(found_at[order], true_at)]
    found, each, means = found[order], each[order], means[order]
    found_at = found_at[order]
    order = true_order
    true, true_at, sizes = true[order], true_at[order], sizes[order]

    pairs = pair_persons(found, found_at, true, true_at, sizes, thr)
    chosen = assign_persons(pairs, found_at, means, assignment)
    correct = np.zeros(found.shape[:2], bool)
    correct[pairs.pred[chosen]] = pairs.hits[chosen]
    predicted, annotated = (~np.isnan(x).any(-1) for x in (found, true))
    return average_precision(
        each, correct, predicted, annotated.sum(0), keep_order
    )


def pair_persons(
    pred: np.ndarray,
    pred_frames: np.ndarray,
    gt: np.ndarray,
    gt_frames: np.ndarray,
    head_sizes: np.ndarray,
    thr: float = 0.5,
) -> PersonPairs:
    """Compare each predicted person (M, K, 2) px with each true person (G, K,
    2) px of its frame, in the order of the predicted, then of the true
    persons; NaN where a joint is not there, ``thr`` in head sizes.
    """
    by_frame = np.argsort(gt_frames, kind='stable')
    ordered = gt_frames[by_frame]
    first = np.searchsorted(ordered, pred_frames, 'left')
    partners = np.searchsorted(ordered, pred_frames, 'right') - first
    pred_index = np.repeat(np.arange(len(pred)), partners)
    within = np.arange(len(pred_index)) - np.repeat(
        np.cumsum(partners) - partners, partners
    )
    gt_index = by_frame[first[pred_index] + within]

    sizes = head_sizes[gt_index, None]
    distances = np.linalg.norm(pred[pred_index] - gt[gt_index], axis=-1)
    out = np.full_like(distances, np.inf)
    distances = np.divide(distances, sizes, out=out, where=sizes > 0)
    hits = distances <= thr  # False where either is NaN
    annotated = (~np.isnan(gt).any(-1)).sum(1)[gt_index]
    share = hits.sum(1) / np.maximum(annotated, 1)
    return PersonPairs(pred_index, gt_index, hits, share)


def assign_persons(
    pairs: PersonPairs,
    pred_frames: np.ndarray,
    mean_scores: np.ndarray,
    assignment: str = 'poseval',
) -> np.ndarray:
    """Choose the pairs that belong together, as ascending numbers; each person
    is in one at most.

    ``'poseval'``, as the toolkit: each prediction keeps the truth of which it
    hits the largest share, then each truth keeps the prediction with the
    largest share among those that kept it; a prediction that loses its truth
    does not get its second best. ``'score'``: the predictions of a frame, in
    descending order of their mean score, take the best truth still free.

    Nobody is assigned without a hit. Of equals the first one wins.
    """
    if assignment not in ASSIGNMENTS:
        raise ValueError(
            f'assignment must be one of {list(ASSIGNMENTS)}, '
            f'got {assignment!r}'
        )
    hit = np.flatnonzero(pairs.share > 0)
    if assignment == 'poseval':
        wanted = _best_of_each(pairs.pred, pairs.gt, pairs.share, hit)
        chosen = _best_of_each(pairs.gt, pairs.pred, pairs.share, wanted)
        return np.sort(chosen)

    turn = _turns(pred_frames, mean_scores)[pairs.pred[hit]]
    taken = np.zeros(pairs.gt.max(initial=-1) + 1, bool)
    rounds = [np.zeros(0, np.int64)]
    for number in range(turn.max(initial=-1) + 1):
        open_pairs = hit[(turn == number) & ~taken[pairs.gt[hit]]]
        best = _best_of_each(pairs.pred, pairs.gt, pairs.share, open_pairs)
        taken[pairs.gt[best]] = True
        rounds.append(best)
    return np.sort(np.concatenate(rounds))


def average_precision(
    scores: np.ndarray,
    correct: np.ndarray,
    predicted: np.ndarray,
    num_annotated: np.ndarray,
    keep_order: bool = False,
) -> np.ndarray:
    """Area below the monotone precision-recall curve of every joint, (K, ),
    from 0 to 1; NaN where there is none to be found.

    With the precision ``p(r)`` at each recall r that occurs, ``AP = sum (r_i -
    r_i-1) max_{j >= i} p(r_j)`` (Pascal VOC since 2010). Predictions (M, K) of
    equal score come in at once: no order among them is better than another.
    With ``keep_order`` they come in one by one, as in the toolkit.
    """
    # What is not predicted goes to the end, where it changes nothing.
    ranking = np.where(predicted, scores, -np.inf)
    if keep_order:
        order = _toolkit_ranking(ranking, predicted)
    else:
        order = np.argsort(-ranking, axis=0, kind='stable')
    ranking, correct, predicted = (
        np.take_along_axis(array, order, axis=0)
        for array in (ranking, correct & predicted, predicted)
    )
    precision = correct.cumsum(0) / np.maximum(predicted.cumsum(0), 1)
    if not keep_order:
        # Only the last of equal scores is a point of the curve.
        precision[:-1][ranking[:-1] == ranking[1:]] = 0
    monotone = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    # The recall rises by 1 / num_annotated at each true prediction.
    area = (monotone * correct).sum(0)
    out = np.full(area.shape, np.nan)
    if keep_order:
        out[~predicted.any(0)] = 0
    return np.divide(area, num_annotated, out=out, where=num_annotated > 0)


def _toolkit_ranking(scores: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Order of the predictions of each joint as the toolkit ranks them, (M,
    K); those that are not there come last.
    """
    order = np.empty(scores.shape, np.int64)
    for joint, there in enumerate(predicted.T):
        known = np.flatnonzero(there)
        # The toolkit sorts float64, upwards and not stably, and turns it
        # round: where equal scores go depends on the type and the algorithm.
        ranks = scores[known, joint].astype(np.float64).argsort()[::-1]
        order[:, joint] = [*known[ranks], *np.flatnonzero(~there)]
    return order


def _best_of_each(
    group: np.ndarray,
    other: np.ndarray,
    share: np.ndarray,
    candidates: np.ndarray,
) -> np.ndarray:
    """Keep the candidate pair of the largest share in each group."""
    keys = (other[candidates], -share[candidates], group[candidates])
    ordered = candidates[np.lexsort(keys)]
    _, first = np.unique(group[ordered], return_index=True)
    return ordered[first]


def _turns(frames: np.ndarray, mean_scores: np.ndarray) -> np.ndarray:
    """Rank of each prediction in its frame, best first, (M, )."""
    order = np.lexsort((-mean_scores, frames))
    ordered = frames[order]
    turns = np.empty(len(frames), np.int64)
    turns[order] = np.arange(len(frames)) - np.searchsorted(ordered, ordered)
    return turns


def _listing(persons: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Order of the persons: heaviest first, equals from left to right."""
    known = ~np.isnan(persons).any(-1)
    x, y = (_mean(persons[..., axis], known) for axis in (0, 1))
    return np.lexsort((y, x, -weight))


def _mean(values: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Mean of the known values of each person, 0 if there are none."""
    total = np.where(known, values, 0).sum(1, dtype=np.float64)
    return total / np.maximum(known.sum(1), 1)


def _persons(name: str, value: ArrayLike) -> np.ndarray:
    """Joints of persons, (M, K, 2) float64."""
    array = np.asarray(value, np.float64)
    if array.ndim != 3 or array.shape[2] != 2:
        raise ValueError(
            f'{name} must have shape (persons, joints, 2), got {array.shape}'
        )
    return array


def _check_shape(name: str, value: ArrayLike, shape: tuple) -> np.ndarray:
    """Array of the given shape."""
    array = np.asarray(value)
    if array.shape != shape:
        raise ValueError(f'{name} must have shape {shape}, got {array.shape}')
    return array
