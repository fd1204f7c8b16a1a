# Copyright (c) hanet_mm contributors. All rights reserved.
"""Windows of motion at any rate, bodies of other build."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import CubicHermiteSpline

from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.datasets.simulation import (
    DIMS,
    JOINT_NAMES,
    MotionBank,
    captured_motion,
    cut_windows,
    generate_motion,
    join,
    procedural_motion,
)
from hanet_mm.datasets.simulation.keypoints import (
    SEGMENTS,
    mirror_bodies,
    procedural_keypoints,
    sample_factors,
    scale_bodies,
)
from hanet_mm.datasets.simulation.motion_bank import _at

# Kinds of bones by their ends; '+' is a middle.
BONES = {
    'coco17': dict(
        thigh=('left_hip', 'left_knee'),
        shank=('right_knee', 'right_ankle'),
        upper_arm=('right_shoulder', 'right_elbow'),
        forearm=('left_elbow', 'left_wrist'),
        hips=('left_hip', 'right_hip'),
        shoulders=('left_shoulder', 'right_shoulder'),
        trunk=('left_hip+right_hip', 'left_shoulder+right_shoulder'),
        neck=('left_shoulder+right_shoulder', 'left_ear+right_ear'),
        head=('nose', 'left_ear'),
    ),
    'h36m17': dict(
        thigh=('right_hip', 'right_knee'),
        shank=('left_knee', 'left_foot'),
        upper_arm=('left_shoulder', 'left_elbow'),
        forearm=('right_elbow', 'right_wrist'),
        hips=('root', 'left_hip'),
        shoulders=('thorax', 'right_shoulder'),
        trunk=('root', 'spine'),
        neck=('thorax', 'neck_base'),
        head=('neck_base', 'head'),
    ),
}
BONES['coco_wholebody_body'] = {
    **BONES['coco17'],
    'forearm': ('left_ankle', 'left_heel'),
}


def bank(joints, lengths=None, fps=30.0, clean=None):
    joints = np.asarray(joints, dtype=np.float32)
    lengths = np.array(lengths or [len(joints)])
    return MotionBank(
        joints,
        np.ones(len(joints), bool) if clean is None else clean,
        np.cumsum(lengths) - lengths,
        lengths,
        np.full(len(lengths), fps),
        lengths / lengths.sum(),
    )


def ramp(frames, names=17):
    """Every coordinate of every joint is the number of the frame."""
    return np.tile(np.arange(frames)[:, None, None], (1, names, 3))


def cut(source, num=200, frames=21, fps=(15, 60), speed=(0.7, 1.4), seed=0):
    rng = np.random.default_rng(seed)
    return cut_windows(rng, source, num, frames, fps, speed)


def node(joints, skeleton, name):
    places = [
        SKELETONS[skeleton].keypoint_names.index(n) for n in name.split('+')
    ]
    return joints[..., places, :].mean(axis=-2)


def test_steady_motion_stays_steady_at_any_rate():
    # 0.6 m/s in the recording.
    joints, clean, fps = cut(bank(0.02 * ramp(300)))
    step = np.diff(joints[..., 0, 0].astype(np.float64), axis=1)
    np.testing.assert_allclose(step, step[:, :1].repeat(20, 1), atol=1e-5)
    speed = step[:, 0] * fps / 0.6
    backwards = speed < 0
    assert 0.35 < backwards.mean() < 0.65
    speed = np.abs(speed)
    assert 0.7 - 1e-3 < speed.min() < 0.75
    assert 1.35 < speed.max() < 1.4 + 1e-3
    assert 15 <= fps.min() < 16.5
    assert 55 < fps.max() <= 60
    # As many below 30 per second as above.
    assert (fps < 30).mean() == pytest.approx(0.5, abs=0.12)
    assert clean.all()


def test_windows_begin_anywhere_and_stay_within_their_sequence():
    values = np.concatenate([ramp(200), 1000 + ramp(100)])
    joints, *_ = cut(bank(values, [200, 100]), 1500, 5)
    middle = joints[:, 2, 0, 0]
    second = middle > 500
    assert second.mean() == pytest.approx(1 / 3, abs=0.05)
    for found, low, high in (
        (joints[~second], 0, 199),
        (joints[second], 1000, 1099),
    ):
        assert low <= found.min() < low + 0.02 * (high - low)
        assert high >= found.max() > high - 0.02 * (high - low)
        centre = np.mean(found[:, 2, 0, 0])
        assert centre == pytest.approx((low + high) / 2, rel=0.05)


def test_short_sequences_are_sampled_at_a_higher_rate():
    joints, _, fps = cut(bank(ramp(11)), frames=41, speed=(1.0, 1.0))
    assert joints.min() >= 0
    assert joints.max() <= 10 + 1e-5
    step = np.abs(np.diff(joints[..., 0, 0].astype(np.float64), axis=1))
    np.testing.assert_allclose(step.mean(axis=1) * fps, 30, rtol=1e-4)
    # 40 steps in 10 frames of 1 / 30 s.
    assert fps.min() == pytest.approx(120, rel=1e-5)


def test_a_pose_stands_still():
    joints, _, fps = cut(bank(ramp(1) + 3.0), num=4)
    np.testing.assert_array_equal(joints, 3)
    assert np.isfinite(fps).all()


def test_motion_between_frames_is_a_cubic_spline():
    rng = np.random.default_rng(0)
    lengths = [12, 9]
    source = bank(rng.normal(0, 1, (21, 17, 3)), lengths)
    time = rng.uniform(0, np.array(lengths)[:, None] - 1, (2, 50))
    time[:, :4] = [[0, 0.5, 10.5, 11], [0, 1, 7.9, 8]]
    joints, _ = _at(source, np.array([0, 1]), time)
    for i, part in enumerate(np.split(source.joints, [12])):
        slope = np.gradient(part, axis=0)
        spline = CubicHermiteSpline(np.arange(len(part)), part, slope)
        np.testing.assert_allclose(joints[i], spline(time[i]), atol=1e-5)


def test_what_comes_from_frames_that_are_not_clean_is_not():
    clean = np.ones(200, bool)
    clean[50] = False
    joints, found, _ = cut(bank(ramp(200), clean=clean), 800)
    time = joints[..., 0, 0]
    # Four frames make a pose: frame 50 is among them from 48 to 52.
    sure = np.abs(np.abs(time - 50) - 2) > 1e-3
    np.testing.assert_array_equal(found[sure], (np.abs(time - 50) > 2)[sure])
    assert (~found).any()


@pytest.mark.parametrize('skeleton', sorted(DIMS))
def test_procedural_people_have_the_keypoints(skeleton):
    names = SKELETONS[skeleton].keypoint_names
    motion = generate_motion(np.random.default_rng(0), 6, 40, 30.0)
    joints = procedural_keypoints(motion.joints, names)
    assert joints.shape == (6, 40, len(names), 3)
    # y up: x, z, -y, which turns and does not mirror.
    old = motion.joints[..., JOINT_NAMES.index('left_wrist'), :]
    new = joints[..., names.index('left_wrist'), :]
    np.testing.assert_allclose(new, old[..., [0, 2, 1]] * [1, 1, -1])
    # Bones keep their lengths.
    for start, end in BONES[skeleton].values():
        length = np.linalg.norm(
            node(joints, skeleton, start) - node(joints, skeleton, end),
            axis=-1,
        )
        assert length.mean() > 0.05
        if '+' not in start:
            assert np.ptp(length, axis=1).max() < 0.06 * length.mean()


def test_procedural_faces_look_ahead():
    names = SKELETONS['coco17'].keypoint_names
    motion = generate_motion(np.random.default_rng(0), 20, 30, 30.0)
    joints = procedural_keypoints(motion.joints, names).astype(np.float64)

    def at(name):
        return node(joints, 'coco17', name)

    ears = at('left_ear') - at('right_ear')
    shoulders = at('left_shoulder') - at('right_shoulder')
    across = np.sum(ears * shoulders, -1)
    across /= np.linalg.norm(ears, axis=-1) * np.linalg.norm(
        shoulders, axis=-1
    )
    assert across.min() > 0.8
    # Left, ahead, up: right-handed.
    nose = at('nose') - at('left_ear+right_ear')
    up = at('left_ear+right_ear') - at('left_shoulder+right_shoulder')
    ahead = np.cross(shoulders, up)
    cosine = np.sum(nose * ahead, -1)
    cosine /= np.linalg.norm(nose, axis=-1) * np.linalg.norm(ahead, axis=-1)
    assert cosine.min() > 0.5
    assert np.median(cosine) > 0.8
    # As wide as measured heads: 15 cm at 1.7 m, in proportion.
    width = np.linalg.norm(ears, axis=-1).mean()
    assert width == pytest.approx(0.15, rel=0.1)


def test_banks_are_joined_with_their_shares():
    one, two = bank(ramp(50)), bank(1000 + ramp(30), [10, 20], fps=60.0)
    joints, _, fps = cut(join(one, two, 0.25), 2000, 3, speed=(1, 1))
    second = joints[:, 0, 0, 0] > 500
    assert second.mean() == pytest.approx(0.25, abs=0.03)
    third = joints[second][:, 0, 0, 0] >= 1010
    assert third.mean() == pytest.approx(2 / 3, abs=0.06)
    step = np.abs(np.diff(joints[..., 0, 0], axis=1)).mean(axis=1)
    np.testing.assert_allclose(step * fps, np.where(second, 60, 30), rtol=1e-3)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from(sorted(DIMS)))
def test_bones_are_scaled_by_their_factors(seed, skeleton):
    rng = np.random.default_rng(seed)
    count = len(SKELETONS[skeleton])
    joints = rng.normal(0, 0.5, (3, 4, count, 3)).astype(np.float32)
    factors, overall = sample_factors(rng, 3)
    scaled = scale_bodies(joints, skeleton, factors, overall)
    for kind, (start, end) in BONES[skeleton].items():
        old = node(joints, skeleton, end) - node(joints, skeleton, start)
        new = node(scaled, skeleton, end) - node(scaled, skeleton, start)
        factor = (factors[kind] * overall)[:, None, None]
        np.testing.assert_allclose(new, factor * old, atol=2e-5)
        # Children have larger heads and shorter legs.
        growth = dict(head=-0.6, neck=-0.3, thigh=0.2, shank=0.25)
        found = factors[kind] / overall ** growth.get(kind, 0.0)
        low, high = SEGMENTS[kind]
        assert low - 1e-9 <= found.min() <= found.max() <= high + 1e-9
    # The way over the floor goes with the length of the legs.
    root = 'root' if skeleton == 'h36m17' else 'left_hip+right_hip'
    leg = (0.5 * (factors['thigh'] + factors['shank']) * overall)[:, None]
    np.testing.assert_allclose(
        node(scaled, skeleton, root),
        leg[..., None] * node(joints, skeleton, root),
        atol=2e-5,
    )


@pytest.mark.parametrize('skeleton', sorted(DIMS))
def test_both_sides_are_scaled_alike(skeleton):
    rng = np.random.default_rng(0)
    count = len(SKELETONS[skeleton])
    joints = rng.normal(0, 0.5, (5, 3, count, 3)).astype(np.float32)
    factors, overall = sample_factors(rng, 5)
    all_of_them = np.ones(5, bool)
    one = mirror_bodies(
        scale_bodies(joints, skeleton, factors, overall), skeleton, all_of_them
    )
    other = scale_bodies(
        mirror_bodies(joints, skeleton, all_of_them),
        skeleton,
        factors,
        overall,
    )
    np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.parametrize('skeleton', sorted(DIMS))
def test_mirrored_bodies_exchange_their_names(skeleton):
    names = SKELETONS[skeleton].keypoint_names
    joints = np.random.default_rng(0).normal(0, 1, (4, 3, len(names), 3))
    chosen = np.array([True, False, True, False])
    mirrored = mirror_bodies(joints, skeleton, chosen)
    np.testing.assert_array_equal(mirrored[~chosen], joints[~chosen])
    for i, name in enumerate(names):
        other = name
        if name.startswith('left_'):
            other = name.replace('left', 'right')
        elif name.startswith('right_'):
            other = name.replace('right', 'left')
        expected = joints[chosen][:, :, names.index(other)] * [-1, 1, 1]
        np.testing.assert_array_equal(mirrored[chosen][:, :, i], expected)


def test_procedural_motion_is_made_from_its_seed():
    one, same, other = (
        procedural_motion(np.random.default_rng(seed), 'h36m17', 4)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one.joints, same.joints)
    assert (one.joints != other.joints).any()
    assert one.joints.dtype == np.float32
    assert len(one.joints) == one.length.sum() == len(one.clean)
    assert one.chance.sum() == pytest.approx(1)


def test_parts_of_captured_motion_are_whole_recordings(shared_dir):
    path = str(shared_dir / 'data' / 'cmu_mocap_train.npz')
    parts = [captured_motion(path, 'coco17', p) for p in ('train', 'val')]
    every = captured_motion(path, 'coco17', None)
    assert (len(every.start), len(every.joints)) == (95, 30295)
    assert sum(len(p.start) for p in parts) < 95
    seen = [{x.tobytes() for x in p.joints} for p in parts]
    assert not seen[0] & seen[1]
    with pytest.raises(ValueError, match="no recording for the part 'dev'"):
        captured_motion(path, 'coco17', 'dev')
