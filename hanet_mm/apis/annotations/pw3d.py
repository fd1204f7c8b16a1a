# Copyright (c) hanet_mm contributors. All rights reserved.
"""Rows of 3DPW in the files of SPIN, DAPA and MMHuman3D as persons.

A row is a person in an image ``imageFiles/<video>/image_00000.jpg``, with
SMPL's parameters. Frames without a valid camera pose have no row. The files
do not say whose a row is; 3DPW has one shape for each person of a video, and
one or two persons, so the shape tells them apart.
"""

import re
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike

from .frame_grid import FrameGrid

FPS = 30.0
_IMAGE = re.compile(r'(?:.*/)?([^/]+)/[^/]*?(\d{1,9})\.\w+')
_MOST_PERSONS = 2
# Shapes nearer than this are one.
_DECIMALS = 4


class Pw3dPersons:
    """Who is in which row, and where the rows lie in time.

    Args:
        images: Names of the images, (N,).
        shapes: SMPL's shape of each row, (N, 10).
        path: Of the file, for messages.

    Attributes:
        videos: Name of the video of each of S persons.
        files: ``<video>_<person>``, S of them.
        row: A row of each person, (S,) int64.
        grid: Frames of the persons.
        places: Flat frame of each row, (N,) int64.

    Raises:
        ValueError: If a video has more persons than 3DPW has, or a person is
            in an image twice.
    """

    def __init__(
        self, images: Sequence[Any], shapes: np.ndarray, path: PathLike
    ) -> None:
        parsed = [_parse(image, i, path) for i, image in enumerate(images)]
        rounded = np.round(np.asarray(shapes, np.float64), _DECIMALS) + 0.0
        found: Dict[Tuple[str, bytes], int] = {}
        counts: Dict[str, int] = {}
        rows, who = [], []
        self.videos: List[str] = []
        self.files: List[str] = []
        for index, (video, _) in enumerate(parsed):
            key = video, rounded[index].tobytes()
            if key not in found:
                found[key] = len(found)
                self.videos.append(video)
                self.files.append(f'{video}_{counts.get(video, 0)}')
                counts[video] = counts.get(video, 0) + 1
                rows.append(index)
            who.append(found[key])
        if not counts:
            raise ValueError(f'{path}: expected rows, found none')
        most = max(counts, key=counts.__getitem__)
        if counts[most] > _MOST_PERSONS:
            raise ValueError(
                f'{path}: shape: expected one for each of at most '
                f'{_MOST_PERSONS} persons of a video, found {counts[most]} in '
                f'{most!r}: persons cannot be told apart'
            )
        self.row = np.array(rows)
        person = np.array(who)
        number = np.array([number for _, number in parsed])
        self.grid = FrameGrid(person, number, self.files, path)
        self.places = self.grid.places(person, number)
        first = np.unique(self.places, return_index=True)[1]
        if len(first) < len(self.places):
            index = int(np.setdiff1d(np.arange(len(number)), first)[0])
            raise ValueError(
                f'{path}: row {index}: {images[index]!s} of person '
                f'{self.files[person[index]]!r} occurs twice'
            )

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Values of rows (N, ...) in the flat frames; NaN where none is."""
        shape = (self.grid.total, *values.shape[1:])
        flat = np.full(shape, np.nan, np.float32)
        flat[self.places] = values
        return flat

    def repeat(self, values: np.ndarray) -> np.ndarray:
        """Values of rows in the flat frames; between them the last ones."""
        rows = np.zeros(self.grid.total, np.int64)
        rows[self.places] = np.arange(len(self.places))
        known = np.zeros(self.grid.total, np.int64)
        known[self.places] = self.places
        # The first frame of a person has a row.
        return np.asarray(values, np.float32)[
            rows[np.maximum.accumulate(known)]
        ]


def _parse(image: Any, row: int, path: PathLike) -> Tuple[str, int]:
    """Video and number of an image."""
    text = image.decode() if isinstance(image, bytes) else str(image)
    match = _IMAGE.fullmatch(text.replace('\\', '/'))
    if match is None:
        raise ValueError(
            f'{path}: row {row}: expected an image '
            f'imageFiles/<video>/image_00000.jpg, found {text!r}'
        )
    return match.group(1), int(match.group(2))
