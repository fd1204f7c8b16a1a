# Copyright (c) hanet_mm contributors. All rights reserved.
from .bodies import SkeletonBodyModel, SMPLBodyModel

__all__ = ['SMPLBodyModel', 'SkeletonBodyModel']
