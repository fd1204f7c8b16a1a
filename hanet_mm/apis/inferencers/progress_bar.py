"""A progress bar with frames per second and the time that is left."""

import time
from typing import Any, Optional

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)


class ProgressBar:
    """Shows on stderr how far a video is; used as a context.

    Args:
        label (str): Stands before the bar.
        total (int, optional): Frames; None: not known.
    """

    def __init__(self, label: str, total: Optional[int]) -> None:
        self._progress = Progress(
            TextColumn('{task.description}'),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn('{task.fields[fps]}'),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task = self._progress.add_task(label, total=total, fps='')
        self._start = time.perf_counter()
        self._count = 0

    def __enter__(self) -> 'ProgressBar':
        """Show the bar."""
        self._progress.start()
        return self

    def __exit__(self, *args: Any) -> None:
        """Leave the bar as it is."""
        self._progress.stop()

    def advance(self) -> None:
        """Count a frame."""
        self._count += 1
        spent = time.perf_counter() - self._start
        rate = self._count / max(spent, 1e-9)
        self._progress.update(self._task, advance=1, fps=f'{rate:.1f} fps')
