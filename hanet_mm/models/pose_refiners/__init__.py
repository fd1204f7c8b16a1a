# Copyright (c) hanet_mm contributors. All rights reserved.
from .hanet import HANet

__all__ = ['HANet']
