# Copyright (c) hanet_mm contributors. All rights reserved.
"""Compare two files of poses."""

import json
import math
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.metrics.errors import position_errors
from hanet_mm.core.metrics.lag import lag_behind
from hanet_mm.core.metrics.measures import measure, present, true_poses
from hanet_mm.core.poses.boxes import person_size

from .reading import (
    Poses,
    TrackPair,
    pair_up,
    read_input,
    read_poses,
    read_truth,
)

# What stands where a figure is not known.
_UNKNOWN = '-'


@dataclass
class Row:
    """One measure: its key in JSON, label, unit and note; ``before`` is None
    where the figure is of both together, ``relative`` says whether the change
    in percent is of interest.
    """

    key: str
    label: str
    unit: str
    after: float
    before: Optional[float] = None
    note: str = ''
    relative: bool = True

    @property
    def change(self) -> Optional[float]:
        """By how much it changed in percent; None where that is unknown."""
        if not self.relative or self.before is None or not self.before > 0:
            return None
        change = 100 * (self.after / self.before - 1)
        return change if math.isfinite(change) else None

    def to_dict(self) -> Dict[str, Any]:
        """For JSON; figures that are not known are None."""
        figures = dict(before=self.before, after=self.after)
        if self.before is None:
            figures = dict(value=self.after)
        figures = {
            key: value if math.isfinite(value) else None
            for key, value in figures.items()
        }
        note = dict(note=self.note) if self.note else {}
        return {'unit': self.unit, **figures, **note}


def format_json(about: Dict[str, Any], rows: Sequence[Row]) -> str:
    """The inputs and a key for each measure, as JSON content."""
    content = {**about, **{row.key: row.to_dict() for row in rows}}
    return json.dumps(content, indent=2, allow_nan=False)


def format_table(heading: Sequence[str], rows: Sequence[Row]) -> str:
    """The measures in columns, below lines of heading."""
    lines = [('', 'before', 'after', 'change', '')]
    for row in rows:
        change = '' if row.change is None else f'{row.change:+.1f} %'
        before = '' if row.before is None else _format(row.before)
        label = f'{row.label} ({row.unit})' if row.unit else row.label
        lines.append((label, before, _format(row.after), change, row.note))
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    table: List[str] = []
    for label, *figures, note in lines:
        cells = [x.rjust(width) for x, width in zip(figures, widths[1:])]
        text = '  '.join([label.ljust(widths[0]), *cells, note])
        table.append(text.rstrip())
    return '\n'.join([*heading, '', *table])


def _format(value: float) -> str:
    """Four significant digits or two after the point, and no -0.00."""
    if not math.isfinite(value):
        return _UNKNOWN
    if float(value).is_integer():
        return f'{value:.0f}' if value else '0'
    digits = 2
    if 0 < abs(value) < 1:
        digits = min(8, 2 - math.floor(math.log10(abs(value))))
    text = f'{value:.{digits}f}'
    return text if float(text) else '0'


# Part of the size of a person.
TOLERANCE = 0.01
_CHANGED = 'by more than 2 % of the box'
# Key, label and unit of what is measured before and after.
_TRUTH: Tuple[Tuple[str, str, str], ...] = (
    ('mean_error', 'mean error', '{}'),
    ('error_95', '95th percentile', '{}'),
    ('pa_mpjpe', 'PA-MPJPE', '{}'),
    ('accel_error', 'acceleration error', '{}/frame^2'),
    ('pck_0.2', 'PCK@0.2', '%'),
    ('pck_0.1', 'PCK@0.1', '%'),
    ('pck_0.05', 'PCK@0.05', '%'),
    ('box_error', 'relative error', '% of the box'),
    ('box_error_95', 'relative 95th percentile', '% of the box'),
    ('motion_kept', 'range of motion', '% of the truth'),
)


