# Copyright (c) hanet_mm contributors. All rights reserved.
"""What the frames around tell of those around which nothing has changed."""

from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..refine.local_fit import KeptFit, LocalFit, local_reach
from ..refine.robust_path import is_local


class _Fitted(NamedTuple):
    """Frames (F, K, D) from number ``index`` on, and what is known of them."""

    index: int  # type: ignore[assignment]  # tuple.index is not used
    fps: float
    keypoints: np.ndarray
    missing: np.ndarray
    fit: LocalFit


class FitMemory:
    """The local fit of the frames of a person, as it was last."""

    def __init__(self) -> None:
        self._last: Optional[_Fitted] = None

    def unchanged(
        self,
        index: int,
        fps: float,
        keypoints: np.ndarray,
        missing: np.ndarray,
    ) -> Optional[KeptFit]:
        """What is known of frames around which all is as it was.

        ``index`` is the number of the first frame, keypoints are (F, K, D)
        and ``missing`` (F, K). What was told with the help of frames that are
        forgotten by now is still known.
        """
        last = self._last
        if last is None or last.fps != fps or index < last.index:
            return None
        if not is_local(fps):
            return None
        old = slice(index - last.index, index - last.index + len(keypoints))
        count = len(last.keypoints[old])
        moved = last.keypoints[old] != keypoints[:count]
        changed = moved.reshape(count, -1).any(1)
        changed |= (last.missing[old] != missing[:count]).any(1)
        places = np.flatnonzero(changed)
        half = np.searchsorted(places, count // 2)
        # What comes after the end of then is new.
        before = places[half - 1] if half else -len(keypoints)
        after = places[half] if half < len(places) else count
        near, far = (
            slice(max(int(before) + reach + 1, 0), int(after) - reach)
            for reach in local_reach(fps)
        )
        if far.start >= far.stop:
            return None
        return KeptFit(near, far, LocalFit(*(x[old] for x in last.fit)))

    def keep(self, *fitted: Any) -> None:
        """Remember frames and what was found of them."""
        self._last = _Fitted(*fitted)


class PeopleFits:
    """Memory of people of a stream whose frames are worked on together.

    A :class:`FitStore`: of each push :meth:`recall` comes first, then
    :meth:`keep` for the same frames. ``memories`` are those of P persons,
    whose keypoints (F, P, K, D) begin at frames ``index``.
    """

    def __init__(
        self, memories: Sequence[FitMemory], index: Sequence[int], fps: float
    ) -> None:
        self._memories = memories
        self._index = index
        self._fps = fps
        self._given: Tuple[np.ndarray, ...] = ()

    def recall(
        self, keypoints: np.ndarray, missing: np.ndarray
    ) -> Optional[KeptFit]:
        """What is known of the frames of all of them."""
        self._given = keypoints, missing
        kept: List[KeptFit] = []
        for n, memory in enumerate(self._memories):
            own = memory.unchanged(
                self._index[n], self._fps, keypoints[:, n], missing[:, n]
            )
            if own is None:
                return None
            kept.append(own)
        near, far = (
            slice(max(x.start for x in rows), min(x.stop for x in rows))
            for rows in zip(*(x[:2] for x in kept))
        )
        if far.start >= far.stop:
            return None
        fits = (x.fit for x in kept)
        count = near.stop
        every = (np.stack([y[:count] for y in x], axis=1) for x in zip(*fits))
        return KeptFit(near, far, LocalFit(*every))

    def keep(self, fit: LocalFit) -> None:
        """Remember what was found of each."""
        for n, memory in enumerate(self._memories):
            own = LocalFit(*(x[:, n] for x in fit))
            given = (x[:, n] for x in self._given)
            memory.keep(self._index[n], self._fps, *given, own)
