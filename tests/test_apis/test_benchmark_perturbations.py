# Copyright (c) hanet_mm contributors. All rights reserved.
"""Bursts, missing keypoints, swapped sides and other frame rates."""

from dataclasses import replace

import numpy as np
import pytest
from benchmark_data import NAMES, make_sequences, split
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.apis.benchmark.perturbations import (
    MEAN_BURST,
    burst_frames,
    common_rate,
    remove_keypoints,
    resample_sequences,
    side_pairs,
    swap_sides,
)

MANY = tuple([33] * 200)
PAIRS = [(1, 2), (3, 4)]


def same_truth(found, sequences):
    for name in ('keypoints_gt', 'visible', 'bboxes', 'seq_len', 'fps'):
        np.testing.assert_array_equal(
            getattr(found, name), getattr(sequences, name)
        )


@settings(deadline=None, max_examples=40)
@given(
    count=st.integers(1, 300),
    share=st.floats(0, 0.5),
    mean=st.floats(1, 20),
    seed=st.integers(0, 99),
)
def test_bursts_have_exactly_their_share(count, share, mean, seed):
    flags = burst_frames(count, share, mean, np.random.default_rng(seed))
    assert flags.shape == (count,)
    assert flags.sum() == round(share * count)


@pytest.mark.parametrize('share', [0.1, 0.4, 0.5])
def test_lengths_of_bursts(share):
    flags = burst_frames(200_000, share, 6, np.random.default_rng(0))
    edges = np.flatnonzero(np.diff(flags.astype(int), prepend=0, append=0))
    lengths = edges[1::2] - edges[::2]
    # Geometric: mean 6, and of length 1 is one of six.
    assert lengths.mean() == pytest.approx(6, rel=0.05)
    assert (lengths == 1).mean() == pytest.approx(1 / 6, abs=0.02)
    # Anywhere: no part of the time has more of them.
    parts = flags.reshape(10, -1).mean(1)
    np.testing.assert_allclose(parts, share, atol=0.05)


def test_share_out_of_range():
    with pytest.raises(ValueError, match=r'from 0 to 0.5, found 0.6'):
        burst_frames(10, 0.6, 6, np.random.default_rng(0))


@pytest.mark.parametrize('share', [0.1, 0.3, 0.5])
def test_removed_keypoints(share):
    sequences = make_sequences(MANY)
    found = remove_keypoints(sequences, share)
    same_truth(found, sequences)
    gone = ~found.valid
    assert gone.mean() == pytest.approx(share, abs=0.03)
    whole = gone.all(1)
    # Whole frames take as much as single keypoints.
    assert whole.mean() == pytest.approx(1 - np.sqrt(1 - share), abs=0.03)
    assert np.isnan(found.keypoints_est[gone]).all()
    assert (found.scores[gone] == 0).all()
    for name in ('keypoints_est', 'scores'):
        np.testing.assert_array_equal(
            getattr(found, name)[~gone], getattr(sequences, name)[~gone]
        )
    again = remove_keypoints(sequences, share)
    np.testing.assert_array_equal(again.valid, found.valid)
    single = gone[~whole].T.ravel().astype(int)
    starts = (np.diff(single) == 1).sum()
    assert single.sum() / starts == pytest.approx(MEAN_BURST, rel=0.3)


def test_a_sequence_keeps_some_estimate():
    sequences = make_sequences([2] * 400)
    score = sequences.scores.copy()
    # Not found in their first frame.
    score[::2] = 0
    sequences = replace(sequences, scores=score)
    found = remove_keypoints(sequences, 0.5)
    found.check_estimates()
    assert (~found.valid[1::2]).mean() > 0.2


@pytest.mark.parametrize('share', [0.1, 0.4])
def test_swapped_sides(share):
    sequences = make_sequences(MANY)
    found = swap_sides(sequences, share, PAIRS)
    same_truth(found, sequences)
    np.testing.assert_array_equal(found.scores, sequences.scores)
    moved = (found.keypoints_est != sequences.keypoints_est).any(-1)
    swapped = moved.any(1)
    assert swapped.sum() == round(share * len(swapped))
    np.testing.assert_array_equal(moved[swapped].all(0), [0, 1, 1, 1, 1])
    expected = sequences.keypoints_est[:, [0, 2, 1, 4, 3]]
    np.testing.assert_array_equal(
        found.keypoints_est[swapped], expected[swapped]
    )


