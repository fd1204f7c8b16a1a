# Copyright (c) hanet_mm contributors. All rights reserved.
"""Configs in MMEngine's pure Python style, to inherit from by import.

One for each task; in content they equal those of the same name in the folder
``configs``, which has all.
"""
