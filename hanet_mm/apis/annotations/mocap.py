# Copyright (c) hanet_mm contributors. All rights reserved.
"""3D annotations as MMPose has them: ``h36m_*.npz``, ``mpi_inf_3dhp_*.npz``.

A row for each image, in plain arrays: ``imgname`` (N,), ``S`` (N, 17, 4) in
metres in front of the camera with visibility, ``part`` (N, 17, 3) in pixels
with visibility, ``center`` (N, 2) px and ``scale`` (N,) in 200 px. Sequence
and number of a frame are in the image's name, as MMPose's
``preprocess_h36m.py`` and ``preprocess_mpi_inf_3dhp.py`` write it.
"""

import re
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    NamedTuple,
    Optional,
    Tuple,
)

import numpy as np

from hanet_mm.core.data.archive_rows import open_rows
from hanet_mm.core.data.files import PathLike
from hanet_mm.core.poses.skeleton_data import SKELETONS


class MocapDataset(NamedTuple):
    """What is known about the files of a data set."""

    keypoints: Tuple[str, ...]
    root: int
    image: 're.Pattern[str]'  # of a name: its sequence and number
    example: str  # of a name
    fps: Callable[[str], float]  # of the videos, by sequence


def _mpi_inf_3dhp_fps(sequence: str) -> float:
    """Frame rate by the data set's own tool; test videos are not in it."""
    fast = {'S1_Seq2', 'S3_Seq1', 'S3_Seq2', 'S5_Seq1', 'S5_Seq2'}
    return 50.0 if sequence.rpartition('_')[0] in fast else 25.0


MOCAP_DATASETS: Dict[str, MocapDataset] = {
    'h36m': MocapDataset(
        SKELETONS['h36m17'].keypoint_names,
        0,
        re.compile(r'(S\d+_.+\.\d+)_(\d{1,9})'),
        'S1_Directions_1.54138969_000001.jpg',
        lambda _: 50.0,
    ),
    'mpi_inf_3dhp': MocapDataset(
        (
            *('head_top', 'neck'),
            *('right_shoulder', 'right_elbow', 'right_wrist'),
            *('left_shoulder', 'left_elbow', 'left_wrist'),
            *('right_hip', 'right_knee', 'right_ankle'),
            *('left_hip', 'left_knee', 'left_ankle'),
            *('root', 'spine', 'head'),
        ),
        14,
        re.compile(r'(S\d+_Seq\d+_Cam\d+|TS\d+)_(\d{1,9})'),
        'S1_Seq1_Cam0_000001.jpg or TS1_000001.jpg',
        _mpi_inf_3dhp_fps,
    ),
}


class MocapImages:
    """Sequences and numbers of images, by their names.

    Attributes:
        names: Of the sequences, in the order in which they were met.
        sequence: Of each image, (N,) int64.
        number: Of each image in its video, (N,) int64.
    """

    def __init__(self, dataset: str) -> None:
        self._known = MOCAP_DATASETS[dataset]
        self._dataset = dataset
        self._found: Dict[str, int] = {}
        self.sequence = np.zeros(0, np.int64)
        self.number = np.zeros(0, np.int64)

    @property
    def names(self) -> List[str]:
        return [*self._found]

    def add(self, images: Iterable[Any], where: str) -> None:
        """Add images by name; ``where`` is what they are called in errors."""
        rows = []
        before = len(self.number)
        for place, image in enumerate(images):
            text = image.decode() if isinstance(image, bytes) else str(image)
            stem = text.replace('\\', '/').rpartition('/')[2]
            stem = stem.rpartition('.')[0]
            match = self._known.image.fullmatch(stem)
            if match is None:
                raise ValueError(
                    f'{where}[{before + place}]: expected an image of '
                    f'{self._dataset}, as {self._known.example}, found '
                    f'{text!r}'
                )
            name = match.group(1)
            index = self._found.setdefault(name, len(self._found))
            rows.append((index, int(match.group(2))))
        found = np.array(rows, np.int64).reshape(-1, 2)
        self.sequence = np.append(self.sequence, found[:, 0])
        self.number = np.append(self.number, found[:, 1])

    def check_different(self, where: str) -> None:
        """Raise if an image occurs twice."""
        order = np.lexsort((self.number, self.sequence))
        same = (np.diff(self.sequence[order]) == 0) & (
            np.diff(self.number[order]) == 0
        )
        if same.any():
            row = order[int(np.argmax(same)) + 1]
            raise ValueError(
                f'{where}: image {self.number[row]} of sequence '
                f'{self.names[self.sequence[row]]!r} occurs twice'
            )


def find_mocap_dataset(path: PathLike) -> Optional[str]:
    """Which data set an annotation is of, by its first image; or None."""
    with open_rows(path, 'imgname') as (names,):
        first = [x for block in names for x in block[:1].ravel()][:1]
    for dataset in MOCAP_DATASETS:
        try:
            MocapImages(dataset).add(first, '')
        except ValueError:
            continue
        return dataset
    return None


def read_mocap_images(path: PathLike, dataset: str) -> MocapImages:
    """Read the names of an annotation's images, which have to differ."""
    images = MocapImages(dataset)
    with open_rows(path, 'imgname') as (names,):
        check_names(names, f'{path}: imgname')
        for block in names:
            images.add(block, f'{path}: imgname')
    if not len(images.number):
        raise ValueError(f'{path}: imgname: expected images, found none')
    images.check_different(f'{path}: imgname')
    return images


def check_names(names: Any, where: str) -> None:
    """Raise unless an array of an archive is of names of images."""
    if len(names.shape) != 1 or names.dtype.kind not in 'US':
        raise ValueError(
            f'{where}: expected texts (N,), found {names.dtype} {names.shape}'
        )


def check_rows(rows: Any, where: str, shape: Tuple[int, ...]) -> None:
    """Raise unless an array of an archive is of numbers and of this shape."""
    if rows.shape != shape or rows.dtype.kind not in 'fiub':
        raise ValueError(
            f'{where}: expected numbers {shape} as imgname has images, found '
            f'{rows.dtype} {rows.shape}'
        )
