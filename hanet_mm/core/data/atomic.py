# Copyright (c) hanet_mm contributors. All rights reserved.
"""Write files and folders whole or not at all, and never over an input."""

import errno
import glob
import hashlib
import os
import shutil
import tempfile
import time
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Iterable, Iterator, Optional, Tuple, Union

try:
    import fcntl
except ImportError:  # Windows, where leftovers stay
    fcntl = None  # type: ignore[assignment]

PathLike = Union[str, 'os.PathLike[str]']

# Bytes that file systems allow a name to have.
_LONGEST_NAME = 255
# Bytes that '.', '.<system>-<process>-<token>.tmp' and '.partial' add to it.
_LONGEST_ADDED = 40
_LONGEST_SUFFIX = 20
_LOCK = '.lock'
# Seconds after which temporary files of other systems are leftovers.
_OLD = 86_400.0


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


def shorten_stem(stem: str) -> str:
    """A stem to which something may be added; a long one is cut."""
    content = os.fsencode(stem)
    if len(content) <= _LONGEST_NAME - _LONGEST_ADDED - _LONGEST_SUFFIX:
        return stem
    return hashlib.sha256(content).hexdigest()[:32]


def check_writable(path: PathLike) -> None:
    """Raise an OSError if a file cannot be made or replaced.

    Such as a folder, a read-only file or folder around it, a name that is too
    long, or a link that leads to itself.
    """
    target = _follow_links(path)
    with name_file(path), suppress(FileNotFoundError):
        os.stat(target)
    if target.is_dir():
        raise IsADirectoryError(
            errno.EISDIR, 'expected a file, found a folder', str(path)
        )
    places = [target] if target.exists() else []
    if not _is_device(target):
        places += [x for x in target.absolute().parents if x.exists()][:1]
    if not all(os.access(place, os.W_OK) for place in places):
        raise PermissionError(
            errno.EACCES, os.strerror(errno.EACCES), str(path)
        )


@contextmanager
def atomic_path(path: PathLike) -> Iterator[Path]:
    """Give a temporary path beside ``path`` and move it there at the end.

    If the block raises, the temporary file is removed and ``path`` stays as it
    was. Missing folders are made. A link is written through, into a device
    what was written is copied, permissions of a file that was there are kept,
    and one that may not be written is refused, as by ``cp``. Temporary files
    of runs that were killed are removed. Errors name ``path``. The temporary
    name has the suffix of ``path``.
    """
    check_writable(path)
    target = _follow_links(path)
    with _private_folder(target, path) as folder:
        temporary = folder / f'new{target.suffix[:_LONGEST_SUFFIX]}'
        yield temporary
        move_file(temporary, path)


def move_file(source: Path, path: PathLike) -> None:
    """Give a complete file its name; see :func:`atomic_path`."""
    target = _follow_links(path)
    if _is_device(target):
        with open(source, 'rb') as file, open(target, 'wb') as end:
            shutil.copyfileobj(file, end)
        source.unlink()
        return
    if target.exists():
        _copy_permissions(target, source)
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # A link led to another file system.
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)
        source.unlink()


def check_new_folder(path: PathLike) -> None:
    """Raise a FileExistsError unless a folder is empty or does not exist."""
    target = _follow_links(path)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(
            f'{path}: expected no such folder or an empty one for the '
            'output, found something in it'
        )


@contextmanager
def atomic_folder(path: PathLike) -> Iterator[Path]:
    """Give a new folder beside ``path`` and move it there at the end.

    As :func:`atomic_path`, but nothing is replaced: there must be no such
    folder, or an empty one; otherwise a FileExistsError.
    """
    check_new_folder(path)
    target = _follow_links(path)
    with _private_folder(target, path) as folder:
        temporary = folder / 'new'
        temporary.mkdir()
        yield temporary
        if target.is_dir():
            _copy_permissions(target, temporary)
            target.rmdir()  # Windows replaces no folder
        os.replace(temporary, target)


@contextmanager
def scratch_folder(path: PathLike) -> Iterator[Path]:
    """Give a private folder beside an output; it is removed at the end."""
    with _private_folder(_follow_links(path), path) as folder:
        yield folder


@contextmanager
def name_file(path: PathLike) -> Iterator[None]:
    """Let an OSError of the block that names no file, as of a full disk, name
    one.
    """
    try:
        yield
    except OSError as error:
        if error.errno and not error.filename:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise


