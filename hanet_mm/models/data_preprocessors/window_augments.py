# Copyright (c) hanet_mm contributors. All rights reserved.
"""Augmentations of whole batches of training windows, on their device.

They work on normalised windows; :class:`RefitBox` comes last where poses are
normalised by the person's box. Random numbers are PyTorch's.
"""

from typing import Callable, NamedTuple, Optional, Sequence, Tuple

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from hanet_mm.core.refine.inference import mirror
from hanet_mm.core.refine.normalization import fit_normalization


class WindowBatch(NamedTuple):
    """Training windows: estimates and truth (B, T, K, D), and (B, T, K) each
    scores, 0 = missing or no frame, and weights, 0 where the truth is unknown.

    Windows that :class:`MeasureEvidence` has seen have a smooth ``path``
    (B, T, K, D), and the ``noise`` around it and the ``allowance`` in gaps,
    (B, T, K), lengths in network units; others have None.
    """

    poses: Tensor
    scores: Tensor
    target: Tensor
    weights: Tensor
    path: Optional[Tensor] = None
    noise: Optional[Tensor] = None
    allowance: Optional[Tensor] = None

    def each(self, change: Callable[[Tensor], Tensor]) -> 'WindowBatch':
        """Change all tensors that there are."""
        return WindowBatch(*(None if x is None else change(x) for x in self))

    def places(self, change: Callable[[Tensor], Tensor]) -> 'WindowBatch':
        """Change estimates, truth and path."""
        return self._replace(
            poses=change(self.poses),
            target=change(self.target),
            path=None if self.path is None else change(self.path),
        )

    def lengths(self, factor: Tensor) -> 'WindowBatch':
        """Multiply the lengths of windows by factors (B, )."""
        if self.noise is None or self.allowance is None:
            return self
        factor = factor[:, None, None]
        return self._replace(
            noise=self.noise * factor, allowance=self.allowance * factor
        )

    def where(self, chosen: Tensor, other: 'WindowBatch') -> 'WindowBatch':
        """Take some windows of another batch, chosen (B, ) bool."""
        return WindowBatch(
            *(
                None
                if x is None or y is None
                else torch.where(chosen.reshape(-1, *[1] * (x.ndim - 1)), y, x)
                for x, y in zip(self, other)
            )
        )

    def draw(self, prob: float) -> Tensor:
        """Draw the windows to augment with a probability, bool (B, )."""
        return torch.rand(len(self.poses), device=self.poses.device) < prob

    def check_no_path(self, name: str) -> None:
        """Raise a ValueError if errors may no longer be changed."""
        if self.path is not None:
            raise ValueError(
                f'{name} changes the errors of windows, so it cannot follow '
                'MeasureEvidence, which has measured them'
            )


@MODELS.register_module()
class ExchangeErrors(nn.Module):
    """Give windows the errors that were made on others.

    The errors of an estimator hardly depend on what a person does: each
    error of each joint can have happened on any motion. What a keypoint's
    score was goes with its error.

    Args:
        window_prob (float): Of taking all errors of another window.
        joint_prob (float): Of taking those of each joint from a window of
            its own.
    """

    def __init__(self, window_prob: float, joint_prob: float):
        super().__init__()
        self.window_prob = window_prob
        self.joint_prob = joint_prob

    def forward(self, batch: WindowBatch) -> WindowBatch:
        """Exchange errors; truth stays."""
        batch.check_no_path('ExchangeErrors')
        count, _, joints = batch.scores.shape
        device = batch.scores.device
        draw = torch.rand(count, 1, device=device)
        own = torch.arange(count, device=device)[:, None].expand(-1, joints)
        window = torch.randint(count, (count, 1), device=device)
        joint = torch.randint(count, (count, joints), device=device)
        source = torch.where(draw < self.window_prob, window, own)
        source = torch.where(draw > 1 - self.joint_prob, joint, source)
        which = torch.arange(joints, device=device)

        def take(x: Tensor) -> Tensor:
            return x.transpose(1, 2)[source, which].transpose(1, 2)

        # Where the truth is unknown so is the error.
        known = take(batch.weights)
        errors = take(batch.poses - batch.target)
        errors = errors.masked_fill(known[..., None] == 0, 0)
        scores = take(batch.scores) * (batch.scores > 0)
        moved = (source != own)[:, None]
        return batch._replace(
            poses=torch.where(
                moved[..., None], batch.target + errors, batch.poses
            ),
            scores=torch.where(moved, scores, batch.scores),
            weights=torch.where(moved, batch.weights * known, batch.weights),
        )


@MODELS.register_module()
class RandomSpeed(nn.Module):
    """Let the person move faster or slower; errors and scores stay.

    Beyond the last frame that is known the motion runs backward.

    Args:
        prob (float): Of a change.
        speed_range (tuple[float, float]): Factors, drawn log-uniformly.
    """

    def __init__(self, prob: float, speed_range: Tuple[float, float]):
        super().__init__()
        self.prob = prob
        self.speed_range = speed_range

    def forward(self, batch: WindowBatch) -> WindowBatch:
        """Resample the truth."""
        batch.check_no_path('RandomSpeed')
        low, high = torch.tensor(self.speed_range).log()
        count, frames = batch.weights.shape[:2]
        device = batch.weights.device
        speed = torch.rand(count, 1, device=device) * (high - low) + low
        place = torch.arange(frames, device=device) * speed.exp()
        known = (batch.weights > 0).any(-1)
        order = torch.arange(frames, device=device)
        last = (order * known).amax(1, keepdim=True)
        place = torch.where(place > last, 2 * last - place, place).clamp(min=0)
        left = place.long().clamp(max=frames - 2)
        share = (place - left)[..., None]
        rows = torch.arange(count, device=device)[:, None]
        target, weights = batch.target, batch.weights
        moved = torch.lerp(
            target[rows, left], target[rows, left + 1], share[..., None]
        )
        # An interpolated truth needs both of its neighbours.
        both = weights[rows, left] * (
            (share == 0) | (weights[rows, left + 1] > 0)
        )
        errors = batch.poses - target
        other = batch._replace(
            poses=moved + errors,
            target=moved,
            weights=torch.where(weights > 0, both, 0),
        )
        return batch.where(batch.draw(self.prob), other)


