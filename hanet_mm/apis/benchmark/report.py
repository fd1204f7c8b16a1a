# Copyright (c) hanet_mm contributors. All rights reserved.
"""Reports: plain data, written as JSON, tables and a picture."""

import json
import os
import platform
import shlex
import sys
from pathlib import Path
from typing import Any, Dict

import numpy as np
import torch

import hanet_mm
from hanet_mm.core.data.files import PathLike, atomic_path

from .plot import plot_curves
from .protocols import PROTOCOLS
from .tables import render_tables


def new_report() -> Dict[str, Any]:
    """A report in which nothing is measured yet."""
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
    """Write ``results.json``, ``tables.md`` and ``curves.png``.

    Each file is written whole or not at all; there is no picture while
    there is no curve.
    """
    folder = Path(folder)
    write_json(folder / 'results.json', report)
    with atomic_path(folder / 'tables.md') as temporary:
        temporary.write_text(render_tables(report), encoding='utf-8')
    if report['curves']:
        plot_curves(folder / 'curves.png', report)


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
    """Whether anything that was asked for, or is there, is not measured."""
    return bool(
        report['unused']
        or any(x['asked_for'] for x in report['missing'])
        or any(x['error'] or x['failures'] for x in report['data_sets'])
    )
