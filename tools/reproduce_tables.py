"""Measure the paper's tables on the data sets that are there.

python tools/reproduce_tables.py --data-root data --json tables.json \
    --checkpoint configs/hanet/jhmdb/NAME.py work_dirs/NAME/best.pth
"""

import sys

from hanet_mm.apis.reproduction.command import main

if __name__ == '__main__':
    sys.exit(main())
