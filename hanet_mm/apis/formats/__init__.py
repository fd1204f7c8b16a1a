"""Readers and writers of everybody's pose files, a module for each format."""

from .registry import FORMATS, KINDS, open_poses

__all__ = ['FORMATS', 'KINDS', 'open_poses']
