"""The filters beside which refiners are measured."""

from typing import Any, Dict, List, NamedTuple, Optional

from hanet_mm.apis.filter_choice import choose_filter
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.filters import FILTERS, SequenceFilter, tune_filter

from .frame_rates import resample_sequences
from .methods import FilterMethod, make_tracks


class _Entry(NamedTuple):
    """A filter of the tables: its title, name and fixed parameters."""

    title: str
    name: str
    fixed: Dict[str, float]


# By this name it is asked for as the filter of other keypoints, too.
BANK: Dict[str, _Entry] = {
    'savgol': _Entry('Savitzky-Golay', 'savgol', {}),
    'butterworth': _Entry('Butterworth', 'butterworth', {}),
    'gaussian': _Entry('Gaussian', 'gaussian', {}),
    'one_euro': _Entry('One-Euro', 'one_euro', {}),
    'kalman': _Entry('Kalman/RTS with scores', 'kalman', {}),
    'kalman_without_scores': _Entry(
        'Kalman/RTS without scores', 'kalman', dict(score_power=0)
    ),
    'median_butterworth': _Entry(
        'Median + Butterworth', 'median_butterworth', {}
    ),
}
# Filters that look at no later frame.
_ONLINE = ('one_euro',)


class FilterBank:
    """Filters tuned on training sequences, each rate's once a run.

    Args:
        tune (PoseSequences, optional): Training sequences with truth. With
            None the filters have the settings that ``hanet-mm refine`` uses.
        data (PoseSequences): What will be filtered, for the size of a person
            where there is nothing to tune on.
        root (list[int], optional): Joints whose mean is the root, see
            :func:`tune_filter`.
        progress (bool): Whether to show progress on stderr.
    """

    def __init__(
        self,
        tune: Optional[PoseSequences],
        data: PoseSequences,
        root: Optional[List[int]] = None,
        progress: bool = False,
    ) -> None:
        self._tune, self._data = tune, data
        self._root, self._progress = root, progress
        self._known: Dict[Any, FilterMethod] = {}

    def methods(self, fps: Optional[float] = None) -> List[FilterMethod]:
        """All filters.

        Args:
            fps (float, optional): Tuned on training sequences brought to
                that rate, where they tell their own. Defaults to None: as
                they are.
        """
        return [self.find(key, fps) for key in BANK]

    def find(self, key: str, fps: Optional[float] = None) -> FilterMethod:
        """One filter by its key in :data:`BANK`."""
        if (key, fps) not in self._known:
            entry = BANK[key]
            smoother = self._make(entry, fps)
            self._known[key, fps] = FilterMethod(
                entry.title,
                _describe(smoother),
                filter=smoother,
                online=key in _ONLINE,
            )
        return self._known[key, fps]

    def _make(self, entry: _Entry, fps: Optional[float]) -> SequenceFilter:
        if self._tune is None:
            fixed = [f'{key}={value:g}' for key, value in entry.fixed.items()]
            text = f'{entry.name}:{",".join(fixed)}'
            return choose_filter(text, make_tracks(self._data), fps)
        sequences = self._tune
        if fps is not None and sequences.fps is not None:
            sequences, _ = resample_sequences(sequences, fps)
        grid = dict(FILTERS[entry.name].GRID)
        grid.update({key: (value,) for key, value in entry.fixed.items()})
        smoother, _ = tune_filter(
            entry.name,
            sequences,
            grid,
            root=self._root,
            progress=self._progress,
        )
        return smoother


def _describe(smoother: SequenceFilter) -> str:
    settings = dict(smoother.settings)
    # Of the two noises only the ratio counts.
    if settings.get('measurement_noise') == 1:
        del settings['measurement_noise']
    return ', '.join(f'{key} {value:.3g}' for key, value in settings.items())
