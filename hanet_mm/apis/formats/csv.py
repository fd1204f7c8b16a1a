# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tables of keypoints as CSV.

One row for each person in each frame: ``frame``, ``person`` if there are
several, and for each keypoint ``<name>_x``, ``<name>_y`` and, if there is
one, ``<name>_score``; or, in tables without scores, ``<name>_visibility`` of
MediaPipe. An empty cell or ``nan`` is missing.
"""

import csv
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from hanet_mm.core.data.files import PathLike, atomic_path
from hanet_mm.core.data.gaps import scores_or_default
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source

_X, _Y, _SCORE, _VISIBILITY = '_x', '_y', '_score', '_visibility'
_FRAME, _PERSON = 'frame', 'person'


class Table(NamedTuple):
    """Column names, rows of cells, and the line of each row in the file."""

    columns: List[str]
    rows: List[List[str]]
    lines: List[int]


def matches(source: Source) -> bool:
    """Whether a table has columns of keypoints."""
    return bool(_keypoint_names(source.content.columns))


class CsvTable(DetectionFile):
    """A table of keypoints.

    Refined keypoints replace the given ones, which are kept in columns
    ``<name>_x_input`` and ``<name>_y_input``; ``<name>_filled`` is 1 where a
    keypoint was missing. Other columns are copied.
    """

    def __init__(self, source: Source):
        self.path = path = source.path
        _check_table(source.content, path)
        self.columns, self.cells, self.lines = source.content
        names = _keypoint_names(self.columns)
        if not names or _FRAME not in self.columns:
            raise ValueError(
                f'{path}: expected columns {_FRAME}, <name>{_X} and '
                f'<name>{_Y}, found {", ".join(self.columns) or "none"}'
            )
        self.keypoint_names = names
        frames = self._frames()
        x = np.stack([self._column(name + _X) for name in names], 1)
        y = np.stack([self._column(name + _Y) for name in names], 1)
        ids: List[Any] = [None] * len(self.cells)
        if _PERSON in self.columns:
            index = self.columns.index(_PERSON)
            ids = [row[index].strip() or None for row in self.cells]
        points, scores = np.stack([x, y], -1), self._scores(_SCORE)
        is_visibility = scores is None
        if is_visibility:
            scores = self._scores(_VISIBILITY)
        found = Detections(frames, points, scores, ids, _PERSON, is_visibility)
        super().__init__(source, found)

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, filled = self.collect(refined)
        new: Dict[str, List[Any]] = {}
        for i, name in enumerate(self.keypoint_names):
            for axis, ending in enumerate((_X, _Y)):
                column = self.columns.index(name + ending)
                new[name + ending] = [
                    '' if np.isnan(x) else f'{x:.9g}'
                    for x in keypoints[:, i, axis].tolist()
                ]
                new[f'{name}{ending}_input'] = [
                    row[column] for row in self.cells
                ]
            new[f'{name}_filled'] = filled[:, i].astype(int).tolist()
        columns = [*self.columns, *(x for x in new if x not in self.columns)]
        given = dict(zip(self.columns, zip(*self.cells)))
        rows = zip(*(new.get(x) or given[x] for x in columns))
        with (
            atomic_path(out) as path,
            open(path, 'w', newline='', encoding='utf-8') as file,
        ):
            csv.writer(file, lineterminator='\n').writerows([columns, *rows])

    def _frames(self) -> np.ndarray:
        frames = self._column(_FRAME)
        wrong = ~((frames == np.floor(frames)) & (frames >= 0))
        if wrong.any():
            row = int(wrong.argmax())
            cell = self.cells[row][self.columns.index(_FRAME)]
            raise ValueError(
                f'{self.path}: line {self.lines[row]}: {_FRAME}: expected an '
                f'integer from 0, found {cell!r}'
            )
        return frames.astype(np.int64)

    def _scores(self, ending: str) -> Optional[np.ndarray]:
        """Scores (N, K); None if no keypoint has a column of them."""
        columns = [name + ending for name in self.keypoint_names]
        if not {*columns} & {*self.columns}:
            return None
        unknown = scores_or_default(None, (len(self.cells),))
        return np.stack(
            [
                self._column(x) if x in self.columns else unknown
                for x in columns
            ],
            1,
        )

    def _column(self, name: str) -> np.ndarray:
        index = self.columns.index(name)
        cells = [row[index].strip() or 'nan' for row in self.cells]
        try:
            return np.array(cells, np.float64)
        except ValueError:
            pairs = zip(self.lines, cells)
            line, cell = next(x for x in pairs if not _is_number(x[1]))
            raise ValueError(
                f'{self.path}: line {line}: {name}: expected a number, found '
                f'{cell!r}'
            ) from None


read = CsvTable


def _keypoint_names(columns: Sequence[str]) -> List[str]:
    """Keypoints that have an x and a y among the columns."""
    return [
        column[: -len(_X)]
        for column in columns
        if column.endswith(_X) and column[: -len(_X)] + _Y in columns
    ]


def read_table(path: PathLike) -> Table:
    """Read the cells of a CSV file."""
    rows, lines = [], []
    try:
        with open(path, newline='', encoding='utf-8-sig') as file:
            reader = csv.reader(file)
            columns = [x.strip() for x in next(reader, [])]
            for row in reader:
                if row:
                    rows.append(row)
                    lines.append(reader.line_num)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f'{path}: expected CSV, found {error}') from None
    return Table(columns, rows, lines)


def _check_table(table: Table, path: PathLike) -> None:
    columns, rows, lines = table
    twice = [x for x in columns if columns.count(x) > 1]
    if twice:
        raise ValueError(
            f'{path}: expected each column once, found {twice[0]!r} twice'
        )
    for line, row in zip(lines, rows):
        if len(row) != len(columns):
            raise ValueError(
                f'{path}: line {line}: expected {len(columns)} cells, found '
                f'{len(row)}'
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
