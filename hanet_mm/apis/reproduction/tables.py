"""Markdown tables of a report."""

from typing import Any, Dict, Mapping, Optional, Sequence

from .about import short_estimator
from .columns import TABLES, Table

_READING = ('N', 'T', 'stride', 'read')
_CAPTION = (
    'N: sampling interval; T: frames of a window; stride: frames from one '
    'window to the next; read: share of the frames of a window that are '
    'read, the two neighbours of each sampled frame included (with '
    'overlapping windows more frames are read in all). The input and the '
    'filters read every frame; their T and stride are those of the windows '
    'that decide which frames are scored. N and T of reported rows are from '
    "the paper or the authors' configs, - is not known or does not apply."
)


def render_tables(report: Mapping[str, Any]) -> str:
    """Tables of what was measured, beside the figures of the paper.

    Args:
        report (Mapping): See :mod:`.report`.

    Returns:
        str: Markdown; '' if nothing was found.
    """
    parts = []
    for key, table in TABLES.items():
        found = [x for x in report['data_sets'] if x['table'] == key]
        if found:
            parts.append(_render(table, found))
    if not parts:
        return ''
    protocols = [
        f'- **{name}**: {text}.' for name, text in report['protocols'].items()
    ]
    return '\n\n'.join([*parts, _CAPTION, '\n'.join(protocols)]) + '\n'


def _render(table: Table, data_sets: Sequence[Mapping[str, Any]]) -> str:
    headings = [heading for heading, _ in table.columns]
    lines = [
        _line(['Dataset', 'Method', 'Protocol', *_READING, *headings]),
        _line(['---'] * 3 + ['---:'] * (len(_READING) + len(headings))),
    ]
    for data_set in data_sets:
        if data_set['rows']:
            title = data_set['title']
            estimator = short_estimator(data_set['about'])
            lines += [
                _row(f'{title} ({estimator})', row, table)
                for row in data_set['rows']
            ]
            lines += [_row(title, row, table) for row in data_set['paper']]
    parts = [f'## {table.title}']
    if len(lines) > 2:
        parts += ['\n'.join(lines), *table.notes]
    parts.append('\n'.join(_about(x) for x in data_sets))
    return '\n\n'.join(parts)


def _row(title: str, row: Mapping[str, Any], table: Table) -> str:
    share = row['share_read']
    return _line(
        [
            title,
            row['method'],
            row['protocol'],
            *(_whole(row[key]) for key in ('interval', 'window', 'stride')),
            '-' if share is None else f'{100 * share:.1f} %',
            *(_figure(row['metrics'], metric) for _, metric in table.columns),
        ]
    )


def _about(data_set: Mapping[str, Any]) -> str:
    """What the file says of itself, and what is not there and why."""
    title = f'**{data_set["title"]}** ({data_set["name"]})'
    lines = [f'- {title}: `{data_set["file"]}`']
    if data_set['error']:
        lines[0] += f': not measured: {_plain(data_set["error"])}'
        return lines[0]
    lines[0] += (
        f', {data_set["sequences"]} sequences, {data_set["frames"]} frames'
    )
    about: Dict[str, Optional[str]] = data_set['about']
    lines += [f'  - {key}: {_plain(about[key])}' for key in about]
    lines += [
        f'  - left out: {x["method"]}: {_plain(x["reason"])}'
        for x in data_set['left_out']
    ]
    lines += [
        f'  - not measured: {_plain(x["method"])}: {_plain(x["error"])}'
        for x in data_set['failures']
    ]
    return '\n'.join(lines)


def _line(cells: Sequence[str]) -> str:
    return f'| {" | ".join(_cell(cell) for cell in cells)} |'


def _cell(text: str) -> str:
    return _plain(text).replace('|', '\\|')


def _plain(text: Any) -> str:
    return ' '.join(str(text).split())


def _whole(value: Optional[int]) -> str:
    return '-' if value is None else str(value)


def _figure(metrics: Mapping[str, Optional[float]], name: str) -> str:
    """One decimal, as the paper; 'n/a' where nothing could be counted."""
    if name not in metrics:
        return '-'
    value = metrics[name]
    return 'n/a' if value is None else f'{value:.1f}'
