# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tests import the project from the checkout that they lie in."""

import sys
from pathlib import Path

import pytest
from mmengine.registry import DefaultScope

# Where `projects` is; an installed MMPose need not be this checkout.
sys.path.insert(0, str(Path(__file__).resolve().parents[3]))


@pytest.fixture(autouse=True)
def _default_scope():
    """No test inherits the default scope that a run before it has set."""
    DefaultScope._instance_dict.clear()