@dataclass
class Comparison:
    """Poses before and after, and what is measured of them.

    Its text is a table.

    Attributes:
        about: What was compared: files, numbers of persons, frames and
            keypoints, unit, tolerance.
        rows: The measures.
        pairs: The persons.
        keypoint_names: Of the K keypoints.
    """

    about: Dict[str, Any]
    rows: List[Row]
    pairs: List[TrackPair]
    keypoint_names: List[str]

    def __str__(self) -> str:
        about = self.about
        heading = [f'before: {about["before"]}', f'after:  {about["after"]}']
        if 'truth' in about:
            heading.append(
                f'truth:  {about["truth"]}; PCK by {about["pck_size"]}'
            )
        heading.append(
            f'{about["persons"]} persons, {about["frames"]} frames, '
            f'{about["keypoints"]} keypoints'
        )
        return format_table(heading, self.rows)

    def to_json(self) -> str:
        """The figures as JSON, a key for each measure; null: not known."""
        return format_json(self.about, self.rows)

    def figures(self) -> Dict[str, Row]:
        """The measures by their keys."""
        return {row.key: row for row in self.rows}


def compare_files(
    before: PathLike,
    after: Optional[PathLike] = None,
    truth: Optional[PathLike] = None,
    tolerance: float = TOLERANCE,
    skeleton: Optional[PathLike] = None,
    **reading: Any,
) -> Comparison:
    """Compare the poses of the same persons in two files.

    Args:
        before (PathLike): In any format that
            :func:`hanet_mm.apis.formats.open_poses` takes.
        after (PathLike, optional): Defaults to None: ``before`` is a file
            that hanet-mm refined, which is compared with what it came from.
        truth (PathLike, optional): Flat layout with ``keypoints_gt``, or
            any other format with the truth as its keypoints; of the same
            persons by name or by where they are, in some of the frames,
            with keypoints of the same names.
        tolerance (float): Part of the size of a person up to which a
            keypoint counts as not changed.
        skeleton (PathLike, optional): Names of the keypoints, where the
            files have none: a known skeleton or a JSON file.
        **reading: Other arguments of :func:`hanet_mm.apis.formats.open_poses`;
            ``format`` is that of ``before`` and ``after``.

    Returns:
        Comparison: Its text is a table.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: One line naming the file and what is wrong with it, or
            the person, frames or keypoints that are not the same.
    """
    if not tolerance >= 0:
        raise ValueError(f'tolerance: expected at least 0, got {tolerance}')
    if after is None:
        first = read_input(before, skeleton, **reading)
        second = read_poses(before, skeleton, **reading)
    else:
        first = read_poses(before, skeleton, **reading)
        second = read_poses(after, skeleton, True, **reading)
    reading.pop('format', None)
    gt = None if truth is None else read_truth(truth, **reading)
    pairs = pair_up(first, second, gt)
    names = _find_names([first, second], pairs)
    unit = _find_unit([first, second, gt], pairs)
    about: Dict[str, Any] = dict(
        before=first.title,
        after=second.title,
        persons=len(pairs),
        frames=sum(len(pair.before) for pair in pairs),
        keypoints=len(names),
        unit=unit,
        tolerance=tolerance,
    )
    rows = _motion_rows(pairs, unit)
    if gt is not None:
        about['truth'] = gt.title
        about['pck_size'] = (
            'boxes around the true keypoints'
            if gt.boxes is None
            else 'the true boxes'
        )
        rows += _truth_rows(pairs, unit)
    rows += _change_rows(pairs, unit, tolerance, names)
    return Comparison(about, rows, pairs, names)


def displacements(pairs: Sequence[TrackPair]) -> List[np.ndarray]:
    """Displacement of each keypoint, (T, K) each; NaN: not in both."""
    return [position_errors(pair.after, pair.before) for pair in pairs]


def _motion_rows(pairs: List[TrackPair], unit: str) -> List[Row]:
    rows = []
    for key, order in (('jitter', 3), ('acceleration', 2)):
        before, after = (
            _mean_difference(pairs, side, order)
            for side in ('before', 'after')
        )
        rows.append(Row(key, key, f'{unit}/frame^{order}', after, before))
    return rows


def _mean_difference(
    pairs: Sequence[TrackPair], side: str, order: int
) -> float:
    """Mean length of the differences in time of an order, of keypoints there
    in ``order + 1`` frames in a row before and after: the same points count
    for both.
    """
    lengths = []
    for pair in pairs:
        points = np.where(pair.both[..., None], getattr(pair, side), np.nan)
        change = np.diff(points, n=order, axis=0)
        lengths.append(np.linalg.norm(change, axis=-1).ravel())
    return _mean(np.concatenate(lengths))


