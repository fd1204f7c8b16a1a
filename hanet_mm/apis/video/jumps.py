# Copyright (c) hanet_mm contributors. All rights reserved.
"""Where a track is torn: moves that no body makes.

A jump is a move by more than a body size in one frame: a cut, dropped frames,
or a track that went over to someone else. To smooth over it smears two poses
into one; what lies on the two sides are segments of their own.
"""

from typing import Optional, Tuple

import numpy as np
from numpy.typing import ArrayLike

from hanet_mm.core.poses.boxes import box_centers, box_sizes, boxes_around

# The least move of a cut in body sizes per frame, how many times it is those
# around it, and how many of them on each side. No clip of 776 real estimates
# (JHMDB) has such a move, and 2 of 1842 (HMDB51) have.
_CUT, _STANDS_OUT, _AROUND = 0.5, 4, 4
# Several cuts are at least so many frames apart on average: where poses are
# repeated for a few frames each, all moves stand out.
_APART = 10
# Fewer keypoints tell neither the size of a body nor how far it moved.
_FEWEST = 4


def split_jumps(
    keypoints: ArrayLike,
    keypoint_scores: Optional[ArrayLike] = None,
    bboxes: Optional[ArrayLike] = None,
    max_jump: float = 1.0,
    keypoint_thr: float = 0.3,
) -> np.ndarray:
    """Number the segments of one person's track.

    Args:
        keypoints (array): (T, K, D), NaN where missing.
        keypoint_scores (array, optional): (T, K).
        bboxes (array, optional): First and last corner, (T, 2D): x1, y1, x2,
            y2 in 2D, NaN where missing. Defaults to what encloses the
            keypoints.
        max_jump (float): Largest move between two frames, in body sizes; a
            gap of n frames allows n + 1 times as much. Defaults to 1.
        keypoint_thr (float): Keypoints with a lower score do not count.
            Defaults to 0.3.

    Returns:
        np.ndarray: Segment of each frame from 0, rising, (T, ) int64. Frames
        without a person belong to the segment before them.

    Raises:
        ValueError: If a shape is wrong.

    Examples:
        >>> person = np.array([[0.0, 0.0], [0.0, 9.0], [4.0, 5.0]])
        >>> split_jumps([person, person + 2, person + 30, person + 31])
        array([0, 0, 1, 1])
    """
    points = np.asarray(keypoints, np.float64)
    if points.ndim != 3:
        raise ValueError(
            f'keypoints must have shape (T, K, D), got {points.shape}'
        )
    valid = valid_keypoints(points, keypoint_scores, keypoint_thr)
    boxes = boxes_around(points, valid)
    if bboxes is not None:
        given = np.asarray(bboxes, np.float64)
        if given.shape != boxes.shape:
            raise ValueError(
                f'bboxes must have shape {boxes.shape}, got {given.shape}'
            )
        known = np.isfinite(given).all(1)
        boxes[known] = given[known]
    second, speeds = _speeds(points, valid, boxes)
    jumps = np.zeros(len(points), np.int64)
    jumps[second] = speeds > max_jump
    return jumps.cumsum()


