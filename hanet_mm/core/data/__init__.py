"""Sequences, their gaps, and files."""
