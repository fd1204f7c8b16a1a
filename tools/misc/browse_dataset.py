# Copyright (c) hanet_mm contributors. All rights reserved.
"""Draw windows of a data set with MMPose's ``tools/misc/browse_dataset.py``.

Each picture shows the estimate and the truth of those joints that differ
most. ``--mode original`` is refused: it reads an image for each item.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from mmpose_tool import run_mmpose_tool

if __name__ == '__main__':
    if 'original' in sys.argv or '--mode=original' in sys.argv:
        sys.exit(
            '--mode original: expected items with an image each, found pose '
            'sequences; leave it out'
        )
    run_mmpose_tool('misc/browse_dataset.py')
