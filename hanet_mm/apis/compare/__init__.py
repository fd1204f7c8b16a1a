# Copyright (c) hanet_mm contributors. All rights reserved.
"""What a refinement changed, and whether that was for the better."""

from .comparison import Comparison, compare_files

__all__ = ['Comparison', 'compare_files']
