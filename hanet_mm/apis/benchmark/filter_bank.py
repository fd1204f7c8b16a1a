# Copyright (c) hanet_mm contributors. All rights reserved.
"""Classical filters to measure, tuned on training data."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from hanet_mm.apis.filter_choice import choose_filter
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.skeleton_data import skeleton_of_names
from hanet_mm.core.refine.frame_rate import USUAL_RATE
from hanet_mm.core.refine.swap_chains import SwapChains, swap_chains
from hanet_mm.filters import (
    FILTERS,
    MedianButterworthFilter,
    SequenceFilter,
    tune_filter,
)

from .methods import Method, make_tracks, unswap_sequences
from .perturbations import resample_sequences


class _Entry(NamedTuple):
    """A filter of the tables: its title, name and fixed parameters."""

    title: str
    name: str
    fixed: Dict[str, float] = {}


# By these names they are asked for as the filter of other keypoints, too.
BANK: Dict[str, _Entry] = {
    'savgol': _Entry('Savitzky-Golay', 'savgol'),
    'butterworth': _Entry('Butterworth', 'butterworth'),
    'gaussian': _Entry('Gaussian', 'gaussian'),
    'one_euro': _Entry('One-Euro', 'one_euro'),
    'kalman': _Entry('Kalman/RTS with scores', 'kalman'),
    'kalman_without_scores': _Entry(
        'Kalman/RTS without scores', 'kalman', dict(score_power=0)
    ),
    'median_butterworth': _Entry('Median + Butterworth', 'median_butterworth'),
}


UNSWAP = 'Un-swap'
REFERENCE = f'{UNSWAP} + median (5) + Butterworth 6 Hz'
# Hz, and the most of the frame rate.
_CUTOFF, _MOST = 6.0, 0.45


def known_chains(sequences: PoseSequences) -> Optional[SwapChains]:
    """Pairs of keypoints by their names, None without names or pairs."""
    names = sequences.meta.get('keypoint_names')
    if not names:
        return None
    skeleton = skeleton_of_names(list(names), 'the data')
    chains = swap_chains(skeleton.keypoint_names)
    return None if (chains.chains < 0).all() else chains


def reference_methods(
    data: PoseSequences, fps: Optional[float] = None
) -> List[Method]:
    """The filter without any choice that a refiner has to beat: swaps undone,
    median of 5 frames, low-pass at 6 Hz; none where left is not known.
    """
    chains = known_chains(data)
    if chains is None:
        return []
    if fps is None:
        rates = USUAL_RATE if data.fps is None else data.fps
        fps = float(np.median(rates))
    smoother = MedianButterworthFilter(5, min(_CUTOFF / fps, _MOST))
    return [Method(REFERENCE, smoother, chains=chains)]


class FilterBank:
    """Filters tuned on the sequences ``tune`` (None: those of ``hanet-mm
    refine --filter`` for ``data``), once for each frame rate; ``root`` as in
    :func:`tune_filter`. With ``chains`` swaps are undone before, in
    training data too.
    """

    def __init__(
        self,
        tune: Optional[PoseSequences],
        data: Optional[PoseSequences] = None,
        root: Optional[Sequence[int]] = None,
        progress: bool = False,
        chains: Optional[SwapChains] = None,
    ) -> None:
        own = None if tune is None or chains is None else known_chains(tune)
        if own is not None:
            tune = unswap_sequences(tune, own)
        self._tune, self._data, self._chains = tune, data, chains
        self._root, self._progress = root, progress
        self._known: Dict[Any, Method] = {}

    def methods(self, fps: Optional[float] = None) -> List[Method]:
        """All filters, tuned on training sequences brought to that rate."""
        return [self.find(key, fps) for key in BANK]

    def find(self, key: str, fps: Optional[float] = None) -> Method:
        """One filter by its key in :data:`BANK`."""
        if (key, fps) not in self._known:
            entry = BANK[key]
            if self._tune is None:
                fixed = [f'{k}={value:g}' for k, value in entry.fixed.items()]
                text = f'{entry.name}:{",".join(fixed)}'
                tracks = make_tracks(self._data)
                found = Method(entry.title, choose_filter(text, tracks, fps))
            else:
                found = self._tune_entry(entry, fps)
            found.settings = _describe(found.tool)
            found.chains = self._chains
            if self._chains is not None:
                found.name = f'{UNSWAP} + {found.name}'
            self._known[key, fps] = found
        return self._known[key, fps]

    def _tune_entry(self, entry: _Entry, fps: Optional[float]) -> Method:
        sequences = self._tune
        if fps is not None and sequences.fps is not None:
            sequences, _ = resample_sequences(sequences, fps)
        grid = dict(FILTERS[entry.name].GRID)
        grid.update({key: (value,) for key, value in entry.fixed.items()})
        smoother, report = tune_filter(
            entry.name,
            sequences,
            grid,
            root=self._root,
            progress=self._progress,
        )
        about = dict(
            sequences=len(sequences),
            frames=len(sequences.scores),
            objective=report.objective,
        )
        details = dict(arguments=report.arguments, tuned_on=about)
        return Method(entry.title, smoother, details=details)


def _describe(smoother: SequenceFilter) -> str:
    settings = dict(smoother.settings)
    # Of the two noises only the ratio counts.
    if settings.get('measurement_noise') == 1:
        del settings['measurement_noise']
    return ', '.join(f'{key} {value:.4g}' for key, value in settings.items())
