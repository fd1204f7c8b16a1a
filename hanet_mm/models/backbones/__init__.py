# Copyright (c) hanet_mm contributors. All rights reserved.
from .hierarchical_encoder import HierarchicalEncoder

__all__ = ['HierarchicalEncoder']
