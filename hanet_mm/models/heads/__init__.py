# Copyright (c) hanet_mm contributors. All rights reserved.
from .kinematic_head import KinematicHead

__all__ = ['KinematicHead']
