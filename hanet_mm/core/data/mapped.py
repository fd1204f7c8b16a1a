# Copyright (c) hanet_mm contributors. All rights reserved.
"""Arrays of frames that stay on disk.

Their pages are shared by all processes of a machine, and can be dropped at any
time: they count to a process only as long as it reads them.
"""

import mmap
import os
from typing import Any, Iterator, Optional, Tuple

import numpy as np

from .blocks import row_blocks
from .files import DAMAGE, ObjectArrayError, PathLike

# Bytes that are read until their pages are dropped.
_RESIDENT = 2**26


def map_npy(path: PathLike) -> np.memmap:
    """Map an ``.npy`` file to read; nothing of it is read yet.

    Raises:
        ValueError: If it is damaged or of another kind.
    """
    try:
        return np.load(path, mmap_mode='r', allow_pickle=False)
    except (*DAMAGE, ValueError) as error:
        reason = ' '.join(str(error).split())
        if 'Python objects' in reason:
            raise ObjectArrayError(
                f'{path}: is an object array, which needs pickle; expected '
                'plain numbers'
            ) from None
        raise ValueError(
            f'{path}: cannot be mapped, truncated or not an .npy file of '
            f'numbers ({reason})'
        ) from None


def source_map(array: Optional[np.ndarray]) -> Optional[np.memmap]:
    """The whole mapped file that an array is, or None if it is in memory."""
    base: Any = array
    while isinstance(base, np.ndarray) and not isinstance(base, np.memmap):
        base = base.base
    if array is None or not isinstance(base, np.memmap):
        return None
    return base if base.shape == array.shape else None


def drop_pages(array: Optional[np.ndarray]) -> None:
    """Let go of the memory of what was read of a mapped array."""
    base: Any = source_map(array)
    while isinstance(base, np.ndarray):
        base = base.base
    # Windows has no such call, and drops pages where memory is short.
    if isinstance(base, mmap.mmap) and hasattr(mmap, 'MADV_DONTNEED'):
        base.madvise(mmap.MADV_DONTNEED)


def frame_blocks(
    *arrays: Optional[np.ndarray], seq_len: Optional[np.ndarray] = None
) -> Iterator[slice]:
    """Blocks of rows of equally long arrays, which are read one by one.

    With ``seq_len`` (S, ) they are the sequences.
    """
    given = [array for array in arrays if array is not None]
    blocks = row_blocks(len(given[0]))
    if seq_len is not None:
        ends = np.cumsum(seq_len)
        blocks = map(slice, ends - seq_len, ends)
    read = 0
    for rows in blocks:
        yield rows
        read += sum(array[rows].nbytes for array in given)
        if read > _RESIDENT:
            read = 0
            for array in given:
                drop_pages(array)
    for array in given:
        drop_pages(array)


class FrameFile:
    """A mapped array to read frames from, again and again.

    They are read from the file: what is read of a map counts to the process
    with all that the system maps around it. Pickled it is its path, worker
    processes open the file themselves.
    """

    def __init__(self, path: PathLike):
        self.path = os.path.abspath(path)
        found = map_npy(path)
        self._shape, self._type = found.shape[1:], found.dtype
        self._begin = found.offset
        self._size = found[:1].nbytes
        self._file = open(path, 'rb', buffering=0)  # noqa: SIM115

    def __getitem__(self, rows: slice) -> np.ndarray:
        """Read some rows, from one on and one after the other."""
        count = max(rows.stop - rows.start, 0)
        found = np.empty((count, *self._shape), self._type)
        begin = self._begin + rows.start * self._size
        if hasattr(os, 'preadv'):
            read = os.preadv(self._file.fileno(), [found.data], begin)
        else:  # Windows, where processes do not share the place in a file
            self._file.seek(begin)
            read = self._file.readinto(found.data)
        if read != found.nbytes:
            raise ValueError(
                f'{self.path}: expected {found.nbytes} bytes at {begin}, '
                f'found {read}: changed while it was in use'
            )
        return found

    def __reduce__(self) -> Tuple[Any, ...]:
        return type(self), (self.path,)
