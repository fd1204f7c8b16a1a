# Copyright (c) hanet_mm contributors. All rights reserved.
"""Lets a program watch the steps of a long computation."""

from contextlib import contextmanager
from contextvars import ContextVar
from typing import (
    Callable,
    ContextManager,
    Iterator,
    Optional,
    Sequence,
    TypeVar,
)

Item = TypeVar('Item')
# Takes the number of steps; gives what is called after each.
Watcher = Callable[[int], ContextManager[Callable[[], object]]]

_watcher: ContextVar[Optional[Watcher]] = ContextVar('watcher', default=None)


@contextmanager
def watch_steps(watcher: Watcher) -> Iterator[None]:
    """Let a watcher follow the computations in the block."""
    token = _watcher.set(watcher)
    try:
        yield
    finally:
        _watcher.reset(token)


def watched(items: Sequence[Item]) -> Iterator[Item]:
    """Iterate over the steps of a computation."""
    watcher = _watcher.get()
    if watcher is None or len(items) < 2:
        yield from items
        return
    with watcher(len(items)) as advance:
        for item in items:
            yield item
            advance()
