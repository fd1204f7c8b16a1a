# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tables and bars of real_recordings.py."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from scipy.stats import spearmanr

from hanet_mm.apis.benchmark.breakdown import LENGTHS, FilledErrors, deciles
from hanet_mm.apis.benchmark.filter_bank import REFERENCE
from hanet_mm.apis.benchmark.tables import markdown_table
from hanet_mm.core.data.files import atomic_path

Rows = Sequence[Mapping[str, Any]]
BEST_FILTER = 'best tuned filter, figure by figure'
# Heading, figure, digits, and whether more of it is better.
COLUMNS: Tuple[Tuple[str, str, int, bool], ...] = (
    ('mean %', 'box_error', 2, False),
    ('95 % below', 'box_error_95', 1, False),
    ('PCK@0.05', 'pck_0.05', 1, True),
    ('@0.1', 'pck_0.1', 1, True),
    ('@0.2', 'pck_0.2', 1, True),
    ('worse %', 'worse', 1, False),
    ('better %', 'better', 1, True),
)
# Of the curves that is shown in a table: curve, heading and value.
POINTS: Tuple[Tuple[str, str, float], ...] = (
    ('missing', '0 % missing', 0),
    ('missing', '30 %', 30),
    ('missing', '50 %', 50),
    ('swaps', '10 % swapped', 10),
    ('swaps', '40 %', 40),
    ('lookahead', 'no frame to come', 0),
    ('lookahead', '4 frames', 4),
)
SIMULATED: Tuple[Tuple[str, str, int, bool], ...] = (
    ('mean error px', 'mean_error', 2, False),
    ('95 % below', 'error_95', 1, False),
    ('PCK@0.2', 'pck_0.2', 1, True),
    ('@0.1', 'pck_0.1', 1, True),
    ('@0.05', 'pck_0.05', 1, True),
    ('Accel error', 'accel_error', 1, False),
    ('lag', 'lag', 2, False),
)


def average_table(rows: Rows) -> str:
    """Every method, averaged over the files."""
    return _table(rows, COLUMNS)


def simulated_table(rows: Rows) -> str:
    """Every method on simulated estimates."""
    return _table(rows, SIMULATED)


def clean_table(methods: Mapping[str, Rows]) -> str:
    """Range of motion kept and how far keypoints are moved, by noise."""
    periods = sorted({x['period'] for rows in methods.values() for x in rows})
    noises = sorted({x['noise'] for rows in methods.values() for x in rows})
    lines = []
    for noise in noises:
        for name, rows in methods.items():
            own = [x for x in rows if x['noise'] == noise]
            cells = []
            for period in periods:
                kept = [x['kept'] for x in own if x['period'] == period]
                kept = [x for x in kept if x is not None]
                least, middle = '-', '-'
                if kept:
                    least, middle = (
                        f'{min(kept):.2f}',
                        f'{np.median(kept):.2f}',
                    )
                cells.append(f'{least} / {middle}')
            moved = [x['moved'] for x in own]
            cells += [f'{np.mean(moved):.2f}', f'{max(moved):.2f}']
            lines.append([f'{noise:g}', name, *cells])
    headings = ['noise px', 'method', *[f'{x} frames' for x in periods]]
    headings += ['moved %', 'most moved %']
    return markdown_table(headings, lines)


def curves_table(curves: Mapping[str, Any]) -> str:
    """Mean errors in px at some points of the curves."""
    headings, columns = [], []
    for name, text, value in POINTS:
        for point in curves.get(name, dict(points=[]))['points']:
            if point['value'] == value:
                headings.append(text)
                columns.append(point['rows'])
    names = dict(input='input', filter=BEST_FILTER, refiner='')
    lines: Dict[str, List[str]] = {}
    for number, rows in enumerate(columns):
        for row in rows:
            refiner = row['kind'] == 'refiner'
            name = f'**{row["method"]}**' if refiner else names[row['kind']]
            cells = lines.setdefault(name, ['-'] * len(columns))
            best = min(
                x['mean_error']
                for x in rows
                if x is row or row['kind'] == x['kind'] == 'filter'
            )
            cells[number] = _number(best, 2)
    return markdown_table(
        ['mean error px', *headings],
        [[name, *cells] for name, cells in lines.items()],
    )


def file_tables(
    names: Sequence[str], files: Sequence[Rows], average: Rows
) -> Dict[str, str]:
    """Of each file the input, the filters and the refiners; and in short."""
    lines, short = [], {}
    for name, rows in zip([*names, 'average'], [*files, average]):
        chosen = _chosen(rows)
        for row in chosen:
            lines.append([name, _name(row), *_cells(row, COLUMNS)])
            cells = short.setdefault(_name(row), [])
            cells.append(_with_worse(row))
    headings = ['estimator', 'method', *[x[0] for x in COLUMNS]]
    short.pop(BEST_FILTER, None)
    return dict(
        files=markdown_table(headings, lines),
        short=markdown_table(
            ['mean error % (frames made worse %)', *names, 'average'],
            [[name, *cells] for name, cells in short.items()],
        ),
    )


