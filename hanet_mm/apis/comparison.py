# Copyright (c) hanet_mm contributors. All rights reserved.
"""Names of :mod:`hanet_mm.apis.compare` at the place of earlier releases."""

from .compare import Comparison, compare_files

__all__ = ['Comparison', 'compare_files']
