# Copyright (c) hanet_mm contributors. All rights reserved.
"""Names of :mod:`hanet_mm.apis.benchmark` at the place of earlier releases."""

from .benchmark import Request, evaluate, render_tables, write_report

__all__ = ['Request', 'evaluate', 'render_tables', 'write_report']
