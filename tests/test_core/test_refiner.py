# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refiner and its portable file, through their public names."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_refiners import NAMES, D, K, make_gaps, make_poses, make_refiner


def without_network(refiner):
    """Let both outputs add nothing: linear interpolation of the samples."""
    for layer in (refiner.network.head.refine, refiner.network.head.output):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    return refiner


@settings(deadline=None, max_examples=40)
@given(frames=st.integers(1, 40), stride=st.integers(1, 7))
def test_any_length_keeps_shape_and_is_finite(frames, stride):
    result = make_refiner(stride=stride).refine(make_poses(frames))
    assert result.keypoints.shape == (frames, K, D)
    assert np.isfinite(result.keypoints).all()
    assert result.filled.shape == (frames, K)
    assert not result.filled.any()


@settings(deadline=None, max_examples=40)
@given(
    frames=st.integers(1, 40),
    stride=st.integers(1, 7),
    normalization=st.sampled_from(['none', 'image', 'box']),
)
def test_every_frame_sampled_and_no_offset_returns_the_input(
    frames, stride, normalization
):
    # With N = 1 interpolation of the samples is the input itself, so this
    # checks padding, normalisation and merging of windows alone.
    refiner = without_network(make_refiner(normalization, 5, 1, stride))
    poses = make_poses(frames)
    refined = refiner.refine(poses, image_size=(320, 240)).keypoints
    np.testing.assert_allclose(refined, poses, rtol=0, atol=1e-3)


@pytest.mark.parametrize('interval', [1, 2, 4])
@pytest.mark.parametrize(
    ('frames', 'stride', 'starts'),
    [
        (9, 2, [0, 2, 4]),
        (8, 3, [0, 3]),
        (9, 3, [0, 3, 4]),  # the last window ends at the last frame
        (6, 5, [0, 1]),
        (5, 1, [0]),
        (3, 1, [0]),  # padded with the last frame, and cropped again
        (1, 1, [0]),
    ],
)
def test_windows_interpolate_their_samples_and_are_averaged(
    frames, stride, starts, interval
):
    refiner = without_network(make_refiner('none', 5, interval, stride))
    poses = make_poses(frames)
    padded = np.concatenate([poses, np.repeat(poses[-1:], 5, axis=0)])
    total, count = np.zeros((frames + 5, K, D)), np.zeros(frames + 5)
    for start in starts:
        window = padded[start : start + 5]
        for joint, axis in np.ndindex(K, D):
            total[start : start + 5, joint, axis] += np.interp(
                range(5),
                range(0, 5, interval),
                window[::interval, joint, axis],
            )
        count[start : start + 5] += 1
    expected = total[:frames] / count[:frames, None, None]
    refined = refiner.refine(poses).keypoints
    np.testing.assert_allclose(refined, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize('dtype', ['float16', 'float32', 'float64'])
def test_kind_and_type_of_the_input_come_back(dtype):
    refiner = make_refiner()
    poses = make_poses(7).astype(dtype)
    expected = refiner.refine(poses.astype(np.float32)).keypoints
    as_numpy = refiner.refine(poses)
    as_torch = refiner.refine(torch.from_numpy(poses))
    assert isinstance(as_numpy.keypoints, np.ndarray)
    assert as_numpy.keypoints.dtype == np.dtype(dtype)
    assert as_numpy.filled.dtype == bool
    assert as_torch.keypoints.dtype == getattr(torch, dtype)
    assert as_torch.filled.dtype == torch.bool
    # The result is computed in float32 and only rounded to the type given.
    for found in (as_numpy.keypoints, as_torch.keypoints.numpy()):
        np.testing.assert_array_equal(found, expected.astype(dtype))


def test_bfloat16_and_gradients_are_accepted():
    poses = torch.from_numpy(make_poses(7)).bfloat16().requires_grad_()
    result = make_refiner().refine(poses).keypoints
    assert result.dtype == torch.bfloat16
    assert not result.requires_grad


def test_integers_come_back_as_float32():
    result = make_refiner().refine(make_poses(7).astype(np.int64))
    assert result.keypoints.dtype == np.float32


def test_input_is_not_changed():
    poses = make_poses(9)
    poses[3, 1] = np.nan
    scores = np.ones((9, K), np.float32)
    before = poses.copy()
    make_refiner().refine(poses, scores)
    np.testing.assert_array_equal(poses, before)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.integers(1, 20), min_size=1, max_size=5))
