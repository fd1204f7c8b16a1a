"""Compare two files of poses."""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike

from .measures import (
    count_present,
    displacements,
    mean_difference,
    mean_lag,
    share_changed,
    true_errors,
    true_pck,
)
from .pairs import TrackPair, pair_up
from .reading import Poses, read_input, read_poses, read_truth
from .table import Row, format_json, format_table

# Part of the size of a person.
TOLERANCE = 0.01


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
) -> Comparison:
    """Compare the poses of the same persons in two files.

    Args:
        before (PathLike): In any format that
            :func:`hanet_mm.apis.formats.open_poses` takes.
        after (PathLike, optional): Defaults to None: ``before`` is a file
            that hanet-mm refined, which is compared with what it came from.
        truth (PathLike, optional): Flat layout with ``keypoints_gt``, or
            any other format with the truth as its keypoints. Defaults to
            None.
        tolerance (float): Part of the size of a person up to which a
            keypoint counts as not changed. Defaults to 0.01.

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
        first, second = read_input(before), read_poses(before)
    else:
        first, second = read_poses(before), read_poses(after)
    gt = None if truth is None else read_truth(truth)
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
        boxes = all(pair.boxes is not None for pair in pairs)
        about['truth'] = gt.title
        about['pck_size'] = (
            'the true boxes' if boxes else 'boxes around the true keypoints'
        )
        rows += _truth_rows(pairs, unit)
    rows += _change_rows(pairs, unit, tolerance, names)
    return Comparison(about, rows, pairs, names)


def _motion_rows(pairs: List[TrackPair], unit: str) -> List[Row]:
    rows = []
    for key, order in (('jitter', 3), ('acceleration', 2)):
        before, after = mean_difference(pairs, order)
        rows.append(Row(key, key, f'{unit}/frame^{order}', after, before))
    return rows


def _truth_rows(pairs: List[TrackPair], unit: str) -> List[Row]:
    before, after = (true_errors(pairs, x) for x in ('before', 'after'))
    labels = dict(
        mean_error=('mean error', unit),
        error_95=('95th percentile', unit),
        accel_error=('acceleration error', f'{unit}/frame^2'),
    )
    rows = [
        Row(key, label, unit, after[key], before[key])
        for key, (label, unit) in labels.items()
    ]
    if pairs[0].truth.shape[-1] == 2:
        before, after = (true_pck(pairs, x) for x in ('before', 'after'))
        rows += [
            Row(f'pck_{x:g}', f'PCK@{x:g}', '%', after[x], before[x])
            for x in before
        ]
    before, first = mean_lag(pairs, 'truth', 'before')
    after, second = mean_lag(pairs, 'truth', 'after')
    rows.append(
        Row(
            'truth_lag',
            'lag behind the truth',
            'frames',
            after,
            before,
            note=f'> 0: behind; of {first} and {second} persons',
            relative=False,
        )
    )
    return rows


def _change_rows(
    pairs: List[TrackPair], unit: str, tolerance: float, names: List[str]
) -> List[Row]:
    lag, known = mean_lag(pairs)
    largest, where = _largest(pairs, names)
    distances = np.concatenate([x.ravel() for x in displacements(pairs)])
    distances = distances[np.isfinite(distances)]
    mean = float(distances.mean()) if len(distances) else float('nan')
    counts = count_present(pairs)
    return [
        Row(
            'lag',
            'lag of after behind before',
            'frames',
            lag,
            note=f'> 0: behind; of {known} persons',
        ),
        Row('mean_displacement', 'mean displacement', unit, mean),
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
            100 * share_changed(pairs, tolerance),
            note=f'by more than {tolerance:g} of the size of the person',
        ),
        Row('filled', 'filled points', '', counts['filled']),
        Row('removed', 'removed points', '', counts['removed']),
    ]


def _largest(pairs: List[TrackPair], names: List[str]) -> Tuple[float, str]:
    """The largest displacement, and of whom, when and what."""
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
