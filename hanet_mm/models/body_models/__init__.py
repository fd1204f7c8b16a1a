# Copyright (c) hanet_mm contributors. All rights reserved.
from .skeleton_body_model import SkeletonBodyModel
from .smpl_body_model import SMPLBodyModel

__all__ = ['SMPLBodyModel', 'SkeletonBodyModel']