@pytest.mark.parametrize('missing', [1, 2])
def test_half_a_pair_is_not_swapped(missing):
    sequences = make_sequences(MANY)
    scores = sequences.scores.copy()
    scores[:, missing] = 0
    found = swap_sides(replace(sequences, scores=scores), 0.4, PAIRS)
    moved = (found.keypoints_est != sequences.keypoints_est).any(-1)
    assert not moved[:, :3].any()
    assert moved[:, 3:].mean() == pytest.approx(0.4, abs=1e-3)


def test_sides_by_name():
    sequences = make_sequences()
    assert side_pairs(sequences) == PAIRS
    other = ['l_wrist', 'Head', 'RWrist', 'spine', 'tail']
    sequences.meta['keypoint_names'] = other
    assert side_pairs(sequences) == [(0, 2)]
    del sequences.meta['keypoint_names']
    assert side_pairs(sequences) == []


def ramps(lengths, fps):
    """All that has a time moves at constant speed, known per second."""
    sequences = make_sequences(lengths, fps=fps)
    seconds = np.concatenate([np.arange(n) for n in lengths]) / fps
    points = 5 + 60 * seconds[:, None, None] * np.ones((1, len(NAMES), 2))
    return replace(
        sequences,
        keypoints_est=points + 1,
        keypoints_gt=points,
        scores=0.2 + 0.1 * seconds[:, None] * np.ones((1, len(NAMES))),
        bboxes=60 * seconds[:, None] + [0, 0, 10, 10],
    )


@pytest.mark.parametrize('rate', [15.0, 20, 24, 30, 60])
@pytest.mark.parametrize('own', [25.0, 30.0])
def test_constant_speed_at_any_rate(own, rate):
    lengths = [40, 1, 2, 31]
    found, note = resample_sequences(ramps(lengths, own), rate)
    if abs(own / rate - 1) <= 0.05:
        rate = own  # to a refiner the same
    wanted = [int((n - 1) * rate / own + 1e-6) + 1 for n in lengths]
    expected = ramps(wanted, rate)
    assert found.seq_len.tolist() == expected.seq_len.tolist()
    for name in ('keypoints_gt', 'keypoints_est', 'scores', 'bboxes', 'fps'):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=1e-5, atol=1e-4
        )
    steps = {1: 'own', 2: 'every 2nd frame'}
    assert note == steps.get(own / rate, 'interpolated')


def test_frames_are_dropped_not_mixed():
    sequences = make_sequences((30, 13), fps=29.97)
    found, note = resample_sequences(sequences, 15)
    assert note == 'every 2nd frame'
    assert found.fps.tolist() == pytest.approx([29.97 / 2] * 2)
    for name in ('keypoints_est', 'keypoints_gt', 'scores', 'bboxes'):
        values = getattr(sequences, name)
        expected = [x[::2] for x in split(values, sequences)]
        np.testing.assert_array_equal(
            getattr(found, name), np.concatenate(expected)
        )
    same, note = resample_sequences(sequences, 30)
    assert note == 'own'
    np.testing.assert_array_equal(same.keypoints_est, sequences.keypoints_est)
    assert resample_sequences(sequences, 10)[1] == 'every 3rd frame'


def test_missing_beside_a_frame_in_between():
    sequences = make_sequences((7,), fps=20)
    scores, visible = sequences.scores.copy(), sequences.visible.copy()
    scores[2, 0] = visible[4, 1] = 0
    sequences = replace(sequences, scores=scores, visible=visible)
    # Frames 0, 2/3, 4/3, 2, 8/3, 10/3, 4, ...
    found, _ = resample_sequences(sequences, 30)
    assert np.flatnonzero(~found.valid[:, 0]).tolist() == [2, 3, 4]
    assert np.flatnonzero(found.visible[:, 1] == 0).tolist() == [5, 6, 7]
    assert found.valid[:, 1:].all()


def test_sequences_left_without_estimates_are_left_out():
    sequences = make_sequences((2, 9), fps=20)
    scores = sequences.scores.copy()
    scores[0] = 0
    found, _ = resample_sequences(replace(sequences, scores=scores), 13)
    assert found.seq_name.tolist() == ['clip1']


def test_rate_of_all():
    assert common_rate(make_sequences(fps=24.999)) == pytest.approx(24.999)
    assert common_rate(make_sequences(fps=None)) is None
    mixed = replace(make_sequences(), fps=[25.0, 25, 50])
    assert common_rate(mixed) is None
    # Each from its own: dropped here, kept there.
    found, note = resample_sequences(mixed, 25)
    assert note == 'own, every 2nd frame'
    assert found.seq_len.tolist() == [30, 12, 21]
