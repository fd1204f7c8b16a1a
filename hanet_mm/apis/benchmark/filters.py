# Copyright (c) hanet_mm contributors. All rights reserved.
"""The classical filters that refiners are measured beside."""

from typing import Any, Dict, List, NamedTuple, Optional, Sequence

from hanet_mm.apis.filter_choice import choose_filter
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.filters import FILTERS, SequenceFilter, tune_filter

from .frame_rates import resample_sequences
from .methods import Method, make_tracks


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


class FilterBank:
    """Filters tuned on training sequences, once for each frame rate.

    ``tune`` are training sequences with truth; with None the filters are
    those of ``hanet-mm refine --filter`` for ``data``, which say the size of
    a person. ``root`` are joints whose mean is the root, see
    :func:`tune_filter`; ``progress`` shows a bar on stderr.
    """

    def __init__(
        self,
        tune: Optional[PoseSequences],
        data: Optional[PoseSequences] = None,
        root: Optional[Sequence[int]] = None,
        progress: bool = False,
    ) -> None:
        self._tune, self._data = tune, data
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
                found = self._tuned(entry, fps)
            found.settings = _describe(found.tool)
            self._known[key, fps] = found
        return self._known[key, fps]

    def _tuned(self, entry: _Entry, fps: Optional[float]) -> Method:
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
