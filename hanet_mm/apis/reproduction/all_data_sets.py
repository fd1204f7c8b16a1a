"""Measure all tables on the data sets that are there."""

from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

from .catalog import DataSource
from .data_set import measure_data_set
from .networks import find_networks
from .report import new_report
from .request import Request


def reproduce(request: Request) -> Iterator[Dict[str, Any]]:
    """Measure data set after data set.

    A data set or a method that cannot be measured is reported with its
    error, and the others go on.

    Args:
        request (Request): What to measure.

    Yields:
        dict: The report so far, see :mod:`.report`: first without any data
        set, then after each one. The same object each time.

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
    report = new_report()
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
