# Copyright (c) hanet_mm contributors. All rights reserved.
"""How much of a correction the noise of a sequence allows."""

from typing import Optional, Tuple, Union

import torch
from torch import Tensor

# Noise of the whole body, in body sizes, from and up to which the network is
# believed further; the part of a correction that is taken, and the most in
# units of the noise, before and after. Real estimates with annotation have
# 0.3 to 0.6 up to 3 % of noise, and more beyond.
_NOISY = (0.015, 0.035)
_PART, _MOST = (0.4, 0.9), (1.2, 4.0)
# The same in 3D, where a rigid body shows slow errors too: from and up to
# which change of the lengths of bones, in body sizes, the network is believed
# further. Chosen on simulated lifters and clean motion.
_CHANGING = (0.004, 0.008)
_PART_3D, _MOST_3D = (0.4, 0.95), (0.8, 24.0)


def allowed_part(
    noise: Tensor,
    allowance: Tensor,
    size: Union[Tensor, float] = 1.0,
    change: Optional[Tensor] = None,
) -> Tuple[Tensor, Tensor]:
    """The part of a correction that is taken, and how far it may go.

    The part rises from 0.4 to 0.9, the limit from 1.2 to 4 times the noise
    (and allowance), as the median noise over the keypoints of a frame rises
    from 1.5 to 3.5 % of the body. In 3D they rise from 0.4 to 0.95 and from
    0.8 to 24 times, also as the change of the lengths of bones rises from 0.4
    to 0.8 % of the body, and that change counts as noise as well.

    Args:
        noise (Tensor): What a smooth path leaves unexplained, (..., K).
        allowance (Tensor): Room of missing keypoints, (..., K); 0 of others.
        size (Tensor | float): Size of the person, (..., 1) or a number.
            Defaults to 1.
        change (Tensor, optional): See
            :func:`hanet_mm.core.refine.rigid.length_change`, (..., 1).
            Defaults to None: in 2D.

    Returns:
        Tuple[Tensor, Tensor]: The part (..., 1), from 0 to 1, and the limit
        (..., K).
    """
    body = noise.median(dim=-1, keepdim=True).values / size
    rise = _ramp(body, _NOISY)
    parts, mosts = _PART, _MOST
    if change is not None:
        parts, mosts = _PART_3D, _MOST_3D
        rise = torch.maximum(rise, _ramp(change / size, _CHANGING))
        noise = torch.maximum(noise, rise * change)
    part = parts[0] + (parts[1] - parts[0]) * rise
    most = mosts[0] + (mosts[1] - mosts[0]) * rise
    return part, most * (noise + allowance)


def _ramp(values: Tensor, ends: Tuple[float, float]) -> Tensor:
    """From 0 at and below the first to 1 at and beyond the second end."""
    low, high = ends
    return ((values - low) / (high - low)).clamp(0, 1)
