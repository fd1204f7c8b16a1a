# Copyright (c) hanet_mm contributors. All rights reserved.
"""The progress bar of the package: count, rate and the time that is left."""

import sys
import time
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import (
    Any,
    Callable,
    Collection,
    ContextManager,
    Iterator,
    Optional,
    TypeVar,
)

from hanet_mm.core.data.steps import watch_steps

Item = TypeVar('Item')

# Seconds after which work that is usually short shows its progress.
_PATIENCE = 2.0
_EVERY = 0.5
_silent: ContextVar[bool] = ContextVar('silent', default=False)


@contextmanager
def progress_bar(
    total: Optional[int],
    label: str = '',
    unit: str = 'frame',
    shown: bool = True,
    initial: int = 0,
    delay: float = 0.0,
) -> Iterator[Callable[..., object]]:
    """Show progress on stderr.

    Without tqdm, which comes with the extra ``[video]``, it is a plain line
    that appears after two seconds.

    Args:
        total (int, optional): Steps in all; None: unknown.
        label (str): Stands before the bar. Defaults to ''.
        unit (str): What is counted. Defaults to 'frame'.
        shown (bool): Whether to show anything. Defaults to True.
        initial (int): Steps that were done before, at no known speed.
            Defaults to 0.
        delay (float): Seconds before it appears. Defaults to 0.

    Yields:
        Callable: ``advance(steps=1)``.
    """
    if not shown or _silent.get():
        yield lambda steps=1: None
        return
    make: Callable[..., Any] = _PlainBar
    with suppress(ImportError):
        from tqdm import tqdm

        make = tqdm
    with make(
        total=total,
        desc=label or None,
        unit=unit,
        initial=initial,
        delay=delay,
    ) as bar:
        yield bar.update


def track(
    items: Collection[Item],
    label: str = '',
    unit: str = 'item',
    shown: bool = True,
) -> Iterator[Item]:
    """Iterate over items with :func:`progress_bar`."""
    with progress_bar(len(items), label, unit, shown) as advance:
        for item in items:
            yield item
            advance()


@contextmanager
def silent_progress(silent: bool = True) -> Iterator[None]:
    """Show no progress in the block, whatever it says."""
    token = _silent.set(silent or _silent.get())
    try:
        yield
    finally:
        _silent.reset(token)


def is_silent() -> bool:
    """Whether nothing is to be told besides results and errors."""
    return _silent.get()


@contextmanager
def inner_progress(label: str) -> Iterator[None]:
    """Show the progress of long computations in the block, if stderr is a
    terminal.
    """
    shown = sys.stderr.isatty()

    def watch(total: int) -> ContextManager[Callable[..., object]]:
        return progress_bar(total, label, 'step', shown, delay=_PATIENCE)

    with watch_steps(watch):
        yield


class _PlainBar:
    """A line with count, share, time spent and time left."""

    def __init__(
        self,
        total: Optional[int],
        desc: Optional[str],
        unit: str,
        initial: int,
        delay: float,
    ) -> None:
        self.total, self.unit, self.count = total, unit, initial
        self.label = f'{desc}: ' if desc else ''
        self._initial, self._start = initial, time.monotonic()
        self._next = self._start + max(delay, _PATIENCE)
        self._length = 0

    def __enter__(self) -> '_PlainBar':
        return self

    def __exit__(self, *error: object) -> None:
        if self._length:
            self._show(time.monotonic())
            sys.stderr.write('\n')

    def update(self, steps: int = 1) -> None:
        """Count steps."""
        self.count += steps
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _EVERY
            self._show(now)

    def _show(self, now: float) -> None:
        spent = now - self._start
        rate = (self.count - self._initial) / max(spent, 1e-9)
        if self.total and rate:
            left = clock((self.total - self.count) / rate)
            share = 100 * self.count // self.total
            text = (
                f'{self.label}{share}% {self.count}/{self.total} {self.unit}s,'
                f' {clock(spent)} passed, {left} left'
            )
        else:
            text = (
                f'{self.label}{self.count} {self.unit}s, {clock(spent)} '
                f'passed, {rate:.1f}/s'
            )
        sys.stderr.write(f'\r{text:{self._length}}')
        sys.stderr.flush()
        self._length = len(text)


def clock(seconds: float) -> str:
    """Minutes and seconds, with hours where there are: ``2:05``."""
    minutes, rest = divmod(int(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return (
        f'{hours}:{minutes:02}:{rest:02}' if hours else f'{minutes}:{rest:02}'
    )
