# Copyright (c) hanet_mm contributors. All rights reserved.
"""Keep windows that are costly to make."""

import copy
from typing import Any, Dict

from mmpose.registry import DATASETS


@DATASETS.register_module()
class KeptWindows:
    """Items of another data set, each made once and kept in memory.

    Every worker process keeps its own: use one worker, or as many times the
    memory. Augmentations of batches make each epoch another one.

    Args:
        dataset (dict): The other data set.
    """

    def __init__(self, dataset: dict):
        self.dataset = DATASETS.build(dataset)
        self._kept: Dict[int, Any] = {}

    @property
    def metainfo(self) -> dict:
        """Meta information of the other data set."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Initialise the other data set."""
        self.dataset.full_init()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, idx: int) -> Any:
        if idx not in self._kept:
            self._kept[idx] = self.dataset[idx]
        return copy.deepcopy(self._kept[idx])
