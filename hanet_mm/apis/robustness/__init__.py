"""Refiners measured beside filters, on data that get harder and harder."""

from .evaluation import evaluate
from .report import write_report
from .request import Request
from .tables import render_tables

__all__ = ['Request', 'evaluate', 'render_tables', 'write_report']
