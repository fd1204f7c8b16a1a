# Copyright (c) hanet_mm contributors. All rights reserved.
"""Skeletons, rotations, bodies, boxes and units."""
