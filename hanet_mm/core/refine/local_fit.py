# Copyright (c) hanet_mm contributors. All rights reserved.
"""What the frames around each frame tell of it: the first half of a path.

All of it depends on frames nearby alone, so a stream need not find it again
for frames around which nothing has changed.
"""

from typing import NamedTuple, Optional, Protocol, Sequence, Tuple

import numpy as np

from ..data.lengths import lengths
from .noise import (
    KeptRows,
    fast_noise,
    jump_reach,
    largest_near,
    local_quantile,
    noise_reach,
    size_reach,
    typical_noise,
    weight_of_noise,
)
from .parabolas import fit_parabolas, fit_reach

# Seconds before and after a frame in which outliers are told.
_NEAR_OUTLIERS = 0.4
# Distances to the parabola count fully beyond this, in body sizes.
_SHARP = 0.003
# An outlier is further from the parabola than so many medians.
_OUTLIER = 2.0
# No distance to the parabola counts beyond so many times the fast noise
# nearby: what moves smoothly is no outlier, however fast. Three frames beside
# the path show 0.36 of their distance in it.
_JUMP = 3.0
# Least noise in body sizes.
_LEAST_NOISE = 0.002


class LocalFit(NamedTuple):
    """What depends on the frames around each of T frames.

    Attributes:
        size (np.ndarray): See :func:`local_size`, (T, ..., 1).
        parabolas (np.ndarray): See :func:`fit_parabolas`, (T, ..., K, D).
        usual (np.ndarray): Median distance to them, (T, ..., K).
        noise (np.ndarray): See :func:`typical_noise`, (T, ..., K).
    """

    size: np.ndarray
    parabolas: np.ndarray
    usual: np.ndarray
    noise: np.ndarray


def join_fits(fits: Sequence[LocalFit]) -> LocalFit:
    """The fit of all joints from those of blocks of them."""
    if len(fits) == 1:
        return fits[0]
    sizes, parabolas, usual, noise = zip(*fits)
    return LocalFit(
        sizes[0],
        np.concatenate(parabolas, axis=-2),
        np.concatenate(usual, axis=-1),
        np.concatenate(noise, axis=-1),
    )


class KeptFit(NamedTuple):
    """What a stream knows of the local fit of its frames.

    Rows of ``fit`` are those of the frames of the stream. Of sizes and
    parabolas the rows ``near`` hold still, of the rest fewer, ``far``.
    """

    near: slice
    far: slice
    fit: LocalFit

    def size(self) -> KeptRows:
        """Sizes that are known."""
        return KeptRows(self.near, self.fit.size[self.near])

    def of_joints(self, joints: slice) -> 'KeptFit':
        """That of some joints."""
        size, parabolas, usual, noise = self.fit
        fit = LocalFit(
            size,
            parabolas[..., joints, :],
            usual[..., joints],
            noise[..., joints],
        )
        return self._replace(fit=fit)


class FitStore(Protocol):
    """What remembers the local fit of a buffer, with parabolas as places."""

    def recall(
        self, keypoints: np.ndarray, missing: np.ndarray
    ) -> Optional[KeptFit]:
        """What is known of frames around which nothing has changed."""

    def keep(self, fit: LocalFit) -> None:
        """Remember the fit of the frames that were asked for last."""


class CalmPoses(NamedTuple):
    """Poses without outliers, (T, ..., K, D), and how much each weighs.

    ``weights`` and ``outlier`` are (T, ..., K); ``fit`` is what they go by.
    """

    poses: np.ndarray
    weights: np.ndarray
    outlier: np.ndarray
    fit: LocalFit


def local_reach(fps: float) -> Tuple[int, int]:
    """Frames on each side that the local fit of a frame depends on.

    The first is that of sizes and parabolas, the second that of the rest.
    """
    near = max(size_reach(fps), fit_reach(fps))
    usual = max(near, jump_reach(fps)) + _half(fps)
    return near, max(usual, size_reach(fps) + noise_reach(fps))


def calm_poses(
    poses: np.ndarray,
    origin: np.ndarray,
    missing: np.ndarray,
    size: np.ndarray,
    fps: float,
    least_weight: float = 1.0,
    kept: Optional[KeptFit] = None,
) -> CalmPoses:
    """Move outliers towards what the frames around them tell.

    Args:
        poses (np.ndarray): Relative to a place nearby, (T, ..., K, D).
        origin (np.ndarray): That place, (1, ..., K, D): what is known is not
            relative to it.
        missing (np.ndarray): Keypoints that were filled, bool (T, ..., K).
        size (np.ndarray): Size of the person, (T, ..., 1).
        fps (float): Frames per second.
        least_weight (float): Of the noisiest keypoints. Defaults to 1.
        kept (KeptFit, optional): What is known of some frames. Defaults to
            None: nothing.

    Returns:
        CalmPoses: Of all T frames.
    """
    least = _LEAST_NOISE * size
    fast = fast_noise(poses, missing, fps)
    rows = slice(0, 0) if kept is None else kept.near
    parabolas = np.empty(poses.shape)
    for others in (slice(0, rows.start), slice(rows.stop, len(poses))):
        if others.start < others.stop:
            parabolas[others] = fit_parabolas(
                poses, fps, _SHARP * size, others
            )
    old_usual = old_noise = None
    if kept is not None:
        parabolas[rows] = kept.fit.parabolas[rows] - origin
        old_usual, old_noise = (
            KeptRows(kept.far, x[kept.far])
            for x in (kept.fit.usual, kept.fit.noise)
        )
    apart = lengths(poses - parabolas)
    apart = np.minimum(apart, _JUMP * largest_near(fast, fps))
    usual = local_quantile(apart, ~missing, _half(fps), 0.5, old_usual)
    noise = typical_noise(fast / size, fps, old_noise)
    fit = LocalFit(size, parabolas + origin, usual, noise)
    usual = _OUTLIER * np.maximum(usual, least)
    share = np.minimum(usual / np.maximum(apart, usual), 1)[..., None]
    outlier = (apart > usual) & ~missing
    calm = parabolas + (poses - parabolas) * share
    return CalmPoses(calm, weight_of_noise(noise, least_weight), outlier, fit)


def _half(fps: float) -> int:
    return round(_NEAR_OUTLIERS * fps)
