"""The kinematic decoder as a registered head."""

from typing import Dict, Sequence, Tuple

import numpy as np
import torch
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.utils.typing import ConfigType, OptConfigType, OptSampleList
from torch import Tensor

from hanet_mm.core.decoder import KinematicDecoder, RefinedPoses
from hanet_mm.core.kinematics import Kinematics

Features = Tuple[Tensor, Kinematics]


@MODELS.register_module()
class KinematicHead(KinematicDecoder, BaseHead):
    """Head of HANet: decoder, loss and codec.

    Args:
        loss (ConfigType): Of :class:`OMLLoss` or
            :class:`PublishedHANetLoss`. Defaults to the former.
        decoder (ConfigType): Of the :class:`PoseSequenceCodec` that the
            training data are encoded with.
        **kwargs: Of :class:`hanet_mm.core.decoder.KinematicDecoder`.
    """

    def __init__(
        self,
        decoder: ConfigType,
        loss: OptConfigType = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.loss_module = MODELS.build(loss or dict(type='OMLLoss'))
        self.decoder = KEYPOINT_CODECS.build(decoder)

    def predict(
        self,
        feats: Features,
        batch_data_samples: OptSampleList = None,
        test_cfg: OptConfigType = None,
    ) -> RefinedPoses:
        """Both outputs for windows, in network coordinates.

        :meth:`HANet.predict` decodes them and merges windows to sequences.

        Args:
            feats (tuple[Tensor, Kinematics]): Features of the tokens,
                (B, M, embed_dims), and the kinematics they are of.
            batch_data_samples (list[PoseDataSample], optional): Not needed.
            test_cfg (dict, optional): Not needed.

        Returns:
            RefinedPoses: final (B, T, K, D) and refined (B, n, K, D).
        """
        return self(*feats)

    def loss(
        self,
        feats: Features,
        batch_data_samples: OptSampleList,
        train_cfg: OptConfigType = None,
    ) -> Dict[str, Tensor]:
        """Losses of a batch of windows.

        Args:
            feats (tuple[Tensor, Kinematics]): See :meth:`predict`.
            batch_data_samples (list[PoseDataSample]): With
                ``gt_instance_labels.keypoint_labels`` (T, K, D) and
                ``.keypoint_weights`` (T, K).
            train_cfg (dict, optional): Not needed.

        Returns:
            dict[str, Tensor]: Losses, and ``mean_error`` of the final
            poses over what is visible, in network units, to watch.
        """
        poses = self(*feats)
        labels = [x.gt_instance_labels for x in batch_data_samples]
        # Under automatic mixed precision the loss stays in float32.
        final, refined = poses.final.float(), poses.refined.float()
        target = _stack([x.keypoint_labels for x in labels], final)
        weights = _stack([x.keypoint_weights for x in labels], final)
        losses = self.loss_module(
            final, refined, target, weights, feats[1].interval
        )
        with torch.no_grad():
            error = (final - target).norm(dim=-1)
            error = error.masked_fill(weights == 0, 0).sum()
            count = (weights > 0).sum().clamp(min=1)
            losses['mean_error'] = error / count
        return losses


def _stack(arrays: Sequence[np.ndarray], like: Tensor) -> Tensor:
    return torch.as_tensor(np.stack(arrays)).to(like)
