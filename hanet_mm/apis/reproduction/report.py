"""The report: plain data that is written as JSON and printed as tables."""

import json
from typing import Any, Dict, List, Sequence

import hanet_mm
from hanet_mm.core.data.files import PathLike, atomic_path

from .catalog import DataSource
from .paper_figures import ABLATION_ROWS, PAPER_ROWS, PaperRow
from .protocols import PROTOCOLS, Windows

REPORTED = 'reported by the paper'


def new_report() -> Dict[str, Any]:
    """A report without any data set."""
    return dict(
        hanet_mm=hanet_mm.__version__,
        # True when all data sets that were asked for are done.
        complete=False,
        protocols={name: x.text for name, x in PROTOCOLS.items()},
        data_sets=[],
        missing=[],
        unused=[],
    )


def write_report(path: PathLike, report: Dict[str, Any]) -> None:
    """Write a report as JSON, whole or not at all."""
    text = json.dumps(report, indent=2, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + '\n', encoding='utf-8')


def has_failures(report: Dict[str, Any]) -> bool:
    """Whether anything that was asked for, or is there, is not measured."""
    return bool(
        report['unused']
        or any(x['asked_for'] for x in report['missing'])
        or any(x['error'] or x['failures'] for x in report['data_sets'])
    )


def new_data_set(source: DataSource, configs: Sequence[str]) -> Dict[str, Any]:
    """Entry of a data set in which nothing is measured yet.

    Args:
        source (DataSource): The data set.
        configs (Sequence[str]): See :func:`paper_rows`.
    """
    return dict(
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
        paper=paper_rows(source.name, configs),
    )


def paper_rows(data_set: str, configs: Sequence[str]) -> List[Dict[str, Any]]:
    """Rows of the paper for a data set.

    Args:
        data_set (str): Its name.
        configs (Sequence[str]): Stems of the configs of the checkpoints:
            ablations are shown beside their own only.

    Returns:
        list[dict]: In the form of measured rows.
    """
    rows = list(PAPER_ROWS.get(data_set, ()))
    if data_set == 'jhmdb':
        rows += [row for row in ABLATION_ROWS if row.config in configs]
    return [_as_row(row) for row in rows]


def _as_row(row: PaperRow) -> Dict[str, Any]:
    share = None
    if row.interval and row.window:
        share = Windows(row.interval, row.window, 1).share_read
    return dict(
        method=f'{row.method} ({row.where})' if row.where else row.method,
        protocol=REPORTED,
        interval=row.interval,
        window=row.window,
        stride=None,
        share_read=share,
        metrics=row.metrics,
    )
