# Copyright (c) hanet_mm contributors. All rights reserved.
"""Classical filters of joint rotations, such as the poses of SMPL.

T: frames, K: joints.
"""

from abc import ABC, abstractmethod
from typing import List, Optional, Sequence, Tuple, Union

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
    project_rot6d,
    rot6d_to_matrix,
)
from hanet_mm.core.poses.units import as_rot6d
from hanet_mm.core.refine.frame_rate import USUAL_RATE, check_fps, limit_rate
from hanet_mm.core.refine.inputs import RefineResult, rotations_as_given
from hanet_mm.core.refine.robust_path import robust_path
from hanet_mm.core.refine.rotation_swaps import (
    UnswappedRotations,
    unswap_rotations,
)
from hanet_mm.core.refine.trust import (
    MISSING,
    NOISE,
    OUTLIER,
    SWAPPED,
)

from .base import SequenceFilter

# What counts as a body: differences of 6D rotations per body size. Of 2, 1 %
# is 1 degree. The cutoff falls to 2 Hz for ten times as much.
_SIZE, _LEAST_WEIGHT = 2.0, 0.01


class RotationMethod(ABC):
    """A method for rotations, with the interface of a refiner.

    Rotations are smoothed as the first two columns of their matrices and put
    back onto rotations, so that nothing jumps at half a turn. Gaps are filled
    along the shortest rotation at even speed (slerp) first; before the first
    and after the last known rotation of a joint it stays. A joint that is
    never known stays NaN.
    """

    def refine(
        self,
        keypoints: Union[np.ndarray, Sequence[np.ndarray]],
        scores: Union[np.ndarray, Sequence[Optional[np.ndarray]], None] = None,
    ) -> Union[RefineResult, List[RefineResult]]:
        """Smooth rotations (T, K, 3), rotation vectors in rad, or (T, K, 6).

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
        if missing.all():
            raise ValueError('no rotation in any frame')
        found = self._correct(as_rot6d(given), missing)
        missing = missing if found is None else found.missing
        known = ~missing.all(0)
        rotations = as_rot6d(given) if found is None else found.rotations
        rotations = slerp_gaps(rotations[:, known], missing[:, known])
        smooth, outlier = self._smooth(
            rotations,
            missing[:, known],
            np.where(missing, 0, weights)[:, known],
        )
        result = np.full(given.shape, np.nan, np.float32)
        result[:, known] = rotations_as_given(
            torch.from_numpy(smooth), given[:, known]
        )
        kind = given.dtype if given.dtype.kind == 'f' else np.float32
        refined = RefineResult(result.astype(kind), missing & known)
        if found is not None and outlier is not None:
            reason = np.full(missing.shape, NOISE, np.uint8)
            reason[:, known] = np.where(outlier, OUTLIER, NOISE)
            reason[found.swapped] = SWAPPED
            reason[missing] = MISSING
            refined.swapped, refined.reason = found.swapped, reason
        return refined

    @abstractmethod
    def _correct(
        self, rotations: np.ndarray, missing: np.ndarray
    ) -> Optional[UnswappedRotations]:
        """Undo swaps in rotations (T, K, 6); None: nobody looked."""

    @abstractmethod
    def _smooth(
        self, rotations: np.ndarray, missing: np.ndarray, weights: np.ndarray
    ) -> Tuple[np.ndarray, Optional[np.ndarray]]:
        """Smooth rotations without gaps (T, K, 6); outliers, if looked for."""


class RotationFilter(RotationMethod):
    """A classical filter of rotations.

    Args:
        smoother (SequenceFilter): Made with ``rotations=True``.
    """

    def __init__(self, smoother: SequenceFilter) -> None:
        if not smoother.rotations:
            raise ValueError(f'expected rotations=True, found {smoother!r}')
        self.smoother = smoother

    def __repr__(self) -> str:
        return repr(self.smoother)

    def _correct(
        self, rotations: np.ndarray, missing: np.ndarray
    ) -> Optional[UnswappedRotations]:
        return None

    def _smooth(
        self, rotations: np.ndarray, missing: np.ndarray, weights: np.ndarray
    ) -> Tuple[np.ndarray, Optional[np.ndarray]]:
        frames = np.array([len(rotations)])
        return self.smoother.smooth(rotations, frames, weights), None


class RotationPath(RotationMethod):
    """Swaps of left and right undone, then a path that outliers do not bend.

    What is done to files of rotations where nobody names a method; see
    :func:`hanet_mm.core.refine.rotation_swaps.unswap_rotations` and
    :func:`hanet_mm.core.refine.robust_path.robust_path`. The cutoff follows
    the noise of each joint: about 6 Hz at 1 degree, 2 Hz at ten; where there
    is no noise the path is the input.

    Args:
        fps (float): Frames per second. Defaults to 30.
    """

    def __init__(self, fps: float = USUAL_RATE) -> None:
        self.fps = limit_rate(check_fps(fps))

    def __repr__(self) -> str:
        return f'RotationPath(fps={self.fps:g})'

    def _correct(
        self, rotations: np.ndarray, missing: np.ndarray
    ) -> Optional[UnswappedRotations]:
        some = rotations.dtype.type([1, 0, 0, 1, 0, 0])
        safe = np.where(missing[..., None], some, rotations)
        return unswap_rotations(safe, missing, self.fps)

    def _smooth(
        self, rotations: np.ndarray, missing: np.ndarray, weights: np.ndarray
    ) -> Tuple[np.ndarray, Optional[np.ndarray]]:
        path = robust_path(
            rotations,
            missing,
            self.fps,
            size=_SIZE,
            least_weight=_LEAST_WEIGHT,
        )
        smooth = project_rot6d(torch.from_numpy(path.keypoints)).numpy()
        return smooth, path.outlier


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
    joints = np.tile(np.arange(missing.shape[1]), (len(missing), 1))
    known = torch.from_numpy(rotations).double()
    first, last = (
        rot6d_to_matrix(known[x, joints][missing]) for x in (before, after)
    )
    turn = matrix_to_axis_angle(first.transpose(-1, -2) @ last)
    filled = first @ axis_angle_to_matrix(turn * share[:, None])
    result = rotations.copy()
    result[missing] = matrix_to_rot6d(filled).to(torch.float32).numpy()
    return result
