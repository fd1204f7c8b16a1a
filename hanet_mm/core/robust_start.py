"""Where the decoder starts from, once the encoder knows which to trust."""

from typing import NamedTuple, Optional, Sequence

import torch
from torch import Tensor, nn

from .score_smoother import ScoreSmoother

# An estimate is taken as it is unless the network says otherwise.
_NO_SWAP = -3.0


class Start(NamedTuple):
    """What the decoder starts from, at all frames.

    Attributes:
        poses (Tensor): Smooth poses, (B, T, K, D).
        estimates (Tensor): The estimates with left and right put right,
            (B, T, K, D).
        scores (Tensor): Their scores, (B, T, K).
        swap_logits (Tensor, optional): Log-odds that an estimate is that of
            the joint of the other side, (B, T, K).
    """

    poses: Tensor
    estimates: Tensor
    scores: Tensor
    swap_logits: Optional[Tensor]


class RobustStart(nn.Module):
    """Undoes swaps of left and right, weighs estimates, and smooths them.

    Not in the paper. From the encoder's features it tells how precise each
    estimate is, beyond what its score says, and whether it belongs to the
    joint of the other side. A swap of confident estimates can be undone but
    not smoothed away, so that comes first. In the beginning next to nothing
    is swapped and the scores are all that counts.

    Args:
        num_keypoints (int): K.
        embed_dims (int): Width h of the features.
        flip_indices (Sequence[int], optional): The joint of the other side
            of each joint. Defaults to None: swaps are left.

    Raises:
        ValueError: If ``flip_indices`` is not a pairing of K joints.
    """

    def __init__(
        self,
        num_keypoints: int,
        embed_dims: int,
        flip_indices: Optional[Sequence[int]] = None,
    ):
        super().__init__()
        self.norm = nn.LayerNorm(embed_dims)
        self.precision = nn.Linear(embed_dims, num_keypoints)
        self.smoother = ScoreSmoother(num_keypoints)
        self.swap = None
        if flip_indices is not None:
            _check_pairs(flip_indices, num_keypoints)
            self.flip_indices = list(flip_indices)
            self.swap = nn.Linear(embed_dims, num_keypoints)

    def init_weights(self) -> None:
        """Begin with the scores alone and no swap."""
        for layer in filter(None, (self.precision, self.swap)):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        if self.swap is not None:
            nn.init.constant_(self.swap.bias, _NO_SWAP)

    def forward(
        self, features: Tensor, poses: Tensor, scores: Tensor
    ) -> Start:
        """Find the start.

        Args:
            features (Tensor): Of all frames, (B, T, h).
            poses (Tensor): Estimates, (B, T, K, D).
            scores (Tensor): In [0, 1], 0 = missing, (B, T, K).

        Returns:
            Start: At all frames.
        """
        features = self.norm(features)
        logits = None
        if self.swap is not None:
            logits = self.swap(features)
            share = logits.sigmoid()
            flip = self.flip_indices
            scores = torch.lerp(scores, scores[..., flip], share)
            poses = torch.lerp(poses, poses[:, :, flip], share[..., None])
        smooth = self.smoother(poses, scores, self.precision(features))
        return Start(smooth, poses, scores, logits)


def _check_pairs(flip_indices: Sequence[int], num_keypoints: int) -> None:
    every = list(range(num_keypoints))
    twice = [
        flip_indices[i] if 0 <= i < len(flip_indices) else None
        for i in flip_indices
    ]
    if len(flip_indices) != num_keypoints or twice != every:
        raise ValueError(
            f'flip_indices has to pair {num_keypoints} joints, got '
            f'{list(flip_indices)}'
        )
