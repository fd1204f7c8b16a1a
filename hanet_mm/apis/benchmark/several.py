# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measure several files of the same kind, and average over them."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Sequence

from .evaluation import evaluate
from .report import new_report
from .request import Request
from .tables import judge

Report = Dict[str, Any]
# Of a row: what is not averaged.
_WORDS = ('method', 'kind', 'settings')
_SUMS = ('seconds', 'empty')


def evaluate_files(requests: Sequence[Request]) -> Iterator[Report]:
    """Measure files one after the other.

    Args:
        requests (Sequence): One for each file.

    Yields:
        dict: For a single file the report of :func:`evaluate`. For several
        ``files``, such a report of each by its name, and ``tables``: the
        average over the files of the tables that all of them have.

    Raises:
        ValueError: If a request is wrong; all are checked before any file is
            measured.
    """
    for request in requests:
        request.check()
    if len(requests) == 1:
        yield from evaluate(requests[0])
        return
    files: Dict[str, Report] = {}
    for name, request in zip(_names(requests), requests):
        for report in evaluate(request):
            files[name] = report
            done = len(files) == len(requests) and report['complete']
            tables = average_tables(list(files.values()))
            yield {
                **new_report(),
                'complete': done,
                'files': dict(files),
                'tables': tables,
            }


def average_tables(reports: Sequence[Report]) -> List[Dict[str, Any]]:
    """Tables that all reports have, each figure the mean over the files, None
    where a file has none.
    """
    tables = []
    for table in reports[0]['tables']:
        same = [
            x['rows']
            for report in reports
            for x in report['tables']
            if x['title'] == table['title']
        ]
        if len(same) == len(reports):
            rows = _average_rows(same)
            tables.append(
                dict(title=table['title'], rows=rows, verdicts=judge(rows))
            )
    return tables


def _names(requests: Sequence[Request]) -> List[str]:
    """Unique names of the files, for folders and headings."""
    stems = [Path(x.data).stem for x in requests]
    return [
        stem if stems.count(stem) == 1 else f'{stem}-{number}'
        for number, stem in enumerate(stems, 1)
    ]


def _average_rows(
    files: Sequence[Sequence[Dict[str, Any]]],
) -> List[Dict[str, Any]]:
    by_name = [{x['method']: x for x in rows} for rows in files]
    found = []
    for row in files[0]:
        same = [x[row['method']] for x in by_name if row['method'] in x]
        if len(same) < len(files):
            continue
        mean = {key: row[key] for key in ('method', 'kind')}
        # Filters have other settings in each file.
        mean['settings'] = ''
        for key in row:
            if key not in _WORDS:
                mean[key] = _mean([x[key] for x in same], key in _SUMS)
        found.append(mean)
    return found


def _mean(values: Sequence[Any], total: bool) -> Any:
    if any(x is None for x in values):
        return None
    return sum(values) if total else sum(values) / len(values)
