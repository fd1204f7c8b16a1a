# Copyright (c) hanet_mm contributors. All rights reserved.
"""Units of 3D poses: declared ones are converted, odd ones refused."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.boxes import person_size
from hanet_mm.core.poses.units import (
    as_rot6d,
    check_metres,
    check_rotation_unit,
    fill_rotations,
    to_metres,
)

# A person in metres: head, hip, two feet.
PERSON = np.array([[0, 1.7, 0], [0, 0.9, 0], [-0.2, 0, 0], [0.2, 0, 0]])
SIZE = 1.7


def make(points, frames=3, **fields):
    """One sequence of a person who stands still."""
    keypoints = np.tile(np.asarray(points, np.float32), (frames, 1, 1))
    values = dict(
        keypoints_est=keypoints,
        scores=np.ones(keypoints.shape[:2]),
        seq_len=[frames],
        seq_name=['walk'],
        keypoints_gt=keypoints,
        meta={'units': 'm'},
    )
    return PoseSequences(**{**values, **fields})


def test_person_size_is_the_median_of_the_longest_sides():
    points = np.tile(PERSON, (5, 1, 1))
    points[1] = np.nan
    points[2] *= 100  # one wild frame
    assert person_size(points) == pytest.approx(SIZE)
    only_hip_and_head = np.tile([True, True, False, False], (5, 1))
    assert person_size(points, only_hip_and_head) == pytest.approx(0.8)
    assert np.isnan(person_size(points[:, :1]))


@pytest.mark.parametrize(
    ('unit', 'factor'), [('m', 1), ('cm', 100), ('mm', 1000)]
)
def test_declared_units_become_metres(unit, factor):
    result = to_metres(make(PERSON * factor, meta={'units': unit}), 'x.npz')
    assert result.meta['units'] == 'm'
    for name in ('keypoints_est', 'keypoints_gt'):
        np.testing.assert_allclose(
            getattr(result, name), np.tile(PERSON, (3, 1, 1)), rtol=1e-6
        )


def test_absolute_camera_space_is_taken_as_it_is():
    far = PERSON + [3, -2, 40]
    assert to_metres(make(far), 'x.npz').keypoints_est[0, 0, 2] == 40


@pytest.mark.parametrize(
    ('declared', 'factor', 'suspected'),
    [('m', 1000, "'mm'"), ('m', 100, "'cm'"), ('mm', 1, "'m'")],
)
def test_wrong_units_are_named(declared, factor, suspected):
    seqs = make(PERSON * factor, meta={'units': declared})
    with pytest.raises(ValueError, match='seem to be in') as error:
        to_metres(seqs, 'poses.npz')
    message = str(error.value)
    assert 'poses.npz' in message
    assert "'walk'" in message
    assert f'seem to be in {suspected}' in message
    assert f'{SIZE * factor:.4g}' in message
    assert '\n' not in message


def test_undeclared_units_are_refused_with_a_guess():
    with pytest.raises(ValueError, match=r"meta\['units'\].*None.*'mm'"):
        to_metres(make(PERSON * 1000, meta={}), 'poses.npz')
    with pytest.raises(ValueError, match="found 'px'"):
        to_metres(make(PERSON, meta={'units': 'px'}), 'poses.npz')


def test_the_truth_is_checked_too():
    truth = np.tile(PERSON * 1000, (3, 1, 1))
    with pytest.raises(ValueError, match=r"keypoints_gt .*'walk'.*'mm'"):
        to_metres(make(PERSON, keypoints_gt=truth), 'poses.npz')


def test_no_person_at_all():
    with pytest.raises(ValueError, match='no poses of a person'):
        check_metres(np.tile(PERSON * 1e7, (2, 1, 1)), 'here')
    # A single point has no size: nothing to suspect.
    check_metres(np.zeros((4, 3, 3)), 'here')


def test_rot6d_of_is_the_published_order():
    vectors = np.random.default_rng(0).normal(0, 2, (6, 24, 3))
    matrices = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix()
    expected = matrices[:, :, :2].reshape(6, 24, 6)  # r00 r01 r10 r11 ..
    np.testing.assert_allclose(as_rot6d(vectors), expected, atol=1e-6)
    # What is 6D already comes back, whatever the lengths of its columns.
    longer = expected * np.tile([2.0, 0.5], 3)
    np.testing.assert_allclose(as_rot6d(longer), expected, atol=1e-6)


def test_rot6d_of_keeps_gaps():
    vectors = np.zeros((2, 3, 3))
    vectors[1, 2] = np.nan
    result = as_rot6d(vectors)
    assert np.isnan(result[1, 2]).all()
    assert np.isfinite(result).sum() == 5 * 6


def test_rotations_have_the_shape_of_their_unit():
    for units, dims in (('axis-angle', 3), ('rot6d', 6)):
        good = make(np.zeros((24, dims)), meta={'units': units})
        check_rotation_unit(good, 'x.npz')
    for units, dims in (('rot6d', 3), ('axis-angle', 6), ('m', 3)):
        bad = make(np.ones((24, dims)), meta={'units': units})
        with pytest.raises(ValueError, match=r'x\.npz.*meta.*units'):
            check_rotation_unit(bad, 'x.npz')


def test_filled_rotations_are_rotations():
    # Half-way between no turn and a turn of 90 degrees about z.
    turns = as_rot6d(np.array([[[0, 0, 0]], [[0, 0, 9]], [[0, 0, np.pi / 2]]]))
    missing = np.array([[False], [True], [False]])
    filled = fill_rotations(turns, missing, np.array([3]))
    expected = as_rot6d(np.array([[[0, 0, np.pi / 4]]]))
    np.testing.assert_allclose(filled[1], expected[0], atol=1e-6)
    np.testing.assert_array_equal(filled[::2], turns[::2])
