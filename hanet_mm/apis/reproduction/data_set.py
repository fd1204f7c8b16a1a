"""Measure all methods on one data set."""

from functools import partial
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
)

from mmengine.logging import MMLogger

from hanet_mm.datasets.pose_sequence_dataset import PoseSequenceDataset

from .about import describe
from .catalog import DataSource, build_dataset
from .evaluation import measure, metric_configs
from .filter_rows import FILTER_TITLES, training_sequences, tuned_filter
from .methods import InputMethod, Method
from .networks import NetworkFile, build_network
from .protocols import PROTOCOLS, Windows
from .report import new_data_set
from .request import Request

Makers = Iterator[Tuple[str, Callable[[], Method]]]


def measure_data_set(
    source: DataSource, networks: Sequence[NetworkFile], request: Request
) -> Dict[str, Any]:
    """Measure input, filters and networks; call it in MMPose's scope.

    Args:
        source (DataSource): The data set, whose file is there.
        networks (Sequence[NetworkFile]): Those for this data set.
        request (Request): Device, body model and the like.

    Returns:
        dict: An entry of the report. What could not be measured is in
        ``error`` and ``failures``.
    """
    result = new_data_set(source, [network.stem for network in networks])
    # Whatever is wrong here, the other data sets shall be measured.
    try:
        dataset = build_dataset(source.test_cfg)
        metrics = metric_configs(
            source.config.test_evaluator, request.smpl_model
        )
        result.update(
            about=describe(source, metrics),
            sequences=len(dataset),
            frames=_count_frames(dataset),
        )
    except Exception as error:
        result['error'] = _log_error(source.name, error)
        return result
    if not source.train_file.is_file():
        reason = f'nothing to tune them on: {source.train_file} is not there'
        result['left_out'].append(dict(method='filters', reason=reason))
    for name, make in _methods(source, networks, dataset, request):
        rows, failure = _measure_method(
            source.name, dataset, name, make, metrics, request.progress
        )
        result['rows'] += rows
        result['failures'] += failure
    # One protocol after the other; the sort keeps the order of the methods.
    order = [*PROTOCOLS]
    result['rows'].sort(key=lambda row: order.index(row['protocol']))
    return result


def _measure_method(
    data_set: str,
    dataset: PoseSequenceDataset,
    name: str,
    make: Callable[[], Method],
    metrics: Sequence[Dict[str, Any]],
    progress: bool,
) -> Tuple[List[Dict[str, Any]], List[Dict[str, str]]]:
    """Rows of a method by each protocol, and at most one failure."""
    rows: List[Dict[str, Any]] = []
    try:
        method = make()
        for protocol in PROTOCOLS:
            name = f'{method.name}, {protocol}'
            rows.append(measure(dataset, method, protocol, metrics, progress))
    except Exception as error:  # the other methods shall be measured
        reason = _log_error(f'{data_set}: {name}', error)
        return rows, [dict(method=name, error=reason)]
    return rows, []


def _methods(
    source: DataSource,
    networks: Sequence[NetworkFile],
    dataset: PoseSequenceDataset,
    request: Request,
) -> Makers:
    """Name and maker of each method."""
    model, step = source.config.model, source.entry.step
    interval = model.sample_interval
    published = Windows(interval, model.window_size, interval * step)
    yield 'input', partial(InputMethod, 'input', published)
    if source.train_file.is_file():
        tuning = _Tuning(source)
        for name, title in FILTER_TITLES.items():
            yield (
                title,
                partial(tuning.tune, name, published, request.progress),
            )
    given = (dataset.metainfo, published, step, request.device)
    for network in networks:
        yield network.name, partial(build_network, network, *given)


class _Tuning:
    """Loads the training sequences once, when the first filter needs them."""

    def __init__(self, source: DataSource) -> None:
        self._source = source
        self._data: Optional[Tuple[Any, Any]] = None

    def tune(self, name: str, published: Windows, progress: bool) -> Method:
        if self._data is None:
            dataset = build_dataset(self._source.train_cfg)
            self._data = dataset, training_sequences(dataset)
        dataset, sequences = self._data
        return tuned_filter(name, sequences, dataset, published, progress)


def _count_frames(dataset: PoseSequenceDataset) -> int:
    infos = map(dataset.get_data_info, range(len(dataset)))
    return sum(len(info['frame_ids']) for info in infos)


def _log_error(where: str, error: Exception) -> str:
    """The error in one line, which goes to the log as well."""
    reason = ' '.join(str(error).split()) or 'no message'
    if not isinstance(error, (ValueError, OSError, ImportError)):
        reason = f'{type(error).__name__}: {reason}'
    MMLogger.get_current_instance().error(f'{where}: {reason}')
    return reason