def open_locked(path: PathLike) -> BinaryIO:
    """Open an empty file to write to, without buffer, for this run alone.

    Raises:
        BlockingIOError: If another run has it open.
    """
    while True:
        number = os.open(path, os.O_CREAT | os.O_RDWR, 0o666)
        try:
            if fcntl is not None:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(number)
            raise BlockingIOError(
                error.errno, 'another run is writing this file', str(path)
            ) from None
        except OSError:
            pass  # not every file system can
        if _is_open(path, number):
            os.ftruncate(number, 0)
            return os.fdopen(number, 'r+b', buffering=0)
        os.close(number)  # another run has just moved it


def _is_open(path: PathLike, number: int) -> bool:
    """Whether an open file still has this name."""
    try:
        return os.path.samestat(os.fstat(number), os.stat(path))
    except FileNotFoundError:
        return False


def _follow_links(path: PathLike) -> Path:
    """What a link leads to; other paths, and devices, as they are."""
    # That of a pipe leads to a name that cannot be opened.
    if os.path.islink(path) and not _is_device(Path(path)):
        return Path(os.path.realpath(path))
    return Path(path)


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _copy_permissions(source: Path, target: Path) -> None:
    with suppress(OSError):
        shutil.copymode(source, target)
    if hasattr(os, 'chown'):
        found = source.stat()
        # For administrators; files of anybody else are their own.
        with suppress(OSError):
            os.chown(target, found.st_uid, found.st_gid)


@contextmanager
def _private_folder(target: Path, path: PathLike) -> Iterator[Path]:
    """A new folder beside the target, locked as long as it is in use."""
    folder, lock = Path(), None
    try:
        if _is_device(target):
            folder = Path(tempfile.mkdtemp())
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            stem = shorten_stem(target.name)
            remove_leftovers(target.parent, stem)
            folder, lock = _make_locked(target.parent, stem)
        yield folder
    except OSError as error:
        name = str(error.filename or '')
        # A full disk names no file; nobody knows the temporary ones.
        unknown = not name or not folder.name or name.startswith(str(folder))
        if error.errno and unknown:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        if lock is not None:
            os.close(lock)
        if folder.name:
            shutil.rmtree(folder, ignore_errors=True)


def _make_locked(parent: Path, stem: str) -> Tuple[Path, Optional[int]]:
    """A new folder and its open lock; None where nothing can be locked."""
    while True:
        # Neither the process nor the host need be the only one of its number.
        token = f'{_system_token()}-{os.getpid()}-{uuid.uuid4().hex[:8]}'
        folder = parent / f'.{stem}.{token}.tmp'
        folder.mkdir()
        lock = None
        if fcntl is None:
            return folder, lock
        try:
            lock = _lock(folder)
            if _is_open(folder / _LOCK, lock):
                return folder, lock
        except (BlockingIOError, FileNotFoundError):
            pass  # another run took it for a leftover, before it was locked
        except OSError:  # not every file system can
            return folder, None
        if lock is not None:
            os.close(lock)


def _lock(folder: Path) -> int:
    """Lock a folder; returns the open file, an OSError if that fails."""
    file = os.open(folder / _LOCK, os.O_CREAT | os.O_RDWR, 0o666)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        raise
    return file


def remove_leftovers(parent: Path, stem: Optional[str] = None) -> None:
    """Remove what killed runs left in a folder of one target, or of all.

    Locks of other hosts may not be seen here: what is theirs has to be old.
    """
    if fcntl is None:
        return
    name = '*' if stem is None else glob.escape(stem)
    number = 8 * '[0-9a-f]'
    own = _system_token()
    for found in parent.glob(f'.{name}.{number}-*-{number}.tmp'):
        system = found.name.rsplit('.', 2)[1][: len(own)]
        with suppress(OSError):
            if system != own and time.time() - found.stat().st_mtime < _OLD:
                continue
            file = _lock(found)
            shutil.rmtree(found, ignore_errors=True)
            os.close(file)


def _system_token() -> str:
    return hashlib.sha256((running_system() or '').encode()).hexdigest()[:8]


def running_system() -> Optional[str]:
    """What processes have in common that see each other's locks."""
    try:
        return Path('/proc/sys/kernel/random/boot_id').read_text().strip()
    except OSError:
        return None
