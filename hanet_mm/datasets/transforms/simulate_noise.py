# Copyright (c) hanet_mm contributors. All rights reserved.
"""Replace the estimates of a window by simulated ones."""

from typing import Optional, Sequence, Union

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.core.poses.boxes import box_sizes, boxes_around
from hanet_mm.core.poses.rotations import rot6d_to_matrix
from hanet_mm.core.poses.units import fill_rotations

from ..simulation import (
    USUAL_FPS,
    RotationNoise,
    SimulatedEstimators,
    simulate_rotation_noise,
)


@TRANSFORMS.register_module()
class SimulateEstimatorNoise(BaseTransform):
    """Simulate an estimator on the true keypoints, anew at each call.

    Required keys: ``keypoints_gt`` (T, K, D) and, in 2D, ``bboxes`` (T, 4);
    without boxes, and in 3D, the size of the person is the longest side of the
    joints' bounding box. Optional: ``keypoint_names``, which the datasets of
    this package give; ``image_size`` (2,), for the errors of joints outside
    the image; ``fps``, 30 without it. Modified keys: ``keypoints`` (T, K, D),
    missing ones filled, ``keypoint_scores`` and ``keypoints_valid`` (T, K).
    Arrays are replaced, not written to. The noise is drawn from NumPy's global
    generator, which MMEngine seeds in every worker.

    Args:
        noise (str or dict, optional): See
            :func:`hanet_mm.datasets.simulation.noise_source`: a preset such as
            'lifter' for 3D poses, amounts, or ranges of them, from which each
            call draws others. None: the defaults of :class:`EstimatorNoise`.
        bank (str or dict, optional): Errors of real estimators to draw from:
            a file, or arguments of
            :func:`hanet_mm.datasets.simulation.load_error_bank`. None: all
            errors are simulated.
        bank_share (float): Share of the calls that draw from the bank.
        keypoint_names (Sequence[str], optional): K names such as
            ``left_wrist``. None: those of the data set.

    Raises:
        ValueError: In a call, if there are no keypoint names or the ground
            truth does not fit them, or every keypoint of the window went
            missing.
    """

    def __init__(
        self,
        noise: Union[str, dict, None] = None,
        keypoint_names: Optional[Sequence[str]] = None,
        bank: Union[str, dict, None] = None,
        bank_share: float = 0.5,
    ):
        self.estimators = SimulatedEstimators(noise, bank, bank_share)
        self.keypoint_names = keypoint_names and tuple(keypoint_names)

    def transform(self, results: dict) -> dict:
        """Replace the estimates of the window by simulated ones."""
        truth = results['keypoints_gt']
        names = self.keypoint_names or results.get('keypoint_names')
        if names is None:
            raise ValueError(
                'SimulateEstimatorNoise: expected keypoint_names, as an '
                'argument or from the data set, found none'
            )
        boxes = results.get('bboxes')
        if boxes is None or truth.shape[-1] != 2:
            boxes = boxes_around(truth)
        seed = np.random.randint(2**31)  # noqa: NPY002  see the docstring
        rng = np.random.default_rng(seed)
        image_size = results.get('image_size')
        (estimates,), (scores,) = self.estimators(
            rng,
            truth[None],
            box_sizes(boxes)[None],
            names,
            None if image_size is None else np.asarray(image_size)[None],
            results.get('fps') or USUAL_FPS,
        )
        valid = scores > 0
        results['keypoints'] = fill_missing(estimates, ~valid, [len(truth)])
        results['keypoint_scores'] = scores
        results['keypoints_valid'] = valid
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}({self.estimators}, '
            f'keypoint_names={self.keypoint_names})'
        )


@TRANSFORMS.register_module()
class SimulateRotationNoise(BaseTransform):
    """Simulate an estimator on the true rotations, anew at each call.

    Required key: ``keypoints_gt`` (T, K, 6), rotations relative to the parents
    in 6D. Modified keys: ``keypoints`` (T, K, 6), missing ones filled,
    ``keypoint_scores`` and ``keypoints_valid`` (T, K). Arrays are replaced,
    not written to. The noise is drawn from NumPy's global generator, which
    MMEngine seeds in every worker.

    Args:
        noise (dict, optional): Arguments of :class:`RotationNoise`.

    Raises:
        ValueError: In a call, if the truth is not 6D.
    """

    def __init__(self, noise: Optional[dict] = None):
        self.noise = RotationNoise(**(noise or {}))

    def transform(self, results: dict) -> dict:
        """Replace the rotations of the window by simulated ones."""
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
