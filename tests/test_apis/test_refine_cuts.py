# Copyright (c) hanet_mm contributors. All rights reserved.
"""Poses of videos with cuts."""

import json

import numpy as np
import pytest
from format_files import make_coco_refiner
from refine_data import write_json

import hanet_mm
from hanet_mm.apis import refine_file
from hanet_mm.apis.formats import open_poses
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.filters import GaussianFilter

FRAMES, CUT = 16, 7


@pytest.fixture
def refiner(tmp_path):
    make_coco_refiner().save(tmp_path / 'coco.safetensors')
    return tmp_path / 'coco.safetensors'


def make_instance(pose, track_id):
    return dict(keypoints=pose.tolist(), track_id=track_id)


def make_poses(frames):
    rng = np.random.default_rng(0)
    start = rng.uniform(50, 200, (1, 17, 2))
    return start + rng.normal(0, 3, (frames, 17, 2)).cumsum(0)


def with_cut():
    """Somebody who is elsewhere from a frame on, and where missing."""
    poses = make_poses(FRAMES)
    size = np.ptp(poses, axis=1).max()
    poses[CUT:] += 5 * size
    poses[3, 1] = poses[CUT, 0] = np.nan
    return poses


def save(path, poses, number=1):
    return write_json(
        path,
        [
            dict(frame_id=i, instances=[make_instance(x, track_id=number)])
            for i, x in enumerate(poses)
        ],
    )


def read(path):
    frames = json.loads(path.read_text())
    found = [x['instances'][0] for x in frames]
    keys = ('keypoints', 'filled')
    return [np.array([x[key] for x in found]) for key in keys]


@pytest.mark.parametrize('method', ['refiner', 'filter'])
def test_nothing_is_smoothed_over_a_cut(tmp_path, refiner, method):
    poses, out = with_cut(), tmp_path / 'out.json'
    source = save(tmp_path / 'in.json', poses)
    name, alone = refiner, make_coco_refiner()
    if method == 'filter':
        name, alone = 'filter:gaussian:sigma=2', GaussianFilter(2)
    summary = refine_file(source, out, name)
    assert summary.num_cuts == 1
    assert 'divided at 1 cut of the video' in summary.brief
    assert summary.to_dict()['cuts'] == 1
    keypoints, filled = read(out)
    parts = [alone.refine(x) for x in (poses[:CUT], poses[CUT:])]
    expected = np.concatenate([x.keypoints for x in parts])
    np.testing.assert_allclose(keypoints, expected, rtol=0, atol=1e-3)
    assert np.argwhere(filled).tolist() == [[3, 1], [CUT, 0]]


def test_others_of_the_file_are_whole(tmp_path, refiner):
    whole = make_poses(FRAMES)
    frames = [
        dict(
            frame_id=i,
            instances=[
                make_instance(pose, track_id=1),
                make_instance(other, track_id=2),
            ],
        )
        for i, (pose, other) in enumerate(zip(with_cut(), whole))
    ]
    source, out = write_json(tmp_path / 'in.json', frames), tmp_path / 'o.json'
    assert refine_file(source, out, refiner).num_cuts == 1
    found = [
        x['instances'][1]['keypoints'] for x in json.loads(out.read_text())
    ]
    expected = make_coco_refiner().refine(whole).keypoints
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize('gone', [True, False])
def test_keypoints_that_the_refiner_does_not_know(tmp_path, refiner, gone):
    """They are smoothed by another filter; gone: before the cut are none."""
    names = SKELETONS['halpe26'].keypoint_names
    poses = np.random.default_rng(0).uniform(50, 200, (1, 26, 2))
    poses = poses + np.random.default_rng(1).normal(0, 1, (FRAMES, 26, 2))
    poses[CUT:] += 900
    if gone:
        poses[:CUT, 17:] = np.nan
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    np.savez(source, keypoints=poses, keypoint_names=np.array(names))
    refine_file(source, out, refiner, others='gaussian:sigma=2')
    found = open_poses(out).tracks[0].keypoints[:, 17:]
    expected = poses[:, 17:].copy()
    for part in (slice(CUT), slice(CUT, None))[gone:]:
        expected[part] = GaussianFilter(2).refine(expected[part]).keypoints
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_a_video_without_cuts_says_nothing(tmp_path, refiner):
    source = save(tmp_path / 'in.json', make_poses(FRAMES))
    summary = refine_file(source, tmp_path / 'out.json', refiner)
    assert summary.num_cuts == 0
    assert 'cut' not in summary.brief


def test_results_in_python(refiner):
    poses = np.random.default_rng(0).normal(200, 50, (1, 17, 2))
    poses = poses + np.random.default_rng(1).normal(0, 1, (FRAMES, 17, 2))
    poses[CUT:] += 900
    scores = np.ones((1, 17))
    refined = hanet_mm.refine(
        [(x[None], scores) for x in poses], 'filter:gaussian:sigma=2'
    )
    parts = [GaussianFilter(2).refine(x) for x in (poses[:CUT], poses[CUT:])]
    np.testing.assert_allclose(
        np.stack([keypoints[0] for keypoints, _ in refined]),
        np.concatenate([x.keypoints for x in parts]),
        atol=1e-3,
    )
