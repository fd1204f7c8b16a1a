# Copyright (c) hanet_mm contributors. All rights reserved.
"""HANet as a pose estimator of MMPose."""

from typing import Dict, Optional, Sequence, Tuple

import torch
from mmengine.structures import InstanceData
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
from mmpose.utils.typing import (
    ConfigType,
    OptConfigType,
    OptMultiConfig,
    OptSampleList,
    SampleList,
)
from torch import Tensor

from hanet_mm.core.nn.decoder import RefinedPoses
from hanet_mm.core.nn.kinematics import Kinematics, sampled_frames
from hanet_mm.core.nn.network import check_parts, encode_windows
from hanet_mm.core.refine.inference import (
    check_flip,
    mirrored_network,
    refine_sequences,
)
from hanet_mm.engine.safe_globals import register_safe_globals

from .window_samples import stack_instances


@MODELS.register_module()
class HANet(BasePoseEstimator):
    """Kinematic-aware hierarchical attention network (WACV 2023).

    Refines the poses that an estimator found in each frame of a video.

    Args:
        backbone (ConfigType): Of :class:`HierarchicalEncoder`.
        head (ConfigType): Of :class:`KinematicHead`.
        window_size (int): Frames of a window, T.
        sample_interval (int): The encoder sees every so many frames, N;
            ``(T - 1) % N == 0``. Each of these brings its two neighbours, so
            three input frames are read per sampled one.
        distance (int): ``d_t`` of eq. 1, in frames.
        test_cfg (ConfigType, optional): ``stride``, frames from one window
            to the next, by default 1; ``taper``, whether their middle weighs
            most where they overlap, by default False; ``tail``, 'cover'
            (default) or 'drop', see
            :func:`hanet_mm.core.refine.windows.window_starts`;
            ``flip_test``, whether to refine mirrored windows too, by default
            False; ``window_batch``, windows that run at once, by default as
            many as are fastest on the device.
        train_cfg, data_preprocessor, init_cfg, metainfo: See
            :class:`BasePoseEstimator`. The data preprocessor defaults to
            :class:`PoseSequenceDataPreprocessor`.

    Raises:
        ValueError: If T does not fit N, or backbone and head disagree.
    """

    def __init__(
        self,
        backbone: ConfigType,
        head: ConfigType,
        window_size: int,
        sample_interval: int,
        distance: int = 1,
        train_cfg: OptConfigType = None,
        test_cfg: OptConfigType = None,
        data_preprocessor: OptConfigType = None,
        init_cfg: OptMultiConfig = None,
        metainfo: OptConfigType = None,
    ):
        register_safe_globals()  # for its checkpoint, which comes next
        sampled_frames(window_size, sample_interval)
        check_parts(backbone, head)
        # Built here: MMEngine finds our classes only in the scope of a run.
        preprocessor = MODELS.build(
            data_preprocessor or dict(type='PoseSequenceDataPreprocessor')
        )
        super().__init__(
            backbone=backbone,
            head=head,
            train_cfg=train_cfg,
            test_cfg=test_cfg,
            data_preprocessor=preprocessor,
            init_cfg=init_cfg,
            metainfo=metainfo,
        )
        self.window_size = window_size
        self.sample_interval = sample_interval
        self.distance = distance

    def loss(
        self, inputs: Tensor, data_samples: SampleList
    ) -> Dict[str, Tensor]:
        """Losses of a batch of windows (B, T, K, D), see KinematicHead.loss.

        Raises a ValueError if the windows are not of ``window_size`` frames.
        """
        if inputs.shape[1] != self.window_size:
            raise ValueError(
                f'expected windows of window_size = {self.window_size} '
                f'frames, got {inputs.shape[1]}'
            )
        scores = None
        if self.head.use_scores:
            scores = stack_instances(data_samples, 'keypoint_scores', inputs)
        return self.head.loss(
            self.extract_feat(inputs, scores), data_samples, self.train_cfg
        )

    def extract_feat(
        self, inputs: Tensor, scores: Optional[Tensor] = None
    ) -> Tuple[Tensor, Kinematics]:
        """Features of windows (B, T, K, D), and the kinematics of these."""
        return encode_windows(
            self.backbone,
            self.head,
            inputs,
            self.sample_interval,
            self.distance,
            scores,
        )

    def predict(
        self, inputs: Tuple[Tensor, ...], data_samples: SampleList
    ) -> SampleList:
        """Refine whole sequences.

        Args:
            inputs (tuple[Tensor]): Estimates without gaps, in the
                coordinates of the data, (T_i, K, D) each, any T_i.
            data_samples (list[PoseDataSample]): With ``est_instances`` and,
                for the 'image' normalisation, ``image_size``.

        Returns:
            list[PoseDataSample]: With ``pred_instances``: ``keypoints``
            (T_i, K, D), ``keypoint_scores`` (T_i, K), and ``refined_mask``
            (T_i, ), False at frames that no window covers.
        """
        device = inputs[0].device
        estimates = [sample.est_instances for sample in data_samples]
        sizes = None
        if all('image_size' in sample for sample in data_samples):
            sizes = torch.as_tensor(
                [list(sample.image_size) for sample in data_samples],
                dtype=inputs[0].dtype,
            )
        refined = refine_sequences(
            mirrored_network(
                self._refine, self._flip_indices(data_samples[0])
            ),
            inputs,
            [
                torch.as_tensor(x.keypoint_scores * x.keypoints_valid).to(
                    device
                )
                for x in estimates
            ],
            window=self.window_size,
            stride=self.test_cfg.get('stride', 1),
            taper=self.test_cfg.get('taper', False),
            normalization=self.head.decoder.normalization,
            root=self.head.decoder.root,
            image_size=sizes,
            tail=self.test_cfg.get('tail', 'cover'),
            window_batch=self.test_cfg.get('window_batch'),
        )
        for sample, estimate, sequence in zip(
            data_samples, estimates, refined
        ):
            poses = self.head.redefine(sequence.keypoints)
            sample.pred_instances = InstanceData(
                keypoints=poses.cpu().numpy(),
                keypoint_scores=estimate.keypoint_scores,
                refined_mask=sequence.covered.cpu().numpy(),
            )
        return data_samples

    def _refine(self, inputs: Tensor, scores: Tensor) -> RefinedPoses:
        return self.head(*self.extract_feat(inputs, scores))

    def _flip_indices(self, sample: PoseDataSample) -> Optional[Sequence[int]]:
        if not self.test_cfg.get('flip_test', False):
            return None
        if sample.get('flip_indices') is None:
            raise ValueError(
                'flip_test needs flip_indices in the data samples'
            )
        check_flip(self.head.decoder.normalization, sample.flip_indices)
        return sample.flip_indices

    def _forward(
        self, inputs: Tensor, data_samples: OptSampleList = None
    ) -> RefinedPoses:
        """Both outputs for windows (B, T, K, D), in network coordinates.

        Raises a ValueError for other inputs, such as the images that MMPose's
        ``get_flops.py`` makes.
        """
        expected = (self.head.num_keypoints, self.head.coord_dims)
        shape = tuple(int(x) for x in inputs.shape)
        if len(shape) != 4 or shape[2:] != expected:
            raise ValueError(
                'expected windows (B, T, K, D) = '
                f'(B, {self.window_size}, {expected[0]}, {expected[1]}), '
                f'found {shape}; for images as those of get_flops.py use '
                'tools/analysis_tools/get_flops.py'
            )
        return self.head(*self.extract_feat(inputs))
