# Copyright (c) hanet_mm contributors. All rights reserved.
"""Bring training windows into the state in which refiners see sequences."""

from typing import Dict

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.core.refine.robust_path import robust_path
from hanet_mm.core.refine.swap_chains import SwapChains, swap_chains
from hanet_mm.core.refine.trust import gap_allowance
from hanet_mm.core.refine.unswap import unswap


@TRANSFORMS.register_module()
class MeasureEvidence(BaseTransform):
    """Undo swaps of left and right, fill gaps, and measure path and noise.

    For refiners that keep to the evidence: the network is trained on what it
    sees in use, and within the limit of
    :mod:`hanet_mm.core.refine.trust`. T frames, K keypoints, D coordinates;
    or S windows at once, (S, T, K, D), which takes a fraction of the time.

    Required keys: ``keypoints`` (T, K, D), ``keypoint_scores`` and
    ``keypoints_valid`` (T, K), ``keypoints_visible`` (T, K),
    ``keypoint_names`` and ``flip_indices``. Modified keys: the first three.
    Added keys: ``path`` (T, K, D), ``noise`` and ``allowance`` (T, K), in the
    unit of the keypoints. Frames before the first and after the last seen one
    whose truth has no weight are padding: they take no part and repeat what
    is next to them. Arrays are replaced, not written to.

    Args:
        fps (float): Frames per second that the windows are taken to have.
            Defaults to 30.
    """

    def __init__(self, fps: float = 30.0):
        self.fps = fps

    def transform(self, results: dict) -> dict:
        """Replace the estimates and add what was measured."""
        chains = swap_chains(
            results['keypoint_names'], results['flip_indices']
        )
        one = results['keypoints'].ndim == 3
        poses, scores, valid, weights = (
            results[key][None] if one else results[key]
            for key in (
                'keypoints',
                'keypoint_scores',
                'keypoints_valid',
                'keypoints_visible',
            )
        )
        there = valid.any(-1) | (weights > 0).any(-1)
        first = there.argmax(1)
        count = there.shape[1] - there[:, ::-1].argmax(1) - first
        place = np.arange(there.shape[1]) - first[:, None]
        padding = (place < 0) | (place >= count[:, None])
        found: Dict[str, np.ndarray] = {}
        for length in np.unique(count):
            who = np.flatnonzero(count == length)
            # Time first: (length, R, ...).
            frames = (who, first[who] + np.arange(length)[:, None])
            measured = self._measure(
                poses[frames],
                np.where(valid[frames], scores[frames], 0),
                chains,
            )
            back = np.clip(place[who], 0, length - 1)
            for key, value in measured.items():
                whole = found.setdefault(
                    key, np.empty((*there.shape, *value.shape[2:]), np.float32)
                )
                whole[who] = value[back, np.arange(len(who))[:, None]]
        found['keypoint_scores'][padding] = 0
        found['keypoints_valid'] = found['keypoint_scores'] > 0
        results.update({k: x[0] if one else x for k, x in found.items()})
        return results

    def _measure(
        self, poses: np.ndarray, scores: np.ndarray, chains: SwapChains
    ) -> Dict[str, np.ndarray]:
        """Measure windows (T, R, K, D) with scores (T, R, K), 0 = missing."""
        seen = scores > 0
        poses, scores, _ = unswap(
            np.where(seen[..., None], poses, np.nan),
            chains,
            scores,
            fps=self.fps,
        )
        missing = ~(scores > 0)
        frames, windows = missing.shape[:2]
        by_window = [x.swapaxes(0, 1) for x in (poses, missing)]
        filled = fill_missing(
            *(x.reshape(frames * windows, *x.shape[2:]) for x in by_window),
            np.full(windows, frames),
        )
        poses = filled.reshape(windows, *poses.shape[:1], *poses.shape[2:])
        poses = poses.swapaxes(0, 1)
        path = robust_path(poses, missing, self.fps)
        return dict(
            keypoints=poses,
            keypoint_scores=scores,
            path=path.keypoints,
            noise=path.noise,
            allowance=gap_allowance(path, missing, self.fps),
        )

    def __repr__(self) -> str:
        return f'{type(self).__name__}(fps={self.fps})'
