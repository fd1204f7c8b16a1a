# Copyright (c) hanet_mm contributors. All rights reserved.
"""Sequences and refiners for the tests of the evaluation of refiners."""

import numpy as np
import torch

from hanet_mm import Refiner
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.skeleton_data import find_skeleton

NAMES = ['nose', 'left_wrist', 'right_wrist', 'left_knee', 'right_knee']


def make_sequences(
    lengths=(30, 12, 41), fps=30.0, noise=3.0, seed=0, names=NAMES
):
    """Persons who swing and wander, estimates with noise, nothing missing."""
    rng = np.random.default_rng(seed)
    total, count = sum(lengths), len(names)
    times = np.concatenate([np.arange(n) for n in lengths])[:, None, None]
    phase = rng.uniform(0, 6, (1, count, 2))
    gt = 100 + 40 * np.sin(times / 6 + phase) + times
    est = gt + rng.normal(0, noise, gt.shape)
    boxes = np.concatenate([gt.min(1) - 10, gt.max(1) + 10], axis=1)
    rates = None if fps is None else np.full(len(lengths), fps)
    return PoseSequences(
        keypoints_est=est,
        scores=rng.uniform(0.3, 1, (total, count)),
        seq_len=np.array(lengths),
        seq_name=[f'clip{i}' for i in range(len(lengths))],
        keypoints_gt=gt,
        visible=np.ones((total, count)),
        bboxes=boxes,
        image_size=np.tile([320.0, 240.0], (len(lengths), 1)),
        fps=rates,
        meta=dict(
            keypoint_names=list(names), units='px', estimator='simulated'
        ),
    )


def make_refiner(names=NAMES, window=7, interval=2, dims=2, **options):
    """A small network with random weights."""
    torch.manual_seed(0)
    shape = dict(num_keypoints=len(names), coord_dims=dims, embed_dims=8)
    options.setdefault('normalization', 'box')
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=1),
            head=dict(shape, num_layers=1),
            sample_interval=interval,
        ),
        window_size=window,
        keypoint_names=list(names),
        **options,
    )


def make_coco_refiner(**options):
    return make_refiner(find_skeleton('coco17').keypoint_names, **options)


def split(array, sequences):
    """Flat array by sequence."""
    return np.split(array, np.cumsum(sequences.seq_len)[:-1])
