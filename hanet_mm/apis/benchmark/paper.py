# Copyright (c) hanet_mm contributors. All rights reserved.
"""The paper's tables, measured on the data sets that are there."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

import hanet_mm
from hanet_mm.apis.config_files import read_config
from hanet_mm.apis.export import checkpoint_refiner
from hanet_mm.core.data.files import PathLike
from hanet_mm.core.refine.refiner import Refiner, load_refiner
from hanet_mm.datasets.pose_sequence_dataset import PoseSequenceDataset

from .catalog import (
    CATALOG,
    DataSetEntry,
    DataSource,
    build_dataset,
    describe,
    match_config,
    training_sequences,
)
from .filter_bank import BANK, FilterBank
from .methods import INPUT, Method
from .paper_tables import paper_rows
from .protocols import (
    PROTOCOLS,
    PaperProtocol,
    Windows,
    measure,
    metric_configs,
)


class NetworkFile(NamedTuple):
    """A checkpoint with its config, or a portable refiner (config None), and
    the name of its data set.
    """

    data_set: str
    weights: Path
    config: Any = None

    @property
    def stem(self) -> str:
        """Name of the config without its ending, '' for a refiner."""
        return Path(self.config.filename).stem if self.config else ''

    @property
    def name(self) -> str:
        """Name in the tables."""
        if self.config is None:
            return f'HANet ({self.weights.name})'
        return f'HANet ({self.stem}: {self.weights.name})'

    def load(self, metainfo: Mapping[str, Any], device: str) -> Method:
        """Load it for the keypoints of a data set."""
        details = dict(weights=str(self.weights))
        if self.config is None:
            refiner = load_refiner(self.weights, device)
            _check_keypoints(self.weights, refiner, metainfo)
        else:
            details['config'] = str(self.config.filename)
            refiner = checkpoint_refiner(
                self.weights, self.config.filename, dataset_meta=metainfo
            ).to(device)
        return Method(self.name, refiner, details=details)


def find_networks(
    checkpoints: Sequence[Sequence[PathLike]],
    refiners: Sequence[str],
    sources: Mapping[str, DataSource],
) -> List[NetworkFile]:
    """Find the data sets of checkpoints (config, weights) and refiners
    (``DATASET=FILE``).
    """
    found = []
    for config_file, weights in checkpoints:
        config = read_config(config_file)
        name = match_config(config, config_file, sources)
        found.append(NetworkFile(name, Path(weights), config))
    for text in refiners:
        name, _, weights = text.partition('=')
        if name not in sources or not weights:
            raise ValueError(
                f'--refiner {text}: expected DATASET=FILE with one of '
                f'{", ".join(sources)}'
            )
        found.append(NetworkFile(name, Path(weights)))
    for network in found:
        if not network.weights.is_file():
            raise FileNotFoundError(f'{network.weights}: no such file')
    return found


def _check_keypoints(
    path: Path, refiner: Refiner, metainfo: Mapping[str, Any]
) -> None:
    ids = metainfo['keypoint_id2name']
    names = [ids[i] for i in range(len(ids))]
    found = refiner.keypoint_names
    if found is not None and found != names:
        raise ValueError(
            f'{path}: a refiner of the keypoints {found}, the data set has '
            f'{names}'
        )
    if refiner.network.head.num_keypoints != len(names):
        raise ValueError(
            f'{path}: expected a refiner of {len(names)} keypoints, found '
            f'one of {refiner.network.head.num_keypoints}'
        )


FILTERS = ('savgol', 'butterworth', 'gaussian', 'one_euro', 'kalman')
Report = Dict[str, Any]
Makers = Iterator[Tuple[str, Callable[[], Method]]]


@dataclass
class PaperRequest:
    """Request for rows of the paper's tables.

    Attributes:
        data_root: Folder of the data sets, ``data`` of the configs.
        data_sets: Names of those to measure; None: all that are there.
        checkpoints: Pairs of config and checkpoint.
        refiners: ``DATASET=FILE`` of portable refiners.
        smpl_model: Config of the body model for SMPL data sets; None: that
            of their configs.
        device: Where networks run.
        progress: Whether to show progress bars on stderr.
        catalog: The data sets that are known.
    """

    data_root: PathLike
    data_sets: Optional[Sequence[str]] = None
    checkpoints: Sequence[Sequence[PathLike]] = ()
    refiners: Sequence[str] = ()
    smpl_model: Optional[Mapping[str, Any]] = None
    device: str = 'cpu'
    progress: bool = False
    catalog: Mapping[str, DataSetEntry] = field(
        default_factory=lambda: dict(CATALOG)
    )


def reproduce(request: PaperRequest) -> Iterator[Report]:
    """Measure data set after data set.

    A data set or a method that cannot be measured is reported with its
    error, and the others go on.

    Args:
        request (PaperRequest): What to measure.

    Yields:
        dict: The report so far: first without any data set, then after each
        one. The same object each time.

    Raises:
        FileNotFoundError: If a config or weights that were given are not
            there.
        ValueError: One line: an unknown data set, or a checkpoint that
            belongs to none.
    """
    sources = {
        name: DataSource(name, entry, request.data_root)
        for name, entry in request.catalog.items()
    }
    chosen = _choose(request.data_sets, sources)
    networks = find_networks(request.checkpoints, request.refiners, sources)
    report = new_paper_report()
    there = []
    for name in chosen:
        if sources[name].test_file.is_file():
            there.append(name)
        else:
            _add(
                report['missing'],
                name=name,
                reason=f'{sources[name].test_file} is not there',
                asked_for=request.data_sets is not None,
            )
    for network in networks:
        if network.data_set not in there:
            reason = f'{network.data_set} is not measured'
            _add(report['unused'], name=network.name, reason=reason)
    report['complete'] = not there
    yield report
    for name in there:
        own = [x for x in networks if x.data_set == name]
        with DefaultScope.overwrite_default_scope('mmpose'):
            result = measure_data_set(sources[name], own, request)
        report['data_sets'].append(result)
        report['complete'] = name == there[-1]
        yield report


def measure_data_set(
    source: DataSource, networks: Sequence[NetworkFile], request: PaperRequest
) -> Report:
    """Entry of a data set, with what failed in ``error`` and ``failures``;
    call it in MMPose's scope.
    """
    result: Report = dict(
        name=source.name,
        title=source.entry.title,
        table=source.entry.table,
        file=str(source.test_file),
        error=None,
        sequences=None,
        frames=None,
        about={},
        rows=[],
        # Rows that nothing could be made for, and rows that failed.
        left_out=[],
        failures=[],
        paper=paper_rows(source.name, [network.stem for network in networks]),
    )
    # An error here must not stop the other data sets.
    try:
        dataset = build_dataset(source.test_cfg)
        metrics = metric_configs(
            source.config.test_evaluator, request.smpl_model
        )
        infos = map(dataset.get_data_info, range(len(dataset)))
        result.update(
            about=describe(source, metrics),
            sequences=len(dataset),
            frames=sum(len(info['frame_ids']) for info in infos),
        )
    except Exception as error:
        result['error'] = _log_error(source.name, error)
        return result
    if not source.train_file.is_file():
        reason = f'nothing to tune them on: {source.train_file} is not there'
        result['left_out'].append(dict(method='filters', reason=reason))
    for name, make in _methods(source, networks, dataset, request):
        try:
            method = make()
            for protocol in _protocols(source):
                name = f'{method.name}, {protocol.name}'
                row = measure(
                    dataset, method, protocol, metrics, request.progress
                )
                result['rows'].append(row)
        except Exception as error:  # must not stop the other methods
            reason = _log_error(f'{source.name}: {name}', error)
            result['failures'].append(dict(method=name, error=reason))
    # One protocol after the other; the sort keeps the order of the methods.
    order = [*PROTOCOLS]
    result['rows'].sort(key=lambda row: order.index(row['protocol']))
    return result


def _protocols(source: DataSource) -> List[PaperProtocol]:
    model, step = source.config.model, source.entry.step
    interval = model.sample_interval
    published = Windows(interval, model.window_size, interval * step)
    return [PaperProtocol(name, published, step) for name in PROTOCOLS]


def _methods(
    source: DataSource,
    networks: Sequence[NetworkFile],
    dataset: PoseSequenceDataset,
    request: PaperRequest,
) -> Makers:
    """Name and maker of each method."""
    yield INPUT, partial(Method, INPUT)
    if source.train_file.is_file():
        tuning = _Tuning(source, request.progress)
        for key in FILTERS:
            yield BANK[key].title, partial(tuning.tune, key)
    for network in networks:
        given = dataset.metainfo, request.device
        yield network.name, partial(network.load, *given)


class _Tuning:
    """Loads the training sequences once, when the first filter needs them."""

    def __init__(self, source: DataSource, progress: bool) -> None:
        self._source, self._progress = source, progress
        self._about: Dict[str, Any] = {}
        self._bank: Optional[FilterBank] = None

    def tune(self, key: str) -> Method:
        """A filter of the bank, with its settings in its name."""
        if self._bank is None:
            dataset = build_dataset(self._source.train_cfg)
            self._about = dict(
                file=str(dataset.ann_file),
                part=getattr(dataset, 'recording_part', dataset.part),
            )
            self._bank = FilterBank(
                training_sequences(dataset),
                root=dataset.metainfo.get('root_indices'),
                progress=self._progress,
            )
        found = self._bank.find(key)
        found.name = f'{BANK[key].title} ({found.settings})'
        found.details['tuned_on'].update(self._about)
        return found


def _choose(
    names: Optional[Sequence[str]], sources: Mapping[str, DataSource]
) -> List[str]:
    for name in names or ():
        if name not in sources:
            raise ValueError(
                f'data set: expected one of {", ".join(sources)}, found '
                f'{name!r}'
            )
    return [name for name in sources if names is None or name in names]


def _add(entries: List[Dict[str, Any]], **entry: Any) -> None:
    """Note what is not measured, in the report and in the log."""
    entries.append(entry)
    MMLogger.get_current_instance().warning(
        f'{entry["name"]}: not measured: {entry["reason"]}'
    )


def _log_error(where: str, error: Exception) -> str:
    """The error in one line, which goes to the log as well."""
    reason = ' '.join(str(error).split()) or 'no message'
    if not isinstance(error, (ValueError, OSError, ImportError)):
        reason = f'{type(error).__name__}: {reason}'
    MMLogger.get_current_instance().error(f'{where}: {reason}')
    return reason


def new_paper_report() -> Dict[str, Any]:
    """A report of the paper's tables without any data set."""
    return dict(
        hanet_mm=hanet_mm.__version__,
        # True when all data sets that were asked for are done.
        complete=False,
        protocols={name: x.text for name, x in PROTOCOLS.items()},
        data_sets=[],
        missing=[],
        unused=[],
    )


def has_failures(report: Dict[str, Any]) -> bool:
    """Whether a requested or available row was not measured."""
    return bool(
        report['unused']
        or any(x['asked_for'] for x in report['missing'])
        or any(x['error'] or x['failures'] for x in report['data_sets'])
    )
