# Copyright (c) hanet_mm contributors. All rights reserved.
"""Turning and mirroring windows."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.registry import TRANSFORMS

from hanet_mm.datasets.transforms.random_views import RandomPoseFlip, RandomYaw

pytestmark = pytest.mark.mm

FLIP = [0, 2, 1, 4, 3]


def window(dims=3, seed=0):
    rng = np.random.default_rng(seed)
    results = dict(
        keypoints=rng.normal(2, 1, (7, 5, dims)).astype(np.float32),
        keypoints_gt=rng.normal(2, 1, (7, 5, dims)).astype(np.float32),
        keypoint_scores=rng.random((7, 5), dtype=np.float32),
        keypoints_valid=rng.random((7, 5)) < 0.7,
        keypoints_visible=rng.random((7, 5), dtype=np.float32),
        flip_indices=FLIP,
    )
    if dims == 2:
        low = results['keypoints_gt'].min(axis=1)
        high = results['keypoints_gt'].max(axis=1)
        results['bboxes'] = np.concatenate([low, high], axis=1)
    return results


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31 - 1), st.floats(0, 180))
def test_yaw_turns_estimate_and_truth_alike(seed, angle):
    before = window(seed=seed % 100)
    np.random.seed(seed)  # noqa: NPY002
    after = RandomYaw(angle).transform(dict(before))
    pairs = [(before[k], after[k]) for k in ('keypoints', 'keypoints_gt')]
    # Height stays, the middle of the true joints stays.
    for old, new in pairs:
        np.testing.assert_allclose(new[..., 1], old[..., 1], atol=1e-5)
    np.testing.assert_allclose(
        after['keypoints_gt'].mean((0, 1)),
        before['keypoints_gt'].mean((0, 1)),
        atol=1e-5,
    )
    # All distances stay, between estimate and truth as well.
    old, new = (
        np.concatenate(x).reshape(-1, 3).astype(np.float64)
        for x in zip(*pairs)
    )
    for x in (1, 8, 33):
        np.testing.assert_allclose(
            np.linalg.norm(new - np.roll(new, x, 0), axis=-1),
            np.linalg.norm(old - np.roll(old, x, 0), axis=-1),
            atol=1e-4,
        )
    # No mirror image: the angle in the plane of x and z is the same for
    # every joint, and no larger than asked for.
    centre = before['keypoints_gt'].mean((0, 1), dtype=np.float64)
    old, new = (
        (x - centre)[:, 0] + 1j * (x - centre)[:, 2] for x in (old, new)
    )
    turned = np.angle(np.sum(new * old.conj()))
    np.testing.assert_allclose(new, old * np.exp(1j * turned), atol=1e-4)
    assert abs(np.degrees(turned)) <= angle + 1e-2


def test_yaw_draws_all_angles():
    before = window()
    angles = []
    for _ in range(300):
        after = RandomYaw()(dict(before))['keypoints_gt']
        old, new = (
            x[0, 0, ::2] - before['keypoints_gt'].mean((0, 1))[::2]
            for x in (before['keypoints_gt'], after)
        )
        angles.append(np.arctan2(*new[::-1]) - np.arctan2(*old[::-1]))
    # Uniform on the circle: the mean direction has length below 0.2.
    assert abs(np.exp(1j * np.array(angles)).mean()) < 0.2


@pytest.mark.parametrize('dims', [2, 3])
def test_flip_mirrors_and_exchanges_sides(dims):
    before = window(dims)
    after = RandomPoseFlip(1.0)(dict(before))
    twice = 2 * before['keypoints_gt'][..., 0].mean(dtype=np.float64)
    for key in ('keypoints', 'keypoints_gt'):
        for joint, other in enumerate(FLIP):
            np.testing.assert_allclose(
                after[key][:, joint, 0],
                twice - before[key][:, other, 0],
                atol=1e-5,
            )
            np.testing.assert_array_equal(
                after[key][:, joint, 1:], before[key][:, other, 1:]
            )
    for key in ('keypoint_scores', 'keypoints_valid', 'keypoints_visible'):
        np.testing.assert_array_equal(after[key], before[key][:, FLIP])
    if dims == 2:
        low, high = after['bboxes'][:, :2], after['bboxes'][:, 2:]
        np.testing.assert_allclose(
            low, after['keypoints_gt'].min(axis=1), atol=1e-5
        )
        np.testing.assert_allclose(
            high, after['keypoints_gt'].max(axis=1), atol=1e-5
        )


def test_flipping_twice_changes_nothing():
    before = window()
    flip = RandomPoseFlip(1.0)
    after = flip(flip(dict(before)))
    for key in ('keypoints', 'keypoints_gt', 'keypoint_scores'):
        np.testing.assert_allclose(after[key], before[key], atol=1e-5)


def test_flip_keeps_its_probability():
    before = window()
    np.random.seed(0)  # noqa: NPY002
    changed = [
        RandomPoseFlip(0.3)(dict(before))['keypoints']
        is not before['keypoints']
        for _ in range(1000)
    ]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.07)


@pytest.mark.parametrize('name', ['RandomYaw', 'RandomPoseFlip'])
def test_arrays_of_the_data_set_are_not_written_to(name):
    given_arrays = window()
    before = {k: np.copy(v) for k, v in given_arrays.items()}
    config = dict(type=name, **(dict(prob=1.0) if 'Flip' in name else {}))
    TRANSFORMS.build(config)(dict(given_arrays))
    for key, value in before.items():
        np.testing.assert_array_equal(given_arrays[key], value)


@pytest.mark.parametrize(
    ('build', 'results', 'message'),
    [
        (lambda: RandomYaw(200), None, r'max_angle: .*\[0, 180\], found 200'),
        (lambda: RandomPoseFlip(2), None, r'prob: .*\[0, 1\], found 2'),
        (RandomYaw, window(2), r'expected keypoints \(T, K, 3\), found D = 2'),
        (RandomPoseFlip, window(6), 'found D = 6'),
    ],
)
def test_bad_view_arguments(build, results, message):
    with pytest.raises(ValueError, match=message):
        build()(results)
