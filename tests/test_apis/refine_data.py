# Copyright (c) hanet_mm contributors. All rights reserved.
"""A small refiner, poses for it, and files with them."""

import json

import numpy as np
import torch

from hanet_mm import Refiner
from hanet_mm.apis.cli import main
from hanet_mm.core.data.sequences import PoseSequences

K, D = 3, 2
NAMES = ['head', 'left_hand', 'right_hand']
LENGTHS = (7, 1, 12)
SIZES = np.array([(320, 240), (320, 240), (640, 480)], np.float32)


def make_refiner(normalization='box', names=None):
    torch.manual_seed(0)
    shape = dict(num_keypoints=K, coord_dims=D, embed_dims=16)
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=2),
            head=dict(shape, num_layers=1),
            sample_interval=2,
        ),
        window_size=5,
        normalization=normalization,
        stride=2,
        keypoint_names=names,
    )


def make_poses(frames, seed=0):
    rng = np.random.default_rng(seed)
    start = rng.uniform(50, 200, (1, K, D))
    steps = rng.normal(0, 3, (frames, K, D))
    return (start + steps.cumsum(0)).astype(np.float32)


def make_sequences(**fields):
    """Three sequences; the last has two kinds of gaps."""
    keypoints = make_poses(sum(LENGTHS))
    scores = np.full(keypoints.shape[:2], 0.5, np.float32)
    keypoints[10:12, 1] = np.nan
    scores[15, 2] = 0
    values = dict(
        keypoints_est=keypoints,
        scores=scores,
        seq_len=np.array(LENGTHS),
        seq_name=np.array(['run', 'jump', 'run']),
        meta=dict(keypoint_names=NAMES, units='px'),
    )
    return PoseSequences(**{**values, **fields})


def read_npz(path):
    with np.load(path, allow_pickle=False) as data:
        return dict(data)


def run(source, out, refiner, *more):
    arguments = [str(x) for x in (source, '-o', out, '--refiner', refiner)]
    return main(['refine', *arguments, *map(str, more)])


def make_instance(keypoints, **more):
    return dict(
        keypoints=np.asarray(keypoints).tolist(),
        keypoint_scores=[0.9, 0.8, 0.7],
        bbox=[[0.0, 1.0, 2.0, 3.0]],
        bbox_score=0.99,
        **more,
    )


def write_json(path, content):
    path.write_text(json.dumps(content), encoding='utf-8')
    return path


def read_json(path):
    """Read JSON as the standard has it: without NaN and Infinity."""

    def refuse(name):
        raise AssertionError(f'{name} is not JSON')

    return json.loads(path.read_text('utf-8'), parse_constant=refuse)