def gap_tables(
    names: Sequence[str], groups: Mapping[str, FilledErrors]
) -> Dict[str, str]:
    """Mean errors of filled keypoints by length of the gap and by joint."""
    titles = dict(found='nobody found', removed='taken away')
    tables: Dict[str, List[List[str]]] = {'gap-lengths': [], 'gap-joints': []}
    joints = sorted({x for group in groups.values() for x in group.joints})
    for key, group in groups.items():
        chosen = [group.of_length(*pair) for pair in LENGTHS]
        chosen += [group.at_end, np.ones(len(group.lengths), bool)]
        _add(tables['gap-lengths'], titles[key], names, group, chosen)
        chosen = [group.joints == joint for joint in joints]
        _add(tables['gap-joints'], titles[key], names, group, chosen)
    lengths = [_length(*pair) for pair in LENGTHS]
    headings = ['gaps', 'filled by']
    return {
        'gap-lengths': markdown_table(
            [*headings, *lengths, 'at an end', 'all'], tables['gap-lengths']
        ),
        'gap-joints': markdown_table(
            [*headings, *[f'{x}s' for x in joints]], tables['gap-joints']
        ),
    }


def expected_table(
    names: Sequence[str], pairs: Sequence[Tuple[np.ndarray, np.ndarray]]
) -> str:
    """Tenths of the keypoints by expected error, of each file and of all."""
    every = tuple(np.concatenate(x) for x in zip(*pairs))
    lines = []
    for name, pair in zip([*names, 'all'], [*pairs, every]):
        rank = spearmanr(*pair).statistic
        for what, values in zip(('expected', 'actual'), deciles(*pair)):
            cells = [f'{x:.1f}' for x in values]
            cells += [f'{np.mean(pair[what == "actual"]):.1f}']
            lines.append([f'{name}, {what}', *cells, f'{rank:.2f}'])
    tenths = [f'{number}.' for number in range(1, 11)]
    return markdown_table(['tenth', *tenths, 'mean', 'rank'], lines)


def ablation_table(rows: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Figures averaged over the files."""
    means = [
        dict(
            {key: _mean([x[key] for x in files]) for _, key, _, _ in COLUMNS},
            method=name,
            kind='filter',
        )
        for name, files in rows.items()
    ]
    return _table(means, COLUMNS)


def plot_errors(
    path: Path, names: Sequence[str], files: Sequence[Rows]
) -> None:
    """Bars of the mean error and of the frames made worse, by file."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    colors = ('#9aa1ab', '#33a8c7', '#1f78c8', '#c1272d', '#7b2d8b')
    figure = Figure(figsize=(9, 5.4))
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, 1, sharex=True)
    chosen = [_chosen(rows) for rows in files]
    count = len(chosen[0])
    for axis, (key, title, digits) in zip(
        axes,
        (
            ('box_error', 'mean error (% of the box)', 2),
            ('worse', 'frames made worse (%)', 1),
        ),
    ):
        for number in range(count):
            places = np.arange(len(files)) + 0.8 * (number / count - 0.5)
            values = [rows[number][key] or 0 for rows in chosen]
            bars = axis.bar(
                places,
                values,
                0.8 / count,
                align='edge',
                color=colors[number % len(colors)],
                label=chosen[0][number]['method'],
            )
            axis.bar_label(bars, fmt=f'%.{digits}f', fontsize=6.5)
        axis.set_ylabel(title)
        axis.spines[['top', 'right']].set_visible(False)
    axes[1].set_xticks(range(len(names)), names)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='lower center', ncols=2, frameon=False)
    figure.tight_layout(rect=(0, 0.1, 1, 1))
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format='png', dpi=110)


def _chosen(rows: Rows) -> List[Mapping[str, Any]]:
    """The input, the best of the tuned filters figure by figure, the filter
    without any choice, and the refiners.
    """
    tuned = [
        x for x in rows if x['kind'] == 'filter' and x['method'] != REFERENCE
    ]
    best: Dict[str, Any] = dict(method=BEST_FILTER, kind='filter')
    for _, key, _, more in COLUMNS:
        known = [x[key] for x in tuned if x[key] is not None]
        best[key] = (max if more else min)(known) if known else None
    found = [x for x in rows if x['kind'] == 'input']
    found += [best, *[x for x in rows if x['method'] == REFERENCE]]
    return [*found, *[x for x in rows if x['kind'] == 'refiner']]


def _table(rows: Rows, columns: Sequence[Tuple[str, str, int, bool]]) -> str:
    lines = [[_name(row), *_cells(row, columns)] for row in rows]
    return markdown_table(['method', *[x[0] for x in columns]], lines)


def _name(row: Mapping[str, Any]) -> str:
    name = row['method']
    return f'**{name}**' if row['kind'] == 'refiner' else name


def _cells(
    row: Mapping[str, Any], columns: Sequence[Tuple[str, str, int, bool]]
) -> List[str]:
    return [_number(row[key], digits) for _, key, digits, _ in columns]


def _with_worse(row: Mapping[str, Any]) -> str:
    text = _number(row['box_error'], 2)
    if row['kind'] == 'input':
        return text
    return f'{text} ({_number(row["worse"], 1)})'


def _add(
    lines: List[List[str]],
    title: str,
    names: Sequence[str],
    group: FilledErrors,
    chosen: Sequence[np.ndarray],
) -> None:
    means = np.array([group.mean(x) for x in chosen], dtype=object).T
    counts = [f'{int(x.sum())}' for x in chosen]
    lines.append([title, 'number of keypoints', *counts])
    for name, values in zip(names, means):
        lines.append([title, name, *[_number(x, 2) for x in values]])


def _length(first: int, last: Optional[int]) -> str:
    if last is None:
        return f'{first} frames and more'
    return f'{first}' if first == last else f'{first} to {last}'


def _mean(values: Sequence[Optional[float]]) -> Optional[float]:
    known = [x for x in values if x is not None]
    return float(np.mean(known)) if len(known) == len(values) else None


def _number(value: Optional[float], digits: int) -> str:
    return '-' if value is None else f'{round(value, digits) + 0.0:.{digits}f}'
