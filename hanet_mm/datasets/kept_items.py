# Copyright (c) hanet_mm contributors. All rights reserved.
"""Items that are prepared once."""

import copy
from typing import Any, Dict

from mmengine.dataset import BaseDataset


class KeptItems(BaseDataset):
    """A dataset that keeps what its pipeline made of each item.

    For pipelines that take long and draw nothing at random; batches are
    augmented later. Every worker process keeps its own.

    Args:
        keep (bool): Whether to keep them.
        **kwargs: Of :class:`mmengine.dataset.BaseDataset`.
    """

    def __init__(self, keep: bool = False, **kwargs):
        self.keep = keep
        self._kept: Dict[int, Any] = {}
        super().__init__(**kwargs)

    def prepare_data(self, idx: int) -> Any:
        """What the pipeline makes of item ``idx``."""
        if not self.keep:
            return super().prepare_data(idx)
        if idx not in self._kept:
            # It may hold views of larger arrays.
            self._kept[idx] = copy.deepcopy(super().prepare_data(idx))
        return copy.deepcopy(self._kept[idx])
