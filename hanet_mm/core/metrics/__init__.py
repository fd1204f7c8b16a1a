# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors of pose sequences as sums and counts."""
