"""Fit the gate of a refiner to the windows that it was trained on."""

from typing import Any, Dict, Iterator, Tuple

import numpy as np
import torch
from torch import Tensor

from hanet_mm.core.refine.gate import fit_gate
from hanet_mm.core.refine.refiner import Refiner
from hanet_mm.progress import track

# Enough for a covariance of some fifty features and a far percentile.
_NUM_WINDOWS = 8192
_BATCH = 64


def fit_training_gate(refiner: Refiner, dataset: Dict[str, Any]) -> None:
    """Put a gate before a refiner and fit it to its training data.

    Args:
        refiner (Refiner): Changed in place.
        dataset (dict): Config of the training data, with a pipeline that
            packs windows and their scores.

    Raises:
        ImportError: If OpenMMLab is not installed.
    """
    fit_gate(refiner.add_gate(), _windows(dataset))


def _windows(config: Dict[str, Any]) -> Iterator[Tuple[Tensor, Tensor]]:
    """Up to so many windows spread over the data, in batches."""
    from mmengine.registry import DefaultScope
    from mmpose.registry import DATASETS

    with DefaultScope.overwrite_default_scope('mmpose'):
        dataset = DATASETS.build(config)
        # Neighbours stay together: some data sets make them together.
        size = min(_BATCH, len(dataset))
        batches = np.arange(len(dataset) - len(dataset) % size)
        batches = batches.reshape(-1, size)
        chosen = np.linspace(
            0, len(batches) - 1, min(len(batches), _NUM_WINDOWS // size)
        )
        chosen_batches = [batches[int(index)] for index in chosen]
        for indices in track(chosen_batches, 'gate', 'batch'):
            items = [dataset[int(index)] for index in indices]
            labels = [x['data_samples'].gt_instance_labels for x in items]
            yield (
                torch.as_tensor(np.stack([x['inputs'] for x in items])),
                torch.as_tensor(np.stack([x.keypoint_scores for x in labels])),
            )
