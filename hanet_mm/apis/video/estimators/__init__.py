# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pose estimators as a stage of the video pipeline; one module for each."""
