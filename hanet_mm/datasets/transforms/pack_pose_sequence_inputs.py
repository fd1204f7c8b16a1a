"""From the pipeline's dict to the model's input."""

from mmcv.transforms import BaseTransform
from mmengine.structures import InstanceData
from mmpose.registry import TRANSFORMS
from mmpose.structures import PoseDataSample


@TRANSFORMS.register_module()
class PackPoseSequenceInputs(BaseTransform):
    """Pack a window for training or a sequence for testing.

    After :class:`mmpose.datasets.GenerateTarget` with a
    :class:`PoseSequenceCodec` the inputs are the normalised estimates and the
    data sample carries ``gt_instance_labels`` (keypoint_labels,
    keypoint_weights). Without it the inputs are the estimates as they are and
    the data sample carries ``est_instances`` (keypoints, keypoint_scores,
    keypoints_valid) and, where there is ground truth, ``gt_instances``
    (keypoints, keypoints_visible, bboxes). The frame is the instance axis.

    Everything stays a numpy array: a worker process sends each tensor as a
    file descriptor of its own, which took seven times as long as making it.
    The data preprocessor makes the tensors.
    """

    meta_keys = ('seq_name', 'seq_id', 'image_size', 'fps', 'flip_indices')

    def transform(self, results: dict) -> dict:
        """Pack.

        Args:
            results (dict): Of the pipeline.

        Returns:
            dict: ``inputs`` (T, K, D) and ``data_samples``, a
            :class:`PoseDataSample`.
        """
        sample = PoseDataSample()
        if 'keypoint_inputs' in results:
            inputs = results['keypoint_inputs']
            sample.gt_instance_labels = InstanceData(
                keypoint_labels=results['keypoint_labels'],
                keypoint_weights=results['keypoint_weights'],
            )
            sample.set_metainfo(dict(seq_id=results['seq_id']))
        else:
            inputs = results['keypoints']
            sample.est_instances = InstanceData(
                keypoints=results['keypoints'],
                keypoint_scores=results['keypoint_scores'],
                keypoints_valid=results['keypoints_valid'],
            )
            if 'keypoints_gt' in results:
                truth = dict(
                    keypoints=results['keypoints_gt'],
                    keypoints_visible=results['keypoints_visible'],
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