def test_several_sequences_equal_one_by_one(lengths):
    refiner = make_refiner(stride=2)
    sequences = [make_poses(n, seed) for seed, n in enumerate(lengths)]
    together = refiner.refine(sequences)
    assert len(together) == len(sequences)
    for poses, result in zip(sequences, together):
        alone = refiner.refine(poses).keypoints
        np.testing.assert_allclose(result.keypoints, alone, rtol=0, atol=2e-3)


def test_a_bad_sequence_beside_it_changes_nothing():
    refiner = make_refiner('image')
    poses = make_poses(9)
    other = make_poses(14, seed=1) * 50
    other[3:9, 2] = np.nan
    sizes = [(320, 240), (16000, 12000)]
    alone = refiner.refine(poses, image_size=sizes[0]).keypoints
    beside, _ = refiner.refine([poses, other], image_size=sizes)
    np.testing.assert_allclose(beside.keypoints, alone, rtol=0, atol=1e-3)
    _, after = refiner.refine([other, poses], image_size=sizes[::-1])
    np.testing.assert_allclose(after.keypoints, alone, rtol=0, atol=1e-3)


def test_no_sequences_give_no_results():
    assert make_refiner().refine([]) == []


def fill_by_hand(poses, missing):
    filled = poses.astype(np.float64)
    frames = np.arange(len(poses))
    for joint in range(K - 1):
        seen = ~missing[:, joint]
        for axis in range(D):
            # numpy holds the outermost values beyond the ends.
            filled[:, joint, axis] = np.interp(
                frames, frames[seen], poses[seen, joint, axis]
            )
    # The joint never seen: mean of the others, frame by frame.
    filled[:, -1] = filled[:, :-1].mean(1)
    return filled.astype(np.float32)


@pytest.mark.parametrize('marked', ['nan', 'one coordinate', 'score'])
def test_missing_keypoints_are_interpolated_and_marked(marked):
    refiner = make_refiner('none')
    poses, missing = make_gaps()
    expected = refiner.refine(fill_by_hand(poses, missing)).keypoints
    given, scores = poses.copy(), np.full((12, K), 0.7, np.float32)
    if marked == 'score':
        scores[missing] = 0
        given[missing] = 1e6  # of no effect
    elif marked == 'nan':
        given[missing] = np.nan
    else:
        given[missing, 1] = np.nan
    result = refiner.refine(given, scores)
    np.testing.assert_array_equal(result.filled, missing)
    np.testing.assert_allclose(result.keypoints, expected, rtol=0, atol=1e-3)


def test_scores_above_zero_have_no_effect():
    refiner = make_refiner()
    poses = make_poses(9)
    scores = np.random.default_rng(0).uniform(0.01, 1, (9, K))
    np.testing.assert_array_equal(
        refiner.refine(poses, scores).keypoints,
        refiner.refine(poses).keypoints,
    )


def test_scores_of_some_sequences_only():
    refiner = make_refiner()
    poses, missing = make_gaps()
    scores = np.where(missing, 0, 1)
    first, second = refiner.refine([poses, poses], [None, scores])
    assert not first.filled.any()
    np.testing.assert_array_equal(second.filled, missing)


@settings(deadline=None, max_examples=20)
@given(
    scale=st.floats(0.1, 20),
    shift=st.lists(st.floats(-500, 500), min_size=D, max_size=D),
)
def test_box_normalisation_follows_translation_and_scale(scale, shift):
    refiner = make_refiner('box')
    poses = make_poses(11)
    expected = refiner.refine(poses).keypoints * scale + shift
    moved = (poses * scale + shift).astype(np.float32)
    refined = refiner.refine(moved).keypoints
    np.testing.assert_allclose(
        # The input is rounded: a wrong box is off by pixels.
        refined,
        expected,
        rtol=0,
        atol=0.01 * max(scale, 1),
    )


