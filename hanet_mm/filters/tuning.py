# Copyright (c) hanet_mm contributors. All rights reserved.
"""Filters by name, and the choice of their parameters on training data."""

from dataclasses import asdict, dataclass, field
from itertools import product
from typing import (
    Any,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Type,
    cast,
)

import numpy as np
import torch

from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.core.data.lengths import lengths
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.metrics.errors import subtract_root
from hanet_mm.core.poses.boxes import person_size
from hanet_mm.core.poses.rotations import geodesic_distance, rot6d_to_matrix
from hanet_mm.core.refine.frame_rate import USUAL_RATE
from hanet_mm.progress import progress_bar

from .base import SequenceFilter
from .kalman import KalmanFilter
from .linear import ButterworthFilter, GaussianFilter, SavitzkyGolayFilter
from .median import MedianButterworthFilter, MedianFilter
from .one_euro import OneEuroFilter

FILTERS: Dict[str, Type[SequenceFilter]] = {
    'savgol': SavitzkyGolayFilter,
    'butterworth': ButterworthFilter,
    'gaussian': GaussianFilter,
    'one_euro': OneEuroFilter,
    'median': MedianFilter,
    'kalman': KalmanFilter,
    'median_butterworth': MedianButterworthFilter,
}


def find_filter(name: str) -> Type[SequenceFilter]:
    """Class of a filter by its key in :data:`FILTERS`."""
    if name not in FILTERS:
        raise ValueError(
            f'filter has to be one of {", ".join(FILTERS)}, got {name!r}'
        )
    return FILTERS[name]


_BLOCK_FRAMES = 1 << 16
_OBJECTIVES = ('mean_error', 'accel_error')


@dataclass
class GridPoint:
    """Errors of one choice of parameters.

    Attributes:
        settings: In the units of the grid; empty for the input itself.
        mean_error: Mean distance from the truth, in the unit of the
            keypoints; for rotations mean angle in rad.
        accel_error: Mean length of the error of the second differences, per
            frame^2; for rotations that of the six numbers. NaN where no
            keypoint is known in three consecutive frames.
    """

    settings: Dict[str, float]
    mean_error: float
    accel_error: float


@dataclass
class TuningReport:
    """Arguments that were tried, and their results.

    Attributes:
        name: The filter.
        objective: What was made least.
        arguments: Those of the filter chosen, in the unit of the keypoints.
        size: Size of a person in that unit; 1 for rotations.
        fps: Frames per second.
        input: Errors of the input, gaps filled.
        best: Errors of the filter chosen.
        points: Errors of every point of the grid.
    """

    name: str
    objective: str
    arguments: Dict[str, Any]
    size: float
    fps: float
    input: GridPoint
    best: GridPoint
    points: List[GridPoint] = field(repr=False)

    def to_dict(self) -> Dict[str, Any]:
        """All of it as plain dictionaries, for JSON."""
        return asdict(self)


def tune_filter(
    name: str,
    sequences: PoseSequences,
    grid: Optional[Mapping[str, Sequence[float]]] = None,
    objective: str = 'mean_error',
    root: Optional[Sequence[int]] = None,
    progress: bool = False,
) -> Tuple[SequenceFilter, TuningReport]:
    """Choose the parameters with the least error on training sequences.

    Every combination of the grid is tried. Errors are taken where the truth
    is visible and pooled over all frames; missing estimates are filled as
    in use, sequences without any estimate left out. The first of equal
    points is chosen.

    Grids hold for any unit: the ``beta`` of the One-Euro filter is per
    size of a person, which is the median over the frames of the larger side
    of the box around the estimate. Its other values are in Hz at the median
    frame rate of the sequences (30 where they have none).

    Args:
        name (str): The filter, see :data:`~hanet_mm.filters.FILTERS`.
        sequences (PoseSequences): With truth; of the training split. Those
            with ``meta['units']`` ``'rot6d'`` are filtered and measured as
            rotations.
        grid (Mapping, optional): Values to try of each parameter. Defaults
            to None: the filter's ``GRID``.
        objective (str): ``'mean_error'`` or ``'accel_error'``, see
            :class:`GridPoint`.
        root (Sequence[int], optional): Joints whose mean is the root:
            filtered poses and truth are compared each relative to its own.
            Defaults to None: compared as they are.
        progress (bool): Whether to show a progress bar on stderr.

    Returns:
        tuple: The filter chosen, and a :class:`TuningReport`.

    Raises:
        ValueError: If a name, unit or value is wrong, or there is nothing
            to measure.
    """
    kind = find_filter(name)
    if objective not in _OBJECTIVES:
        raise ValueError(
            f'objective has to be one of {", ".join(_OBJECTIVES)}, got '
            f'{objective!r}'
        )
    points = _grid_points(kind.GRID if grid is None else grid, kind)
    rotations = _are_rotations(sequences)
    sequences = _measurable(sequences)
    size = 1.0 if rotations else _person_size(sequences)
    fps = _frame_rate(sequences)
    filters = [
        kind(rotations=rotations, **kind.in_units(point, size, fps))
        for point in points
    ]
    errors = _measure(filters, sequences, root, rotations, progress)
    first, *tried = (
        GridPoint(point, *map(float, row))
        for point, row in zip([{}, *points], errors)
    )
    column = errors[1:, _OBJECTIVES.index(objective)]
    if np.isnan(column).any():
        raise ValueError(f'{objective}: no frame with known truth to measure')
    best = int(column.argmin())
    return filters[best], TuningReport(
        name=name,
        objective=objective,
        arguments=kind.in_units(points[best], size, fps),
        size=size,
        fps=fps,
        input=first,
        best=tried[best],
        points=tried,
    )


