"""What a refinement changed, and whether that was for the better."""

from .compare import Comparison, compare_files

__all__ = ['Comparison', 'compare_files']
