"""Refining sequences offline."""