@MODELS.register_module()
class RandomWindowFlip(nn.Module):
    """Mirror windows.

    Args:
        flip_indices (Sequence[int]): Joint of the other side of each.
        prob (float): Probability of a flip.
    """

    def __init__(self, flip_indices: Sequence[int], prob: float = 0.5):
        super().__init__()
        self.flip_indices = list(flip_indices)
        self.prob = prob

    def forward(self, batch: WindowBatch) -> WindowBatch:
        """Mirror estimates, truth and path."""
        order = torch.tensor(self.flip_indices, device=batch.poses.device)
        other = batch.each(lambda x: x.index_select(2, order))
        other = other.places(mirror)
        return batch.where(batch.draw(self.prob), other)


@MODELS.register_module()
class RandomTimeReversal(nn.Module):
    """Let time run backward.

    Args:
        prob (float): Probability of a reversal.
    """

    def __init__(self, prob: float = 0.5):
        super().__init__()
        self.prob = prob

    def forward(self, batch: WindowBatch) -> WindowBatch:
        """Reverse windows."""
        other = batch.each(lambda x: x.flip(1))
        return batch.where(batch.draw(self.prob), other)


@MODELS.register_module()
class RandomRotateScale(nn.Module):
    """Turn windows in the image plane and stretch them along its axes.

    Args:
        max_angle (float): Largest angle to either side, degrees.
        scale_range (tuple[float, float]): Factors of x and of y.
    """

    def __init__(self, max_angle: float, scale_range: Tuple[float, float]):
        super().__init__()
        self.max_angle = max_angle
        self.scale_range = scale_range

    def forward(self, batch: WindowBatch) -> WindowBatch:
        """Transform the first two coordinates of estimates and truth."""
        count, device = len(batch.poses), batch.poses.device
        angle = torch.rand(count, device=device) * 2 - 1
        angle = torch.deg2rad(self.max_angle * angle)
        cos, sin = angle.cos(), angle.sin()
        low, high = self.scale_range
        scale = torch.rand(count, 1, 2, device=device) * (high - low) + low
        turn = torch.stack([cos, -sin, sin, cos], -1).reshape(-1, 2, 2) * scale
        turn = turn[..., None, None]

        def change(x: Tensor) -> Tensor:
            # Faster than many products of 2 x 2 matrices.
            first, second, *rest = x.unbind(-1)
            plane = (
                first * turn[:, i, 0] + second * turn[:, i, 1] for i in (0, 1)
            )
            return torch.stack([*plane, *rest]).movedim(0, -1)

        # A length between those along the two axes.
        return batch.places(change).lengths(scale.prod(-1)[:, 0].sqrt())


@MODELS.register_module()
class DropKeypoints(nn.Module):
    """Remove keypoints for a whole window, as if they were not estimated.

    So a refiner can be used on skeletons that lack some of its keypoints. They
    are put amid the others, with score 0, as
    :func:`hanet_mm.core.data.gaps.fill_missing` does with keypoints never
    seen.

    Args:
        groups (Sequence[Sequence[int]]): Keypoints that go together, such as
            those of the face.
        group_prob (float): Of taking a group away.
        keypoint_prob (float): Of taking any other keypoint away.
        weight (float): What those that were taken away weigh in the loss.
    """

    def __init__(
        self,
        groups: Sequence[Sequence[int]],
        group_prob: float,
        keypoint_prob: float,
        weight: float = 0.1,
    ):
        super().__init__()
        self.groups = [list(group) for group in groups]
        self.group_prob = group_prob
        self.keypoint_prob = keypoint_prob
        self.weight = weight

    def forward(self, batch: WindowBatch) -> WindowBatch:
        """Take keypoints away from estimates; truth stays."""
        shape = (len(batch.scores), batch.scores.shape[2])
        device = batch.scores.device
        gone = torch.rand(shape, device=device) < self.keypoint_prob
        for group in self.groups:
            together = torch.rand(len(gone), 1, device=device)
            gone[:, group] |= together < self.group_prob
        # Somebody has to be there.
        gone &= ~gone.all(dim=1, keepdim=True)
        gone = gone[:, None]
        rest = (~gone).sum(dim=2, keepdim=True)[..., None]

        def drop(places: Tensor) -> Tensor:
            center = places.masked_fill(gone[..., None], 0)
            center = center.sum(dim=2, keepdim=True) / rest
            return torch.where(gone[..., None], center, places)

        allowance = batch.allowance
        return batch._replace(
            poses=drop(batch.poses),
            path=None if batch.path is None else drop(batch.path),
            allowance=None
            if allowance is None
            else allowance.masked_fill(gone, 0),
            scores=batch.scores.masked_fill(gone, 0),
            weights=torch.where(
                gone, self.weight * batch.weights, batch.weights
            ),
        )


@MODELS.register_module()
class RefitBox(nn.Module):
    """Normalise windows anew by the box of their changed estimates."""

    def forward(self, batch: WindowBatch) -> WindowBatch:
        """Normalise estimates and truth."""
        affine = fit_normalization('box', batch.poses, batch.scores > 0)
        return batch.places(affine.encode).lengths(
            1 / affine.scale[:, 0, 0, 0]
        )
