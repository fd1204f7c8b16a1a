# Copyright (c) hanet_mm contributors. All rights reserved.
"""Reports: plain data, written as JSON, tables and a picture."""

import json
import os
import platform
import shlex
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
import torch

import hanet_mm
from hanet_mm.core.data.files import PathLike, atomic_path

from .tables import point_label, render_tables


def new_report() -> Dict[str, Any]:
    """A report without measurements."""
    return dict(
        # True when everything that was asked for is done.
        complete=False,
        command=shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        versions=dict(
            hanet_mm=hanet_mm.__version__,
            python=platform.python_version(),
            numpy=np.__version__,
            torch=torch.__version__,
        ),
        machine=dict(
            system=platform.system(),
            architecture=platform.machine(),
            cpus=os.cpu_count(),
            threads=torch.get_num_threads(),
        ),
        data=None,
        tuned_on=None,
        others=None,
        refiners=[],
        tables=[],
        curves={},
        # Curves that cannot be drawn, with the reason.
        left_out=[],
    )


def write_json(path: PathLike, report: Dict[str, Any]) -> None:
    """Write a report as JSON, whole or not at all."""
    text = json.dumps(report, indent=2, allow_nan=False)
    with atomic_path(path) as temporary:
        temporary.write_text(text + '\n', encoding='utf-8')


def write_report(folder: PathLike, report: Dict[str, Any]) -> None:
    """Write ``results.json``, ``tables.md`` and, if there is a curve,
    ``curves.png``, each whole or not at all; of several files also those of
    each, in a folder of its name.
    """
    folder = Path(folder)
    for name, part in report.get('files', {}).items():
        write_report(folder / name, part)
    write_json(folder / 'results.json', report)
    with atomic_path(folder / 'tables.md') as temporary:
        temporary.write_text(render_tables(report), encoding='utf-8')
    if report['curves']:
        plot_curves(folder / 'curves.png', report)


_DPI = 130
_FIGURES = (
    ('mean_error', 'mean error ({})'),
    ('accel_error', 'Accel ({}/f²)'),
)
_REFINER_COLORS = ('#c1272d', '#7b2d8b', '#1a7f37', '#8a5a00')
_FILTER_COLORS = (
    *('#1f78c8', '#33a8c7', '#52b788', '#b08900'),
    *('#e8833a', '#b07aa1', '#6b7a90', '#1b1f6b'),
)


def plot_curves(path: PathLike, report: Dict[str, Any]) -> None:
    """Draw a column for each curve: mean error above, Accel below."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    curves = report['curves']
    unit = report['data']['unit']
    styles = _styles(report['tables'][0]['rows'])
    figure = Figure(figsize=(4.4 * len(curves) + 0.4, 8.2))
    FigureCanvasAgg(figure)
    axes = figure.subplots(2, len(curves), squeeze=False, sharex='col')
    for column, curve in enumerate(curves.values()):
        for row, (key, title) in enumerate(_FIGURES):
            axis = axes[row][column]
            _plot_panel(axis, curve['points'], key, styles)
            axis.set_ylabel(title.format(unit))
            axis.grid(color='#e4e7ec', linewidth=0.8)
            axis.set_axisbelow(True)
            axis.spines[['top', 'right']].set_visible(False)
        axes[1][column].set_xlabel(curve['axis'])
        _label_points(axes[1][column], curve['points'])
    _add_legend(figure, axes, styles)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format='png', dpi=_DPI)


def _styles(rows: Sequence[Dict[str, Any]]) -> Dict[str, Dict[str, Any]]:
    """Line of each method: refiners stand out."""
    styles: Dict[str, Dict[str, Any]] = {}
    counts = dict(input=0, filter=0, refiner=0)
    for row in rows:
        kind = row['kind']
        number = counts[kind]
        counts[kind] += 1
        if kind == 'input':
            style = dict(color='#444b55', linestyle=':', linewidth=1.6)
        elif kind == 'filter':
            color = _FILTER_COLORS[number % len(_FILTER_COLORS)]
            style = dict(color=color, linewidth=1.3, marker='s', markersize=3)
        else:
            color = _REFINER_COLORS[number % len(_REFINER_COLORS)]
            style = dict(color=color, linewidth=2.6, marker='o', markersize=5)
        styles[row['method']] = style
    return styles


def _plot_panel(
    axis: Any,
    points: Sequence[Dict[str, Any]],
    key: str,
    styles: Dict[str, Dict[str, Any]],
) -> None:
    """One figure of all methods; points stand at equal distances."""
    for name, style in styles.items():
        line = _line(points, name, key)
        if line:
            axis.plot(*zip(*line), label=name, **style)


def _line(
    points: Sequence[Dict[str, Any]], name: str, key: str
) -> List[Tuple[int, float]]:
    """Numbers of the points at which a method is measured, and figures."""
    return [
        (number, row[key])
        for number, point in enumerate(points)
        for row in point['rows']
        if row['method'] == name and row[key] is not None
    ]


def _label_points(axis: Any, points: Sequence[Dict[str, Any]]) -> None:
    labels = [point_label(x).replace(' (', '\n(', 1) for x in points]
    wide = max(len(part) for x in labels for part in x.split('\n')) > 8
    axis.set_xticks(
        range(len(labels)),
        labels,
        rotation=35 if wide else 0,
        fontsize=7 if wide else 9,
    )


def _add_legend(figure: Any, axes: Any, styles: Dict[str, Any]) -> None:
    """One legend below all panels, in the order of the table."""
    entries: Dict[str, Any] = {}
    for axis in axes.flat:
        handles, labels = axis.get_legend_handles_labels()
        entries.update(zip(labels, handles))
    names = [name for name in styles if name in entries]
    columns = max(2, min(len(names), 2 * axes.shape[1]))
    lines = -(-len(names) // columns)
    bottom = (0.12 + 0.24 * lines) / figure.get_figheight()
    figure.legend(
        [entries[x] for x in names],
        names,
        loc='lower center',
        ncols=columns,
        frameon=False,
        fontsize=9,
    )
    figure.tight_layout(rect=(0, bottom, 1, 1))