def test_image_normalisation_depends_on_the_image_size():
    refiner = make_refiner('image')
    poses = make_poses(11)
    refined = refiner.refine(poses, image_size=(320, 240)).keypoints
    # The same person in an image of twice the size.
    doubled = refiner.refine(poses * 2, image_size=(640, 480)).keypoints
    np.testing.assert_allclose(doubled, 2 * refined, rtol=0, atol=1e-3)
    other = refiner.refine(poses, image_size=(640, 240)).keypoints
    assert np.abs(other - refined).max() > 1


def test_three_coordinates():
    refiner = make_refiner('none', coords=3)
    poses = make_poses(8, coords=3)
    assert refiner.refine(poses).keypoints.shape == (8, K, 3)
    with pytest.raises(ValueError, match=r'\(T, 5, 3\), found \(8, 5, 2\)'):
        refiner.refine(make_poses(8))


def test_repr_shows_shapes_and_settings():
    poses, missing = make_gaps()
    poses[missing] = np.nan
    refiner = make_refiner()
    text = repr(refiner.refine(poses))
    assert 'keypoints=(12, 5, 2)' in text
    assert f'filled=(12, 5) with {missing.sum()} True' in text
    for part in ('window=5', 'interval=2', 'stride=1', "'box'"):
        assert part in repr(refiner)


def changed(**changes):
    poses, scores = make_poses(6), np.ones((6, K), np.float32)
    poses = changes.get('poses', poses)
    for index, value in changes.get('put', ()):
        poses[index] = value
    return poses, changes.get('scores', scores)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            dict(poses=make_poses(6)[:, :4]),
            r'keypoints: expected shape \(T, K, D\) = \(T, 5, 2\), found '
            r'\(6, 4, 2\)',
        ),
        (dict(poses=make_poses(6)[0]), r'found \(5, 2\)'),
        (dict(poses=make_poses(6)[:0]), 'expected at least 1 frame, found 0'),
        (dict(put=[((4, 1, 0), np.inf)]), 'infinite coordinate in frame 4'),
        (dict(put=[((2, 1, 0), -np.inf)]), 'infinite coordinate in frame 2'),
        (dict(put=[((), np.nan)]), 'no keypoint in any of its 6 frames'),
        (
            dict(scores=np.zeros((6, K))),
            'no keypoint in any of its 6 frames',
        ),
        (
            dict(scores=np.ones((5, K))),
            r'expected scores of shape \(6, 5\), found \(5, 5\)',
        ),
    ],
)
def test_bad_poses_are_one_line_errors(change, message):
    with pytest.raises(ValueError, match=message) as info:
        make_refiner().refine(*changed(**change))
    assert '\n' not in str(info.value)


def test_an_error_names_the_sequence():
    poses = [make_poses(6), make_poses(4), make_poses(5)]
    poses[1][2, 0, 0] = np.inf
    with pytest.raises(ValueError, match=r'sequence 1: infinite .* frame 2'):
        make_refiner().refine(poses)
    with pytest.raises(ValueError, match=r'3 sequences .* but 2 of scores'):
        make_refiner().refine(poses, [None, None])


def test_image_normalisation_needs_the_image_size():
    refiner = make_refiner('image')
    with pytest.raises(ValueError, match="'image' needs image_size"):
        refiner.refine(make_poses(6))
    with pytest.raises(ValueError, match=r'1 sequences, found shape \(3,\)'):
        refiner.refine(make_poses(6), image_size=(3, 320, 240))


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        (dict(window=10), r'needs \(T - 1\) % N == 0, got T = 10, N = 2'),
        (dict(normalization='root'), "got 'root'"),
        (dict(stride=0), 'stride has to be at least 1, got 0'),
        (dict(names=NAMES[:4]), 'expected 5 keypoint_names, got 4'),
    ],
)
def test_bad_settings_are_refused_when_it_is_made(settings, message):
    with pytest.raises(ValueError, match=message):
        make_refiner(**settings)
