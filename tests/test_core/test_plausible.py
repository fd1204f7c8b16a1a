# Copyright (c) hanet_mm contributors. All rights reserved.
"""Placeholders, outliers and numbers beyond float32."""

import numpy as np
import pytest

from hanet_mm import Refiner, StreamingRefiner
from hanet_mm.core.data.plausible import (
    glance_at,
    ignored_keypoints,
    nothing_ignored,
    unmasked,
)
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.boxes import unit_length
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.trust import OUTLIER
from hanet_mm.filters import MedianFilter

NAMES = SKELETONS['coco17'].keypoint_names
K = len(NAMES)


def make_body(frames=30, dims=2, seed=0):
    rng = np.random.default_rng(seed)
    body = 300 + 60 * rng.normal(size=(K, dims))
    walk = rng.normal(size=(frames, K, dims)).cumsum(0)
    return (body + walk).astype(np.float32)


def make_refiner(dims=2):
    shape = dict(num_keypoints=K, coord_dims=dims, embed_dims=16)
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=2),
            head=dict(shape, num_layers=1),
            sample_interval=2,
        ),
        window_size=9,
        normalization='box',
        keypoint_names=list(NAMES),
        trust=True,
    )


def find(poses):
    return ignored_keypoints(poses, np.isnan(poses).any(-1))


@pytest.mark.parametrize('unit', [1, 1 / 640, 1000])
@pytest.mark.parametrize('value', [[5e3, 5e3], [1e6, 40], [-1e7, 1e7]])
@pytest.mark.parametrize(
    'place', [(0, 0), (slice(0, 3), 4), (5, [1, 2, 3]), (slice(None), 7)]
)
def test_extreme_keypoints_are_outliers(place, value, unit):
    poses = make_body()
    poses[place] = value
    expected = np.zeros((30, K), bool)
    expected[place] = True
    found = find(poses * unit)
    np.testing.assert_array_equal(found.outliers, expected)
    assert not found.placeholders.any()


def test_people_jump_but_not_a_hundred_bodies():
    poses = make_body()
    poses[10:14] += 2000
    assert not find(poses).any.any()
    poses[10:14] += 1e6
    np.testing.assert_array_equal(
        find(poses).outliers.all(1), np.isin(np.arange(30), range(10, 14))
    )


@pytest.mark.parametrize('count', [1, 2])
def test_few_keypoints_are_compared_with_the_frames_around(count):
    poses = make_body()[:, :count]
    poses[20, 0] = 1e6
    assert np.argwhere(find(poses).outliers).tolist() == [[20, 0]]


def test_where_people_are_points_far_is_far_in_any_unit():
    for unit in (1, 1 / 640):
        poses = np.full((12, K, 2), 300.0) * unit
        assert not find(poses).any.any()
        poses[3, 4] = 1e6 * unit
        assert np.argwhere(find(poses).outliers).tolist() == [[3, 4]]


@pytest.mark.parametrize('value', [0, -1, -999])
@pytest.mark.parametrize('unit', [1, 1 / 640])
def test_placeholders_of_pictures(value, unit):
    poses = make_body() * unit
    hidden = np.random.default_rng(1).random((30, K)) < 0.4
    hidden[:, 3] = hidden[7] = True  # one never, nobody in a frame
    poses[hidden] = value
    np.testing.assert_array_equal(find(poses).placeholders, hidden)


def test_zero_is_a_place_about_another_origin_and_in_3d():
    poses = make_body() - 300
    poses[:, 0] = 0
    assert not find(poses).any.any()
    poses = make_body(dims=3)
    poses[:, 0] = 0
    assert not find(poses).any.any()


def test_zero_is_a_place_on_the_way_of_the_keypoint():
    poses = make_body()
    poses -= poses[15, 2]  # about to leave the corner of the picture
    poses = np.abs(poses)
    assert not find(poses).placeholders.any()


@pytest.mark.parametrize('dims', [2, 3])
def test_a_glance_overlooks_nothing(dims):
    rng, clear = np.random.default_rng(3), 0
    for _ in range(300):
        poses = make_body(dims=dims, seed=int(rng.integers(1000)))
        poses -= rng.choice([0, 300])
        poses[rng.random((30, K)) < rng.choice([0, 0.3, 0.97])] = np.nan
        place = int(rng.integers(30)), int(rng.integers(K))
        if rng.random() < 0.7:
            poses[place] += 10 ** rng.uniform(1, 5)
        if rng.random() < 0.2:
            poses[place] = rng.choice([0, -1])
        missing = np.isnan(poses).any(-1)
        # Of each frame alone, as a stream does it.
        glances = np.concatenate(
            [
                glance_at(poses[i : i + 1], missing[i : i + 1])
                for i in range(30)
            ]
        )
        if nothing_ignored(glances):
            clear += 1
            assert not ignored_keypoints(poses, missing).any.any()
    assert clear > 30


