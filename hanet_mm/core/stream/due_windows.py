# Copyright (c) hanet_mm contributors. All rights reserved.
"""The network call of a push, for all persons together."""

from typing import List, Optional, Sequence

import numpy as np
import torch

from ..nn.engines import Engine
from ..nn.settings import own_settings
from ..refine.inference import refine_windows
from ..refine.normalization import finish_poses
from ..refine.refiner import Refiner
from .track import DueWindows


@own_settings()
def refine_due_windows(
    refiner: Refiner,
    windows: Sequence[DueWindows],
    image_size: Optional[Sequence[int]] = None,
    engine: Optional[Engine] = None,
) -> List[np.ndarray]:
    """Refine windows (W_i, T, K, D) of several persons in one network call.

    Returns (W_i, T, K, D + 1): the last number is the expected error, 0 if
    the refiner predicts none. ``engine`` is a form of the network.
    """
    if not windows:
        return []
    name = refiner.normalization
    device = refiner.network.head.output.weight.device
    poses = torch.from_numpy(np.concatenate([x.poses for x in windows]))
    scores = torch.from_numpy(np.concatenate([x.scores for x in windows]))
    sizes = None
    if image_size is not None:
        size = torch.as_tensor(np.asarray(image_size, dtype=np.float32))
        sizes = size.expand(len(poses), 2).to(device)
    gated = refiner.gated(engine)
    refined = refine_windows(
        gated,
        finish_poses(name, poses.to(device)),
        scores.to(device),
        name,
        sizes,
        refiner.root,
    )
    gated.warn(stacklevel=3)  # past own_settings
    error = refined.expected_error
    if error is None:
        error = torch.zeros_like(refined.keypoints[..., 0])
    both = torch.cat([refined.keypoints, error[..., None]], dim=-1).cpu()
    return [x.numpy() for x in both.split([len(x.poses) for x in windows])]
