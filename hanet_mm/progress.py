# Copyright (c) hanet_mm contributors. All rights reserved.
"""The progress bar of the package: count, rate and the time that is left."""

from contextlib import contextmanager, suppress
from typing import Callable, Collection, Iterator, Optional, TypeVar

Item = TypeVar('Item')


@contextmanager
def progress_bar(
    total: Optional[int],
    label: str = '',
    unit: str = 'frame',
    shown: bool = True,
    initial: int = 0,
) -> Iterator[Callable[..., object]]:
    """Show progress on stderr.

    Without tqdm, which comes with the extra ``[mm]``, nothing is shown.

    Args:
        total (int, optional): Steps in all; None: unknown.
        label (str): Stands before the bar. Defaults to ''.
        unit (str): What is counted. Defaults to 'frame'.
        shown (bool): Whether to show anything. Defaults to True.
        initial (int): Steps that were done before, at no known speed.
            Defaults to 0.

    Yields:
        Callable: ``advance(steps=1)``.
    """
    tqdm = None
    if shown:
        with suppress(ImportError):
            from tqdm import tqdm
    if tqdm is None:
        yield lambda steps=1: None
        return
    with tqdm(
        total=total, desc=label or None, unit=unit, initial=initial
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
