# Copyright (c) hanet_mm contributors. All rights reserved.
"""From collated data to the model's device."""

from typing import List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmengine.model import BaseDataPreprocessor
from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType
from torch import Tensor

from hanet_mm.codecs import EVIDENCE

from ..window_samples import (
    WindowSamples,
    coordinate_planes,
    stack_instances,
)
from .window_augments import WindowBatch

# Training labels in the order of a WindowBatch, after its poses.
_LABELS = ('keypoint_scores', 'keypoint_labels', 'keypoint_weights')


@MODELS.register_module()
class PoseSequenceDataPreprocessor(BaseDataPreprocessor):
    """Stack windows for training, keep sequences apart for testing.

    Data samples stay where they are. What the loss needs of augmented windows
    stays stacked and on the device, in :class:`WindowSamples`.

    Args:
        batch_augments (list[ConfigType], optional): Augmentations of training
            batches, of :mod:`.window_augments`.
        **kwargs: Of :class:`BaseDataPreprocessor`.
    """

    def __init__(
        self, batch_augments: Optional[List[ConfigType]] = None, **kwargs
    ):
        super().__init__(**kwargs)
        self.batch_augments = [
            MODELS.build(augment) for augment in batch_augments or []
        ]

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare ``inputs``, arrays (T, K, D), and ``data_samples``.

        For training all inputs have one shape and become (B, T, K, D) on the
        device, otherwise a tuple of (T_i, K, D). Batches that
        ``collate_windows`` stacked have them so already, with ``labels``.

        Raises:
            ValueError: If a batch to test on was stacked for training.
        """
        inputs, samples = data['inputs'], data['data_samples']
        if not training:
            if 'labels' in data:
                raise ValueError(
                    'collate_windows: expected the data set of a val or test '
                    'loader with test_mode=True, found False: its windows '
                    'are stacked for training'
                )
            inputs = tuple(self.cast_data(torch.as_tensor(x)) for x in inputs)
            return dict(inputs=inputs, data_samples=samples)
        if 'labels' in data:
            labels = self.cast_data(data['labels'])
            samples = WindowSamples(samples, labels)
        else:
            inputs = torch.as_tensor(np.stack(inputs))
        inputs = self.cast_data(inputs)
        if self.batch_augments:
            inputs, samples = self._augment(inputs, samples)
        return dict(inputs=inputs, data_samples=samples)

    @torch.no_grad()
    def _augment(
        self, inputs: Tensor, samples: Sequence
    ) -> Tuple[Tensor, WindowSamples]:
        stacked = isinstance(samples, WindowSamples)
        found = samples.labels if stacked else samples[0].gt_instance_labels
        keys = _LABELS + EVIDENCE if EVIDENCE[0] in found else _LABELS
        batch = WindowBatch(
            inputs, *(stack_instances(samples, key, inputs) for key in keys)
        )
        batch = batch.places(coordinate_planes)
        # What nobody knows may be NaN, and must not get into the estimates.
        unknown = (batch.weights == 0)[..., None]
        batch = batch._replace(
            target=torch.where(unknown, batch.poses, batch.target)
        )
        for augment in self.batch_augments:
            batch = augment(batch)
        labels = dict(zip(keys, batch[1:]))
        return batch.poses, WindowSamples(samples, labels)
