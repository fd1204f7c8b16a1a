# Copyright (c) hanet_mm contributors. All rights reserved.
"""Bring poses from one skeleton to another and back, by keypoint name.

T: frames, Ks and Kt: keypoints of the source and the target, D: coordinates.
"""

from dataclasses import dataclass
from typing import Dict, Optional, Sequence, Tuple

import numpy as np

from ..data.gaps import missing_keypoints, scores_or_default
from .skeleton import Skeleton

# Points that can be computed from others, as weights that sum up to 1; the
# first recipe whose points are all there is taken. A point of a recipe may
# be computed itself.
_MIDDLE = 'mid_shoulders'
_RECIPES: Dict[str, Tuple[Dict[str, float], ...]] = {
    'pelvis': (dict(left_hip=0.5, right_hip=0.5),),
    'mid_shoulders': (dict(left_shoulder=0.5, right_shoulder=0.5),),
    'spine': ({_MIDDLE: 0.5, 'pelvis': 0.5},),
    # Where JHMDB's annotators put the parts of the puppet: fitted to the
    # training clips of split 1, where the median distance is 5 % (belly) and
    # 9 % (neck) of the trunk's length.
    'belly': ({_MIDDLE: 0.24, 'pelvis': 0.76},),
    'puppet_neck': ({_MIDDLE: 1.15, 'pelvis': -0.15}, {_MIDDLE: 1.0}),
    'head_center': (
        dict(left_ear=0.5, right_ear=0.5),
        dict(left_eye=0.5, right_eye=0.5),
        dict(nose=1.0),
        dict(upper_neck=0.5, head_top=0.5),
    ),
    # An upright head: the nose is as far above the neck as the crown is
    # above the nose, and the neck halfway from the shoulders to the nose.
    'upper_neck': (
        {'nose': 0.5, _MIDDLE: 0.5},
        {'head_center': 0.5, _MIDDLE: 0.5},
    ),
    'head_top': (
        {'nose': 1.5, _MIDDLE: -0.5},
        {'head_center': 1.5, _MIDDLE: -0.5},
    ),
}