def _truth_rows(pairs: List[TrackPair], unit: str) -> List[Row]:
    boxes = [pair.boxes for pair in pairs]
    given = None if boxes[0] is None else boxes
    truth = true_poses([pair.truth for pair in pairs], boxes=given)
    both = [pair.both for pair in pairs]
    first = [pair.before for pair in pairs]
    before = measure(first, truth, among=both)
    after = measure([pair.after for pair in pairs], truth, first, both)
    rows = [
        Row(key, label, text.format(unit), _nan(after[key]), _nan(before[key]))
        for key, label, text in _TRUTH
        if key in after
    ]
    rows += [
        Row(key, f'frames made {key}', '%', _nan(after[key]), note=_CHANGED)
        for key in ('worse', 'better')
        if key in after
    ]
    lag, number = _mean_lag(pairs, 'truth', 'before')
    other, known = _mean_lag(pairs, 'truth', 'after')
    rows.append(
        Row(
            'truth_lag',
            'lag behind the truth',
            'frames',
            other,
            lag,
            note=f'> 0: behind; of {number} and {known} persons',
            relative=False,
        )
    )
    return rows


def _change_rows(
    pairs: List[TrackPair], unit: str, tolerance: float, names: List[str]
) -> List[Row]:
    lag, known = _mean_lag(pairs, 'before', 'after')
    largest, where = _largest(pairs, names)
    distances = np.concatenate([x.ravel() for x in displacements(pairs)])
    filled = [present(x.after) & ~present(x.before) for x in pairs]
    removed = [present(x.before) & ~present(x.after) for x in pairs]
    return [
        Row(
            'lag',
            'lag of after behind before',
            'frames',
            lag,
            note=f'> 0: behind; of {known} persons',
        ),
        Row('mean_displacement', 'mean displacement', unit, _mean(distances)),
        Row(
            'largest_displacement',
            'largest displacement',
            unit,
            largest,
            note=where,
        ),
        Row(
            'changed',
            'changed points',
            '%',
            100 * _share_changed(pairs, tolerance),
            note=f'by more than {tolerance:g} of the size of the person',
        ),
        Row('filled', 'filled points', '', sum(int(x.sum()) for x in filled)),
        Row(
            'removed', 'removed points', '', sum(int(x.sum()) for x in removed)
        ),
    ]


def _mean_lag(
    pairs: Sequence[TrackPair], first: str, second: str
) -> Tuple[float, int]:
    """Mean lag over persons, and of how many it is known."""
    lags = np.array(
        [lag_behind(getattr(x, first), getattr(x, second)) for x in pairs]
    )
    return _mean(lags), int(np.isfinite(lags).sum())


def _share_changed(pairs: Sequence[TrackPair], tolerance: float) -> float:
    """Share of the keypoints in both that moved by more than the tolerance."""
    moved = total = 0
    for pair, distances in zip(pairs, displacements(pairs)):
        size = np.nan_to_num(person_size(pair.before))
        moved += int((distances[pair.both] > tolerance * size).sum())
        total += int(pair.both.sum())
    return moved / total if total else float('nan')


def _largest(pairs: List[TrackPair], names: List[str]) -> Tuple[float, str]:
    """The largest displacement with its person, frame and keypoint."""
    largest, where = float('nan'), ''
    for pair, distances in zip(pairs, displacements(pairs)):
        if np.isnan(distances).all():
            continue
        place = np.unravel_index(np.nanargmax(distances), distances.shape)
        # A comparison with NaN is False.
        if not distances[place] <= largest:
            largest = float(distances[place])
            frame = pair.first_frame + place[0]
            where = f'{pair.name}, frame {frame}, {names[place[1]]}'
    return largest, where


def _find_names(files: List[Poses], pairs: List[TrackPair]) -> List[str]:
    for poses in files:
        if poses.keypoint_names:
            return list(poses.keypoint_names)
    return [f'keypoint {i}' for i in range(pairs[0].before.shape[1])]


def _find_unit(files: List[Optional[Poses]], pairs: List[TrackPair]) -> str:
    for poses in files:
        if poses is not None and poses.unit:
            return poses.unit
    return 'px' if pairs[0].before.shape[-1] == 2 else 'units'


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else float('nan')


def _nan(value: Optional[float]) -> float:
    return float('nan') if value is None else value
