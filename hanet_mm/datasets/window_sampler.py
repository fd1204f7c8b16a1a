# Copyright (c) hanet_mm contributors. All rights reserved.
"""Epochs of so many windows."""

import math
from typing import Iterator, Optional, Sized

import numpy as np
from mmengine.dataset import DefaultSampler
from mmpose.registry import DATA_SAMPLERS


@DATA_SAMPLERS.register_module()
class PoseWindowSampler(DefaultSampler):
    """Draw so many windows an epoch, other ones in each, none twice.

    For data sets of which a pass over all windows is too long, or too short,
    for an epoch: windows that overlap in all but one frame say much the same.
    In memory it needs 8 bytes a window of the data set while an epoch begins,
    where MMEngine's sampler keeps a list of all of them.

    Args:
        dataset (Sized): The data set.
        num_windows (int): Windows of an epoch, all processes together. More
            than the data set has are drawn in passes over all of it.
        seed (int, optional): Of what is drawn, the same in all processes.
            Defaults to None: one that they agree on.

    Raises:
        ValueError: If the number is below 1, or the data set is empty.
    """

    def __init__(
        self, dataset: Sized, num_windows: int, seed: Optional[int] = None
    ):
        if num_windows < 1 or not len(dataset):
            raise ValueError(
                'PoseWindowSampler: expected num_windows >= 1 of a data set '
                f'with windows, found {num_windows} of {len(dataset)}'
            )
        super().__init__(dataset, shuffle=True, seed=seed)
        self.num_samples = math.ceil(num_windows / self.world_size)
        self.total_size = self.num_samples * self.world_size

    def __iter__(self) -> Iterator[int]:
        """Draw the windows of this process."""
        rng = np.random.default_rng((self.seed, self.epoch))
        size = len(self.dataset)
        passes, rest = divmod(self.total_size, size)
        drawn = np.concatenate(
            [rng.permutation(size) for _ in range(passes)]
            + [rng.choice(size, rest, replace=False)]
        )
        yield from map(int, drawn[self.rank :: self.world_size])
