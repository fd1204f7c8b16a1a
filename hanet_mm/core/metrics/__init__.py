"""Errors of pose sequences as sums and counts."""
