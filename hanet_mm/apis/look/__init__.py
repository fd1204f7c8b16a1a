# Copyright (c) hanet_mm contributors. All rights reserved.
"""Look at the poses in a file: on their video, or in a page."""
