# Copyright (c) hanet_mm contributors. All rights reserved.
"""Curves of accuracy over the difficulty of the input."""

from dataclasses import replace
from typing import Any, Dict, Iterator, List, NamedTuple, Optional

import numpy as np

from hanet_mm.core.data.sequences import PoseSequences

from .filter_bank import FilterBank, reference_methods
from .methods import INPUT, Method
from .perturbations import (
    MEAN_BURST,
    common_rate,
    remove_keypoints,
    resample_sequences,
    same_rate,
    side_pairs,
    swap_sides,
)

MISSING = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
SWAPS = (0.0, 0.1, 0.2, 0.3, 0.4)
RATES = (15.0, 20.0, 30.0, 60.0)
LOOKAHEADS = (0, 2, 4, 8)

CURVES: Dict[str, str] = {
    'missing': 'share of keypoints missing (%)',
    'fps': 'frames per second',
    'lookahead': "look-ahead (frames of the refiner's rate)",
    'swaps': 'share of frames with left and right swapped (%)',
}
_NOTES: Dict[str, str] = {
    'missing': 'Whole frames and single keypoints are taken away equally '
    f'often, in bursts of {MEAN_BURST} frames on average.',
    'fps': 'Truth, estimates and scores are brought to each rate; filters '
    'are tuned anew for it. Errors of interpolated data are not to be '
    'compared across rates; Accel is per frame^2 of the rate.',
    'lookahead': 'Filters other than One-Euro need all frames.',
    'swaps': 'All keypoints of the body at once, in bursts of '
    f'{MEAN_BURST} frames on average; scores stay as they are.',
}


class Point(NamedTuple):
    """A point of a curve: its place on the axis (None: without limit), how the
    data were made, the data, and what is measured there.
    """

    value: Optional[float]
    note: str
    sequences: PoseSequences
    methods: List[Method]


class CurveMaker:
    """Makes the points of the curves for refiners beside a filter bank."""

    def __init__(
        self, data: PoseSequences, refiners: List[Method], bank: FilterBank
    ) -> None:
        self._data, self._refiners, self._bank = data, refiners, bank
        self._own = common_rate(data)
        self._makers = dict(
            missing=self._missing,
            fps=self._fps,
            lookahead=self._lookahead,
            swaps=self._swaps,
        )

    def methods(self, fps: Optional[float] = None) -> List[Method]:
        """All that is measured; filters for a rate, by default the data's."""
        fps = self._own if fps is None else fps
        filters = [
            *self._bank.methods(fps),
            *reference_methods(self._data, fps),
        ]
        return [Method(INPUT), *filters, *self._refiners]

    def why_not(self, curve: str) -> str:
        """Why a curve cannot be drawn; '' if it can."""
        if curve == 'fps' and self._data.fps is None:
            return 'the data do not say their frame rate'
        if curve == 'swaps' and not side_pairs(self._data):
            return 'the keypoints have no names, so that left is not known'
        return ''

    def num_points(self, curve: str) -> int:
        """Number of points of a curve."""
        counts = dict(
            missing=len(MISSING),
            fps=len(self._rates()),
            lookahead=len(LOOKAHEADS) + 1,
            swaps=len(SWAPS),
        )
        return counts[curve]

    def points(self, curve: str) -> Iterator[Point]:
        """The points of a curve, a key of :data:`CURVES`."""
        return self._makers[curve]()

    def about(self, curve: str) -> Dict[str, Any]:
        """Axis and note of a curve."""
        return dict(axis=CURVES[curve], note=_NOTES[curve])

    def _missing(self) -> Iterator[Point]:
        for share in MISSING:
            data = remove_keypoints(self._data, share) if share else self._data
            yield Point(100 * share, '', data, self.methods())

    def _swaps(self) -> Iterator[Point]:
        pairs = side_pairs(self._data)
        for share in SWAPS:
            data = self._data
            if share:
                data = swap_sides(data, share, pairs)
            yield Point(100 * share, '', data, self.methods())

    def _fps(self) -> Iterator[Point]:
        for rate in self._rates():
            data, note = resample_sequences(self._data, rate)
            yield Point(rate, note, data, self.methods(rate))

    def _lookahead(self) -> Iterator[Point]:
        everything = self.methods()
        online = [x for x in everything if x.online]
        for frames in LOOKAHEADS:
            streams = [replace(x, lookahead=frames) for x in self._refiners]
            yield Point(frames, '', self._data, [*online, *streams])
        yield Point(None, 'offline', self._data, everything)

    def _rates(self) -> List[float]:
        """Rates to look at, with that of the data if they have one."""
        own = self._own
        if own is None or same_rate(own, np.array(RATES)).any():
            return [*RATES]
        return sorted([*RATES, own])