@pytest.mark.parametrize('dims', [2, 3])
def test_a_usual_person_is_clear_at_a_glance(dims):
    poses = make_body(dims=dims)
    poses[:, 3] = poses[7] = np.nan  # one never, nobody in a frame
    assert nothing_ignored(glance_at(poses, np.isnan(poses).any(-1)))
    poses[4] = np.nan
    poses[4, :2] = 1e5  # too few to tell on their own
    assert not nothing_ignored(glance_at(poses, np.isnan(poses).any(-1)))


@pytest.mark.parametrize('dims', [2, 3])
def test_an_outlier_is_filled_and_moves_nothing_else(dims):
    refiner, poses = make_refiner(dims), make_body(dims=dims)
    hole, wrong = poses.copy(), poses.copy()
    hole[3, 4], wrong[3, 4] = np.nan, 1e6
    expected, found = refiner.refine(hole), refiner.refine(wrong)
    np.testing.assert_array_equal(found.keypoints, expected.keypoints)
    assert np.argwhere(found.filled).tolist() == [[3, 4]]
    assert found.reason[3, 4] == OUTLIER
    found.reason[3, 4] = expected.reason[3, 4]
    np.testing.assert_array_equal(found.reason, expected.reason)
    smooth = MedianFilter(5)
    np.testing.assert_array_equal(
        smooth.refine(wrong).keypoints, smooth.refine(hole).keypoints
    )


@pytest.mark.parametrize('value', [2e7, 1e15, 1e37, np.inf, -np.inf])
def test_what_float32_does_not_resolve_is_refused(value):
    poses = make_body().astype(np.float64)
    refiner, stream = make_refiner(), StreamingRefiner(make_refiner(), 3)
    wrong = poses.copy()
    wrong[3, 4, 1] = value
    with pytest.raises(ValueError, match=r'sequence 1.*frame 3, keypoint 4'):
        refiner.refine([poses, wrong])
    left = []
    for frame in range(6):
        if frame == 3:
            with pytest.raises(ValueError, match=r'track 0.*keypoint 4'):
                stream.push(wrong[frame])
        left += stream.push(poses[frame]) + stream.push(
            poses[frame], track_id='other'
        )
    assert len(left) == 2 * 3


@pytest.mark.parametrize('start', [0, 1e6])
def test_a_stream_finds_what_offline_finds(start):
    refiner, poses = make_refiner(), make_body(40)
    rng = np.random.default_rng(2)
    poses[rng.random((40, K)) < 0.05] = 0
    poses[rng.random((40, K)) < 0.05] = 1e6
    poses[0, :5] = start
    expected = refiner.refine(poses)
    stream, frames = StreamingRefiner(refiner, lookahead=60), []
    for pose in poses:
        frames += stream.push(pose)
    frames += stream.flush(0)
    for name in ('keypoints', 'filled', 'reason'):
        found = np.stack([getattr(x, name) for x in frames])
        np.testing.assert_allclose(
            found, getattr(expected, name), atol=2e-3, err_msg=name
        )


@pytest.mark.parametrize('moving', [False, True])
def test_one_keypoint_is_treated_alike_in_any_unit(moving):
    refiner = make_refiner()
    poses = np.full((20, K, 2), np.nan)
    poses[:, 0] = [320, 240]
    if moving:
        poses[:, 0] += np.linspace(0, 50, 20)[:, None]
    pixels, parts = (refiner.refine(poses * x).keypoints for x in (1, 1e-3))
    np.testing.assert_allclose(parts * 1e3, pixels, atol=2e-3)
    if not moving:
        np.testing.assert_allclose(pixels, poses[:, :1] + 0 * pixels)


def test_a_mask_hides_keypoints_and_scores():
    refiner, poses = make_refiner(), make_body()
    hidden = np.zeros(poses.shape, bool)
    hidden[3, 4, 1] = True
    masked = refiner.refine(np.ma.masked_array(poses, hidden))
    assert np.argwhere(masked.filled).tolist() == [[3, 4]]
    scores = np.ma.masked_array(np.ones((30, K)), hidden[..., 1])
    scored = refiner.refine(poses, scores)
    assert np.argwhere(scored.filled).tolist() == [[3, 4]]
    sequences = PoseSequences(
        np.ma.masked_array(poses, hidden),
        np.ones((30, K)),
        np.array([30]),
        np.array(['a']),
    )
    assert np.argwhere(~sequences.valid).tolist() == [[3, 4]]
    assert unmasked(np.ma.masked_array([1, 2], [0, 1]), 0).tolist() == [1, 0]


def test_length_that_distances_are_measured_in():
    resting = np.full((5, K, 2), 300.0)
    assert unit_length(make_body().astype(np.float64)) > 100
    assert unit_length(resting) == pytest.approx(300e-6)
    moving = resting + np.arange(5)[:, None, None]
    assert unit_length(moving) == 4
    assert unit_length(0 * resting) == pytest.approx(1e-6)
