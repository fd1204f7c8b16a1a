# Copyright (c) hanet_mm contributors. All rights reserved.
"""Work through items in this process or in several."""

import multiprocessing
import os
import pickle
import signal
import sys
from collections import deque
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import (
    Any,
    Callable,
    Deque,
    Dict,
    Generic,
    Iterable,
    Iterator,
    List,
    Tuple,
    TypeVar,
    cast,
)

import torch

Item = TypeVar('Item')
Result = TypeVar('Result')

# Seconds that a process has for cleaning up before it is killed.
_PATIENCE = 10.0


class WorkerError(ChildProcessError):
    """A process ended while it worked on an item; tells how."""


class Workers(Generic[Item, Result]):
    """Processes that run one task on many items.

    An error of the task ends the work and is raised here. A process that ends
    itself, such as one that the system kills for its memory, costs one item
    and is replaced. Processes are stopped at the end of the block; an
    interruption with Ctrl-C reaches this process only, which stops the others.

    Example:
        >>> with Workers(task, 2) as workers:
        ...     for item, result in workers.run(items):
        ...         print(item, result)

    Args:
        task (Callable): Called with an item. With several workers it, the
            items and the results are pickled.
        count (int): Processes; 1: none but this one.

    Raises:
        ValueError: If ``count`` is below 1 or the task cannot be pickled.
    """

    def __init__(self, task: Callable[[Item], Result], count: int = 1):
        if count < 1:
            raise ValueError(f'workers: expected at least 1, found {count}')
        self.task = task
        self.count = count
        self._pickled = b'' if count == 1 else _pickle(task)
        self._processes: Dict[Connection, Any] = {}

    def __enter__(self) -> 'Workers[Item, Result]':
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def run(self, items: Iterable[Item]) -> Iterator[Tuple[Item, Any]]:
        """Yield items with their results as they are finished.

        The result is a :class:`WorkerError` if the process ended itself.
        """
        if self.count == 1:
            for item in items:
                yield item, self.task(item)
            return
        waiting = deque(items)
        free = list(self._processes)
        free += self._start(min(self.count, len(waiting)) - len(free))
        busy: Dict[Connection, Item] = {}
        self._give(waiting, free, busy)
        while busy:
            for link in cast(List[Connection], wait(list(busy))):
                item = busy.pop(link)
                try:
                    result, error = link.recv()
                except (EOFError, OSError):
                    yield item, self._end_of(link)
                    free = self._start(1) if waiting else []
                else:
                    if error is not None:
                        raise error
                    yield item, result
                    free = [link]
                self._give(waiting, free, busy)

    def stop(self) -> None:
        """Stop the processes, which clean up before they end."""
        processes = list(self._processes.values())
        for process in processes:
            process.terminate()
        for process in processes:
            process.join(_PATIENCE)
            if process.is_alive():
                process.kill()
                process.join()
        for link in self._processes:
            link.close()
        self._processes.clear()

    @staticmethod
    def _give(
        waiting: Deque[Item], free: List[Connection], busy: Dict
    ) -> None:
        for link in free:
            if waiting:
                busy[link] = waiting.popleft()
                with suppress(OSError):  # it ended: that is read later
                    link.send(busy[link])

    def _start(self, number: int) -> List[Connection]:
        context = multiprocessing.get_context('spawn')
        threads = max(torch.get_num_threads() // self.count, 1)
        links = []
        for _ in range(number):
            here, there = context.Pipe()
            process = context.Process(
                target=_work, args=(there, self._pickled, threads), daemon=True
            )
            with _ignored_interrupts():
                process.start()
            there.close()
            self._processes[here] = process
            links.append(here)
        for link in links:
            try:
                link.recv()
            except (EOFError, OSError):
                raise ValueError(
                    f'workers: {self._end_of(link)} when it started; a '
                    "script that uses several needs if __name__ == '__main__'"
                ) from None
        return links

    def _end_of(self, link: Connection) -> WorkerError:
        process = self._processes.pop(link)
        link.close()
        process.join(_PATIENCE)
        code = process.exitcode
        how = f'with exit code {code}'
        if code is not None and code < 0:
            how = f'by signal {-code} (out of memory?)'
        return WorkerError(f'the process was ended {how}')


def _pickle(task: Callable) -> bytes:
    # By value: those of multiprocessing would share memory of tensors.
    try:
        return pickle.dumps(task)
    except (pickle.PicklingError, TypeError, AttributeError) as error:
        raise ValueError(
            f'workers: cannot be sent to other processes: {error}'
        ) from None


@contextmanager
def _ignored_interrupts() -> Iterator[None]:
    """Processes started in the block ignore Ctrl-C from the beginning."""
    try:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    except ValueError:  # not the main thread
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _work(link: Connection, pickled: bytes, threads: int) -> None:
    """Run the task on what comes until there is nobody to send more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    torch.set_num_threads(threads)
    task = pickle.loads(pickled)
    with suppress(EOFError, OSError):
        link.send(os.getpid())
        while True:
            item = link.recv()
            link.send(_outcome(task, item))


def _outcome(task: Callable, item: Any) -> Tuple[Any, Any]:
    """The result or the error."""
    try:
        return task(item), None
    except Exception as error:
        try:
            pickle.loads(pickle.dumps(error))
        except Exception:  # some cannot be sent
            error = RuntimeError(f'{type(error).__name__}: {error}')
        return None, error
