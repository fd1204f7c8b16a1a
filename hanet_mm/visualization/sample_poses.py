# Copyright (c) hanet_mm contributors. All rights reserved.
"""The poses of a data sample, as they are drawn."""

from typing import NamedTuple, Optional

import numpy as np
import torch
from mmpose.structures import PoseDataSample
from numpy.typing import ArrayLike

from hanet_mm.core.metrics.errors import position_errors
from hanet_mm.core.poses.body import (
    NUM_JOINTS,
    forward_kinematics,
    mean_adult_offsets,
)
from hanet_mm.core.poses.rotations import rot6d_to_matrix


class SamplePoses(NamedTuple):
    """A sequence of T frames, K keypoints in D = 2 or 3 coordinates.

    NaN is a keypoint that is missing, unknown or not refined.
    """

    truth: Optional[np.ndarray]  # (T, K, D)
    before: np.ndarray  # (T, K, D)
    after: Optional[np.ndarray]  # (T, K, D)
    unit: str  # 'px' or 'mm'
    note: str = ''  # what is drawn, where that is not said by the unit

    @property
    def change(self) -> np.ndarray:
        """By how much refining changed the keypoints, (T, K); of poses that
        were not refined, by how much they differ from the truth. Where some
        of the truth is known, the others are NaN.
        """
        other = self.truth if self.after is None else self.after
        if other is None:
            return np.zeros(self.before.shape[:2])
        change = position_errors(other, self.before)
        if self.truth is not None and not np.isnan(self.truth).all():
            change[np.isnan(self.truth).any(-1)] = np.nan
        return change


def poses_of_sample(
    sample: PoseDataSample, draw_gt: bool = True, draw_pred: bool = True
) -> SamplePoses:
    """Take estimate, truth and refined poses of a sequence.

    Poses in metres become millimetres; SMPL rotations become the joints of a
    mean adult, relative to the root.
    """
    estimate = sample.est_instances
    before = _drawn(estimate.keypoints, estimate.keypoints_valid)
    truth = after = None
    if draw_gt and 'gt_instances' in sample:
        known = np.asarray(sample.gt_instances.keypoints_visible) > 0
        truth = _drawn(sample.gt_instances.keypoints, known)
    if draw_pred and 'pred_instances' in sample:
        refined = sample.pred_instances
        mask = np.broadcast_to(refined.refined_mask[:, None], before.shape[:2])
        after = _drawn(refined.keypoints, mask)
    dims = np.shape(estimate.keypoints)[-1]
    note = ' (joints of a mean adult)' if dims == 6 else ''
    return SamplePoses(truth, before, after, 'px' if dims == 2 else 'mm', note)


def _drawn(poses: ArrayLike, known: ArrayLike) -> np.ndarray:
    """Poses (T, K, D) in px or mm, NaN where they are not known (T, K)."""
    poses, known = np.array(poses, np.float64), np.asarray(known, bool)
    dims = poses.shape[-1]
    if dims == 6 and poses.shape[1] == NUM_JOINTS:
        # A missing rotation displaces all joints behind it.
        known = np.repeat(known.all(1)[:, None], NUM_JOINTS, axis=1)
        matrices = rot6d_to_matrix(torch.from_numpy(poses))
        poses = forward_kinematics(
            matrices, mean_adult_offsets().double()
        ).numpy()
    if dims != 2:
        poses = 1000 * poses
    poses[~known] = np.nan
    return poses
