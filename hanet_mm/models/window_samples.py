# Copyright (c) hanet_mm contributors. All rights reserved.
"""Data samples of a training batch whose labels are stacked once."""

from typing import Dict, Sequence

import numpy as np
import torch
from mmpose.structures import PoseDataSample
from torch import Tensor


class WindowSamples(list):
    """Data samples of B training windows with augmented labels beside them.

    The labels stay stacked and on the device of the model, between the data
    preprocessor and the loss; those of the samples are not changed.

    Args:
        samples (Sequence): B samples, or the numbers of the windows if their
            labels were stacked from the beginning.
        labels (Dict[str, Tensor]): Labels of all windows, (B, T, ...).
    """

    def __init__(self, samples: Sequence, labels: Dict[str, Tensor]):
        super().__init__(samples)
        self.labels = labels


def stack_instances(
    samples: Sequence[PoseDataSample], field: str, like: Tensor
) -> Tensor:
    """Stack one field of the samples' training labels, typed as ``like``."""
    if isinstance(samples, WindowSamples):
        return samples.labels[field].to(like)
    arrays = [sample.gt_instance_labels[field] for sample in samples]
    return torch.as_tensor(np.stack(arrays)).to(like)


def coordinate_planes(x: Tensor) -> Tensor:
    """The same (B, T, K, D), each coordinate for itself in memory.

    What is done to all coordinates of a keypoint alike, as by a loss, then
    runs along windows, frames and keypoints: several times faster than along
    two or three coordinates.
    """
    return x.movedim(-1, 0).contiguous().movedim(0, -1)
