# Copyright (c) hanet_mm contributors. All rights reserved.
"""The kinematic decoder as a registered head."""

from typing import Dict, Tuple

import torch
from mmpose.models.heads.base_head import BaseHead
from mmpose.registry import KEYPOINT_CODECS, MODELS
from mmpose.utils.typing import (
    ConfigType,
    OptConfigType,
    OptSampleList,
)
from torch import Tensor, nn

from hanet_mm.codecs import EVIDENCE
from hanet_mm.core.nn.decoder import KinematicDecoder, RefinedPoses
from hanet_mm.core.nn.kinematics import Kinematics
from hanet_mm.core.refine.limit import allowed_part

from .losses.keypoint_losses import lengths
from .window_samples import coordinate_planes, stack_instances

Features = Tuple[Tensor, Kinematics]


@MODELS.register_module()
class KinematicHead(KinematicDecoder, BaseHead):
    """Head of HANet: decoder, loss and codec.

    Args:
        decoder (ConfigType): Of the :class:`PoseSequenceCodec` that the
            training data are encoded with.
        loss (ConfigType, optional): Of :class:`OMLLoss`, the default, or
            :class:`PublishedHANetLoss`.
        accel_loss (ConfigType, optional): Of :class:`AccelerationLoss`.
        limited_loss (ConfigType, optional): Of :class:`WeightedKeypointLoss`,
            on what the limit of :mod:`hanet_mm.core.refine.limit` leaves of
            the final poses; so is then ``accel_loss``. Needs windows that
            :class:`MeasureEvidence` has seen, and ``predict_error``.
        **kwargs: Of :class:`hanet_mm.core.nn.decoder.KinematicDecoder`.
    """

    def __init__(
        self,
        decoder: ConfigType,
        loss: OptConfigType = None,
        accel_loss: OptConfigType = None,
        limited_loss: OptConfigType = None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.loss_module = MODELS.build(loss or dict(type='OMLLoss'))
        # For heads with flip_indices and with predict_error.
        self.swap_loss = MODELS.build(dict(type='SideSwapLoss'))
        self.error_loss = MODELS.build(dict(type='ExpectedErrorLoss'))
        self.accel_loss = accel_loss and MODELS.build(accel_loss)
        self.limited_loss = limited_loss and MODELS.build(limited_loss)
        self.decoder = KEYPOINT_CODECS.build(decoder)

    def predict(
        self,
        feats: Features,
        batch_data_samples: OptSampleList = None,
        test_cfg: OptConfigType = None,
    ) -> RefinedPoses:
        """Both outputs (B, T, K, D) and (B, n, K, D), in network coordinates.

        :meth:`HANet.predict` decodes them and merges windows to sequences.
        Features are those of the tokens, (B, M, embed_dims), and the
        kinematics they are of.
        """
        return self(*feats)

    def loss(
        self,
        feats: Features,
        batch_data_samples: OptSampleList,
        train_cfg: OptConfigType = None,
    ) -> Dict[str, Tensor]:
        """Losses of a batch of windows, and ``mean_error`` to watch.

        The latter is of the final poses over what is visible, in network
        units. Data samples have ``gt_instance_labels.keypoint_labels`` (T, K,
        D) and ``.keypoint_weights`` (T, K).
        """
        poses = self(*feats)
        redefine = self.definitions or nn.Identity()
        # Under automatic mixed precision the loss stays in float32.
        own_final = coordinate_planes(poses.final.float())
        final = coordinate_planes(redefine(own_final))
        refined = coordinate_planes(redefine(poses.refined.float()))
        target = coordinate_planes(
            stack_instances(batch_data_samples, 'keypoint_labels', final)
        )
        weights = stack_instances(
            batch_data_samples, 'keypoint_weights', final
        )
        losses = self.loss_module(
            final, refined, target, weights, feats[1].interval
        )
        if poses.swap_logits is not None:
            losses['loss_swap'] = self.swap_loss(
                poses.swap_logits,
                coordinate_planes(feats[1].frames.float()),
                target,
                weights,
                self.start.flip_indices,
            )
        if poses.log_error is not None:
            losses['loss_error'] = self.error_loss(
                poses.log_error, final, target, weights
            )
        if self.limited_loss is not None:
            evidence = [
                stack_instances(batch_data_samples, key, final)
                for key in EVIDENCE
            ]
            evidence[0] = coordinate_planes(evidence[0])
            final = redefine(limited(own_final, *evidence))
            losses['loss_limited'] = self.limited_loss(final, target, weights)
        if self.accel_loss is not None:
            losses['loss_accel'] = self.accel_loss(final, target, weights)
        with torch.no_grad():
            error = lengths(final - target)
            error = error.masked_fill(weights == 0, 0).sum()
            count = (weights > 0).sum().clamp(min=1)
            losses['mean_error'] = error / count
        return losses


def limited(
    final: Tensor, path: Tensor, noise: Tensor, allowance: Tensor
) -> Tensor:
    """What the limit leaves of final poses, (B, T, K, D), differentiable.

    In coordinates in which a person is of size 1.
    """
    part, limit = allowed_part(noise, allowance)
    steps = final - path
    length = lengths(steps).clamp(min=torch.finfo(steps.dtype).eps)
    return path + steps * torch.minimum(part, limit / length)[..., None]
