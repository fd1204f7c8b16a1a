# Copyright (c) hanet_mm contributors. All rights reserved.
"""``python -m hanet_mm`` is ``hanet-mm``."""

import sys

from hanet_mm.apis.cli import main

if __name__ == '__main__':
    sys.exit(main())
