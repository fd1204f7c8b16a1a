# Copyright (c) hanet_mm contributors. All rights reserved.
"""Replace the estimated rotations of a window by simulated ones."""

from typing import Optional

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from hanet_mm.core.poses.rotations import rot6d_to_matrix
from hanet_mm.core.poses.units import fill_rotations

from ..simulation import RotationNoise, simulate_rotation_noise


@TRANSFORMS.register_module()
class SimulateRotationNoise(BaseTransform):
    """Simulate an estimator on the true rotations, anew at each call.

    Required key: ``keypoints_gt`` (T, K, 6), rotations relative to the
    parents in 6D. Modified keys: ``keypoints`` (T, K, 6), missing ones
    filled, ``keypoint_scores`` and ``keypoints_valid`` (T, K). Arrays are
    replaced, not written to.

    The noise is drawn from NumPy's global generator, which MMEngine seeds
    in every worker.

    Args:
        noise (dict, optional): Arguments of :class:`RotationNoise`. Defaults
            to None: its defaults.
    """

    def __init__(self, noise: Optional[dict] = None):
        self.noise = RotationNoise(**(noise or {}))

    def transform(self, results: dict) -> dict:
        """Draw the errors.

        Args:
            results (dict): Of the pipeline.

        Returns:
            dict: The same with simulated estimates.

        Raises:
            ValueError: If the truth is not 6D.
        """
        truth = results['keypoints_gt']
        if truth.shape[-1] != 6:
            raise ValueError(
                'SimulateRotationNoise: expected rotations (T, K, 6), found '
                f'D = {truth.shape[-1]}'
            )
        unknown = np.isnan(truth).any(axis=-1)
        matrices = rot6d_to_matrix(torch.from_numpy(np.nan_to_num(truth)))
        seed = np.random.randint(2**31)  # noqa: NPY002  see the docstring
        turned, scores = simulate_rotation_noise(
            matrices.numpy(), np.random.default_rng(seed), self.noise
        )
        estimates = turned[..., :2].reshape(truth.shape)
        results['keypoints'] = fill_rotations(
            estimates, unknown, np.array([len(truth)])
        )
        results['keypoint_scores'] = np.where(unknown, np.float32(0), scores)
        results['keypoints_valid'] = ~unknown
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(noise={self.noise})'
