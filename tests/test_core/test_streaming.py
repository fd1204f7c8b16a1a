# Copyright (c) hanet_mm contributors. All rights reserved.
"""StreamingRefiner: one person, nothing missing."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation
from small_refiners import (
    D,
    K,
    T,
    WindowCount,
    close,
    idle_refiner,
    make_poses,
    make_refiner,
    run_stream,
    stack,
)

from hanet_mm import StreamingRefiner


@settings(deadline=None, max_examples=25)
@given(frames=st.integers(1, 20), lookahead=st.integers(0, 8))
def test_each_result_is_that_of_the_frames_so_far(frames, lookahead):
    refiner, poses = make_refiner(), make_poses(frames)
    stream = StreamingRefiner(refiner, lookahead)
    for newest, pose in enumerate(poses):
        done = stream.push(pose)
        # Exactly the frame that is `lookahead` old.
        expected = [newest - lookahead] if newest >= lookahead else []
        assert [x.index for x in done] == expected
        # Waiting for more than all windows changes nothing.
        known = poses[: newest + 1 - max(lookahead - (T - 1), 0)]
        for frame in done:
            close(
                frame.keypoints, refiner.refine(known).keypoints[frame.index]
            )
            assert not frame.filled.any()


@settings(deadline=None, max_examples=25)
@given(
    frames=st.integers(1, 25),
    extra=st.integers(0, 3),
    normalization=st.sampled_from(['none', 'image', 'box']),
)
def test_full_lookahead_is_the_offline_result(frames, extra, normalization):
    refiner, poses = make_refiner(normalization), make_poses(frames)
    size = (320, 240)
    expected = refiner.refine(poses, image_size=size).keypoints
    stream = StreamingRefiner(refiner, T - 1 + extra, image_size=size)
    close(stack(run_stream(stream, poses)), expected)
    assert np.abs(expected - poses).max() > 0.1  # it did something


@pytest.mark.parametrize('taper', [False, True])
@pytest.mark.parametrize(('stride', 'lookahead'), [(2, 0), (2, 2), (4, 3)])
def test_up_to_the_stride_results_are_those_of_the_frames_so_far(
    stride, lookahead, taper
):
    refiner = make_refiner(stride=stride, taper=taper)
    stream, poses = StreamingRefiner(refiner, lookahead), make_poses(11)
    for newest, pose in enumerate(poses):
        known = refiner.refine(poses[: newest + 1]).keypoints
        for frame in stream.push(pose):
            assert frame.index == newest - lookahead
            close(frame.keypoints, known[frame.index])


@settings(deadline=None, max_examples=15)
@given(
    frames=st.integers(1, 25),
    extra=st.integers(0, 3),
    stride=st.integers(1, T),
)
def test_full_lookahead_is_the_offline_result_at_any_stride(
    frames, extra, stride
):
    refiner, poses = make_refiner(stride=stride, taper=True), make_poses(25)
    poses = poses[:frames]
    stream = StreamingRefiner(refiner, T - 1 + extra)
    close(stack(run_stream(stream, poses)), refiner.refine(poses).keypoints)


@pytest.mark.parametrize('fps', [15, 45, 60])
@pytest.mark.parametrize('frames', [20, 21, 22])
def test_full_lookahead_is_the_offline_result_at_any_rate(fps, frames):
    refiner = make_refiner(stride=2, taper=True, fps=30)
    poses = make_poses(frames)
    expected = refiner.refine(poses, fps=fps).keypoints
    stream = StreamingRefiner(refiner, 40, fps=fps)
    close(stack(run_stream(stream, poses)), expected)


@pytest.mark.parametrize('lookahead', [4, 5, 8])
def test_no_window_between_those_at_the_stride_that_nobody_needs(lookahead):
    refiner = make_refiner(stride=2, taper=True)
    count = WindowCount(refiner)
    stream = StreamingRefiner(refiner, lookahead)
    calls = []
    for pose in make_poses(30):
        stream.push(pose)
        calls.append(sum(count.calls))
        count.calls.clear()
    # They begin at 0, 2, 4, ... and wait for gaps to close.
    begin = max(lookahead, T - 1)
    assert calls == [int(n >= begin and n % 2 == begin % 2) for n in range(30)]


def test_less_lookahead_is_another_result():
    refiner, poses = make_refiner(), make_poses(20)
    offline = refiner.refine(poses).keypoints
    causal = stack(run_stream(StreamingRefiner(refiner, 0), poses))
    assert np.abs(causal - offline)[T:-T].max() > 0.1


def test_windows_are_padded_with_the_newest_frame_at_first():
    refiner, poses = make_refiner('none'), make_poses(3)
    stream = StreamingRefiner(refiner)
    for newest in range(3):
        (frame,) = stream.push(poses[newest])
        padded = np.concatenate(
            [poses[: newest + 1], np.repeat(poses[newest][None], T, 0)]
        )[:T]
        with torch.no_grad():
            final = refiner.network(torch.from_numpy(padded)[None]).final
        close(frame.keypoints, final[0, newest].numpy())


@pytest.mark.parametrize('lookahead', [0, 2, T - 1, T + 2])
def test_one_window_for_each_push(lookahead):
    refiner = make_refiner()
    count = WindowCount(refiner)
    stream = StreamingRefiner(refiner, lookahead)
    for number, pose in enumerate(make_poses(30)):
        stream.push(pose)
        # None while there is nothing to hand out yet.
        waiting = number < lookahead
        assert count.calls == ([] if waiting else [1])
        count.calls.clear()
    stream.flush(0)
    # Windows that waited for gaps to close come at once.
    assert count.calls == ([lookahead - T + 1] if lookahead >= T else [])


def test_memory_does_not_grow():
    lookahead = T + 2
    stream = StreamingRefiner(make_refiner(), lookahead)
    for number, pose in enumerate(make_poses(300)):
        stream.push(pose)
        track = stream._tracks[0]
        limit = T + (lookahead - T + 1)
        buffer = track.buffer
        for array in (buffer.index, buffer.keypoints, buffer.missing):
            assert len(array) <= min(limit, number + 1)
        assert len(track.phases[0].outputs) <= limit + 1
    # And nothing keeps the memory of dropped frames alive.
    assert buffer.keypoints.base is None or len(buffer.keypoints.base) <= 20


def test_rotations_come_back_in_their_form():
    torch.manual_seed(0)
    refiner = make_refiner('rot6d', coords=6)
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 1, (1, K, 3)) + rng.normal(
        0, 0.05, (14, K, 3)
    ).cumsum(0)
    expected = refiner.refine(vectors.astype(np.float32)).keypoints
    stream = StreamingRefiner(refiner, T - 1)
    refined = stack(run_stream(stream, vectors))
    assert refined.shape == (14, K, 3)
    np.testing.assert_allclose(refined, expected, atol=1e-4)
    flat = vectors.reshape(14, -1)
    refined = stack(run_stream(stream, flat))
    np.testing.assert_allclose(refined, expected.reshape(14, -1), atol=1e-4)
    matrices = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix()
    rot6d = matrices[:, :, :2].reshape(14, K, 6)
    refined = stack(run_stream(stream, rot6d))
    close(refined, refiner.refine(rot6d).keypoints, 1e-5)


def test_axis_angle_goes_on_beyond_half_a_turn():
    angle = np.linspace(2.5, 4.5, 20)
    vectors = np.zeros((20, K, 3))
    vectors[..., 0] = angle[:, None]
    stream = StreamingRefiner(idle_refiner('rot6d', coords=6))
    refined = stack(run_stream(stream, vectors))
    np.testing.assert_allclose(refined, vectors, atol=1e-4)


def test_poses_relative_to_the_root():
    refiner = make_refiner('root', coords=3, root=[0, 1])
    body = np.array([[0, 0, 0], [0, 0.2, 0], [0, 1, 0], [0.3, 1.5, 0]])
    poses = body + np.random.default_rng(0).normal(0, 0.02, (12, K, 3))
    expected = refiner.refine(poses).keypoints
    stream = StreamingRefiner(refiner, T - 1)
    close(stack(run_stream(stream, poses)), expected)
    with pytest.raises(ValueError, match=r"track 5: .* seem to be in 'mm'"):
        stream.push(poses[0] * 1000, track_id=5)


def test_tensors_may_be_pushed():
    refiner, poses = make_refiner(), make_poses(6)
    expected = stack(run_stream(StreamingRefiner(refiner), poses))
    stream = StreamingRefiner(refiner)
    frames = run_stream(stream, torch.from_numpy(poses), torch.ones(6, K))
    np.testing.assert_array_equal(stack(frames), expected)
    assert isinstance(frames[0].keypoints, np.ndarray)
    assert frames[0].keypoints.shape == (K, D)


@pytest.mark.parametrize(
    ('rate', 'fps', 'expected'),
    [(25, None, 120), (30, 60, 100), (None, 50, 60), (None, None, None)],
)
def test_latency_in_milliseconds(rate, fps, expected):
    stream = StreamingRefiner(make_refiner(fps=rate), 3, fps=fps)
    assert stream.latency_ms == expected


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(lookahead=-1), r'lookahead: expected .* from 0, found -1'),
        (dict(lookahead=1.5), 'lookahead: expected'),
        (dict(fps=0), 'fps: expected frames per second above 0, found 0'),
        (dict(max_gap=-2), 'max_gap: expected'),
        (dict(image_size=(1, 2, 3)), r'image_size: expected \(W, H\)'),
    ],
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        StreamingRefiner(make_refiner(), **options)


def test_image_normalisation_needs_the_image_size():
    with pytest.raises(ValueError, match="'image' needs image_size"):
        StreamingRefiner(make_refiner('image'))


def test_only_refiners_stream():
    with pytest.raises(TypeError, match='expected a Refiner, found str'):
        StreamingRefiner('refiner.safetensors')
