# Copyright (c) hanet_mm contributors. All rights reserved.
"""Parabolas of frames around which nothing has changed since a push."""

from typing import Any, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..refine.parabolas import fit_parabolas, fit_reach


class _Fitted(NamedTuple):
    """Frames (F, K, D) from number ``index`` on and what was fitted there."""

    index: int  # type: ignore[assignment]  # tuple.index is not used
    fps: float
    keypoints: np.ndarray
    sharp: np.ndarray
    fitted: np.ndarray


class ParabolaMemory:
    """What :func:`fit_parabolas` made of the frames of a person last."""

    def __init__(self) -> None:
        self._last: Optional[_Fitted] = None

    def unchanged(
        self, index: int, fps: float, keypoints: np.ndarray, sharp: np.ndarray
    ) -> Tuple[slice, np.ndarray]:
        """Frames around the middle that are as they were, and parabolas.

        ``index`` is the number of the first frame; keypoints are (F, K, D),
        ``sharp`` (F, 1) and the parabolas (n, K, D), from the first frame on.
        """
        last, reach = self._last, fit_reach(fps)
        if last is None or last.fps != fps or index < last.index:
            return slice(0), keypoints
        rows = slice(index - last.index, index - last.index + len(keypoints))
        count = len(last.keypoints[rows])
        if min(count, len(keypoints)) <= 2 * reach:
            return slice(0), keypoints
        moved = np.any(last.keypoints[rows] != keypoints[:count], axis=(1, 2))
        resized = np.any(last.sharp[rows] != sharp[:count], axis=1)
        # Beyond both ends there is something else now.
        start, stop = reach, count - reach
        for changed, far in ((moved, reach), (resized, 0)):
            places = np.flatnonzero(changed)
            before, after = np.split(places, [(places < count // 2).sum()])
            start = max([start, *(before[-1:] + far + 1).tolist()])
            stop = min([stop, *(after[:1] - far).tolist()])
        return slice(start, stop), last.fitted[rows]

    def keep(self, *fitted: Any) -> None:
        """Remember frames and their parabolas."""
        self._last = _Fitted(*fitted)


class PeopleParabolas(NamedTuple):
    """Fits people of a stream together, only where something has changed.

    ``memories`` are those of P persons, whose keypoints (F, P, K, D) begin at
    frames ``index``.
    """

    memories: Sequence[ParabolaMemory]
    index: Sequence[int]  # type: ignore[assignment]
    keypoints: np.ndarray

    def fit(
        self, poses: np.ndarray, fps: float, sharp: np.ndarray
    ) -> np.ndarray:
        """See :func:`fit_parabolas`; poses are relative to the first one."""
        if poses.shape != self.keypoints.shape:
            return fit_parabolas(poses, fps, sharp)
        given = [
            (index, fps, self.keypoints[:, n], sharp[:, n])
            for n, index in enumerate(self.index)
        ]
        known = [
            memory.unchanged(*own) for memory, own in zip(self.memories, given)
        ]
        start = max(rows.start or 0 for rows, _ in known)
        stop = min(rows.stop for rows, _ in known)
        if start >= stop:
            start = stop = 0
        same = np.stack([x[start:stop] for _, x in known], axis=1)
        origin = self.keypoints[:1].astype(np.float64)
        fitted = np.empty(poses.shape)
        fitted[start:stop] = same - origin
        for rows in (slice(0, start), slice(stop, len(poses))):
            if rows.start < rows.stop:
                fitted[rows] = fit_parabolas(poses, fps, sharp, rows)
        every = fitted + origin
        for n, (memory, own) in enumerate(zip(self.memories, given)):
            memory.keep(*own, every[:, n])
        return fitted
