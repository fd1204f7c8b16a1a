# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tables of keypoints as CSV.

A row for each person in each frame: ``frame``, ``person`` if there are
several, and for each keypoint ``<name>_x``, ``<name>_y`` and, if there are
such, ``<name>_z`` and a score: ``<name>_score``, ``_conf``, ``_likelihood``
or the like, or ``<name>_visibility`` of MediaPipe. Names may be spelled in
other ways (``nose.x``, ``x1``, ``x_nose``, see :mod:`.csv_columns`). Without
``frame`` the frames are numbered by ``time``, see :mod:`.frame_times`, which
tells the frame rate too, or by the rows.

Or a row for each keypoint of each person: ``frame``, ``landmark`` (its name
or number), ``x``, ``y``, ``visibility``.

An empty cell, ``nan``, ``null``, ``None`` or ``NA`` is missing.
"""

import csv
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, atomic_path
from hanet_mm.core.data.gaps import UNKNOWN_SCORE
from hanet_mm.core.poses.boxes import person_size
from hanet_mm.core.refine.refiner import RefineResult

from .base import NOBODY, DetectionFile, Detections, Source
from .csv_columns import find_columns, name_numbered
from .evidence import SMALLEST_PERSON, are_fractions
from .frame_times import number_frames, rate_of_times

_MISSING = ('', 'nan', 'none', 'null', 'na', 'n/a', '<na>', '-')
_DELIMITERS = (',', ';', '\t')
_PERSON = 'person'


class Table(NamedTuple):
    """Column names, rows of cells, the line of each row in the file, and what
    stands between cells.
    """

    columns: List[str]
    rows: List[List[str]]
    lines: List[int]
    delimiter: str = ','


def matches(source: Source) -> bool:
    """Whether a table has columns of keypoints."""
    return find_columns(source.content.columns) is not None


class CsvTable(DetectionFile):
    """A table of keypoints.

    Refined keypoints replace the given ones, which are kept in columns
    ``<column>_input``; ``<name>_filled`` is 1 where a keypoint was missing
    (``filled`` where keypoints have rows). Other columns are copied.
    """

    def __init__(self, source: Source):
        self.path = path = source.path
        check_table(source.content, path)
        self.table = source.content
        names = self.table.columns
        self.index = {name: i for i, name in enumerate(names)}
        found = find_columns(names)
        if found is None:
            raise ValueError(
                f'{path}: expected columns frame, <name>_x and <name>_y, '
                f'found {", ".join(names) or "none"}'
            )
        self.found = found
        frames = self._frames()
        ids = self._ids()
        # The row of each keypoint of each person, (N, K); -1: none.
        self.places, first = self._places(frames, ids)
        dims = self._dims(source.dims)
        self.axes = 'xyz'[:dims]
        points = np.stack([self._values(found.axes[x]) for x in self.axes], -1)
        scores = None if found.scores is None else self._values(found.scores)
        super().__init__(
            source,
            Detections(
                frames[first],
                points,
                scores,
                [ids[row] for row in first],
                found.person or _PERSON,
                found.is_visibility,
                fps=self._rate(frames),
            ),
        )

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, filled = self.collect(refined)
        columns, rows, _, delimiter = self.table
        given = dict(zip(columns, map(list, zip(*rows))))
        new: Dict[str, List[str]] = {}
        for k in range(keypoints.shape[1]):
            known = self.places[:, k] >= 0
            places = self.places[known, k].tolist()
            for axis, letter in enumerate(self.axes):
                column = self._column(self.found.axes[letter], k)
                cells = new.setdefault(column, list(given[column]))
                kept = f'{column}_input'
                if kept not in new:
                    new[kept] = list(given[column])
                for place, x in zip(places, keypoints[known, k, axis]):
                    cells[place] = '' if np.isnan(x) else f'{x:.9g}'
            name = 'filled'
            if self.found.keypoint is None:
                name = f'{self.found.names[k]}_filled'
            flags = new.setdefault(name, ['0'] * len(rows))
            for place, flag in zip(places, filled[known, k]):
                flags[place] = str(int(flag))
        if self.new_ids is not None:
            cells = [str(NOBODY)] * len(rows)
            for places, number in zip(self.places, self.new_ids):
                for place in places[places >= 0].tolist():
                    cells[place] = str(number)
            new[self.found.person or _PERSON] = cells
        every = [*columns, *(x for x in new if x not in given)]
        body = zip(*(new.get(x) or given[x] for x in every))
        with (
            atomic_path(out) as path,
            open(path, 'w', newline='', encoding='utf-8') as file,
        ):
            writer = csv.writer(file, delimiter=delimiter, lineterminator='\n')
            writer.writerows([every, *body])

    def count(self, refined: Sequence[RefineResult]) -> Tuple[int, int]:
        """See :meth:`PoseFile.count`; keypoints without a row are no part of
        the file.
        """
        _, filled = self.collect(refined)
        rows = np.concatenate([*self.rows, np.zeros(0, np.int64)])
        there = self.places[rows.astype(np.int64)] >= 0
        return int(there.sum()), int((filled[rows.astype(int)] & there).sum())

    def _frames(self) -> np.ndarray:
        """Number of the frame of each row, (R,)."""
        column = self.found.frame
        if column is None:
            return self._frames_by_time()
        frames = self._numbers(column)
        whole = (frames == np.floor(frames)) & (frames < 2**53)
        wrong = ~(whole & (frames >= 0))
        if wrong.any():
            row = int(wrong.argmax())
            cell = self.table.rows[row][self.index[column]]
            raise ValueError(
                f'{self.path}: line {self.table.lines[row]}: {column}: '
                f'expected an integer from 0, found {cell!r}'
            )
        return frames.astype(np.int64)

    def _frames_by_time(self) -> np.ndarray:
        if self.found.time is not None:
            times = self._numbers(self.found.time)
            if len(times) and np.isfinite(times).all():
                return number_frames(times)
        if self.found.keypoint is not None or self.found.person is not None:
            raise ValueError(
                f'{self.path}: expected a column frame or time, as there are '
                f'several rows for a frame, found '
                f'{", ".join(self.table.columns)}'
            )
        self.note = 'no column of frames: each row is one'
        return np.arange(len(self.table.rows))

    def _rate(self, frames: np.ndarray) -> Optional[float]:
        column = self.found.time
        if column is None:
            return None
        try:
            times = self._numbers(column)
        except ValueError:  # dates, or times of day
            return None
        return rate_of_times(times, frames, column)

    def _ids(self) -> List[Any]:
        """Person of each row; None: unknown."""
        column = self.found.person
        if column is None:
            return [None] * len(self.table.rows)
        cells = (row[self.index[column]].strip() for row in self.table.rows)
        ids = [None if x.lower() in _MISSING else x for x in cells]
        return [NOBODY if x == str(NOBODY) else x for x in ids]

    def _places(
        self, frames: np.ndarray, ids: List[Any]
    ) -> Tuple[np.ndarray, List[int]]:
        """Row of each keypoint of each person (N, K), and a row of each
        person; names the keypoints.
        """
        if self.found.keypoint is None:
            numbered = all(x.isdecimal() for x in self.found.names)
            plain = [x.rpartition('_')[2] for x in self.found.names]
            names: Optional[List[str]] = list(self.found.names)
            if numbered or (
                all(x.isdecimal() for x in plain)
                and len({x.rpartition('_')[0] for x in self.found.names}) == 1
            ):
                names = name_numbered(plain)
            self.keypoint_names = names
            rows = np.arange(len(frames))
            count = len(self.found.names)
            return np.repeat(rows[:, None], count, 1), rows.tolist()
        column = self.index[self.found.keypoint]
        cells = [row[column].strip() for row in self.table.rows]
        kinds = list(dict.fromkeys(cells))
        self.keypoint_names = list(kinds)
        if all(x.isdecimal() for x in kinds):
            kinds = sorted(kinds, key=int)
            self.keypoint_names = name_numbered(kinds)
        number = {name: k for k, name in enumerate(kinds)}
        persons: Dict[Any, int] = {}
        first: List[int] = []
        places = np.full((len(cells), len(kinds)), -1)
        for row, cell in enumerate(cells):
            who = (int(frames[row]), ids[row])
            if who not in persons:
                persons[who] = len(first)
                first.append(row)
            place = persons[who], number[cell]
            if places[place] >= 0:
                raise ValueError(
                    f'{self.path}: line {self.table.lines[row]}: expected '
                    f'{cell} of frame {who[0]} once, or a column '
                    f'{_PERSON} that tells the persons, found it twice'
                )
            places[place] = row
        return places[: len(first)], first

    def _dims(self, given: Optional[int]) -> int:
        """Whether x, y are refined, or x, y and z."""
        axes = self.found.axes
        if given == 2 or 'z' not in axes:
            if given == 3:
                raise ValueError(
                    f'{self.path}: expected columns of z for --dims 3, found '
                    'none'
                )
            return 2
        if given == 3:
            return 3
        points = np.stack([self._values(axes[x]) for x in 'xy'], -1)
        is_mediapipe = self.found.is_visibility or points.shape[1] == 33
        if are_fractions(points):
            if is_mediapipe:
                return 2
            raise ValueError(
                f'{self.path}: x, y may be fractions of the image or metres: '
                'expected --dims 2 (z stays as it is) or --dims 3'
            )
        # z of MediaPipe is no measurement, but in its world landmarks.
        is_picture = person_size(points) > SMALLEST_PERSON
        return 2 if is_mediapipe and is_picture else 3

    def _column(self, columns: Sequence[str], k: int) -> str:
        return columns[0 if self.found.keypoint is not None else k]

    def _values(self, columns: Sequence[Optional[str]]) -> np.ndarray:
        """Numbers of each keypoint of each person, (N, K)."""
        parsed: Dict[Optional[str], np.ndarray] = {
            None: np.full(len(self.table.rows), UNKNOWN_SCORE)
        }
        for column in columns:
            if column not in parsed:
                parsed[column] = self._numbers(str(column))
        places = self.places
        if self.found.keypoint is not None:
            values = parsed[columns[0]][places]
        else:
            values = np.stack([parsed[x] for x in columns], 1)
        return np.where(places >= 0, values, np.nan)

    def _numbers(self, name: str) -> np.ndarray:
        """Numbers of a column, (R,); NaN: missing."""
        index = self.index[name]
        cells = [row[index].strip() for row in self.table.rows]
        cells = ['nan' if x.lower() in _MISSING else x for x in cells]
        try:
            return np.array(cells, np.float64)
        except ValueError:
            pairs = zip(self.table.lines, cells)
            line, cell = next(x for x in pairs if not _is_number(x[1]))
            raise ValueError(
                f'{self.path}: line {line}: {name}: expected a number, found '
                f'{cell!r}'
            ) from None


read = CsvTable


def read_table(path: PathLike) -> Table:
    """Read the cells of a CSV file; between them are commas, semicolons or
    tabs, whichever its first line has most of.
    """
    rows, lines = [], []
    try:
        with open(path, newline='', encoding='utf-8-sig') as file:
            head = file.readline()
            file.seek(0)
            delimiter = max(_DELIMITERS, key=head.count)
            reader = csv.reader(file, delimiter=delimiter)
            columns = [x.strip() for x in next(reader, [])]
            for row in reader:
                if row:
                    rows.append(row)
                    lines.append(reader.line_num)
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f'{path}: expected CSV, found {error}') from None
    return Table(columns, rows, lines, delimiter)


def check_table(table: Table, path: PathLike, twice: bool = False) -> None:
    """Raise unless all rows are of one length and, except with ``twice``, all
    columns have a name of their own.
    """
    columns, rows, lines, _ = table
    same = [x for x in columns if x and columns.count(x) > 1]
    if same and not twice:
        raise ValueError(
            f'{path}: expected each column once, found {same[0]!r} twice'
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
