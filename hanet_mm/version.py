# Copyright (c) hanet_mm contributors. All rights reserved.
"""Version of hanet_mm, read by setup.py without importing the package."""

__version__ = '0.1.0'
