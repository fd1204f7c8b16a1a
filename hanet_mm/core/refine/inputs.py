# Copyright (c) hanet_mm contributors. All rights reserved.
"""Inputs and results of refiners and filters: checks and conversions.

Sequences come as numpy arrays or torch tensors, one or a list of them, with
keypoints that may be missing; they go back as they came.
"""

import math
from dataclasses import dataclass
from typing import Any, List, Optional, Sequence, Tuple, Union, cast

import numpy as np
import torch
from torch import Tensor

from ..data.gaps import (
    check_max_gap,
    fill_missing,
    long_gaps,
    missing_keypoints,
    scores_or_default,
)
from ..data.plausible import (
    check_range,
    ignored_keypoints,
    nothing_ignored,
    unmasked,
)
from ..data.scores import usual_scores
from ..poses.rotations import rot6d_to_axis_angle, unwrap_axis_angle
from ..poses.units import as_rot6d, check_metres
from .root_path import relative_to_root
from .swap_chains import SwapChains
from .trust import OUTLIER
from .unswap import swap_sides, unswap_all

Array = Union[np.ndarray, Tensor]


def read_rotations(given: Array, num_joints: int) -> Array:
    """Convert rotations, axis-angle (T, K, 3 or 3K) or 6D, to 6D (T, K, 6).

    Any other shape is returned unchanged, for the checks that follow.
    """
    shape: Tuple[int, ...] = tuple(given.shape)
    if len(shape) == 2 and shape[1] % num_joints == 0:
        shape = (shape[0], num_joints, shape[1] // num_joints)
    if len(shape) != 3 or shape[1] != num_joints or shape[2] not in (3, 6):
        return given
    if isinstance(given, Tensor):
        points = given.detach().reshape(shape).float().cpu().numpy()
        return torch.from_numpy(as_rot6d(points)).to(given.device)
    return as_rot6d(unmasked(given, np.nan).reshape(shape))


def rotations_as_given(rotations: Tensor, given: Array) -> Tensor:
    """Convert 6D rotations (T, K, 6) to the shape and form of ``given``.

    Axis-angle vectors are continuous over time: past the half turn their
    length exceeds pi instead of jumping to the other side.
    """
    shape = tuple(given.shape)
    if np.prod(shape[1:]) == 3 * rotations.shape[1]:
        # Frames of which nothing is known are NaN.
        known = ~rotations.isnan().any(-1).any(-1)
        vectors = rot6d_to_axis_angle(rotations[known].double())
        vectors = unwrap_axis_angle(vectors).to(rotations.dtype)
        rotations = rotations[..., :3].clone()
        rotations[known] = vectors
    return rotations.reshape(shape)


def follow_axis_angle(
    rotations: Tensor, previous: Optional[Tensor] = None
) -> Tensor:
    """Convert 6D rotations (K, 6) to the vectors nearest to ``previous``.

    Candidates are angle + 2 pi k about the same axis; None: angles up to pi.
    """
    vectors = rot6d_to_axis_angle(rotations.double())
    if previous is None:
        return vectors.to(rotations.dtype)
    previous = previous.double()
    angles = vectors.norm(dim=-1, keepdim=True)
    # No rotation has no axis: that of the frame before lasts.
    axes = torch.where(angles > 1e-6, vectors, previous)
    axes = torch.nn.functional.normalize(axes, dim=-1)
    along = (previous * axes).sum(-1, keepdim=True)
    turns = ((along - angles) / (2 * math.pi)).round()
    return (vectors + 2 * math.pi * turns * axes).to(rotations.dtype)


Shape = Tuple[int, int]


@dataclass(repr=False)
class RefineResult:
    """A refined sequence, as numpy or torch like the input.

    Attributes:
        keypoints: Refined keypoints in the coordinates of the input,
            (T, K, D); NaN where they were left empty.
        filled: Missing keypoints that were filled, bool, (T, K).
        expected_error: Expected error of each keypoint in the unit of the
            keypoints, (T, K); NaN where keypoints are, and where a filter
            stood in for the refiner. None if the method does not predict it.
        swapped: Keypoints that changed places with the other side before
            anything else, bool, (T, K). None if the method does not look
            for swaps.
        reason: Why each keypoint was changed, an index of
            :data:`hanet_mm.core.refine.trust.REASONS`, uint8, (T, K). None
            if the method does not limit what it changes.
        translation: With rotations from a file the smooth translation of the
            body, (T, 3); None without one.
    """

    keypoints: Array
    filled: Array
    expected_error: Optional[Array] = None
    swapped: Optional[Array] = None
    reason: Optional[Array] = None
    translation: Optional[Array] = None

    def __repr__(self) -> str:
        counts = f'{int(self.filled.sum())} True'
        if self.swapped is not None:
            counts += f', swapped with {int(self.swapped.sum())} True'
        return (
            f'RefineResult(keypoints={tuple(self.keypoints.shape)}, '
            f'filled={tuple(self.filled.shape)} with {counts})'
        )


@dataclass
class RefineInputs:
    """Checked sequences: float32 keypoints (T, K, D), gaps filled, and scores.

    ``missing`` marks keypoints that were filled and ``empty`` those of them
    that stay empty in the results, bool (T, K); ``several`` means a list was
    given. ``outliers``, bool (T, K), are those of ``missing`` that were given
    far away from the person. ``swapped``, bool (T, K), is None if nobody
    looked for swaps.
    """

    given: List[Array]
    several: bool
    keypoints: List[np.ndarray]
    scores: List[np.ndarray]
    missing: List[np.ndarray]
    empty: List[np.ndarray]
    swapped: List[Optional[np.ndarray]]
    outliers: List[np.ndarray]

    def name(self, index: int) -> str:
        """A sequence, as messages call it."""
        return f'sequence {index}' if self.several else 'keypoints'

    def check_metres(self) -> None:
        """Raise a ValueError if 3D joints seem to be in another unit."""
        for index, points in enumerate(self.keypoints):
            check_metres(points, self.name(index), ~self.missing[index])

    def unswap(
        self,
        chains: SwapChains,
        fps: Sequence[float],
        root: Optional[Sequence[int]] = None,
    ) -> None:
        """Undo swaps of left and right, before gaps are filled.

        With joints ``root`` swapped is only what is so in space and relative
        to them: a root that shakes moves both sides, and one that walks tells
        sides that look alike without it.
        """
        flip = chains.flip_indices
        found = unswap_all(self.keypoints, chains, self.scores, fps)
        if root:
            places = [
                relative_to_root(points, known > 0, root)
                for points, known in zip(self.keypoints, self.scores)
            ]
            again = unswap_all(places, chains, self.scores, fps)
            both = [a[2] & b[2] for a, b in zip(found, again)]
            found = [
                swap_sides(points, known, swapped, chains)
                for points, known, swapped in zip(
                    self.keypoints, self.scores, both
                )
            ]
        for index, (points, known, swapped) in enumerate(found):
            outliers = self.outliers[index]
            self.keypoints[index] = points
            self.scores[index] = known
            self.swapped[index] = swapped
            self.outliers[index] = np.where(
                swapped, outliers[:, flip], outliers
            )

    def results(
        self,
        refined: Sequence[Tensor],
        errors: Optional[Sequence[Optional[Tensor]]] = None,
        reasons: Optional[Sequence[Optional[np.ndarray]]] = None,
    ) -> Union[RefineResult, List[RefineResult]]:
        """Build results of refined (T, K, D) in the form of the input."""
        results = []
        for index, poses in enumerate(refined):
            missing, empty = self.missing[index], self.empty[index]
            # Rotations may be flat, (T, K * D).
            joints = poses.reshape(*missing.shape, -1)
            # Those of several may be views of one array.
            if empty.any() or self.several:
                hole = torch.from_numpy(empty)[..., None].to(joints.device)
                joints = joints.masked_fill(hole, float('nan'))
            # A part of which nothing is known is NaN whatever max_gap is.
            filled = torch.from_numpy(missing).to(joints.device)
            filled = filled & ~joints.isnan().any(-1)
            given = self.given[index]
            reason = None if reasons is None else reasons[index]
            if reason is not None:
                reason = np.where(self.outliers[index], OUTLIER, reason)
                reason = reason.astype(np.uint8)
            error = None if errors is None else errors[index]
            if error is not None:
                nowhere = joints.isnan().any(-1)
                if nowhere.any() or self.several:
                    error = error.masked_fill(nowhere, float('nan'))
            flags = [
                None
                if x is None
                else _as_given(given, torch.from_numpy(x), False)
                for x in (self.swapped[index], reason)
            ]
            results.append(
                RefineResult(
                    _as_given(given, joints.reshape(poses.shape)),
                    _as_given(given, filled, cast=False),
                    None if error is None else _as_given(given, error),
                    *flags,
                )
            )
        return results if self.several else results[0]


def read_refine_inputs(
    keypoints: Union[Array, Sequence[Array]],
    scores: Union[Array, Sequence[Array], None] = None,
    shape: Optional[Shape] = None,
    max_gap: Optional[int] = None,
    positions: Optional[Sequence[np.ndarray]] = None,
    chains: Optional[SwapChains] = None,
    fps: Optional[Sequence[float]] = None,
    root: Optional[Sequence[int]] = None,
) -> RefineInputs:
    """Check sequences (T, K, D) with scores (T, K) and fill their gaps.

    ``shape`` is the expected (K, D), ``positions`` are the times (T, ) of the
    frames. With ``chains`` swaps of left and right are undone first, at the
    rates ``fps``, see :meth:`RefineInputs.unswap`. All gaps are filled; those
    longer than ``max_gap`` (see :mod:`hanet_mm.core.data.gaps`) are marked as
    empty.
    """
    check_max_gap(max_gap)
    several = isinstance(keypoints, (list, tuple))
    given: Any = keypoints
    sequences: List[Array] = list(given) if several else [given]
    weighed: Any = [None] * len(sequences) if scores is None else scores
    one = scores is not None and not several
    all_scores: List[Optional[Array]] = [weighed] if one else list(weighed)
    if len(all_scores) != len(sequences):
        raise ValueError(
            f'{len(sequences)} sequences of keypoints but '
            f'{len(all_scores)} of scores'
        )
    inputs = RefineInputs(sequences, several, [], [], [], [], [], [])
    for index, pair in enumerate(zip(sequences, all_scores)):
        points, known = read_sequence(*pair, shape, inputs.name(index))
        known, outliers = without_ignored(points, known)
        shape = shape or cast(Shape, points.shape[1:])
        inputs.keypoints.append(points)
        inputs.scores.append(known)
        inputs.outliers.append(outliers)
        inputs.swapped.append(None)
    if chains is not None:
        rates = [30.0] * len(sequences) if fps is None else fps
        inputs.unswap(chains, rates, root)
    for index, (points, known) in enumerate(
        zip(inputs.keypoints, inputs.scores)
    ):
        missing = known == 0
        if missing.all():
            raise ValueError(
                f'{inputs.name(index)}: no keypoint in any of its '
                f'{len(points)} frames'
            )
        times = None if positions is None else positions[index]
        inputs.keypoints[index] = fill_missing(
            points, missing, np.array([len(points)]), times
        )
        inputs.missing.append(missing)
        inputs.empty.append(long_gaps(missing, max_gap))
    return inputs


def spread_sizes(
    image_size: Optional[Sequence], count: int
) -> Optional[Tensor]:
    """Checked sizes W, H of the images of so many sequences, (S, 2)."""
    if image_size is None:
        return None
    sizes = torch.as_tensor(np.asarray(image_size, dtype=np.float32))
    if sizes.shape not in ((2,), (count, 2)):
        raise ValueError(
            'expected image_size (W, H), once or for each of '
            f'{count} sequences, found shape {tuple(sizes.shape)}'
        )
    return sizes.expand(count, 2)


def without_ignored(
    points: np.ndarray,
    scores: np.ndarray,
    glances: Optional[np.ndarray] = None,
) -> Tuple[np.ndarray, np.ndarray]:
    """Scores (T, K) of keypoints (T, K, D) that are 0 where these are
    placeholders or outliers, and the outliers, bool (T, K).

    Rotations are neither. ``glances`` are those of :func:`glance_at` where
    they are known; the same scores come back where nothing is ignored.
    """
    plain = glances is not None and nothing_ignored(glances)
    if plain or points.shape[-1] > 3:
        return scores, np.zeros(scores.shape, bool)
    ignored = ignored_keypoints(points, scores == 0)
    if not ignored.any.any():
        return scores, ignored.outliers
    return np.where(ignored.any, np.float32(0), scores), ignored.outliers


def read_sequence(
    keypoints: Array,
    scores: Optional[Array],
    shape: Optional[Shape],
    name: str,
    first_frame: int = 0,
) -> Tuple[np.ndarray, np.ndarray]:
    """Check one sequence (T, K, D) with scores (T, K); return float32.

    Messages count the frames from ``first_frame``.
    """
    exact = _to_numpy(keypoints, np.nan)
    # What float32 cannot hold becomes inf and is refused below.
    with np.errstate(over='ignore'):
        points = exact.astype(np.float32)
    expected = shape or points.shape[1:]
    if points.ndim != 3 or points.shape[1:] != expected or 0 in expected:
        sizes = f' = (T, {shape[0]}, {shape[1]})' if shape else ''
        raise ValueError(
            f'{name}: expected shape (T, K, D){sizes}, found {points.shape}'
        )
    if not len(points):
        raise ValueError(f'{name}: expected at least 1 frame, found 0')
    check_range(points, name, first_frame)
    if scores is not None:
        scores = _to_numpy(scores, 0)
    scores = scores_or_default(scores, points.shape[:2])
    if scores.shape != points.shape[:2]:
        raise ValueError(
            f'{name}: expected scores of shape {points.shape[:2]}, found '
            f'{scores.shape}'
        )
    scores = usual_scores(
        scores, lambda frame: f'{name}: frame {first_frame + frame}'
    )
    missing = missing_keypoints(points, scores)
    return points, np.where(missing, np.float32(0), scores)


def _to_numpy(array: Array, masked: float) -> np.ndarray:
    """As numbers, with those that a mask hides replaced by another."""
    if isinstance(array, Tensor):
        # numpy has no bfloat16.
        return array.detach().float().cpu().numpy()
    return unmasked(array, masked)


def _as_given(given: Array, value: Tensor, cast: bool = True) -> Array:
    """The value as numpy or torch, on the device and of the type given."""
    if isinstance(given, Tensor):
        wanted = given.dtype if cast and given.is_floating_point() else None
        return value.to(device=given.device, dtype=wanted)
    result = value.cpu().numpy()
    given = np.asarray(given)
    if cast and np.issubdtype(given.dtype, np.floating):
        return result.astype(given.dtype, copy=False)
    return result
