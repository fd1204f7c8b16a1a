# Copyright (c) hanet_mm contributors. All rights reserved.
"""Streams of refiners whose network makes use of scores."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scored_refiners import FLIP, K, T, make_scored_refiner, make_track
from small_refiners import close, run_stream, stack

from hanet_mm import StreamingRefiner
from hanet_mm.core.data.plausible import glance_at
from hanet_mm.core.stream.clock import Elapsed
from hanet_mm.core.stream.track import GivenFrame, StreamBuffer

NETWORK = dict(head=dict(flip_indices=FLIP, predict_error=True))


@settings(deadline=None, max_examples=8)
@given(frames=st.integers(1, 20), seed=st.integers(0, 50))
def test_full_lookahead_is_the_offline_result(frames, seed):
    refiner = make_scored_refiner(network=NETWORK, flip_indices=FLIP)
    poses, scores = make_track(frames, seed)
    expected = refiner.refine(poses, scores).keypoints
    stream = StreamingRefiner(refiner, T - 1)
    close(stack(run_stream(stream, poses, scores)), expected, 1e-5)
    # The scores were of effect.
    other = refiner.refine(poses, scores[::-1]).keypoints
    assert frames == 1 or np.abs(other - expected).max() > 1e-3


@settings(deadline=None, max_examples=8)
@given(frames=st.integers(1, 12), lookahead=st.integers(0, T - 1))
def test_each_result_is_that_of_the_frames_so_far(frames, lookahead):
    # From the first frame on, when windows are padded.
    refiner = make_scored_refiner(network=NETWORK)
    poses, scores = make_track(frames)
    stream = StreamingRefiner(refiner, lookahead)
    for newest in range(frames):
        done = stream.push(poses[newest], scores[newest])
        so_far = refiner.refine(poses[: newest + 1], scores[: newest + 1])
        for frame in done:
            close(frame.keypoints, so_far.keypoints[frame.index], 1e-5)


@pytest.mark.parametrize('fps', [12, 20, 45, 60])
def test_full_lookahead_at_another_rate(fps):
    refiner = make_scored_refiner(network=NETWORK, fps=30)
    poses, scores = make_track(25)
    expected = refiner.refine(poses, scores, fps=fps).keypoints
    stream = StreamingRefiner(refiner, T - 1, fps=fps)
    close(stack(run_stream(stream, poses, scores)), expected, 1e-5)


@pytest.mark.parametrize('frames', [1, 2, 3, 9])
def test_start_at_another_rate_is_that_of_the_frames_so_far(frames):
    # Without look-ahead; even the first windows, which are padded.
    refiner = make_scored_refiner(network=NETWORK, fps=30)
    poses, scores = make_track(frames)
    stream = StreamingRefiner(refiner, 0, fps=20)
    for newest in range(frames):
        (frame,) = stream.push(poses[newest], scores[newest])
    expected = refiner.refine(poses, scores, fps=20).keypoints[-1]
    close(frame.keypoints, expected, 1e-5)


def test_full_lookahead_with_uneven_times():
    refiner = make_scored_refiner(network=NETWORK, fps=30)
    poses, scores = make_track(20)
    times = np.random.default_rng(0).uniform(0.01, 0.06, 20).cumsum()
    expected = refiner.refine(poses, scores, timestamps=times).keypoints
    stream = StreamingRefiner(refiner, T - 1)
    close(stack(run_stream(stream, poses, scores, times)), expected, 1e-5)


def test_gaps_with_enough_lookahead():
    refiner = make_scored_refiner(network=NETWORK)
    poses, scores = make_track(24)
    scores[4:6, 0] = scores[9, 2] = scores[15:17] = 0
    poses[scores == 0] = np.nan
    expected = refiner.refine(poses, scores)
    frames = run_stream(StreamingRefiner(refiner, T + 1), poses, scores)
    close(stack(frames), expected.keypoints, 1e-5)
    filled = np.stack([x.filled for x in frames])
    np.testing.assert_array_equal(filled, expected.filled)


def test_frames_that_were_missed_have_no_score():
    refiner = make_scored_refiner(network=NETWORK)
    poses, scores = make_track(14)
    stream = StreamingRefiner(refiner, T + 1)
    frames = []
    for index in range(14):
        if index not in (6, 7):
            frames += stream.push(poses[index], scores[index], index=index)
    frames += stream.flush(0)
    scores[6:8] = 0
    close(stack(frames), refiner.refine(poses, scores).keypoints, 1e-5)


def test_several_persons_keep_their_scores():
    refiner = make_scored_refiner(network=NETWORK)
    tracks = {name: make_track(9, seed) for seed, name in enumerate('ab')}
    together = StreamingRefiner(refiner, 2)
    alone = {name: StreamingRefiner(refiner, 2) for name in tracks}
    for i in range(9):
        people = {key: (x[i], y[i]) for key, (x, y) in tracks.items()}
        results = together.push_many(people)
        for key, person in people.items():
            expected = alone[key].push(*person)
            assert len(results[key]) == len(expected)
            for mine, its in zip(results[key], expected):
                close(mine.keypoints, its.keypoints, 1e-5)


def test_buffer_keeps_and_forgets_scores():
    buffer = StreamBuffer(K, 2)
    poses, scores = make_track(6)
    scores[2] = 0
    glances = glance_at(poses, scores == 0)
    for i in range(6):
        elapsed = Elapsed([i], [np.nan], float(i > 0))
        frame = GivenFrame(poses[i], scores[i], (K, 2), glances[i])
        buffer.add(elapsed, frame)
        assert buffer.last_seen == (1 if i == 2 else i)
    assert not len(buffer.scores)
    buffer.take_in()
    assert buffer.last_seen == 5
    np.testing.assert_array_equal(buffer.scores, scores)
    np.testing.assert_array_equal(buffer.missing, scores == 0)
    buffer.drop(2)
    np.testing.assert_array_equal(buffer.scores, scores[2:])
    # Of what was dropped the last place is known still.
    np.testing.assert_array_equal(buffer.missing[0], np.ones(K, bool))
    np.testing.assert_allclose(
        buffer.filled()[0], (poses[1] + poses[3]) / 2, rtol=1e-6
    )
