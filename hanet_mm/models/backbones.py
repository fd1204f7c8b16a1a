# Copyright (c) hanet_mm contributors. All rights reserved.
"""The hierarchical encoder as a registered backbone."""

from mmpose.models.backbones.base_backbone import BaseBackbone
from mmpose.registry import MODELS

from hanet_mm.core.nn.encoder import HierarchicalEncoder as CoreEncoder


@MODELS.register_module()
class HierarchicalEncoder(CoreEncoder, BaseBackbone):
    """Backbone of HANet, see :class:`hanet_mm.core.nn.encoder
    .HierarchicalEncoder` for its arguments.

    It takes the :class:`Kinematics` of a batch of windows and returns one
    feature per token, (B, M, embed_dims).
    """
