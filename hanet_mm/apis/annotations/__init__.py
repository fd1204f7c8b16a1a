# Copyright (c) hanet_mm contributors. All rights reserved.
"""Annotations of video data sets in the files that MMPose users have.

They are read by ``hanet-mm extract`` and by ``tools/dataset_converters``.
"""
