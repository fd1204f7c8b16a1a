"""Refining streams."""