def split_cuts(
    keypoints: ArrayLike, keypoint_scores: Optional[ArrayLike] = None
) -> np.ndarray:
    """Number the parts of one person's track between cuts of the video.

    A cut is a move by more than half a body size in a frame that stands out:
    it is more than four times as far as each of the four moves before it and
    the four after it. So fast motion is none, nor is an estimator that goes
    astray for some frames and comes back. The median keypoint moves so far,
    and a corner of the box too: where left and right are swapped it does not.
    Frames of less than four keypoints do not count, and more than a cut in
    ten frames are none: each pose was repeated for some frames.

    Args:
        keypoints (array): (T, K, D), NaN where missing.
        keypoint_scores (array, optional): (T, K), 0 where missing.

    Returns:
        np.ndarray: Part of each frame from 0, rising, (T, ) int64. Frames
        without a person belong to the part before them.

    Examples:
        >>> person = np.array([[0.0, 0.0], [0.0, 9.0], [4.0, 5.0], [3.0, 1.0]])
        >>> split_cuts([person + (30 if t > 5 else t) for t in range(12)])
        array([0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    """
    points = np.asarray(keypoints, np.float64)
    tiny = np.finfo(np.float32).tiny
    valid = valid_keypoints(points, keypoint_scores, tiny)
    valid &= valid.sum(1, keepdims=True) >= _FEWEST
    boxes = boxes_around(points, valid)
    second, speeds = _speeds(points, valid, boxes, True)
    cuts = np.zeros(len(points), np.int64)
    for index in np.flatnonzero(speeds > _CUT):
        before = speeds[max(index - _AROUND, 0) : index]
        after = speeds[index + 1 : index + 1 + _AROUND]
        around = np.concatenate([before, after])
        calm = _STANDS_OUT * around.max(initial=0) < speeds[index]
        if len(around) == 2 * _AROUND and calm:
            cuts[second[index]] = 1
    if cuts.sum() > max(len(speeds) / _APART, 1):
        cuts[:] = 0
    return cuts.cumsum()


def _speeds(
    points: np.ndarray,
    valid: np.ndarray,
    boxes: np.ndarray,
    of_boxes: bool = False,
) -> Tuple[np.ndarray, np.ndarray]:
    """Frames with a person after another one (n,), and the moves to them in
    body sizes per frame (n,); with ``of_boxes`` as far as a corner of the box
    moves too.
    """
    seen = np.flatnonzero(np.isfinite(boxes).all(1))
    first, second = seen[:-1], seen[1:]
    moves = relative_moves(
        (points[first], valid[first], boxes[first]),
        (points[second], valid[second], boxes[second]),
    )
    if of_boxes:
        steps = boxes[second] - boxes[first]
        corners = np.split(steps, 2, axis=1)
        furthest = np.maximum(*(np.linalg.norm(x, axis=1) for x in corners))
        sizes = np.maximum(body_sizes(boxes[first]), body_sizes(boxes[second]))
        moves = np.minimum(moves, furthest / sizes)
    return second, moves / (second - first)


def valid_keypoints(
    keypoints: np.ndarray, scores: Optional[ArrayLike], thr: float
) -> np.ndarray:
    """Finite keypoints (N, K, D) with at least a score, bool (N, K)."""
    valid = np.isfinite(keypoints).all(-1)
    if scores is None:
        return valid
    scores = np.asarray(scores, np.float64)
    if scores.shape != valid.shape:
        raise ValueError(
            f'keypoint_scores must have shape {valid.shape}, '
            f'got {scores.shape}'
        )
    return valid & (scores >= thr)


def relative_moves(before: tuple, after: tuple) -> np.ndarray:
    """Displacements of people in body sizes, (N, ) float64.

    Both are keypoints (N, K, D), bool (N, K) and boxes (N, 2D). The median
    over the keypoints seen both times, so that a few that went astray, or
    legs that were swapped, are no move of the person; where none was seen
    twice, the way of the middle of the box. The body size is the longest
    side of the larger of the two boxes.
    """
    (points, valid, boxes), (later, later_valid, later_boxes) = before, after
    both = valid & later_valid
    steps = np.linalg.norm(later - points, axis=-1)
    # Sorted with what is missing at the end, the median of the first n is
    # the mean of the two in their middle.
    steps = np.sort(np.where(both, steps, np.inf), axis=1)
    count = both.sum(1)
    middle = np.stack([np.maximum(count - 1, 0) // 2, count // 2], 1)
    moves = np.linalg.norm(box_centers(later_boxes - boxes), axis=-1)
    some = count > 0
    moves[some] = np.take_along_axis(steps[some], middle[some], 1).mean(1)
    return moves / np.maximum(body_sizes(boxes), body_sizes(later_boxes))


def body_sizes(boxes: np.ndarray) -> np.ndarray:
    """Longest sides of boxes (..., 2D), (...); at least 1e-6."""
    return np.maximum(box_sizes(boxes), 1e-6)
