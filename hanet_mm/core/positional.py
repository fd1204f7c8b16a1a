"""Sine/cosine positional encoding of the frames of a window."""

import math
from functools import lru_cache

import torch
from torch import Tensor


@lru_cache(maxsize=64)
def sine_table(
    num_frames: int,
    dims: int,
    device: torch.device = torch.device('cpu'),  # noqa: B008
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Positional encodings of all frames of a window.

    Positions run from 0 to 2 pi over the window and the k-th of ``dims / 2``
    frequencies is ``10000 ** (-2 k / (dims / 2))``, as in the published
    code; sine and cosine alternate along the channels.

    Args:
        num_frames (int): T.
        dims (int): Width, even.
        device (torch.device): Where to put the table.
        dtype (torch.dtype): Of the table; it is computed in float64.

    Returns:
        Tensor: The table, (T, dims). Cached: do not write to it.
    """
    # Built outside inference mode, so that a table made while predicting
    # can be used while training.
    with torch.inference_mode(False):
        frames = torch.arange(num_frames, dtype=torch.float64)
        phase = frames / (num_frames - 1 + 1e-6) * (2 * math.pi)
        k = torch.arange(dims // 2, dtype=torch.float64)
        angles = phase[:, None] / 10000 ** (2 * k / (dims // 2))
        # (T, dims / 2, 2) -> (T, dims)
        table = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
        return table.to(device=device, dtype=dtype)
