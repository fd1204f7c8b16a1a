# Copyright (c) hanet_mm contributors. All rights reserved.
"""Forward kinematics against a loop over the joints."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hanet_mm.core.poses.body import SMPL_PARENTS, forward_kinematics


def plain(rotations, offsets, parents):
    """One joint after the other, each along its way from the root."""
    places = np.zeros((len(parents), 3))
    for joint in range(len(parents)):
        chain = [joint]
        while parents[chain[-1]] != -1:
            chain.append(parents[chain[-1]])
        turn = np.eye(3)
        for link in reversed(chain):
            places[joint] += turn @ offsets[link]
            turn = turn @ rotations[link]
    return places


def random_body(seed, joints, frames=3):
    rng = np.random.default_rng(seed)
    rotations = Rotation.random(frames * joints, random_state=seed)
    rotations = rotations.as_matrix().reshape(frames, joints, 3, 3)
    return rotations, rng.normal(size=(frames, joints, 3))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9999), st.integers(1, 12), st.booleans())
def test_is_the_plain_loop_for_any_tree(seed, joints, shuffled):
    rng = np.random.default_rng(seed)
    parents = np.array([-1] + [rng.integers(0, k) for k in range(1, joints)])
    if shuffled:  # a parent need not come before its children
        new = rng.permutation(joints)
        moved = np.empty(joints, int)
        moved[new] = np.where(parents < 0, -1, new[parents])
        parents = moved
    rotations, offsets = random_body(seed, joints)
    result = forward_kinematics(
        torch.tensor(rotations), torch.tensor(offsets), parents.tolist()
    )
    expected = [plain(*frame, parents) for frame in zip(rotations, offsets)]
    np.testing.assert_allclose(result, expected, atol=1e-12)


def test_smpl_tree_and_one_skeleton_for_all_frames():
    rotations, offsets = random_body(0, 24, frames=6)
    result = forward_kinematics(
        torch.tensor(rotations).reshape(2, 3, 24, 3, 3),
        torch.tensor(offsets[0]),
    )
    assert result.shape == (2, 3, 24, 3)
    expected = [plain(frame, offsets[0], SMPL_PARENTS) for frame in rotations]
    np.testing.assert_allclose(result.reshape(6, 24, 3), expected, atol=1e-12)


def test_many_skeletons_of_one_pose():
    rotations, offsets = random_body(1, 24)
    result = forward_kinematics(
        torch.tensor(rotations[0]), torch.tensor(offsets)
    )
    expected = [plain(rotations[0], one, SMPL_PARENTS) for one in offsets]
    np.testing.assert_allclose(result, expected, atol=1e-12)


def test_at_rest_offsets_add_up():
    offsets = torch.randn(24, 3, dtype=torch.float64)
    rest = torch.eye(3, dtype=torch.float64).expand(24, 3, 3)
    joints = forward_kinematics(rest, offsets)
    # Left hand: pelvis, spine, spine, spine, collar, shoulder, elbow, wrist.
    way = [0, 3, 6, 9, 13, 16, 18, 20, 22]
    torch.testing.assert_close(joints[22], offsets[way].sum(0))
    torch.testing.assert_close(joints[0], offsets[0])


def test_gradients_reach_every_rotation_but_those_of_the_ends():
    rotations, offsets = random_body(2, 24, frames=1)
    rotations = torch.tensor(rotations, requires_grad=True)
    forward_kinematics(rotations, torch.tensor(offsets)).sum().backward()
    moved = rotations.grad.abs().sum((0, 2, 3)) > 0
    ends = sorted(set(range(24)) - set(SMPL_PARENTS))
    assert (~moved).nonzero().flatten().tolist() == ends


@pytest.mark.parametrize(
    ('parents', 'message'),
    [
        ([-1, 0, -1], 'exactly one root'),
        ([0, 1, 1], 'exactly one root'),
        ([-1, 2, 1], r'joints \[1, 2\] do not hang on the root'),
        ([-1, 0, 7], r'joints \[2\] do not hang'),
    ],
)
def test_parents_that_are_no_tree(parents, message):
    with pytest.raises(ValueError, match=message):
        forward_kinematics(torch.ones(3, 3, 3), torch.ones(3, 3), parents)


def test_other_shapes():
    with pytest.raises(ValueError, match=r'rotations .*24, 3, 3\), got'):
        forward_kinematics(torch.ones(5, 24, 6), torch.ones(24, 3))
    with pytest.raises(ValueError, match=r'offsets .*24, 3\), got \(14, 3\)'):
        forward_kinematics(torch.ones(24, 3, 3), torch.ones(14, 3))
