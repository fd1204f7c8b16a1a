"""Replace the estimates of a window by simulated ones."""

from typing import Sequence, Union

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from hanet_mm.core.gaps import fill_missing

from ..synthetic import (
    JHMDB_KEYPOINT_NAMES,
    box_size,
    estimator_noise,
    simulate_estimator_noise,
)


@TRANSFORMS.register_module()
class SimulateEstimatorNoise(BaseTransform):
    """Simulate an estimator on the true keypoints, anew at each call.

    Required keys: ``keypoints_gt`` (T, K, D) and, in 2D, ``bboxes`` (T, 4).
    Without boxes, and in 3D, the size of the person is the longest side of
    the joints' bounding box.

    Modified keys: ``keypoints`` (T, K, D), missing ones filled,
    ``keypoint_scores`` and ``keypoints_valid`` (T, K). Arrays are replaced,
    not written to.

    The noise is drawn from NumPy's global generator, which MMEngine seeds
    in every worker.

    Args:
        noise (str or dict, optional): Name of a preset, such as 'lifter'
            for 3D poses, or arguments of :class:`EstimatorNoise`. Defaults
            to None: its defaults.
        keypoint_names (Sequence[str]): K names such as ``left_wrist``.
            Defaults to those of JHMDB-15.
    """

    def __init__(
        self,
        noise: Union[str, dict, None] = None,
        keypoint_names: Sequence[str] = JHMDB_KEYPOINT_NAMES,
    ):
        self.noise = estimator_noise(noise)
        self.keypoint_names = tuple(keypoint_names)

    def transform(self, results: dict) -> dict:
        """Draw the errors.

        Args:
            results (dict): Of the pipeline.

        Returns:
            dict: The same with simulated estimates.

        Raises:
            ValueError: If the ground truth does not fit the keypoint names,
                or every keypoint of the window went missing.
        """
        truth = results['keypoints_gt']
        if 'bboxes' in results and truth.shape[-1] == 2:
            size = box_size(results['bboxes'])
        else:
            low, high = np.nanmin(truth, axis=1), np.nanmax(truth, axis=1)
            size = np.max(high - low, axis=-1)
        seed = np.random.randint(2**31)  # noqa: NPY002  see the docstring
        estimates, scores = simulate_estimator_noise(
            truth,
            size,
            np.random.default_rng(seed),
            self.noise,
            self.keypoint_names,
        )
        valid = scores > 0
        results['keypoints'] = fill_missing(estimates, ~valid, [len(truth)])
        results['keypoint_scores'] = scores
        results['keypoints_valid'] = valid
        return results

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(noise={self.noise}, '
            f'keypoint_names={self.keypoint_names})'
        )
