# Copyright (c) hanet_mm contributors. All rights reserved.
"""Write a file whole or not at all, and never over an input."""

import errno
import glob
import hashlib
import os
import shutil
import tempfile
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterable, Iterator, Union

try:
    import fcntl
except ImportError:  # Windows, where leftovers stay
    fcntl = None  # type: ignore[assignment]

PathLike = Union[str, 'os.PathLike[str]']

# File names may have 255 bytes; those of temporary files are longer.
_LONGEST_NAME = 150
# HDF5 locks its files itself.
_LOCK_THEMSELVES = ('.h5', '.hdf5')


def is_same_file(first: PathLike, second: PathLike) -> bool:
    """Whether two paths lead to one file, or would."""
    try:
        return os.path.samefile(first, second)
    except OSError:
        return os.path.realpath(first) == os.path.realpath(second)


def check_output(out: PathLike, sources: Iterable[PathLike]) -> None:
    """Raise a ValueError if an output would be written over an input."""
    for source in sources:
        if is_same_file(out, source):
            raise ValueError(
                f'{out}: expected another name for the output than that of '
                f'the input {source}'
            )


@contextmanager
def atomic_path(path: PathLike) -> Iterator[Path]:
    """Give a temporary path beside ``path`` and move it there at the end.

    If the block raises, the temporary file is removed and ``path`` stays as it
    was. Missing folders are made. A link is written through, into a device
    what was written is copied, permissions of a file that was there are kept,
    and one that may not be written is refused, as by ``cp``. Temporary files
    of runs that were killed are removed.
    """
    target = Path(path)
    if target.is_symlink():
        target = Path(os.path.realpath(target))
    if target.is_dir():
        raise IsADirectoryError(
            errno.EISDIR, 'expected a file, found a folder', str(path)
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    there = target.exists()
    if there and not os.access(target, os.W_OK):
        raise PermissionError(
            errno.EACCES, os.strerror(errno.EACCES), str(path)
        )
    try:
        if there and not target.is_file():
            with tempfile.TemporaryDirectory() as folder:
                temporary = Path(folder) / target.name
                yield temporary
                with open(temporary, 'rb') as file, open(target, 'wb') as end:
                    shutil.copyfileobj(file, end)
            return
        with _temporary_file(target) as temporary:
            yield temporary
            if there:
                with suppress(OSError):
                    shutil.copymode(target, temporary)
            os.replace(temporary, target)
    except OSError as error:
        if error.errno is None or error.filename is not None:
            raise
        # Such as a full disk, which names no file.
        raise OSError(error.errno, error.strerror, str(path)) from error


@contextmanager
def _temporary_file(target: Path) -> Iterator[Path]:
    """A new path beside the target, locked as long as it is in use."""
    stem = target.name
    if len(os.fsencode(stem)) > _LONGEST_NAME:
        stem = hashlib.sha256(os.fsencode(stem)).hexdigest()[:32]
    _remove_leftovers(target.parent, stem)
    # Neither the process nor the host need be the only one of its number.
    token = f'{os.getpid()}-{uuid.uuid4().hex[:8]}'
    temporary = target.with_name(f'.{stem}.{token}.tmp')
    lock = None
    if fcntl is not None and target.suffix not in _LOCK_THEMSELVES:
        lock = os.open(temporary, os.O_CREAT | os.O_RDWR, 0o666)
        with suppress(OSError):  # not every file system can
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    try:
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)
        if lock is not None:
            os.close(lock)


def _remove_leftovers(folder: Path, stem: str) -> None:
    """Remove temporary files of a target that no process has locked."""
    if fcntl is None or stem.endswith(_LOCK_THEMSELVES):
        return
    for found in folder.glob(f'.{glob.escape(stem)}.*.tmp'):
        with suppress(OSError):
            file = os.open(found, os.O_RDWR)
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found.unlink()
            finally:
                os.close(file)
