# Copyright (c) hanet_mm contributors. All rights reserved.
"""Classical filters of joint rotations, such as the poses of SMPL.

T: frames, K: joints.
"""

from typing import List, Optional, Sequence, Union

import numpy as np
import torch

from hanet_mm.core.data.gaps import (
    missing_keypoints,
    nearest_seen,
    scores_or_default,
)
from hanet_mm.core.data.plausible import unmasked
from hanet_mm.core.poses.rotations import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
    matrix_to_rot6d,
    rot6d_to_matrix,
)
from hanet_mm.core.poses.units import as_rot6d
from hanet_mm.core.refine.inputs import RefineResult, rotations_as_given

from .base import SequenceFilter


class RotationFilter:
    """A filter of rotations, with the interface of a refiner.

    Rotations are filtered as the first two columns of their matrices and put
    back onto rotations, so that nothing jumps at half a turn. Gaps are filled
    along the shortest rotation at even speed (slerp) first; before the first
    and after the last known rotation of a joint it stays. A joint that is
    never known stays NaN.

    Args:
        smoother (SequenceFilter): Made with ``rotations=True``.
    """

    def __init__(self, smoother: SequenceFilter) -> None:
        if not smoother.rotations:
            raise ValueError(f'expected rotations=True, found {smoother!r}')
        self.smoother = smoother

    def __repr__(self) -> str:
        return repr(self.smoother)

    def refine(
        self,
        keypoints: Union[np.ndarray, Sequence[np.ndarray]],
        scores: Union[np.ndarray, Sequence[Optional[np.ndarray]], None] = None,
    ) -> Union[RefineResult, List[RefineResult]]:
        """Filter rotations (T, K, 3), rotation vectors in rad, or (T, K, 6).

        NaN or a score of 0 marks a rotation that is missing. One sequence or
        a list of them; the results are in the same form.
        """
        if isinstance(keypoints, (list, tuple)):
            given = [None] * len(keypoints) if scores is None else scores
            return [
                self._refine(unmasked(points, np.nan), weights)
                for points, weights in zip(keypoints, given)
            ]
        weights = None if scores is None else unmasked(scores, 0)
        return self._refine(unmasked(keypoints, np.nan), weights)

    def _refine(
        self, given: np.ndarray, scores: Optional[np.ndarray]
    ) -> RefineResult:
        if given.ndim != 3 or given.shape[-1] not in (3, 6):
            raise ValueError(
                'expected rotations (T, K, 3) or (T, K, 6), found '
                f'{given.shape}'
            )
        weights = scores_or_default(scores, given.shape[:2])
        missing = missing_keypoints(given, weights)
        never = missing.all(0)
        if never.all():
            raise ValueError('no rotation in any frame')
        rotations = slerp_gaps(as_rot6d(given)[:, ~never], missing[:, ~never])
        smooth = self.smoother.smooth(
            rotations,
            np.array([len(given)]),
            np.where(missing, 0, weights)[:, ~never],
        )
        result = np.full(given.shape, np.nan, np.float32)
        known = given[:, ~never]
        result[:, ~never] = rotations_as_given(torch.from_numpy(smooth), known)
        kind = given.dtype if given.dtype.kind == 'f' else np.float32
        return RefineResult(result.astype(kind), missing & ~never)


def slerp_gaps(rotations: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Fill gaps of 6D rotations (T, K, 6) by slerp; every joint is known in
    some frame of ``missing`` (T, K).
    """
    if not missing.any():
        return rotations
    before, after = nearest_seen(missing)
    before = np.where(before < 0, after, before)
    after = np.where(after == len(missing), before, after)
    frames = np.arange(len(missing))[:, None]
    span = np.maximum(after - before, 1)
    share = torch.from_numpy(np.clip((frames - before) / span, 0, 1)[missing])
    joints = np.broadcast_to(np.arange(missing.shape[1]), missing.shape)
    known = torch.from_numpy(rotations).double()
    first, last = (
        rot6d_to_matrix(known[x, joints][missing]) for x in (before, after)
    )
    turn = matrix_to_axis_angle(first.transpose(-1, -2) @ last)
    filled = first @ axis_angle_to_matrix(turn * share[:, None])
    result = rotations.copy()
    result[missing] = matrix_to_rot6d(filled).to(torch.float32).numpy()
    return result
