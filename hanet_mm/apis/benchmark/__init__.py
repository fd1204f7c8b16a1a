# Copyright (c) hanet_mm contributors. All rights reserved.
"""The bench: refiners beside the input and tuned filters, on data with truth.

:func:`evaluate` measures a file, with curves of what gets harder,
:func:`evaluate_files` several with their average;
:mod:`.paper` measures the paper's tables and needs OpenMMLab.
"""

from .evaluation import evaluate
from .methods import Method
from .report import write_report
from .request import Request
from .several import evaluate_files
from .tables import render_tables

__all__ = [
    'Method',
    'Request',
    'evaluate',
    'evaluate_files',
    'render_tables',
    'write_report',
]
