# Copyright (c) hanet_mm contributors. All rights reserved.
"""The refiners that come with the package: files, cards, use."""

import warnings

import numpy as np
import pytest

from hanet_mm import list_refiners, load_refiner, refiner_card
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.weights_file import (
    WEIGHTS,
    default_refiner,
    summarize_refiner,
)

NAMES = list_refiners()
SKELETON_OF = {
    'body23-2d': 'coco_wholebody_body',
    'coco17-2d': 'coco17',
    'h36m17-3d': 'h36m17',
}
# What CMU asks those who use its data to say.
CMU = (
    'The data used in this project was obtained from mocap.cs.cmu.edu. The '
    'database was created with funding from NSF EIA-0196217.'
)
MEGABYTES = 12

if not NAMES:
    pytest.skip('this checkout has no weights', allow_module_level=True)


# A person who stands, metres from the pelvis: across and down; sides mirrored.
STANDING = dict(
    nose=(0, -0.65),
    eye=(0.03, -0.69),
    ear=(0.07, -0.67),
    shoulder=(0.17, -0.48),
    elbow=(0.24, -0.2),
    wrist=(0.27, 0.05),
    hip=(0.11, 0),
    knee=(0.12, 0.42),
    ankle=(0.12, 0.83),
    foot=(0.12, 0.83),
    heel=(0.1, 0.9),
    big_toe=(0.2, 0.92),
    small_toe=(0.24, 0.9),
    root=(0, 0),
    spine=(0, -0.23),
    thorax=(0, -0.48),
    neck_base=(0, -0.56),
    head=(0, -0.7),
)


def sway(refiner, frames=90, noise=0.02):
    """A person who moves smoothly, with jitter, gaps and scores."""
    rng = np.random.default_rng(0)
    head = refiner.network.head
    pose = np.zeros((head.num_keypoints, head.coord_dims))
    for row, name in zip(pose, refiner.keypoint_names):
        side, _, part = name.partition('_' if '_' in name else ' ')
        across, down = STANDING.get(name) or STANDING[part]
        row[:2] = across * {'left': 1, 'right': -1}.get(side, 0), down
    time = np.arange(frames)[:, None, None] / 30
    truth = pose + 0.1 * np.sin(2 * np.pi * (time + pose))
    points = truth + noise * rng.standard_normal(truth.shape)
    if head.coord_dims == 3:
        points[..., 2] += 4
    else:
        points = 300 + 150 * points
    scores = rng.uniform(0.3, 1, truth.shape[:2])
    points[20:26, 3] = np.nan
    scores[40:43, 5] = 0
    return points.astype(np.float32), scores.astype(np.float32)


def test_all_together_are_small():
    files = [x for x in WEIGHTS.rglob('*') if x.is_file()]
    assert sum(x.stat().st_size for x in files) < MEGABYTES * 1e6


def test_every_file_belongs_to_a_refiner():
    expected = {f'{x}{end}' for x in NAMES for end in ('.safetensors', '.md')}
    found = {x.name for x in WEIGHTS.iterdir()} - {'README.md'}
    assert found == expected


@pytest.mark.parametrize('name', NAMES)
def test_card_tells_what_one_has_to_know(name):
    card = refiner_card(name)
    assert card.startswith(f'# {name}\n')
    assert 20 <= len(summarize_refiner(name)) <= 200
    headings = ' '.join(
        line.lower() for line in card.splitlines() if line.startswith('## ')
    )
    for topic in ('data', 'licence', 'training', 'validation', 'limits'):
        assert topic in headings, f'{name}: no section about {topic}'
    text = ' '.join(card.split())
    assert CMU in text
    assert 'python tools/train.py configs/' in text
    assert 'hanet-mm export' in text


@pytest.mark.parametrize('name', NAMES)
def test_config_of_the_card_is_there(name, repo_root):
    words = refiner_card(name).split()
    configs = [x.strip('`') for x in words if x.startswith('configs/')]
    assert configs
    for config in configs:
        assert (repo_root / config).is_file(), config


@pytest.mark.parametrize('name', NAMES)
def test_its_stride_costs_next_to_nothing(name):
    refiner = load_refiner(name)
    assert refiner.stride > 1
    sequence, (truth, _) = sway(refiner, 200), sway(refiner, 200, noise=0)
    errors = []
    for stride in (1, refiner.stride):
        refiner.stride = stride
        result = refiner.refine(*sequence).keypoints
        errors.append(np.nanmean(np.linalg.norm(result - truth, axis=-1)))
    assert errors[1] <= 1.01 * errors[0]


@pytest.mark.parametrize('name', NAMES)
def test_keypoints_are_those_of_mmpose(name):
    refiner = load_refiner(name)
    skeleton = SKELETONS[SKELETON_OF[name]]
    assert tuple(refiner.keypoint_names) == skeleton.keypoint_names
    parse = pytest.importorskip('mmpose.datasets.datasets.utils')
    info = {
        'body23-2d': 'coco_wholebody',
        'coco17-2d': 'coco',
        'h36m17-3d': 'h36m',
    }[name]
    meta = parse.parse_pose_metainfo(
        dict(from_file=f'configs/_base_/datasets/{info}.py')
    )
    names = [meta['keypoint_id2name'][i] for i in range(len(skeleton))]
    assert refiner.keypoint_names == names


@pytest.mark.parametrize('name', NAMES)
def test_a_clip_is_refined(name):
    refiner = load_refiner(name)
    points, scores = sway(refiner)
    result = refiner.refine(points, scores, fps=30)
    assert result.keypoints.shape == points.shape
    assert np.isfinite(result.keypoints).all()
    assert result.filled.sum() == 6 + 3
    # Steadier than what came, in frames where all was there. The root of 3D
    # poses stays as it came.
    results = [result.keypoints, points]
    if points.shape[-1] == 3:
        results = [x - x[:, :1] for x in results]
    after, before = (
        np.linalg.norm(np.diff(x[44:], n=2, axis=0), axis=-1).mean()
        for x in results
    )
    assert after < 0.5 * before


@pytest.mark.parametrize('name', NAMES)
def test_what_is_no_person_is_left_to_a_filter(name):
    refiner = load_refiner(name)
    points, scores = sway(refiner)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        refiner.refine(points, scores)
    order = np.random.default_rng(1).permutation(points.shape[1])
    with pytest.warns(UserWarning, match="outside the refiner's training"):
        refiner.refine(points[:, order], scores[:, order])


@pytest.mark.parametrize(
    ('name', 'refiner'),
    [
        ('halpe26', 'body23-2d'),
        ('openpose25', 'body23-2d'),
        ('openpose25b', 'body23-2d'),
        ('mediapipe33', 'body23-2d'),
        ('coco_wholebody133', 'body23-2d'),
        ('coco17', 'coco17-2d'),
        ('openpose18', 'coco17-2d'),
        ('jhmdb15', 'coco17-2d'),
    ],
)
def test_keypoints_with_feet_get_the_refiner_of_feet(name, refiner):
    assert default_refiner(2, SKELETONS[name].keypoint_names) == refiner


def test_feet_become_steadier_with_the_refiner_of_feet():
    refiner = load_refiner('body23-2d')
    points, scores = sway(refiner)
    points[20:26, 17:] += 40  # the feet jump off for a fifth of a second
    result = refiner.refine(points, scores, fps=30)
    jumps = [
        np.linalg.norm(np.diff(x[:, 17:], axis=0), axis=-1).max()
        for x in (result.keypoints, points)
    ]
    assert jumps[0] < 0.5 * jumps[1]
