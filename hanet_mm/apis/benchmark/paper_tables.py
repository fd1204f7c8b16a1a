# Copyright (c) hanet_mm contributors. All rights reserved.
"""Markdown tables of the paper's data sets, with the paper's own rows."""

from typing import (
    Any,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

from .paper_figures import ABLATION_ROWS, PAPER_ROWS, PaperRow
from .protocols import Windows

REPORTED = 'reported by the paper'


class Table(NamedTuple):
    """Heading of a table, heading and metric of each column, and notes."""

    title: str
    columns: Tuple[Tuple[str, str], ...]
    notes: Tuple[str, ...] = ()


_ERRORS = (
    ('MPJPE', 'MPJPE'),
    ('PA-MPJPE', 'PA-MPJPE'),
    ('Accel', 'Accel'),
)
_BODY = (
    *_ERRORS[:2],
    ('MPVPE', 'MPVPE'),
    *_ERRORS[2:],
    ('MPJAE', 'MPJAE'),
)
_IN_MM = 'MPJPE and PA-MPJPE in mm, Accel in mm/frame^2.'
_BODY_UNITS = 'MPVPE in mm, MPJAE in degrees.'

TABLES: Dict[str, Table] = {
    'table1': Table(
        'Table 1: 2D poses',
        (
            *(
                (heading, f'PCK@0.2/{heading.rstrip(".")}')
                for heading in 'Head Sho. Elb. Wri. Hip Knee Ank.'.split()
            ),
            ('Avg.', 'PCK@0.2'),
            ('@0.1', 'PCK@0.1'),
            ('@0.05', 'PCK@0.05'),
            ('Accel', 'Accel'),
        ),
        (
            'PCK in percent of the larger side of the true box, @0.2 where '
            'nothing else is said; Avg. is the mean over all keypoints, '
            'those without a column too. Accel in px/frame^2.',
        ),
    ),
    'table2': Table(
        'Table 2: 3D poses',
        _ERRORS,
        (f'{_IN_MM} Prediction and truth each relative to its own root.',),
    ),
    'smpl': Table(
        'Body mesh (SMPL)',
        _BODY,
        (
            f'{_IN_MM} {_BODY_UNITS} The paper has one row '
            'for each of these data sets, shown with the 3D poses: it does '
            'not tell joints from rotations.',
        ),
    ),
    'table3': Table(
        'Table 3: sparsely annotated poses of several people',
        (
            *(
                (heading, f'AP/{heading}')
                for heading in (
                    *('Head', 'Shoulder', 'Elbow', 'Wrist'),
                    *('Hip', 'Knee', 'Ankle'),
                )
            ),
            ('Mean', 'AP'),
        ),
        (
            'Average precision in percent. Frames without annotation are '
            'read, not scored; where the published protocol refines no '
            'frame, the estimate counts.',
        ),
    ),
    'cmu': Table(
        'Captured motion with a simulated 3D estimator (not in the paper)',
        _ERRORS,
        (f'{_IN_MM} Prediction and truth each relative to its own root.',),
    ),
    'cmu-smpl': Table(
        'Rotations of captured motion with a simulated estimator (not in the '
        'paper)',
        _BODY,
        (f'{_IN_MM} {_BODY_UNITS}',),
    ),
}


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


def render_paper_tables(report: Mapping[str, Any]) -> str:
    """Tables of a report of :func:`.paper.reproduce` as Markdown, measured
    rows beside the figures of the paper; '' if nothing was found.
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
            # Without what is said in brackets.
            estimator = data_set['about']['estimator'].split(' (')[0]
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
    """The description in the file, and the missing rows with reasons."""
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


def paper_rows(data_set: str, configs: Sequence[str]) -> List[Dict[str, Any]]:
    """Rows of the paper for a data set, in the form of measured rows;
    ablations only beside checkpoints of their configs (stems).
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
