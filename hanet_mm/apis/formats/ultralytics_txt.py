# Copyright (c) hanet_mm contributors. All rights reserved.
"""Labels of ultralytics: the folder ``labels`` of ``save_txt=True``.

A text file for each frame in which something was found, whose name ends in
the number of the frame. A line is a class, the box and the keypoints, x, y
and, if there are such, scores, as fractions of the image; then perhaps the
confidence of the box (``save_conf=True``) and the id of the track.
"""

from functools import partial
from pathlib import Path
from typing import Any, List, NamedTuple, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, read_text
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source
from .coco import COCO_SKELETONS
from .folders import list_files, write_folder
from .frame_names import frame_numbers

_BOX = 5  # numbers of the class and the box
_MOST = 4  # numbers in a line of a detector without keypoints: 2 more
_COUNTS = tuple(COCO_SKELETONS)
_USUAL = 17  # keypoints of the models that come with ultralytics


class _Layout(NamedTuple):
    """Numbers of a line: K keypoints of C numbers, where the id is."""

    keypoints: int
    size: int
    id_place: int  # -1: none


def matches(source: Source) -> bool:
    """Whether a folder holds such files."""
    for name in list_files(source.path, '.txt'):
        file = source.path / name
        with open(file, encoding='utf-8', errors='replace') as lines:
            words = next(lines, '').split()
        if words:
            return len(words) > _BOX + _MOST and all(map(_is_number, words))
    return False


class UltralyticsLabels(DetectionFile):
    """A folder of labels. Refined keypoints replace the given ones, with
    their scores; boxes and ids stay, ids of a tracker are added.
    """

    keeps_input = False

    def __init__(self, source: Source):
        self.path = folder = source.path
        self.names = list_files(folder, '.txt')
        numbers = frame_numbers(self.names, folder, 'name of a file')
        self.places: List[tuple] = []
        values: List[List[float]] = []
        frames, lines = [], []
        for name, number in zip(self.names, numbers.tolist()):
            text = read_text(folder / name)
            for index, line in enumerate(filter(str.split, text.split('\n'))):
                where = f'{folder / name}: line {index + 1}'
                words = line.split()
                if not all(map(_is_number, words)):
                    raise ValueError(f'{where}: expected numbers only')
                values.append([float(x) for x in words])
                self.places.append((name, index))
                frames.append(number)
                lines.append(where)
        self.values, self.short = _stack(values, lines)
        self.layout = _find_layout(self.values[~self.short], folder)
        if self.short.any() and self.layout.id_place < 0:
            raise _other_length(values, lines)
        count, size, id_place = self.layout
        numbers = self.values[:, _BOX : _BOX + count * size]
        points = numbers.reshape(-1, count, size)
        self.use_convention(COCO_SKELETONS, count)
        ids: List[Any] = [None] * len(points)
        if id_place >= 0:
            ids = [
                None if short else int(number)
                for number, short in zip(self.values[:, id_place], self.short)
            ]
        super().__init__(
            source,
            Detections(
                np.array(frames, np.int64),
                points[..., :2],
                points[..., 2] if size == 3 else None,
                ids,
                'track id',
                fractions=True,
            ),
        )

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """Write a folder, which must not exist or be empty."""
        keypoints, _ = self.collect(refined)
        count, size, id_place = self.layout
        values, short = self.values.copy(), self.short
        end = _BOX + count * size
        points = values[:, _BOX:end].reshape(-1, count, size)
        points[..., :2] = np.nan_to_num(keypoints)  # 0: not found
        values[:, _BOX:end] = points.reshape(len(values), -1)
        if self.new_ids is not None:
            others = values[:, : id_place if id_place >= 0 else None]
            values = np.column_stack([others, self.new_ids])
            short = np.zeros_like(short)
        lines: dict = {name: [] for name in self.names}
        for (name, _), row, own in zip(self.places, values.tolist(), short):
            numbers = row[:-1] if own else row
            lines[name].append(' '.join(f'{x:.6g}' for x in numbers))
        write_folder(
            out, {name: partial(_write, x) for name, x in lines.items()}
        )


read = UltralyticsLabels


def _stack(
    values: List[List[float]], lines: List[str]
) -> Tuple[np.ndarray, np.ndarray]:
    """Numbers of lines (N, L), and which of them lack the last, (N,): whom
    the tracker did not follow has no id.
    """
    lengths = {len(row) for row in values}
    longest = max(lengths, default=0)
    if not lengths <= {longest, longest - 1}:
        raise _other_length(values, lines)
    rows = [[*row, np.nan][:longest] for row in values]
    short = np.array([len(row) < longest for row in values], bool)
    return np.array(rows).reshape(len(rows), -1), short


def _other_length(values: List[List[float]], lines: List[str]) -> ValueError:
    first = len(values[0])
    wrong = next(i for i, row in enumerate(values) if len(row) != first)
    return ValueError(
        f'{lines[wrong]}: expected {first} numbers as in other lines, found '
        f'{len(values[wrong])}'
    )


def _find_layout(values: np.ndarray, path: PathLike) -> _Layout:
    """What the numbers of lines (N, L) are.

    With scores, three for each keypoint; behind them are a confidence, a
    fraction, and an id, an integer.
    """
    if not len(values):
        return _Layout(0, 2, -1)
    rest = values.shape[1] - _BOX
    choices = []
    for extra in range(3):
        tail = values[:, values.shape[1] - extra :]
        whole = (tail == np.floor(tail)).all(0)
        if extra == 2 and not whole[1]:
            continue
        for size in (3, 2):
            count, left = divmod(rest - extra, size)
            points = values[:, _BOX : _BOX + count * size]
            scores = points.reshape(len(values), -1, size)[..., 2:]
            if left or count < 1 or (scores > 1).any():
                continue
            has_id = extra == 2 or (extra == 1 and bool(whole[0]))
            place = values.shape[1] - 1 if has_id else -1
            choices.append(_Layout(count, size, place))
    known = [x for x in choices if x.keypoints == _USUAL]
    known = known or [x for x in choices if x.keypoints in _COUNTS] or choices
    if len({x[:2] for x in known}) != 1:
        raise ValueError(
            f'{path}: expected lines of a class, a box and keypoints of one '
            f'of the sizes {", ".join(map(str, _COUNTS))}, found '
            f'{values.shape[1]} numbers'
        )
    return known[0]


def _write(lines: List[str], path: Path) -> None:
    path.write_text('\n'.join([*lines, '']), encoding='utf-8')


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True
