# Copyright (c) hanet_mm contributors. All rights reserved.
"""Arrays of an ``.npz`` archive, some rows at a time.

Splits of millions of frames need no more memory than what is kept of them.
"""

import math
from contextlib import contextmanager
from typing import Any, Iterator, List

import numpy as np

from .files import (
    DAMAGE,
    PathLike,
    damage_message,
    missing_key,
    object_array_error,
    open_archive,
    read_header,
)

# Bytes that are read at once.
_TOGETHER = 2**22


class ArchiveRows:
    """An array of an open archive; iterating reads blocks of its rows.

    Args:
        archive: What :func:`~hanet_mm.core.data.files.open_archive` returned.
        path: Its file, for messages.
        key: Of the array.

    Attributes:
        shape: Of the whole array.
        dtype: As stored.

    Raises:
        ValueError: One line: the archive is damaged, or (as
            :class:`~hanet_mm.core.data.files.ObjectArrayError`) only pickle
            can read the array.
    """

    def __init__(self, archive: Any, path: PathLike, key: str):
        self._archive, self._path, self._key = archive, path, key
        names = archive.zip.namelist()
        self._member = key if key in names else f'{key}.npy'
        with self._naming(), archive.zip.open(self._member) as file:
            self.shape, self._fortran, self.dtype = read_header(file)
        if self.dtype.hasobject:
            raise object_array_error(path, key)

    def __len__(self) -> int:
        return self.shape[0] if self.shape else 1

    def __iter__(self) -> Iterator[np.ndarray]:
        if self._fortran or not self.shape:
            with self._naming():
                whole = np.ascontiguousarray(self._archive[self._key])
            yield whole
            return
        bytes_of_row = self.dtype.itemsize * math.prod(self.shape[1:])
        together = max(_TOGETHER // max(bytes_of_row, 1), 1)
        with self._archive.zip.open(self._member) as file:
            with self._naming():
                read_header(file)
            for start in range(0, len(self), together):
                count = min(together, len(self) - start)
                with self._naming():
                    content = file.read(count * bytes_of_row)
                    block = np.frombuffer(content, self.dtype)
                    block = block.reshape(count, *self.shape[1:])
                yield block

    def read(self) -> np.ndarray:
        """Read all rows."""
        with self._naming():
            return self._archive[self._key]

    @contextmanager
    def _naming(self) -> Iterator[None]:
        """Name file and key where the block fails on damage."""
        try:
            yield
        except (*DAMAGE, ValueError) as error:
            raise ValueError(
                damage_message(self._path, error, self._key)
            ) from None


@contextmanager
def open_rows(path: PathLike, *keys: str) -> Iterator[List[ArchiveRows]]:
    """Open arrays of an archive to read them block by block.

    Raises:
        ValueError: One line: as :class:`ArchiveRows`, or a key is missing.
    """
    with open_archive(path) as archive:
        missing = [key for key in keys if key not in archive.files]
        if missing:
            raise ValueError(
                missing_key(path, missing[0], keys, archive.files)
            )
        yield [ArchiveRows(archive, path, key) for key in keys]
