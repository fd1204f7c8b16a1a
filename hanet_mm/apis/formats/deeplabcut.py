# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tables of DeepLabCut: CSV with a header of three lines, or of four.

``scorer``, perhaps ``individuals``, ``bodyparts`` and ``coords`` begin the
lines of the header; ``coords`` are x, y and ``likelihood``. The rows are
frames, by number or by the name of their picture. An empty cell is missing.
"""

import csv
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, atomic_path
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source
from .csv import Table, check_table
from .frame_names import frame_numbers

_LEVELS = ('scorer', 'individuals', 'bodyparts', 'coords')
_AXES = ('x', 'y', 'likelihood')


def matches(source: Source) -> bool:
    """Whether a table has such a header."""
    table: Table = source.content
    return table.columns[:1] == ['scorer'] and any(
        row[0] == 'bodyparts' for row in table.rows[:2]
    )


class DeepLabCutTable(DetectionFile):
    """A table of DeepLabCut. Refined coordinates replace the given ones; all
    other cells stay.
    """

    keeps_input = False

    def __init__(self, source: Source):
        self.path = path = source.path
        table: Table = source.content
        check_table(table, path, twice=True)
        every = [table.columns, *table.rows]
        self.levels = {
            row[0]: row for row in every[: len(_LEVELS)] if row[0] in _LEVELS
        }
        if not {'bodyparts', 'coords'} <= {*self.levels}:
            raise ValueError(
                f'{path}: expected lines that begin with bodyparts and '
                'coords, found none'
            )
        self.every, self.head = every, len(self.levels)
        self.delimiter = table.delimiter
        self.index = self._index_columns()
        persons = list(dict.fromkeys(key[0] for key in self.index))
        parts = list(dict.fromkeys(key[1] for key in self.index))
        self.keypoint_names = parts
        numbers = self._numbers()
        cells = [[x.strip() for x in row] for row in every[self.head :]]
        first = min(self.index.values(), default=1)
        names: List[Any] = [row[first - 1] for row in cells]
        if all(x.isdecimal() for x in names):
            names = [int(x) for x in names]
        frames = frame_numbers(names, path, 'frame')
        points, scores, rows, ids = [], [], [], []
        self.places: List[Tuple[int, Any]] = []
        for person in persons:
            columns = [
                [self._take(numbers, person, part, axis) for part in parts]
                for axis in _AXES
            ]
            x, y, likelihood = (np.stack(values, 1) for values in columns)
            both = np.stack([x, y], -1)
            for row in np.flatnonzero(np.isfinite(both).all(-1).any(1)):
                self.places.append((int(row), person))
                points.append(both[row])
                scores.append(likelihood[row])
                rows.append(frames[row])
                ids.append(person or None)
        has_scores = any(axis == 'likelihood' for *_, axis in self.index)
        found = Detections(
            np.array(rows, np.int64),
            np.array(points).reshape(-1, len(parts), 2),
            np.array(scores).reshape(-1, len(parts)) if has_scores else None,
            ids,
            'individual',
        )
        super().__init__(source, found)

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, _ = self.collect(refined)
        every = [list(row) for row in self.every]
        for (row, person), points in zip(self.places, keypoints):
            for part, place in zip(self.keypoint_names or (), points):
                if np.isnan(place).any():
                    continue
                for axis, value in zip('xy', place):
                    # Not every individual has each of the parts.
                    column = self.index.get((person, part, axis))
                    if column is not None:
                        every[self.head + row][column] = f'{value:.9g}'
        with (
            atomic_path(out) as path,
            open(path, 'w', newline='', encoding='utf-8') as file,
        ):
            writer = csv.writer(
                file, delimiter=self.delimiter, lineterminator='\n'
            )
            writer.writerows(every)

    def _index_columns(self) -> Dict[Tuple[str, str, str], int]:
        """Column of each individual, body part and axis."""
        coords = self.levels['coords']
        who = self.levels.get('individuals', [''] * len(coords))
        found = {
            (who[i], self.levels['bodyparts'][i], axis): i
            for i, axis in enumerate(coords)
            if axis in _AXES
        }
        for person, part, _ in list(found):
            if not {(person, part, 'x'), (person, part, 'y')} <= {*found}:
                raise ValueError(
                    f'{self.path}: {part}: expected columns of x and y'
                )
        return found

    def _numbers(self) -> Dict[int, np.ndarray]:
        """Numbers of the columns; NaN: missing."""
        result = {}
        for column in self.index.values():
            cells = [row[column].strip() for row in self.every[self.head :]]
            try:
                result[column] = np.array(
                    [float(x or 'nan') for x in cells], np.float64
                )
            except ValueError as error:
                raise ValueError(
                    f'{self.path}: column {column + 1}: expected numbers: '
                    f'{error}'
                ) from None
        return result

    def _take(
        self,
        numbers: Dict[int, np.ndarray],
        person: str,
        part: str,
        axis: str,
    ) -> np.ndarray:
        """Numbers (T,) of a part; NaN where a person has none."""
        column = self.index.get((person, part, axis))
        if column is None:
            return np.full(len(self.every) - self.head, np.nan)
        return numbers[column]


read = DeepLabCutTable
