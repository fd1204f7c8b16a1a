# Copyright (c) hanet_mm contributors. All rights reserved.
"""The documented path of :mod:`hanet_mm.core.poses.body`."""

from .poses.body import SMPL_PARENTS, forward_kinematics

__all__ = ['SMPL_PARENTS', 'forward_kinematics']
