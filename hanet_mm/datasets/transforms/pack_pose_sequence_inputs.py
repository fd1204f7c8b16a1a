# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pack the dict of the pipeline into the input of the model."""

from typing import Dict, Optional, Sequence, Tuple

import numpy as np
import torch
from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData
from mmpose.registry import TRANSFORMS
from mmpose.structures import PoseDataSample
from torch import Tensor

from hanet_mm.codecs import EVIDENCE

# As for the image that mmpose.apis.inference_topdown passes.
_NO_KEYPOINTS = (
    'PackPoseSequenceInputs: found no keypoints: the model refines sequences '
    'of keypoints and reads no images; estimate the poses first '
    '(MMPoseInferencer, then hanet_mm.refine) or use PoseRefinementInferencer '
    'for both'
)
LABELS = ('keypoint_labels', 'keypoint_weights', 'keypoint_scores')
"""What every training window has besides its inputs; some have EVIDENCE."""

_WINDOW_META = ('seq_id',)
_SEQUENCE_META = (
    *('seq_name', 'seq_id', 'image_size', 'fps', 'flip_indices'),
    'img_path',
)


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

    Args:
        meta_keys (Sequence[str], optional): What becomes metainfo of the data
            sample, where the pipeline has it. The 'image' normalisation
            needs ``image_size`` to refine whole sequences, ``flip_test``
            ``flip_indices``. Defaults to None: these, ``seq_name``,
            ``seq_id``, ``fps`` and ``img_path``; of a window only ``seq_id``,
            as each more costs time in every item.
        pack_transformed (bool): Whether to pack what can be drawn instead, as
            MMPose's ``browse_dataset.py`` asks: a black picture, and the
            poses of windows as those of sequences.
    """

    def __init__(
        self,
        meta_keys: Optional[Sequence[str]] = None,
        pack_transformed: bool = False,
    ) -> None:
        self.meta_keys = meta_keys
        self.pack_transformed = pack_transformed

    def transform(self, results: dict) -> dict:
        """Pack ``inputs`` (T, K, D) and ``data_samples``, a PoseDataSample.

        Raises a ValueError where there are no keypoints.
        """
        if not {'keypoints', 'keypoint_inputs'} & results.keys():
            raise ValueError(_NO_KEYPOINTS)
        sample = PoseDataSample()
        if 'keypoint_inputs' in results and not self.pack_transformed:
            inputs = results['keypoint_inputs']
            sample.gt_instance_labels = InstanceData(
                **{key: results[key] for key in LABELS},
                **{key: results[key] for key in EVIDENCE if key in results},
            )
            keys = _WINDOW_META
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
            keys = _SEQUENCE_META
        keys = keys if self.meta_keys is None else self.meta_keys
        sample.set_metainfo({x: results[x] for x in keys if x in results})
        if self.pack_transformed:
            inputs = _name_picture(sample, results)
        return dict(inputs=inputs, data_samples=sample)

    def __repr__(self) -> str:
        return f'{type(self).__name__}(meta_keys={self.meta_keys})'


def _name_picture(sample: PoseDataSample, results: dict) -> Tensor:
    """Say how the picture of an item is called; a black one, (3, H, W)."""
    frames = [int(x) for x in results['frame_ids']]
    name = f'{results["seq_name"]}_{results["seq_id"]}'.replace('/', '_')
    sample.set_metainfo(
        dict(
            frame_ids=frames,
            img_path=f'{name}_frame{frames[0]}.png',
            seq_name=f'{results["seq_name"]}, frames {frames[0]}-{frames[-1]}',
        )
    )
    return torch.zeros(3, 8, 8, dtype=torch.uint8)


def _split(extras: Dict[str, np.ndarray]) -> Tuple[dict, dict]:
    """Extras of the estimate and of the truth, without their endings."""
    estimate, truth = {}, {}
    for name, value in extras.items():
        if name.endswith('_est'):
            estimate[name[:-4]] = value
        else:
            truth[name[:-3] if name.endswith('_gt') else name] = value
    return estimate, truth
