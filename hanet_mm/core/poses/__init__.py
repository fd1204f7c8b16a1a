"""Skeletons, rotations, bodies, boxes and units."""
