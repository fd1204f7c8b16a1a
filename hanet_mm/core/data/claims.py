# Copyright (c) hanet_mm contributors. All rights reserved.
"""Let one process alone make an output, of many on one or several machines.

Whoever makes an output holds a claim: a hidden file beside it, created
exclusively, which names host and process and whose time of change is renewed
every few seconds. A claim whose holder was killed is taken over: by processes
of the same running system as soon as nobody has the file locked, by others
when its time has not been renewed for ``STALE`` seconds. Numbers of processes
are not compared, they mean nothing on another host or in another container;
nor are clocks of hosts, times are those of the file system.

If two take over at the same moment, both may hold a claim: outputs have to be
written whole or not at all, see :func:`atomic_path`.
"""

import json
import os
import socket
import tempfile
import threading
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Iterator, Optional, Sequence, Union

from .atomic import (
    PathLike,
    name_file,
    remove_leftovers,
    running_system,
    shorten_stem,
)

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

# Seconds between renewals, and without one until others take over. Shared
# file systems may show times a minute late.
RENEWAL = 10.0
STALE = 150.0


@contextmanager
def claim(target: PathLike) -> Iterator[bool]:
    """Claim an output for the block.

    Args:
        target (PathLike): File or folder to be made; missing folders around
            it are made.

    Yields:
        bool: Whether it is claimed; False: another process has it.
    """
    path = claim_path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = _take(path)
    if file is None:
        yield False
        return
    stop = threading.Event()
    place = file if os.utime in os.supports_fd else path
    renewal = threading.Thread(target=_renew, args=(place, stop), daemon=True)
    renewal.start()
    try:
        yield True
    finally:
        stop.set()
        renewal.join()
        _let_go(path, file)


def claim_path(target: PathLike) -> Path:
    """Where the claim of an output is."""
    target = Path(target)
    return target.with_name(f'.{shorten_stem(target.name)}.claim')


def remove_stale_claim(target: PathLike) -> None:
    """Remove the claim of a process that was killed after its work."""
    if claim_path(target).exists():
        with claim(target):
            pass


@contextmanager
def without_leftovers(targets: Sequence[PathLike]) -> Iterator[None]:
    """Remove what killed processes left beside targets.

    Before the block, and if it is interrupted: processes that are stopped in
    the middle of cleaning up leave something.
    """
    folders = {Path(target).parent for target in targets}
    for folder in folders:
        remove_leftovers(folder)
    try:
        yield
    except BaseException:
        for folder in folders:
            remove_leftovers(folder)
        for target in targets:
            remove_stale_claim(target)
        raise


def _take(path: Path) -> Optional[int]:
    """A descriptor of the claim, or None if it is another's."""
    for _ in range(2):
        try:
            file = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o666)
        except FileExistsError:
            if not _remove_stale(path):
                return None
            continue
        owner = dict(
            host=socket.gethostname(),
            pid=os.getpid(),
            # Locked before it says so: what it says is true.
            locked_in=running_system() if _try_lock(file) else None,
        )
        try:
            with name_file(path):
                os.write(file, json.dumps(owner).encode())
        except OSError:  # the disk is full
            _let_go(path, file)
            raise
        return file
    return None


def _remove_stale(path: Path) -> bool:
    """Remove the claim of a killed process; whether there is none now."""
    try:
        file = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return True
    except OSError:  # such as another user's
        return False
    try:
        if not _is_stale(file, path.parent):
            return False
        grave = path.with_name(f'{path.name}.{uuid.uuid4().hex[:8]}')
        try:
            os.rename(path, grave)
        except OSError:  # somebody else was faster
            return True
        try:
            if not os.path.samestat(os.fstat(file), os.stat(grave)):
                # Somebody else was faster and claimed it.
                with suppress(OSError):
                    os.link(grave, path)
        finally:
            grave.unlink()
        return True
    finally:
        os.close(file)


def _is_stale(file: int, folder: Path) -> bool:
    system = running_system()
    if system is not None and _locked_in(file) == system:
        return _try_lock(file)
    with tempfile.TemporaryFile(dir=folder) as now:
        age = os.fstat(now.fileno()).st_mtime - os.fstat(file).st_mtime
    return age > STALE


def _locked_in(file: int) -> Optional[str]:
    """The system in which a claim is locked; None: none, or not yet known."""
    try:
        owner = json.loads(os.read(file, 4096))
    except ValueError:
        return None
    return owner.get('locked_in') if isinstance(owner, dict) else None


def _try_lock(file: int) -> bool:
    """Lock an open file until it is closed; whether that was possible.

    Not if another process has it locked, nor on every file system.
    """
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _renew(place: Union[int, Path], stop: threading.Event) -> None:
    while not stop.wait(RENEWAL):
        with suppress(OSError):
            os.utime(place)


def _let_go(path: Path, file: int) -> None:
    own = False
    with suppress(OSError):
        own = os.path.samestat(os.fstat(file), os.stat(path))
        if own:
            path.unlink()
            own = False
    os.close(file)
    if own:  # Windows removes no open file
        with suppress(OSError):
            path.unlink()