def _grid_points(
    grid: Mapping[str, Sequence[float]], kind: Type[SequenceFilter]
) -> List[Dict[str, float]]:
    """Every combination of the values."""
    if set(grid) != set(kind.GRID):
        raise ValueError(
            f'grid: expected values of {", ".join(kind.GRID)}, found those '
            f'of {", ".join(grid) or "nothing"}'
        )
    points = [dict(zip(grid, values)) for values in product(*grid.values())]
    if not points:
        raise ValueError('grid: expected at least 1 value of each parameter')
    return points


def _are_rotations(sequences: PoseSequences) -> bool:
    units = sequences.meta.get('units')
    if units == 'axis-angle':
        raise ValueError(
            "meta['units']: expected coordinates or 'rot6d', found "
            "'axis-angle', which jumps at half a turn: convert it"
        )
    return units == 'rot6d'


def _measurable(sequences: PoseSequences) -> PoseSequences:
    """The sequences that have an estimate."""
    if sequences.keypoints_gt is None:
        raise ValueError('keypoints_gt: expected a truth to tune with')
    known = np.logical_or.reduceat(sequences.valid.any(1), sequences.starts)
    if not known.any():
        raise ValueError('keypoints_est: no estimate in any sequence')
    return sequences if known.all() else sequences.select(known)


def _person_size(sequences: PoseSequences) -> float:
    """Size of the people in the estimates; 1 for points without extent."""
    size = person_size(sequences.keypoints_est, sequences.valid)
    return 1.0 if np.isnan(size) else size


def _frame_rate(sequences: PoseSequences) -> float:
    if sequences.fps is None:
        return USUAL_RATE
    return float(np.median(np.repeat(sequences.fps, sequences.seq_len)))


def _measure(
    filters: List[SequenceFilter],
    sequences: PoseSequences,
    root: Optional[Sequence[int]],
    rotations: bool,
    progress: bool,
) -> np.ndarray:
    """Errors of the input and of each filter, (1 + len(filters), 2)."""
    sums = np.zeros((1 + len(filters), 4))
    frames = len(sequences.keypoints_est) * len(filters)
    with progress_bar(frames, shown=progress) as advance:
        for block in iter_blocks(sequences, _BLOCK_FRAMES, root):
            sums[0] += error_sums(block.keypoints, block, root, rotations)
            for row, candidate in zip(sums[1:], filters):
                smoothed = candidate.smooth(
                    block.keypoints, block.seq_len, block.scores
                )
                row += error_sums(smoothed, block, root, rotations)
                advance(len(smoothed))
    totals, counts = sums[:, :2], sums[:, 2:]
    nothing = np.full_like(totals, np.nan)
    return np.divide(totals, counts, out=nothing, where=counts > 0)


class Block(NamedTuple):
    """Whole sequences, one after the other: estimates (N, K, D) with gaps
    filled, scores (N, K), 0 there, lengths (S,); truth (N, K, D), relative to
    the root, 0 where unknown; where truth and root are known, bool (N, K),
    also in a frame and the two before of the same sequence.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    seq_len: np.ndarray
    gt: np.ndarray
    counted: np.ndarray
    accel_counted: np.ndarray


def iter_blocks(
    sequences: PoseSequences, frames: int, root: Optional[Sequence[int]]
) -> Iterator[Block]:
    """Take whole sequences, about so many frames at a time."""
    number = (np.cumsum(sequences.seq_len) - 1) // frames
    borders = np.flatnonzero(np.diff(number)) + 1
    for chosen in np.split(np.arange(len(sequences)), borders):
        yield _make_block(sequences.select(chosen), root)


def error_sums(
    keypoints: np.ndarray,
    block: Block,
    root: Optional[Sequence[int]],
    rotations: bool,
) -> np.ndarray:
    """Sums of errors (distances from the truth, for rotations angles in rad)
    and of acceleration errors of (N, K, D), and counts of both, (4,).
    """
    if root:
        keypoints = subtract_root(keypoints, root)
    counted, accel_counted = block.counted, block.accel_counted
    error = keypoints - block.gt
    # The second difference is linear: that of the error is the error of it.
    accel = lengths(error[:-2] - 2 * error[1:-1] + error[2:])
    if rotations:
        both = torch.from_numpy(np.stack([keypoints, block.gt])[:, counted])
        errors = geodesic_distance(*rot6d_to_matrix(both.double())).numpy()
    else:
        errors = lengths(error)[counted]
    return np.array(
        [
            errors.sum(dtype=np.float64),
            accel[accel_counted].sum(dtype=np.float64),
            counted.sum(),
            accel_counted.sum(),
        ]
    )


def _make_block(part: PoseSequences, root: Optional[Sequence[int]]) -> Block:
    gt = cast(np.ndarray, part.keypoints_gt)
    counted = np.ones(part.scores.shape, bool)
    if part.visible is not None:
        counted = part.visible > 0
    if root:
        counted = counted & counted[:, list(root)].all(1, keepdims=True)
        gt = subtract_root(gt, root)
    sequence = np.repeat(np.arange(len(part)), part.seq_len)[:, None]
    return Block(
        keypoints=fill_missing(part.keypoints_est, ~part.valid, part.seq_len),
        scores=np.where(part.valid, part.scores, 0),
        seq_len=part.seq_len,
        gt=np.where(counted[..., None], gt, 0),
        counted=counted,
        accel_counted=counted[:-2]
        & counted[1:-1]
        & counted[2:]
        & (sequence[:-2] == sequence[2:]),
    )
