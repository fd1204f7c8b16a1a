# Copyright (c) hanet_mm contributors. All rights reserved.
"""Bring training windows into the state in which refiners see sequences."""

import numpy as np
from mmcv.transforms import BaseTransform
from mmpose.registry import TRANSFORMS

from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.core.refine.swap_chains import swap_chains
from hanet_mm.core.refine.trust import gap_allowance, robust_path
from hanet_mm.core.refine.unswap import unswap


@TRANSFORMS.register_module()
class MeasureEvidence(BaseTransform):
    """Undo swaps of left and right, fill gaps, and measure path and noise.

    For refiners that keep to the evidence: the network is trained on what it
    sees in use, and within the limit of
    :mod:`hanet_mm.core.refine.trust`. T frames, K keypoints, D coordinates.

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
        valid = results['keypoints_valid']
        there = valid.any(1) | (results['keypoints_visible'] > 0).any(1)
        frames = np.flatnonzero(there)
        part = slice(frames[0], frames[-1] + 1)
        chains = swap_chains(
            results['keypoint_names'], results['flip_indices']
        )
        seen = valid[part]
        poses, scores, _ = unswap(
            np.where(seen[..., None], results['keypoints'][part], np.nan),
            chains,
            np.where(seen, results['keypoint_scores'][part], 0),
            fps=self.fps,
        )
        missing = ~(scores > 0)
        poses = fill_missing(poses, missing, np.array([len(poses)]))
        path = robust_path(poses, missing, self.fps)
        allowance = gap_allowance(path, missing, self.fps)
        around = (part.start, len(valid) - part.stop)
        for key, value in dict(
            keypoints=poses,
            path=path.keypoints,
            noise=path.noise,
            allowance=allowance,
        ).items():
            width = [around] + [(0, 0)] * (value.ndim - 1)
            results[key] = np.pad(value.astype(np.float32), width, 'edge')
        scores = np.pad(scores, (around, (0, 0)))
        results['keypoint_scores'] = scores.astype(np.float32)
        results['keypoints_valid'] = scores > 0
        return results

    def __repr__(self) -> str:
        return f'{type(self).__name__}(fps={self.fps})'
