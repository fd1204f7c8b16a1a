"""A pair of published pose files, read without holding them twice."""

import re
from typing import Callable, List, Mapping, Sequence

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.datasets.converters.pickled import load_object_npz
from hanet_mm.datasets.converters.progress import track
from hanet_mm.datasets.converters.published import (
    check_entries,
    compare_images,
    image_names,
    name_where,
    numbers,
    sequence_of,
)

# The last number of an image's name, before its ending.
_NUMBER = re.compile(r'\d+(?=\D*$)')


class PublishedPair:
    """A ground truth and its estimates, read key by key.

    Only one key is in memory in the type of its file; what is handed out is
    flat and float32.

    Args:
        gt_path: The ground truth.
        det_path: The estimates.
        form: What image names look like, such as 'sequence/image'.
        trust_pickle: Whether to unpickle the object arrays.
        progress: Whether to show progress bars on stderr.

    Attributes:
        names: Names of the S sequences.
        lengths: Their frames, (S,) int64.
        gaps: For each sequence, the rows whose image is not numbered one
            more than that of the row before, (S,) int64.

    Raises:
        ValueError: One line naming file, key, sequence and frame.
    """

    def __init__(
        self,
        gt_path: PathLike,
        det_path: PathLike,
        form: str,
        trust_pickle: bool = False,
        progress: bool = False,
    ):
        self.gt_path, self.det_path = gt_path, det_path
        self._trust, self._progress = trust_pickle, progress
        given = self._load(gt_path, 'imgname')
        found = self._load(det_path, 'imgname')
        count = given.size and len(np.atleast_1d(given))
        for path, value in ((gt_path, given), (det_path, found)):
            check_entries(path, 'imgname', value, count, gt_path)
        parts = form.count('/') + 1
        self.names: List[str] = []
        rows = []
        for index in track(range(count), 'imgname', progress):
            images = image_names(given[index])
            name = sequence_of(gt_path, index, images, form)
            where = name_where(name, index)
            compare_images(det_path, where, images, found[index], parts)
            self.names.append(name)
            rows.append((len(images), _count_gaps(images)))
            given[index] = found[index] = None  # they may be millions
        self.lengths, self.gaps = np.array(rows, dtype=np.int64).T

    def has(self, path: PathLike, key: str) -> bool:
        """Whether one of the two files has a key."""
        with np.load(path, allow_pickle=False) as archive:
            return key in archive.files

    def read(
        self,
        path: PathLike,
        key: str,
        columns: Mapping[int, Sequence[int]],
        wrong: Callable[[int], str],
    ) -> np.ndarray:
        """Read numbers of all frames, stored flat or not.

        Args:
            path: One of the two files.
            key: Its key.
            columns: How many numbers a frame may have, and which of them to
                take, in which order.
            wrong: Says what is wrong with another number of numbers.

        Returns:
            (N, columns) float32.

        Raises:
            ValueError: One line naming file, key and sequence.
        """
        entries = self._load(path, key)
        check_entries(path, key, entries, len(self.names), self.gt_path)
        ends = np.cumsum(self.lengths)
        flat, width = None, None
        for index in track(range(len(ends)), key, self._progress):
            where = name_where(self.names[index], index)
            value = numbers(path, key, where, entries[index])
            frames = int(self.lengths[index])
            value = _per_frame(value, frames, f'{path}: {key} of {where}')
            if flat is None and value.shape[1] in columns:
                width = value.shape[1]
                shape = ends[-1], len(columns[width])
                flat = np.empty(shape, dtype=np.float32)
            if value.shape[1] != width:
                raise ValueError(
                    f'{path}: {key} of {where}: {wrong(value.shape[1])}'
                )
            part = slice(ends[index] - frames, ends[index])
            flat[part] = value[:, columns[width]]
            entries[index] = None  # so that the file is not held twice
        return flat

    def read_scalars(self, path: PathLike, key: str) -> np.ndarray:
        """Read a number of each frame, or one for the whole sequence.

        Args:
            path: One of the two files.
            key: Its key.

        Returns:
            (N,) float32.

        Raises:
            ValueError: One line naming file, key and sequence.
        """
        entries = self._load(path, key)
        check_entries(path, key, entries, len(self.names), self.gt_path)
        parts = []
        for index, frames in enumerate(self.lengths):
            where = name_where(self.names[index], index)
            value = numbers(path, key, where, entries[index]).reshape(-1)
            if value.size not in (1, frames):
                raise ValueError(
                    f'{path}: {key} of {where}: expected 1 number or '
                    f'{frames}, found {value.size}'
                )
            parts.append(np.broadcast_to(value, (frames,)))
        return np.concatenate(parts)

    def _load(self, path: PathLike, key: str) -> np.ndarray:
        value = load_object_npz(path, (key,), trust_pickle=self._trust)[key]
        if value.dtype == object or not value.ndim:
            return value
        entries = np.empty(len(value), dtype=object)
        for index, entry in enumerate(value):
            entries[index] = entry
        return entries


def _count_gaps(images: Sequence[str]) -> int:
    found = (_NUMBER.search(image) for image in images)
    number = [int(match.group()) if match else 0 for match in found]
    return int((np.diff(number) != 1).sum())


def _per_frame(value: np.ndarray, frames: int, where: str) -> np.ndarray:
    # (len, ...), or all numbers of the sequence in one row.
    fits = value.shape[:1] == (frames,) or (
        value.ndim == 1 and value.size and value.size % frames == 0
    )
    if not fits or not value.size:
        raise ValueError(
            f'{where}: expected {frames} frames as in imgname, found shape '
            f'{value.shape}'
        )
    return value.reshape(frames, -1)
