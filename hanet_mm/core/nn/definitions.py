# Copyright (c) hanet_mm contributors. All rights reserved.
"""Where annotators put joints, beside where estimators do."""

import torch
from torch import Tensor, nn


class JointDefinitions(nn.Module):
    """A linear map from poses in one definition of the joints to another.

    ``q_j = p_j + sum_k w_jk (p_k - mean(p))``: a hip, say, is moved by so much
    of the trunk. It looks at one frame only, and shifted, turned or scaled
    poses give shifted, turned or scaled results, so it may be applied in any
    coordinates. It starts as the identity. Not in the paper.

    Args:
        num_keypoints (int): K.
    """

    def __init__(self, num_keypoints: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_keypoints, num_keypoints))

    def forward(self, poses: Tensor) -> Tensor:
        """Map poses (..., K, D)."""
        centred = poses - poses.mean(-2, keepdim=True)
        return poses + self.weight.to(poses) @ centred
