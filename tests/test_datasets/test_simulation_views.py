# Copyright (c) hanet_mm contributors. All rights reserved.
"""Cameras all around, and chunks of what they see."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hanet_mm.datasets.simulation import (
    Chunk,
    ChunkGenerator,
    EstimatorNoise,
    noise_source,
    procedural_motion,
)
from hanet_mm.datasets.simulation.cameras import (
    before_camera,
    pictures,
    project,
    view_rotations,
)


def people(num=300, frames=20, seed=0):
    """Walking sticks 1.7 m tall, y up, at 1 m/s."""
    rng = np.random.default_rng(seed)
    place = rng.uniform([-0.3, 0, -0.3], [0.3, 1.7, 0.3], (num, 1, 17, 3))
    place[:, :, 0], place[:, :, 1] = [0, 0, 0], [0, 1.7, 0]
    way = np.arange(frames)[:, None, None] / 30 * [1.0, 0, 0]
    return (place + way).astype(np.float32)


@pytest.fixture(scope='module')
def bank2d():
    return procedural_motion(np.random.default_rng(0), 'coco17', 8)


def test_rotations_are_roll_after_pitch_after_yaw():
    rng = np.random.default_rng(0)
    yaw, pitch, roll = rng.uniform(-0.7, 0.7, (3, 30))
    found = view_rotations(yaw, pitch, roll)
    upright = Rotation.from_euler('x', np.pi)
    expected = (
        Rotation.from_euler('z', roll[:, None])
        * Rotation.from_euler('x', pitch[:, None])
        * upright
        * Rotation.from_euler('y', yaw[:, None])
    )
    np.testing.assert_allclose(found, expected.as_matrix(), atol=1e-6)
    # The viewing direction falls by the pitch.
    np.testing.assert_allclose(found[:, 2, 1], -np.sin(pitch), atol=1e-6)
    # Without roll the horizon is level.
    level = view_rotations(yaw, pitch, 0 * roll)
    np.testing.assert_allclose(level[:, 0, 1], 0, atol=1e-7)
    # Up is up in the picture.
    assert (found[:, 1, 1] < 0).all()


def test_projection_is_a_pinhole():
    points = np.float32([[[[1, 2, 4], [-3, 0.5, 2]]]])
    found = project(points, np.array([100.0]))
    np.testing.assert_allclose(found[0, 0], [[25, 50], [-150, 25]])


def test_people_before_the_camera_keep_their_shape():
    joints = people(1500)
    seen = before_camera(np.random.default_rng(0), joints)
    assert seen.dtype == np.float32

    def distances(x):
        return np.linalg.norm(x[:, :, :, None] - x[:, :, None], axis=-1)

    np.testing.assert_allclose(distances(seen), distances(joints), atol=2e-5)
    # Not mirrored: three joints seen from a fourth turn the same way.
    edges = [x[:, 0, 3:6] - x[:, 0, :1] for x in (joints, seen)]
    before, after = (np.sign(np.linalg.det(x)) for x in edges)
    np.testing.assert_array_equal(before, after)
    # The same camera throughout: the way is straight.
    way = np.diff(seen, axis=1)
    np.testing.assert_allclose(
        way, way[:, :1, :1].repeat(19, 1).repeat(17, 2), atol=1e-5
    )
    middle = seen.mean(axis=(1, 2))
    np.testing.assert_allclose(middle[:, :2], 0, atol=1e-5)
    assert 2 - 1e-5 <= middle[:, 2].min() < 2.3
    assert 9 < middle[:, 2].max() <= 10 + 1e-5
    assert seen[..., 2].min() >= 0.8 - 1e-5
    # The upright axis leans by the pitch, to both sides by the roll.
    up = (seen[:, 0, 1] - seen[:, 0, 0]) / 1.7
    pitch = np.degrees(np.arcsin(-up[:, 2]))
    # A fifth of the views is from anywhere between floor and ceiling, and a
    # fifth is tilted.
    assert -35.01 <= pitch.min() < -30
    assert 75 < pitch.max() <= 85.01
    usual = (pitch > -15) & (pitch < 45)
    assert usual.mean() == pytest.approx(0.8 + 0.2 / 2, abs=0.03)
    roll = np.degrees(np.arctan2(up[:, 0], -up[:, 1]))
    assert 25 < np.abs(roll).max() <= 30.01
    usual = np.abs(roll) < 8
    assert usual.mean() == pytest.approx(0.8 + 0.2 * 8 / 30, abs=0.03)


def test_nobody_comes_too_near():
    joints = people(100, 60) * np.float32([6, 1, 6])
    seen = before_camera(np.random.default_rng(0), joints)
    assert seen[..., 2].min() == pytest.approx(0.8, abs=1e-3)


def test_pictures_show_people_small_and_large():
    joints = people(1500, 5)
    fps = np.full(1500, 30.0)
    pixels, image = pictures(np.random.default_rng(0), joints, fps)
    assert pixels.dtype == np.float32
    tall = np.ptp(pixels[..., 1], axis=2).mean(axis=1) / image[:, 1]
    assert tall.min() < 0.2
    assert tall.max() > 1.0
    assert len(np.unique(image, axis=0)) == 5
    outside = ((pixels < 0) | (pixels > image[:, None, None])).any(axis=-1)
    # Some are cut off at the border, most are not, hardly any are outside.
    cut = outside.any(axis=(1, 2))
    assert 0.1 < cut.mean() < 0.45
    assert outside.all(axis=(1, 2)).mean() < 0.02
    small = tall < 0.4
    assert 0.03 < cut[small].mean() < 0.22
    # All over the image.
    place = pixels.mean(axis=(1, 2)) / image
    assert place[small].std(axis=0).min() > 0.15


def test_focal_lengths_are_those_of_cameras():
    joints = people(800, 2)
    pixels, image = pictures(
        np.random.default_rng(3), joints, np.full(800, 30.0)
    )
    rng = np.random.default_rng(3)
    rng.integers(5, size=800)
    seen = before_camera(rng, joints)
    # Shifts of the picture do not change differences.
    flat = project(seen, np.ones(800))
    focal = np.ptp(pixels[:, 0], axis=1) / np.ptp(flat[:, 0], axis=1)
    np.testing.assert_allclose(focal[:, 0], focal[:, 1], rtol=1e-3)
    ratio = focal[:, 0] / image.max(axis=1)
    assert 0.8 - 1e-3 <= ratio.min() < 0.81
    assert 2.3 < ratio.max() <= 2.5 + 1e-3


def test_cameras_pan_slowly_and_shake():
    still = people(600, 1).repeat(60, axis=1)
    fps = np.full(600, 30.0)
    pixels, image = pictures(np.random.default_rng(0), still, fps)
    moved = np.diff(pixels / image[:, None, None, :1], axis=1)
    # All joints move by the same.
    np.testing.assert_allclose(
        moved, moved[:, :, :1].repeat(17, axis=2), atol=2e-6
    )
    moved = moved[:, :, 0].astype(np.float64)
    pan = 30 * moved.mean(axis=1)
    calm = np.abs(np.diff(moved, axis=1)).max(axis=(1, 2)) < 1e-5
    # 30 % of the cameras stand still or pan evenly, half of them pan.
    assert calm.mean() == pytest.approx(0.3, abs=0.07)
    resting = np.abs(pan[calm]).max(axis=1) < 1e-4
    assert resting.mean() == pytest.approx(0.5, abs=0.12)
    assert 0.15 < np.abs(pan[calm][:, 0]).max() <= 0.2 + 1e-4
    shake = np.diff(moved, axis=1)[~calm].std(axis=(1, 2))
    assert shake.max() > 10 * shake.min()


def test_cameras_follow_some_people():
    joints = people(400, 41)
    fps = np.full(400, 30.0)
    pixels, image = pictures(np.random.default_rng(0), joints, fps)
    flat = np.abs(pixels.mean(axis=2) / image[:, None, :1])
    way = np.ptp(flat[..., 0], axis=1)
    assert np.percentile(way, 5) < 0.08
    assert np.percentile(way, 95) > 0.2


@pytest.mark.parametrize(
    ('skeleton', 'noise', 'dims'),
    [('coco17', 'any', 2), ('h36m17', 'any-lifter', 3)],
)
def test_chunks_have_their_shapes(skeleton, noise, dims):
    bank = procedural_motion(np.random.default_rng(0), skeleton, 4)
    make = ChunkGenerator(bank, skeleton, noise_source(noise), 25, 0.1)
    chunk, same = (make(np.random.default_rng(7), 50) for _ in range(2))
    for one, two in zip(chunk, same):
        np.testing.assert_array_equal(one, two)
    assert chunk.truth.shape == chunk.estimates.shape == (50, 25, 17, dims)
    assert chunk.scores.shape == chunk.weights.shape == (50, 25, 17)
    assert chunk.fps.shape == (50,)
    for array in chunk[:5]:
        assert array.dtype == np.float32
    assert np.isfinite(chunk.truth).all()
    missing = np.isnan(chunk.estimates).any(axis=-1)
    np.testing.assert_array_equal(missing, chunk.scores == 0)
    assert chunk.scores.max() <= 1
    assert (chunk.image_size is None) == (dims == 3)
    other = make(np.random.default_rng(8), 50)
    assert (other.truth != chunk.truth).all(axis=-1).mean() > 0.9


def quiet(**kwargs):
    return EstimatorNoise(
        **dict(
            dict(
                jitter=0.0,
                occlusion_share=0.0,
                limb_swap_share=0.0,
                body_swap_share=0.0,
                outlier_share=0.0,
                missing_share=0.0,
            ),
            **kwargs,
        )
    )


def test_short_windows_are_padded(bank2d):
    make = ChunkGenerator(bank2d, 'coco17', quiet(), 40, 0.3)
    # The short ones of a chunk are of one length.
    chunks = [make(np.random.default_rng(i), 10) for i in range(80)]
    chunk = Chunk(*map(np.concatenate, zip(*chunks)))
    there = chunk.scores > 0
    assert (there.all(-1) == there.any(-1)).all()
    np.testing.assert_array_equal(chunk.weights, there)
    length = there[..., 0].sum(axis=1)
    short = length < 40
    # One of the lengths drawn is rounded to 40.
    assert short.mean() == pytest.approx(0.3, abs=0.05)
    assert 6 <= length[short].min() < 9
    # In one piece: one edge at most on either side.
    edges = np.diff(there[..., 0].astype(int), axis=1)
    assert (edges == 1).sum(axis=1).max() == 1
    assert (edges == -1).sum(axis=1).max() == 1
    first = there[short][:, 0, 0]
    last = there[short][:, -1, 0]
    assert (~first & ~last).any()
    assert (first & ~last).any()
    assert (~first & last).any()
    whole = ChunkGenerator(bank2d, 'coco17', quiet(), 40, 0.0)
    assert (whole(np.random.default_rng(0), 100).scores > 0).all()


def test_joints_outside_the_image_are_reported_inside(bank2d):
    make = ChunkGenerator(bank2d, 'coco17', quiet(outside_clamp=1.0), 9, 0.0)
    chunk = make(np.random.default_rng(0), 200)
    last = chunk.image_size[:, None, None]
    assert ((chunk.truth < 0) | (chunk.truth > last)).any()
    np.testing.assert_array_equal(
        chunk.estimates, np.clip(chunk.truth, 0, last)
    )


def test_windows_in_which_nobody_was_found_teach_nothing(bank2d):
    noise = quiet(frame_missing_share=0.9, frame_missing_frames=30.0)
    make = ChunkGenerator(bank2d, 'coco17', noise, 10, 0.0)
    chunk = make(np.random.default_rng(0), 200)
    assert (chunk.scores > 0).any(axis=(1, 2)).all()
    empty = (chunk.weights == 0).all(axis=(1, 2))
    assert 0.4 < empty.mean() < 0.95
    np.testing.assert_array_equal(chunk.estimates[empty], chunk.truth[empty])


def test_motion_that_is_not_clean_has_weight_zero(bank2d):
    clean = np.zeros_like(bank2d.clean)
    clean[:360] = True
    make = ChunkGenerator(
        bank2d._replace(clean=clean), 'coco17', quiet(), 10, 0.0
    )
    chunk = make(np.random.default_rng(0), 400)
    assert (chunk.weights.max(-1) == chunk.weights.min(-1)).all()
    assert chunk.weights.mean() == pytest.approx(1 / 8, abs=0.05)
    assert (chunk.scores > 0).all()


def test_errors_go_with_the_size_of_the_person(bank2d):
    noise = quiet(jitter=0.03, jitter_spread=0.0, jitter_correlation=0.0)
    make = ChunkGenerator(bank2d, 'coco17', noise, 20, 0.0)
    chunk = make(np.random.default_rng(0), 300)
    error = (chunk.estimates - chunk.truth)[:, :, 9]
    size = 1.1 * np.ptp(chunk.truth, axis=2).max(axis=-1)
    # Wrists: 1.75 times the whole body's.
    relative = error / size[..., None]
    assert relative.std() == pytest.approx(0.03 * 1.75, rel=0.03)
    halves = size.mean(axis=1) > np.median(size)
    for half in (halves, ~halves):
        assert relative[half].std() == pytest.approx(0.0525, rel=0.05)