@dataclass(frozen=True)
class KeypointMap:
    """Map of the keypoints of a target skeleton to those of a source.

    ``weights`` (Kt, Ks) holds the weights of the source's keypoints in each of
    the target's, zeros if it cannot be made; ``direct`` (Kt,) is the equal
    keypoint of the source, or -1.
    """

    source: Skeleton
    target: Skeleton
    weights: np.ndarray
    direct: np.ndarray

    @property
    def is_identity(self) -> bool:
        """Whether source and target are the same keypoints in order."""
        numbers = np.arange(len(self.source))
        return np.array_equal(self.direct, numbers)

    @property
    def untouched(self) -> np.ndarray:
        """Keypoints of the source that are not written back, bool (Ks,)."""
        untouched = np.ones(len(self.source), bool)
        untouched[self.direct[self.direct >= 0]] = False
        return untouched

    def forward(
        self, keypoints: np.ndarray, scores: Optional[np.ndarray] = None
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Poses (T, Kt, D) and scores of the target from (T, Ks, D), (T, Ks).

        A computed keypoint has the lowest score of its ingredients; it is NaN
        with score 0 where one is missing. Without scores they are
        ``UNKNOWN_SCORE``.
        """
        scores = scores_or_default(scores, keypoints.shape[:2])
        missing = missing_keypoints(keypoints, scores)
        points = np.full(
            (len(keypoints), len(self.target), keypoints.shape[2]),
            np.nan,
            keypoints.dtype,
        )
        weights = np.zeros(points.shape[:2], scores.dtype)
        is_direct = self.direct >= 0
        points[:, is_direct] = keypoints[:, self.direct[is_direct]]
        weights[:, is_direct] = scores[:, self.direct[is_direct]]
        used = self.weights != 0
        rows = np.flatnonzero(used.any(1) & ~is_direct)
        columns = np.flatnonzero(used[rows].any(0))
        if len(rows):
            used = used[np.ix_(rows, columns)]
            seen = np.where(missing[..., None], 0, keypoints)[:, columns]
            points[:, rows] = np.einsum(
                'ts,nsd->ntd', self.weights[np.ix_(rows, columns)], seen
            )
            low = np.where(used, scores[:, None, columns], np.inf).min(-1)
            # NaN in one is NaN in all, whatever its score is.
            gone = missing[:, columns] @ used.T
            weights[:, rows] = np.where(gone, 0, low)
        empty = missing_keypoints(points, weights)
        points[empty] = np.nan
        weights[empty] = 0
        return points, weights

    def backward(self, refined: np.ndarray, source: np.ndarray) -> np.ndarray:
        """Copy refined target keypoints (T, Kt, D) into the source (T, Ks, D).

        Only keypoints that both skeletons have are written.
        """
        result = source.copy()
        is_direct = self.direct >= 0
        result[:, self.direct[is_direct]] = refined[:, is_direct]
        return result

    def backward_flags(self, flags: np.ndarray) -> np.ndarray:
        """Flags of the target, (T, Kt) -> (T, Ks), False or 0 elsewhere."""
        result = np.zeros((len(flags), len(self.source)), flags.dtype)
        is_direct = self.direct >= 0
        result[:, self.direct[is_direct]] = flags[:, is_direct]
        return result

    def report(self, along: Optional[np.ndarray] = None) -> str:
        """One line: what was mapped, computed, missing, left as it was.

        ``along`` (Ks,) marks those that move along with others.
        """
        names = self.target.keypoint_names
        made = (self.weights != 0).any(1)
        is_direct = self.direct >= 0
        parts = [f'{int(is_direct.sum())} mapped by name']
        computed = [
            f'{names[t]} from {self._ingredients(int(t))}'
            for t in np.flatnonzero(made & ~is_direct)
        ]
        absent = [names[t] for t in np.flatnonzero(~made)]
        if along is None:
            along = np.zeros(len(self.source), bool)
        follow, left = (
            [self.source.keypoint_names[s] for s in np.flatnonzero(chosen)]
            for chosen in (along, self.untouched & ~along)
        )
        for title, items in (
            ('computed', computed),
            ('not there', absent),
            ('moved along', follow),
            ('left as they were', left),
        ):
            if items:
                parts.append(f'{title}: {_enumerate(items)}')
        return f'{self.source.name} -> {self.target.name}: ' + '; '.join(parts)

    def _ingredients(self, target: int) -> str:
        used = np.flatnonzero(self.weights[target])
        return ' + '.join(self.source.keypoint_names[s] for s in used)


def match_skeletons(source: Skeleton, target: Skeleton) -> KeypointMap:
    """Match the keypoints of two skeletons; raise if they have none in common.

    Keypoints are the same where their names are, or mean the same point of
    the body (``root`` and ``pelvis``). The middle of shoulders and hips, the
    neck, the head and the trunk can be computed where they are missing.
    """
    indices: Dict[str, int] = {}
    for index, point in enumerate(source.points):
        indices.setdefault(point, index)
    direct = np.array([indices.get(x, -1) for x in target.points])
    if (direct < 0).all():
        raise ValueError(
            f'the skeletons {source.name} and {target.name} have no keypoint '
            f'in common: {_enumerate(source.keypoint_names[:20])} against '
            f'{_enumerate(target.keypoint_names[:20])}'
        )
    rows = [_compose(x, indices, len(source)) for x in target.points]
    return KeypointMap(source, target, np.array(rows), direct)


def _compose(
    point: str,
    indices: Dict[str, int],
    num_keypoints: int,
    open_points: Tuple[str, ...] = (),
) -> np.ndarray:
    """Weights of the source's keypoints in a point; zeros if impossible."""
    weights = np.zeros(num_keypoints)
    if point in indices:
        weights[indices[point]] = 1
        return weights
    if point in open_points:  # a point is not made of itself
        return weights
    open_points = (*open_points, point)
    for recipe in _RECIPES.get(point, ()):
        parts = [
            weight * _compose(ingredient, indices, num_keypoints, open_points)
            for ingredient, weight in recipe.items()
        ]
        if all(part.any() for part in parts):
            return np.sum(parts, axis=0)
    return weights


def _enumerate(items: Sequence[str]) -> str:
    return ', '.join(items)
