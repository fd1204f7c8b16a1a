# Copyright (c) hanet_mm contributors. All rights reserved.
"""Test a checkpoint with MMPose's own ``tools/test.py``.

All options are MMPose's; ``--help`` lists them. Works from any folder, also
under ``python -m torch.distributed.run``.
"""

from mmpose_tool import run_mmpose_tool

if __name__ == '__main__':
    run_mmpose_tool('test.py')
