# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pack the dict of the pipeline into the input of the model."""

from typing import Dict, Tuple

import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData
from mmpose.registry import TRANSFORMS
from mmpose.structures import PoseDataSample

from hanet_mm.codecs import EVIDENCE


@TRANSFORMS.register_module()
class PackPoseSequenceInputs(BaseTransform):
    """Pack a window for training or a sequence for testing.

    After :class:`mmpose.datasets.GenerateTarget` with a
    :class:`PoseSequenceCodec` the inputs are the normalised estimates and the
    data sample carries ``gt_instance_labels`` (keypoint_labels,
    keypoint_weights). Without it the inputs are the estimates as they are and
    the data sample carries ``est_instances`` (keypoints, keypoint_scores,
    keypoints_valid) and, where there is ground truth, ``gt_instances``
    (keypoints, keypoints_visible, bboxes). What :class:`MeasureEvidence` found
    joins the labels (keypoint_path, keypoint_noise, keypoint_allowance). The
    frame is the instance axis.
    Extras go along: ``<name>_est`` as ``est_instances.<name>``, ``<name>`` or
    ``<name>_gt`` as ``gt_instances.<name>``.

    Arrays stay numpy arrays: a worker process sends each tensor as a file
    descriptor of its own, which took seven times as long as making it. The
    data preprocessor makes the tensors.
    """

    meta_keys = ('seq_name', 'seq_id', 'image_size', 'fps', 'flip_indices')

    def transform(self, results: dict) -> dict:
        """Pack ``inputs`` (T, K, D) and ``data_samples``, a PoseDataSample."""
        sample = PoseDataSample()
        if 'keypoint_inputs' in results:
            inputs = results['keypoint_inputs']
            sample.gt_instance_labels = InstanceData(
                keypoint_labels=results['keypoint_labels'],
                keypoint_weights=results['keypoint_weights'],
                keypoint_scores=results['keypoint_scores'],
                **{key: results[key] for key in EVIDENCE if key in results},
            )
            sample.set_metainfo(dict(seq_id=results['seq_id']))
        else:
            inputs = results['keypoints']
            estimate, extra_truth = _split(results.get('extras', {}))
            sample.est_instances = InstanceData(
                keypoints=results['keypoints'],
                keypoint_scores=results['keypoint_scores'],
                keypoints_valid=results['keypoints_valid'],
                **estimate,
            )
            if 'keypoints_gt' in results:
                truth = dict(
                    keypoints=results['keypoints_gt'],
                    keypoints_visible=results['keypoints_visible'],
                    **extra_truth,
                )
                if 'bboxes' in results:
                    truth['bboxes'] = results['bboxes']
                sample.gt_instances = InstanceData(**truth)
            sample.set_metainfo(
                {key: results[key] for key in self.meta_keys if key in results}
            )
        return dict(inputs=inputs, data_samples=sample)

    def __repr__(self) -> str:
        return f'{type(self).__name__}()'


def _split(extras: Dict[str, np.ndarray]) -> Tuple[dict, dict]:
    """Extras of the estimate and of the truth, without their endings."""
    estimate, truth = {}, {}
    for name, value in extras.items():
        if name.endswith('_est'):
            estimate[name[:-4]] = value
        else:
            truth[name[:-3] if name.endswith('_gt') else name] = value
    return estimate, truth
