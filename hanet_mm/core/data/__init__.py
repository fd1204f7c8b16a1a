# Copyright (c) hanet_mm contributors. All rights reserved.
"""Sequences, their gaps, and files."""
