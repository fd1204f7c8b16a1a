# Copyright (c) hanet_mm contributors. All rights reserved.
"""Run something in child processes that are killed at one moment each.

The moments are those before each change of a file system: a file opened to
be written, moved or removed, a folder made or removed.
"""

import os
import signal
import sys

_CHANGES = ('os.rename', 'os.remove', 'os.mkdir', 'os.rmdir', 'os.truncate')
_MOST = 400


def is_killed(action, moment):
    """Run an action in a child; whether it was killed at this moment."""
    process = os.fork()
    if not process:
        try:
            _kill_at(moment)
            action()
            os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(process, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def _kill_at(moment):
    count = 0

    def watch(event, arguments):
        nonlocal count
        if event in _CHANGES or (event == 'open' and _is_written(*arguments)):
            count += 1
            if count == moment:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


def _is_written(path, mode, flags):
    return isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR)


def kill_everywhere(make_action, folder, step=1):
    """Kill an action at every ``step``-th moment, in a folder of its own each.

    Yields each folder with the action, to be run again, until a child ends
    by itself.
    """
    for moment in range(1, _MOST, step):
        place = folder / str(moment)
        place.mkdir()
        action = make_action(place)
        if not is_killed(action, moment):
            assert moment > 3
            return
        yield place, action
    raise AssertionError(f'not finished after {_MOST} moments')


def contents(folder):
    """Bytes of all files below a folder, hidden ones too."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }
