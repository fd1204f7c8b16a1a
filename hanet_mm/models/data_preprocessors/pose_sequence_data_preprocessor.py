"""From collated data to the model's device."""

import numpy as np
import torch
from mmengine.model import BaseDataPreprocessor
from mmpose.registry import MODELS


@MODELS.register_module()
class PoseSequenceDataPreprocessor(BaseDataPreprocessor):
    """Stack windows for training, keep sequences apart for testing.

    Data samples stay where they are: what the loss needs of them is stacked
    first and moved in one go.
    """

    def forward(self, data: dict, training: bool = False) -> dict:
        """Prepare a batch.

        Args:
            data (dict): ``inputs``, a list of arrays (T, K, D), and
                ``data_samples``.
            training (bool): Whether it is for training: all inputs then
                have the same shape.

        Returns:
            dict: ``inputs`` on the device, (B, T, K, D) for training,
            otherwise a tuple of (T_i, K, D); ``data_samples``.
        """
        inputs = data['inputs']
        if training:
            inputs = self.cast_data(torch.as_tensor(np.stack(inputs)))
        else:
            inputs = tuple(self.cast_data(torch.as_tensor(x)) for x in inputs)
        return dict(inputs=inputs, data_samples=data['data_samples'])
