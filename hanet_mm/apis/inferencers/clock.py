"""How long each stage takes."""

import time
from contextlib import contextmanager
from typing import Dict, Iterator, List

STAGES = ('reading', 'detector', 'estimator', 'tracker', 'refiner', 'writing')


class StageClock:
    """Adds up the seconds of each stage.

    The time of a stage that runs inside of another one counts for the inner
    one only.

    Attributes:
        seconds: By name of the stage.
    """

    def __init__(self) -> None:
        self.seconds: Dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._inner: List[float] = []

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count the time of the block for a stage."""
        start = time.perf_counter()
        self._inner.append(0.0)
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[stage] += spent - self._inner.pop()
            if self._inner:
                self._inner[-1] += spent

    def shares(self) -> str:
        """The share of each stage in the time of all, as text."""
        total = sum(self.seconds.values()) or 1.0
        return ', '.join(
            f'{stage} {100 * spent / total:.0f} %'
            for stage, spent in self.seconds.items()
            if spent
        )
