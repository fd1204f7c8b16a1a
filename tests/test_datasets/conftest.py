# Copyright (c) hanet_mm contributors. All rights reserved.
"""The tests of the converters import them as scripts import each other."""

import sys
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
sys.path.insert(0, str(TOOLS / 'dataset_converters'))
