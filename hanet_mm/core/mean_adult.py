"""The bones of a mean adult, hung on SMPL's tree of joints."""

import torch
from torch import Tensor

# Joint minus parent in metres, arms held out to the sides; x to the left of
# the body, y up, z forward. Lengths are the body segments of Drillis and
# Contini (1966) for a stature of 1.70 m, rounded to centimetres: shank and
# thigh 0.246 and 0.245 of it, upper arm 0.186, forearm 0.146, half the
# shoulders' breadth 0.129, hip to shoulder 0.288, ankle 0.039 above the
# ground. How the trunk is divided is ours, as are the hips: the breadth of
# the table is that of the outline, not of the joints.
_TRUNK = {
    0: (0.0, 0.0, 0.0),  # pelvis
    3: (0.0, 0.10, -0.01),  # spine, three joints
    6: (0.0, 0.13, 0.0),
    9: (0.0, 0.07, 0.01),
    12: (0.0, 0.21, -0.02),  # neck
    15: (0.0, 0.10, 0.03),  # head
}
_LEFT = {
    1: (0.09, -0.08, 0.0),  # hip
    4: (0.0, -0.42, 0.0),  # knee
    7: (0.0, -0.42, -0.01),  # ankle
    10: (0.02, -0.06, 0.13),  # foot
    13: (0.08, 0.10, 0.0),  # collar
    16: (0.14, 0.01, -0.01),  # shoulder
    18: (0.32, 0.0, 0.0),  # elbow
    20: (0.25, 0.0, 0.0),  # wrist
    22: (0.08, 0.0, 0.0),  # hand
}


def mean_adult_offsets() -> Tensor:
    """Place of each of SMPL's joints relative to its parent.

    Returns:
        Tensor: In the rest pose, in metres, (24, 3).
    """
    right = {k + 1: (-x, y, z) for k, (x, y, z) in _LEFT.items()}
    bones = sorted({**_TRUNK, **_LEFT, **right}.items())
    return torch.tensor([offset for _, offset in bones])
