# Copyright (c) hanet_mm contributors. All rights reserved.
"""Rotations against scipy, closed forms, and the edges of their domain."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hanet_mm.core.poses.rotations import (
    axis_angle_to_matrix,
    axis_angle_to_rot6d,
    geodesic_distance,
    matrix_to_axis_angle,
    matrix_to_rot6d,
    project_rot6d,
    rot6d_to_axis_angle,
    rot6d_to_matrix,
    unwrap_axis_angle,
)

DTYPES = [torch.float32, torch.float64]
PI = math.pi


def directions(count, seed=0):
    axes = np.random.default_rng(seed).normal(size=(count, 3))
    return axes / np.linalg.norm(axes, axis=1, keepdims=True)


def hard_vectors(dtype):
    """Rotation vectors: none, tiny, ordinary, near, at and beyond pi."""
    powers = 10.0 ** -np.arange(0, 16)
    angles = np.concatenate(
        [[0, PI], powers, PI - powers, np.linspace(0.1, 2 * PI, 40)]
    )
    vectors = angles[:, None, None] * directions(50)
    return torch.tensor(vectors.reshape(-1, 3), dtype=dtype)


def error(ours, expected):
    """Largest angle in rad between tensors of vectors and Rotations."""
    ours = Rotation.from_rotvec(ours.double().numpy())
    return (ours * expected.inv()).magnitude().max()


def assert_rotations(matrices, tolerance=2e-6):
    identity = torch.eye(3, dtype=matrices.dtype).expand_as(matrices)
    product = matrices.mT @ matrices
    torch.testing.assert_close(product, identity, rtol=0, atol=tolerance)
    assert (torch.linalg.det(matrices) > 0.99).all()


@pytest.mark.parametrize('dtype', DTYPES)
class TestAgainstScipy:
    def test_matrices(self, dtype):
        vectors = hard_vectors(dtype)
        expected = Rotation.from_rotvec(vectors.double().numpy()).as_matrix()
        ours = axis_angle_to_matrix(vectors)
        assert ours.dtype == dtype
        tolerance = 1e-6 if dtype == torch.float32 else 1e-14
        np.testing.assert_allclose(ours, expected, rtol=0, atol=tolerance)

    def test_round_trips(self, dtype):
        vectors = hard_vectors(dtype)
        expected = Rotation.from_rotvec(vectors.double().numpy())
        tolerance = 1e-6 if dtype == torch.float32 else 1e-14
        back = matrix_to_axis_angle(axis_angle_to_matrix(vectors))
        assert error(back, expected) < tolerance
        assert back.norm(dim=-1).max() < PI + 1e-6
        back = rot6d_to_axis_angle(axis_angle_to_rot6d(vectors))
        assert error(back, expected) < tolerance

    def test_vectors_below_pi_come_back_themselves(self, dtype):
        vectors = hard_vectors(dtype)
        vectors = vectors[vectors.norm(dim=-1) < 3]
        back = rot6d_to_axis_angle(axis_angle_to_rot6d(vectors))
        torch.testing.assert_close(back, vectors, rtol=1e-5, atol=1e-6)
        # Relative, too: tiny angles are not rounded to none.
        back = matrix_to_axis_angle(axis_angle_to_matrix(vectors))
        torch.testing.assert_close(back, vectors, rtol=1e-5, atol=1e-20)

    def test_distances(self, dtype):
        a, b = (Rotation.random(500, random_state=seed) for seed in (1, 2))
        # Near ones and opposite ones as well.
        tiny = Rotation.from_rotvec(1e-5 * directions(500))
        half = Rotation.from_rotvec((PI - 1e-5) * directions(500))
        for other in (b, a * tiny, a * half, a):
            matrices = [
                torch.tensor(x.as_matrix(), dtype=dtype) for x in (a, other)
            ]
            expected = (a.inv() * other).magnitude()
            np.testing.assert_allclose(
                geodesic_distance(*matrices), expected, rtol=0, atol=1e-6
            )


def test_order_of_the_6d_form():
    """First two columns, row by row: r00, r01, r10, r11, r20, r21."""
    matrix = torch.arange(9.0).reshape(3, 3)
    assert matrix_to_rot6d(matrix).tolist() == [0, 1, 3, 4, 6, 7]
    # A quarter turn about x: y goes to z.
    quarter = axis_angle_to_rot6d(torch.tensor([PI / 2, 0, 0]))
    expected = torch.tensor([1.0, 0, 0, 0, 0, 1])
    torch.testing.assert_close(quarter, expected, rtol=0, atol=1e-6)


def test_gram_schmidt_by_hand():
    # Columns (2, 0, 0) and (3, 4, 0): the second keeps (0, 4, 0).
    form = torch.tensor([2.0, 3, 0, 4, 0, 0])
    torch.testing.assert_close(rot6d_to_matrix(form), torch.eye(3))
    # Only the second column turns: the first one stays where it is.
    form = torch.tensor([0.0, 1, 5, 9, 0, -2])
    expected = torch.tensor([[0.0, 0.4472136], [1, 0], [0, -0.8944272]])
    torch.testing.assert_close(
        rot6d_to_matrix(form)[:, :2], expected, rtol=0, atol=1e-6
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 9999), st.integers(1, 6))
def test_mean_of_any_rotations_projected_is_a_rotation(seed, count):
    rotations = Rotation.random(count * 20, random_state=seed).as_matrix()
    forms = matrix_to_rot6d(torch.tensor(rotations)).reshape(count, 20, 6)
    assert_rotations(rot6d_to_matrix(forms.mean(0)), 1e-12)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.floats(-(2.0**100), 2.0**100, width=32, allow_subnormal=False)
        | st.sampled_from([0.0, 1.0, -1.0]),
        min_size=6,
        max_size=6,
    )
)
def test_anything_finite_becomes_a_rotation(numbers):
    for dtype in DTYPES:
        form = torch.tensor(numbers, dtype=dtype)
        assert_rotations(rot6d_to_matrix(form))


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize(
    'form',
    [
        [0, 0, 0, 0, 0, 0],
        [0, 0, 1, 0, 0, 0],  # no second column
        [0, 1, 0, 0, 0, 0],  # no first column, the second takes its place
        [1, 1, 1, 1, 1, 1],  # parallel
        [3, -6, 1, -2, 2, -4],
        [1, 1 + 1e-7, 1, 1, 1, 1],  # nearly
        [1e-7, 1, 1, 1e7, 0, 0],
    ],
)
def test_columns_without_a_direction(form, dtype):
    form = torch.tensor(form, dtype=dtype, requires_grad=True)
    matrix = rot6d_to_matrix(form)
    assert_rotations(matrix)
    matrix.sum().backward()
    assert form.grad.isfinite().all()


@pytest.mark.parametrize('dtype', DTYPES)
def test_columns_that_are_nearly_parallel(dtype):
    """What is left of the second column is rounding to a few percent."""
    generator = torch.Generator().manual_seed(0)
    first, other = torch.randn(2, 500, 3, generator=generator, dtype=dtype)
    second = first + 50 * torch.finfo(dtype).eps * other
    forms = torch.stack([first, second], -1).flatten(-2)
    assert_rotations(rot6d_to_matrix(forms))


def test_projecting_twice_changes_nothing():
    forms = torch.randn(100, 6, generator=torch.Generator().manual_seed(0))
    once = project_rot6d(forms)
    assert (once - forms).abs().max() > 0.1
    torch.testing.assert_close(project_rot6d(once), once)


def test_6d_form_is_continuous_where_the_vector_jumps():
    """A joint turns on through half a turn in steps of 0.001 rad."""
    angles = torch.arange(PI - 0.05, PI + 0.05, 0.001, dtype=torch.float64)
    axis = torch.tensor(directions(1)[0])
    vectors = angles[:, None] * axis
    principal = matrix_to_axis_angle(axis_angle_to_matrix(vectors))
    assert principal.diff(dim=0).norm(dim=-1).max() > 2 * PI - 0.01
    # A rotation by d moves no entry of the matrix by more than d.
    for form in (vectors, principal):
        steps = axis_angle_to_rot6d(form).diff(dim=0).abs()
        assert steps.max() < 0.001 + 1e-9


class TestUnwrap:
    @pytest.mark.parametrize('dtype', DTYPES)
    @pytest.mark.parametrize('start', [0.0, 1.0, -2.0])
    def test_joints_turn_on_for_many_turns(self, start, dtype):
        """Two joints, about other axes, one backwards, through full turns."""
        turn = torch.linspace(0, 6 * PI, 121, dtype=torch.float64)
        axes = torch.tensor(directions(2))
        speeds = torch.tensor([1.0, -0.7])
        angles = start + turn[:, None] * speeds
        vectors = (angles[..., None] * axes).to(dtype)
        principal = matrix_to_axis_angle(axis_angle_to_matrix(vectors))
        unwrapped = unwrap_axis_angle(principal)
        torch.testing.assert_close(unwrapped, vectors, rtol=0, atol=1e-5)

    def test_a_full_turn_keeps_the_axis(self):
        """Exact zeros, where there is no axis, in the middle of a turn."""
        quarter = PI / 2 * torch.arange(9, dtype=torch.float64)
        vectors = quarter[:, None] * torch.tensor([0.0, 0, 1])
        principal = matrix_to_axis_angle(axis_angle_to_matrix(vectors))
        principal[[4, 8]] = 0
        # At the half turns either axis is right.
        principal[2] = -principal[2]
        torch.testing.assert_close(unwrap_axis_angle(principal), vectors)

    @settings(max_examples=30, deadline=None)
    @given(st.integers(0, 9999), st.integers(1, 30))
    def test_random_walks_stay_the_same_rotations(self, seed, frames):
        rng = np.random.default_rng(seed)
        steps = Rotation.from_rotvec(rng.normal(0, 0.3, (frames, 3)))
        walk = [steps[0]]
        for step in steps[1:]:
            walk.append(walk[-1] * step)
        walk = Rotation.concatenate(walk)
        unwrapped = unwrap_axis_angle(torch.tensor(walk.as_rotvec()))
        assert error(unwrapped, walk) < 1e-9

    def test_wobbling_about_rest_is_left_alone(self):
        rng = np.random.default_rng(0)
        vectors = torch.tensor(rng.normal(0, 0.2, (200, 24, 3)))
        vectors[5] = 0
        torch.testing.assert_close(unwrap_axis_angle(vectors), vectors)

    def test_one_frame_and_none(self):
        vector = torch.tensor([[0.0, 0, 1.5 * PI]])
        expected = torch.tensor([[0.0, 0, -0.5 * PI]])
        torch.testing.assert_close(unwrap_axis_angle(vector), expected)
        assert unwrap_axis_angle(vector[:0]).shape == (0, 3)


@pytest.mark.parametrize('dtype', DTYPES)
@pytest.mark.parametrize(
    'function',
    [
        lambda x: matrix_to_axis_angle(axis_angle_to_matrix(x)),
        lambda x: rot6d_to_axis_angle(axis_angle_to_rot6d(x)),
        lambda x: project_rot6d(axis_angle_to_rot6d(x)),
        lambda x: geodesic_distance(
            axis_angle_to_matrix(x), torch.eye(3).to(x).expand(len(x), 3, 3)
        ),
        lambda x: geodesic_distance(
            axis_angle_to_matrix(x), axis_angle_to_matrix(x.detach())
        ),
    ],
)
def test_gradients_are_finite_everywhere(function, dtype):
    vectors = hard_vectors(dtype).requires_grad_()
    function(vectors).square().sum().backward()
    assert vectors.grad.isfinite().all()


def test_gradients_are_those_of_finite_differences():
    generator = torch.Generator().manual_seed(0)
    vectors = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    vectors = torch.cat([vectors, 1e-3 * vectors, torch.zeros_like(vectors)])
    forms = torch.randn(5, 6, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(
        axis_angle_to_matrix, vectors.requires_grad_()
    )
    assert torch.autograd.gradcheck(
        rot6d_to_axis_angle, forms.requires_grad_()
    )


def test_any_leading_axes():
    vectors = torch.randn(2, 3, 4, 3)
    forms = axis_angle_to_rot6d(vectors)
    assert forms.shape == (2, 3, 4, 6)
    assert rot6d_to_axis_angle(forms).shape == (2, 3, 4, 3)
    one = rot6d_to_axis_angle(forms[1, 2, 3])
    torch.testing.assert_close(one, rot6d_to_axis_angle(forms)[1, 2, 3])
    matrices = rot6d_to_matrix(forms)
    assert geodesic_distance(matrices, matrices[:, :1]).shape == (2, 3, 4)


@pytest.mark.parametrize(
    ('function', 'shape', 'message'),
    [
        (axis_angle_to_matrix, (5, 6), r'\(\.\.\., 3\), got \(5, 6\)'),
        (matrix_to_axis_angle, (4, 4), r'\(\.\.\., 3, 3\), got \(4, 4\)'),
        (matrix_to_rot6d, (9,), r'3, 3\), got \(9,\)'),
        (rot6d_to_matrix, (2, 3), r'\(\.\.\., 6\), got \(2, 3\)'),
        (unwrap_axis_angle, (3,), r'sequence .* got shape \(3,\)'),
    ],
)
def test_other_shapes(function, shape, message):
    with pytest.raises(ValueError, match=message):
        function(torch.ones(shape))
