# Copyright (c) hanet_mm contributors. All rights reserved.
"""From the frames of a video to refined poses."""
