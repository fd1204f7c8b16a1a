"""A progress bar for converters."""

from typing import Iterable, Sequence, TypeVar

Item = TypeVar('Item')


def track(items: Sequence[Item], label: str, progress: bool) -> Iterable[Item]:
    """Iterate, with a progress bar on stderr where asked for.

    Args:
        items: What to iterate over.
        label: Stands before the bar.
        progress: Whether to show it.
    """
    if not progress:
        return items
    from rich.console import Console
    from rich.progress import track as bar

    return bar(items, label, console=Console(stderr=True))
