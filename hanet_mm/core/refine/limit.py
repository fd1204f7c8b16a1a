# Copyright (c) hanet_mm contributors. All rights reserved.
"""How much of a correction the noise of a sequence allows."""

from typing import Tuple, Union

from torch import Tensor

# Noise of the whole body, in body sizes, from and up to which the network is
# believed further; the part of a correction that is taken, and the most in
# units of the noise, before and after. Real estimates with annotation have
# 0.3 to 0.6 up to 3 % of noise, and more beyond.
_NOISY = (0.015, 0.035)
_PART, _MOST = (0.4, 0.9), (1.2, 4.0)


def allowed_part(
    noise: Tensor, allowance: Tensor, size: Union[Tensor, float] = 1.0
) -> Tuple[Tensor, Tensor]:
    """The part of a correction that is taken, and how far it may go.

    The part rises from 0.4 to 0.9, the limit from 1.2 to 4 times the noise
    (and allowance), as the median noise over the keypoints of a frame rises
    from 1.5 to 3.5 % of the body.

    Args:
        noise (Tensor): What a smooth path leaves unexplained, (..., K).
        allowance (Tensor): Room of missing keypoints, (..., K); 0 of others.
        size (Tensor | float): Size of the person, (..., 1) or a number.
            Defaults to 1.

    Returns:
        Tuple[Tensor, Tensor]: The part (..., 1), from 0 to 1, and the limit
        (..., K).
    """
    body = noise.median(dim=-1, keepdim=True).values / size
    low, high = _NOISY
    rise = ((body - low) / (high - low)).clamp(0, 1)
    part = _PART[0] + (_PART[1] - _PART[0]) * rise
    most = _MOST[0] + (_MOST[1] - _MOST[0]) * rise
    return part, most * (noise + allowance)
