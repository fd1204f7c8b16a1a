# Copyright (c) hanet_mm contributors. All rights reserved.
"""Publish a checkpoint with MMPose's own ``tools/misc/publish_model.py``.

Since torch 2.6 the script reads no checkpoints of MMEngine by itself: they
hold more than weights. Here the names that they hold are known to be safe.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mmpose_tool import run_mmpose_tool

if __name__ == '__main__':
    run_mmpose_tool('misc/publish_model.py', safe=True)
