# Copyright (c) hanet_mm contributors. All rights reserved.
"""Mirror poses, and rotate them about the vertical axis."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class RandomPoseFlip(BaseTransform):
    """Mirror a window: left becomes right, joints exchange their names.

    The mirror stands at the mean x of the joints, upright and along the
    viewing direction; for poses of joints in 2D or 3D, not for rotations.

    Required keys: ``keypoints`` (T, K, D), ``flip_indices`` (K). Modified
    keys: ``keypoints``, ``keypoints_gt`` (T, K, D), ``keypoint_scores``,
    ``keypoints_valid``, ``keypoints_visible`` (T, K), ``bboxes`` (T, 4), if
    present. Arrays are replaced, not written to. The flip is drawn from
    NumPy's global generator, which MMEngine seeds in every worker.

    Args:
        prob (float): Probability of a flip.

    Raises:
        ValueError: If the probability is not in [0, 1], or, in a call, the
            keypoints have other than 2 or 3 coordinates.
    """

    def __init__(self, prob: float = 0.5):
        if not 0 <= prob <= 1:
            raise ValueError(f'prob: expected in [0, 1], found {prob}')
        self.prob = prob

    def transform(self, results: dict) -> dict:
        """Mirror the window, or leave it as it is."""
        dims = results['keypoints'].shape[-1]
        if dims not in (2, 3):
            raise ValueError(
                'RandomPoseFlip: expected keypoints (T, K, 2 or 3), found '
                f'D = {dims}'
            )
        if np.random.random() >= self.prob:  # noqa: NPY002
            return results
        order = np.asarray(results['flip_indices'])
        source = 'keypoints_gt' if 'keypoints_gt' in results else 'keypoints'
        twice = 2 * np.nanmean(results[source][..., 0])
        for key in ('keypoints', 'keypoints_gt'):
            if key in results:
                points = results[key][:, order]
                points[..., 0] = twice - points[..., 0]
                results[key] = points
        for key in ('keypoint_scores', 'keypoints_valid', 'keypoints_visible'):
            if key in results:
                results[key] = results[key][:, order]
        if 'bboxes' in results:
            boxes = results['bboxes'].copy()
            boxes[:, [0, 2]] = twice - boxes[:, [2, 0]]
            results['bboxes'] = boxes
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(prob={self.prob})'


@TRANSFORMS.register_module()
class RandomYaw(BaseTransform):
    """Rotate estimate and truth of a window by one random angle.

    Camera coordinates: the axis is y, and it runs through the mean of the true
    joints, so the person stays before the camera. Put it before
    :class:`SimulateEstimatorNoise`, whose errors depend on the direction of
    the depth.

    Required and modified keys: ``keypoints`` and, if present,
    ``keypoints_gt``, (T, K, 3). Arrays are replaced, not written to. The angle
    is drawn from NumPy's global generator, which MMEngine seeds in every
    worker.

    Args:
        max_angle (float): Largest angle to either side in degrees; 180: all
            directions alike.

    Raises:
        ValueError: If the angle is not in [0, 180], or, in a call, the
            keypoints have other than 3 coordinates.
    """

    def __init__(self, max_angle: float = 180.0):
        if not 0 <= max_angle <= 180:
            raise ValueError(
                f'max_angle: expected in [0, 180], found {max_angle}'
            )
        self.max_angle = max_angle

    def transform(self, results: dict) -> dict:
        """Rotate the window."""
        keys = [k for k in ('keypoints_gt', 'keypoints') if k in results]
        dims = results[keys[0]].shape[-1]
        if dims != 3:
            raise ValueError(
                f'RandomYaw: expected keypoints (T, K, 3), found D = {dims}'
            )
        angle = np.radians(
            np.random.uniform(-self.max_angle, self.max_angle)  # noqa: NPY002
        )
        cos, sin = np.cos(angle), np.sin(angle)
        turn = np.float32([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])
        centre = np.nanmean(results[keys[0]], axis=(0, 1))
        for key in keys:
            results[key] = (results[key] - centre) @ turn.T + centre
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(max_angle={self.max_angle})'
