"""The paper's tables, measured on the data sets that are there."""

from .all_data_sets import reproduce
from .catalog import CATALOG, DataSetEntry
from .report import new_report, write_report
from .request import Request
from .tables import render_tables

__all__ = [
    'CATALOG',
    'DataSetEntry',
    'Request',
    'new_report',
    'render_tables',
    'reproduce',
    'write_report',
]
