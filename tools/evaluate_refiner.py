# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measure refiners beside tuned filters, with curves of what gets harder.

python tools/evaluate_refiner.py coco17-2d --data test.npz --tune train.npz \
    -o work_dirs/coco17-2d_test

The same as hanet-mm evaluate.
"""

import sys

from hanet_mm.apis.cli import main

if __name__ == '__main__':
    sys.exit(main(['evaluate', *sys.argv[1:]]))
