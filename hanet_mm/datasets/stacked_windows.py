# Copyright (c) hanet_mm contributors. All rights reserved.
"""Batches of windows that stay stacked from the chunk to the loss."""

from collections.abc import Sequence as SequenceABC
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import FUNCTIONS

from .batch_transport import StackedBatch


class StackedWindows(SequenceABC):
    """Items of B windows of a data set, which can give them stacked too.

    As a sequence it has the items that the data set gives one by one. All are
    made when the first is asked for, each once: functions that collate read a
    batch several times, and what is drawn at random must stay as it was.

    Args:
        dataset (Any): With ``stack_windows``, which gives ``inputs`` and
            labels of windows, arrays (B, T, ...), or None.
        indices (Sequence[int]): Windows of the data set.
    """

    def __init__(self, dataset: Any, indices: Sequence[int]):
        self.dataset = dataset
        self.indices = indices
        self._items: Optional[List[Any]] = None

    def stacked(self) -> Optional[Dict[str, np.ndarray]]:
        """``inputs`` and labels of all windows, if they can be stacked."""
        return self.dataset.stack_windows(self.indices)

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, place: Any) -> Any:
        if self._items is None:
            self._items = [self.dataset[i] for i in self.indices]
        return self._items[place]


@FUNCTIONS.register_module()
def collate_windows(items: Sequence) -> dict:
    """Collate items as ``pseudo_collate`` does, but stacked windows at once.

    Of :class:`StackedWindows` the batch has ``inputs`` and ``labels`` as
    tensors (B, T, ...), which come from a worker in one piece and go into
    pinned memory if the loader pins. ``data_samples`` are the numbers of the
    windows then: what samples hold is in the labels.

    Args:
        items (Sequence): Items of a data set.

    Returns:
        dict: The batch.
    """
    arrays = None
    if isinstance(items, StackedWindows):
        arrays = items.stacked()
    if arrays is None:
        return pseudo_collate(items)
    labels = {key: torch.from_numpy(x) for key, x in arrays.items()}
    inputs = labels.pop('inputs')
    return StackedBatch(
        inputs=inputs, data_samples=[*items.indices], labels=labels
    )
