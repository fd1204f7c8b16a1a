"""Tables of keypoints as CSV.

One row for each person in each frame: ``frame``, ``person`` where there is
more than one, and for each keypoint ``<name>_x``, ``<name>_y`` and, where
there is one, ``<name>_score``. A cell that is empty or ``nan`` is missing.
"""

import csv
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, atomic_path
from hanet_mm.core.refine.refiner import RefineResult

from .persons import DetectionFile, Detections

_X, _Y, _SCORE = '_x', '_y', '_score'
_FRAME, _PERSON = 'frame', 'person'


class CsvTable(DetectionFile):
    """A table of keypoints.

    Refined keypoints take the place of those that came, which are kept in
    columns ``<name>_x_input`` and ``<name>_y_input``; ``<name>_filled`` is 1
    where they were missing. Other columns are passed through.

    Args:
        path: The file.
        tracker: See :class:`DetectionFile`.

    Raises:
        ValueError: One line naming the file, the row and the column.
    """

    def __init__(self, path: PathLike, tracker: Optional[Any] = None):
        self.path = path
        self.columns, self.cells, self.lines = _read_table(path)
        names = table_names(self.columns)
        if not names or _FRAME not in self.columns:
            raise ValueError(
                f'{path}: expected columns {_FRAME}, <name>{_X} and '
                f'<name>{_Y}, found {", ".join(self.columns) or "none"}'
            )
        self.keypoint_names = names
        frames = self._frames()
        points = np.stack(
            [
                np.stack([self._column(x + _X), self._column(x + _Y)], -1)
                for x in names
            ],
            1,
        )
        ids: List[Any] = [None] * len(self.cells)
        if _PERSON in self.columns:
            index = self.columns.index(_PERSON)
            ids = [row[index].strip() or None for row in self.cells]
        found = Detections(
            frames,
            points,
            self._scores(names),
            ids,
            _PERSON,
            'rows',
        )
        super().__init__(path, found, tracker)

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
        """(N,) int64."""
        frames = self._column(_FRAME)
        wrong = ~((frames == np.floor(frames)) & (frames >= 0))
        if wrong.any():
            row = int(wrong.argmax())
            cell = self.cells[row][self.columns.index(_FRAME)]
            raise ValueError(
                f'{self.path}: line {self.lines[row]}: {_FRAME}: expected an '
                f'integer from 0 on, found {cell!r}'
            )
        return frames.astype(np.int64)

    def _scores(self, names: List[str]) -> Optional[np.ndarray]:
        """(N, K), 1 for keypoints without; None where none has any."""
        if not any(name + _SCORE in self.columns for name in names):
            return None
        return np.stack(
            [
                self._column(name + _SCORE)
                if name + _SCORE in self.columns
                else np.ones(len(self.cells))
                for name in names
            ],
            1,
        )

    def _column(self, name: str) -> np.ndarray:
        index = self.columns.index(name)
        cells = [row[index].strip() or 'nan' for row in self.cells]
        try:
            return np.array(cells, np.float64)
        except ValueError:
            line, cell = next(
                pair
                for pair in zip(self.lines, cells)
                if not _is_number(pair[1])
            )
            raise ValueError(
                f'{self.path}: line {line}: {name}: expected a number, found '
                f'{cell!r}'
            ) from None


def table_names(columns: Sequence[str]) -> List[str]:
    """Names of the keypoints that have an x and a y among the columns."""
    return [
        column[: -len(_X)]
        for column in columns
        if column.endswith(_X) and column[: -len(_X)] + _Y in columns
    ]


def read_header(path: PathLike) -> List[str]:
    """Names of the columns.

    Raises:
        ValueError: If it is no text.
    """
    try:
        with open(path, newline='', encoding='utf-8-sig') as file:
            return [x.strip() for x in next(csv.reader(file), [])]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f'{path}: expected CSV, found {error}') from None


def _read_table(
    path: PathLike,
) -> Tuple[List[str], List[List[str]], List[int]]:
    """Names of the columns, the rows, and the line of each."""
    columns = read_header(path)
    twice = [x for x in columns if columns.count(x) > 1]
    if twice:
        raise ValueError(
            f'{path}: expected each column once, found {twice[0]!r} twice'
        )
    rows, lines = [], []
    try:
        with open(path, newline='', encoding='utf-8-sig') as file:
            reader = csv.reader(file)
            next(reader, None)
            for row in reader:
                if row:
                    rows.append(row)
                    lines.append(reader.line_num)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f'{path}: expected CSV, found {error}') from None
    for line, row in zip(lines, rows):
        if len(row) != len(columns):
            raise ValueError(
                f'{path}: line {line}: expected {len(columns)} cells, found '
                f'{len(row)}'
            )
    return columns, rows, lines


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
