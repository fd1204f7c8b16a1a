# Copyright (c) hanet_mm contributors. All rights reserved.
"""Marker files ``.trc`` of OpenSim, as Pose2Sim, OpenCap and Sports2D write
them.

Text with tabs: three lines of header (``DataRate``, ``Units``), a line with
the names of the markers, one with X1, Y1, Z1, ..., and for each frame its
number, the time and the coordinates. An empty cell or ``nan`` is missing. y
points up. Numbers that are left out are frames without markers: these are
filled for the refiner, not written. Where all z are 0 the motion is in a plane
and refined in 2D; there Sports2D writes metres, or pixels with y down
(``_px.trc``).
"""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, atomic_path, read_text
from hanet_mm.core.poses.boxes import person_size
from hanet_mm.core.poses.units import LENGTHS
from hanet_mm.core.refine.refiner import RefineResult

from .base import PersonTrack, PoseFile, Source, check_gaps, spread_rows
from .evidence import SMALLEST_PERSON

_HEAD = 5  # lines above the data
_MISSING = ('', 'nan', 'none', 'na')
_LONGEST = 16  # digits of a number of a frame, for int64


def matches(source: Source) -> bool:
    """Any such file: :func:`read` says what was expected of it."""
    return source.kind == '.trc'


class TrcMarkers(PoseFile):
    """The markers of one person. Refined coordinates replace the given ones;
    numbers and times of the frames, rates and units stay.
    """

    keeps_input = False

    def __init__(self, source: Source):
        self.path = path = source.path
        self.lines = read_text(path).splitlines()
        header = self._header()
        names = [x.strip() for x in self.lines[3].split('\t')[2:]]
        self.keypoint_names = [x for x in names if x]
        self.numbers = [
            number
            for number, line in enumerate(self.lines)
            if number >= _HEAD and line.strip()
        ]
        rows = [self._read_row(number) for number in self.numbers]
        count = len(self.keypoint_names)
        points = np.array(rows).reshape(len(rows), count, 3)
        unit = header.get('Units', '').strip().lower()
        known = points[np.isfinite(points).all(-1)]
        is_flat = not (known[:, 2] != 0).any()
        if source.dims is not None:
            is_flat = source.dims == 2
        # In a picture and a camera y points down.
        self.scale = np.array([1.0, -1.0] if is_flat else [1.0, -1.0, -1.0])
        if is_flat and person_size(points[..., :2]) > SMALLEST_PERSON:
            self.scale = np.ones(2)  # pixels, whatever the header says
        if not is_flat and unit in LENGTHS:
            self.scale, self.unit = self.scale * LENGTHS[unit], 'm'
        points = points[..., : len(self.scale)] * self.scale
        self.places = self._places()
        if len(points):
            points = spread_rows(points, self.places, np.nan)
        rate = _rate(header.get('DataRate', ''))
        self.tracks = [PersonTrack('markers', points, fps=rate)]

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        points = np.asarray(refined[0].keypoints)[self.places] / self.scale
        lines = list(self.lines)
        for number, frame in zip(self.numbers, points):
            cells = _cells(lines[number], 2 + 3 * len(frame))
            for k, place in enumerate(frame):
                if np.isnan(place).any():
                    continue
                for axis, x in enumerate(place):
                    cells[2 + 3 * k + axis] = f'{x:.9g}'
                if len(place) == 2 and cells[4 + 3 * k].lower() in _MISSING:
                    cells[4 + 3 * k] = '0'
            lines[number] = '\t'.join(cells)
        with atomic_path(out) as temporary:
            temporary.write_text('\n'.join([*lines, '']), encoding='utf-8')

    def count(self, refined: Sequence[RefineResult]) -> Tuple[int, int]:
        """See :meth:`PoseFile.count`; frames without a line are left out."""
        filled = np.asarray(refined[0].filled)[self.places]
        return filled.size, int(filled.sum())

    def _places(self) -> np.ndarray:
        """Frames from the first on, of each line, by their numbers; one after
        the other where these do not rise.
        """
        cells = [self.lines[x].split('\t')[0].strip() for x in self.numbers]
        if not all(x.isdecimal() and len(x) < _LONGEST for x in cells):
            return np.arange(len(cells))
        frames = np.array(cells, np.int64)
        steps = np.diff(frames)
        if not len(steps) or steps.min() < 1:
            return np.arange(len(cells))
        check_gaps(frames, f'{self.path}: markers')
        # The rate is that of the lines, also where they are every n-th frame.
        return (frames - frames[0]) // np.gcd.reduce(steps)

    def _header(self) -> Dict[str, str]:
        lines = self.lines
        if len(lines) < _HEAD or not lines[3].startswith('Frame#'):
            raise ValueError(
                f'{self.path}: expected a header of {_HEAD} lines, the fourth '
                "with 'Frame#', 'Time' and the names of markers"
            )
        return dict(zip(lines[1].split('\t'), lines[2].split('\t')))

    def _read_row(self, number: int) -> List[float]:
        """Coordinates of a frame, NaN where they are missing."""
        count = 3 * len(self.keypoint_names or ())
        cells = _cells(self.lines[number], 2 + count)
        if len(cells) != 2 + count:
            raise ValueError(
                f'{self.path}: line {number + 1}: expected {2 + count} '
                f'cells, found {len(cells)}'
            )
        try:
            return [
                float('nan') if x.lower() in _MISSING else float(x)
                for x in cells[2:]
            ]
        except ValueError as error:
            raise ValueError(
                f'{self.path}: line {number + 1}: expected numbers: {error}'
            ) from None


read = TrcMarkers


def _cells(line: str, count: int) -> List[str]:
    """Cells of a line; empty ones at its end may be left out or one too
    many.
    """
    cells: List[Any] = [x.strip() for x in line.split('\t')]
    while len(cells) > count and not cells[-1]:
        cells.pop()
    return cells + [''] * (count - len(cells))


def _rate(text: str) -> Optional[float]:
    try:
        rate = float(text)
    except ValueError:
        return None
    return rate if rate > 0 else None
