# Copyright (c) hanet_mm contributors. All rights reserved.
"""Streams in the pipeline: they give what is made of the whole video."""

import numpy as np
import pytest
import torch
from blob_world import (
    NAMES,
    BlobDetector,
    draw,
    make_pipeline,
    place_at,
    run,
    truth,
    walk,
)

from hanet_mm.apis.video.frames import Frame
from hanet_mm.apis.video.refine_stage import (
    BufferedStream,
    NamedFilter,
    RefineStage,
    SkeletonAdapter,
)
from hanet_mm.apis.video.sources import open_source
from hanet_mm.core.refine.refiner import Refiner
from hanet_mm.core.stream.refiner import StreamingRefiner
from hanet_mm.filters import GaussianFilter, MedianFilter


def tiny_refiner(normalization='box'):
    torch.manual_seed(3)
    shape = dict(num_keypoints=5, coord_dims=2, embed_dims=16)
    network = dict(
        backbone=dict(shape, num_levels=2),
        head=dict(shape, num_layers=1),
        sample_interval=2,
    )
    return Refiner(network, 9, normalization)


def frames_of(results, track_id=0):
    return [
        x
        for result in results
        for x in result['instances']
        if x['track_id'] == track_id
    ]


@pytest.mark.parametrize('normalization', ['box', 'image'])
def test_full_look_ahead_is_the_offline_result(normalization):
    refiner = tiny_refiner(normalization)
    sizes = []

    def stream(size):
        sizes.append(size)
        use = size if normalization == 'image' else None
        # Three more frames, so that the windows wait for the gap to close.
        return StreamingRefiner(refiner, 8 + 3, max_gap=3, image_size=use)

    missed = [(t, 0) for t in (10, 11, 12)]
    pipeline = make_pipeline(stream, BlobDetector(missed), max_gap=3)
    results = list(run(pipeline, open_source(walk(40))))
    keypoints = np.stack([truth(place_at(t)) for t in range(40)])
    keypoints[10:13] = np.nan
    offline = refiner.refine(
        keypoints,
        image_size=(96, 64) if normalization == 'image' else None,
        max_gap=3,
    )
    found = frames_of(results)
    assert sizes == [(96, 64)]
    np.testing.assert_allclose(
        np.stack([x['keypoints'] for x in found]),
        offline.keypoints,
        atol=1e-3,
    )
    np.testing.assert_array_equal(
        np.stack([x['filled'] for x in found]), offline.filled
    )
    assert offline.filled[10:13].all()


def test_a_long_gap_of_one_keypoint_stays_empty():
    refiner = tiny_refiner()
    pipeline = make_pipeline(
        lambda size: StreamingRefiner(refiner, 8 + 3, max_gap=3), max_gap=3
    )
    gone = range(10, 16)
    frames = [
        draw({0: place_at(t)}, hidden=[(0, 3)] if t in gone else ())
        for t in range(30)
    ]
    for t, person in enumerate(frames_of(run(pipeline, open_source(frames)))):
        empty = np.isnan(person['keypoints']).any(-1)
        assert empty.tolist() == [t in gone and k == 3 for k in range(5)]
        assert not person['filled'].any()


def test_a_person_without_a_keypoint_is_no_error():
    refiner = tiny_refiner()
    hidden = [(0, k) for k in range(5)]

    def detect(frames):
        for frame in frames:
            frame.bboxes = np.array([[20, 19, 41, 46]], np.float32)
            frame.bbox_scores = np.full(1, 0.5, np.float32)

    for stream in (
        lambda size: StreamingRefiner(refiner, 8, max_gap=3),
        lambda size: BufferedStream(GaussianFilter(sigma=1), 3),
    ):
        frames = [draw({0: (30, 20)}, hidden=hidden)] * 20
        pipeline = make_pipeline(stream, detect)
        people = frames_of(run(pipeline, open_source(frames)))
        assert len(people) == 20
        for person in people:
            assert np.isnan(person['keypoints']).all()
            assert not person['filled'].any()


def run_buffered(stream, keypoints, scores=None):
    """Push a sequence, (T, K, D); what comes out, and when."""
    if scores is None:
        scores = np.ones(keypoints.shape[:2], np.float32)
    frames, waiting = [], []
    for count, pose in enumerate(zip(keypoints, scores), 1):
        frames += stream.push_many({7: pose}, count / 25)[7]
        waiting.append(count - len(frames))
    frames += stream.flush(7)
    assert [x.index for x in frames] == list(range(len(keypoints)))
    times = [x.timestamp for x in frames]
    assert times == [count / 25 for count in range(1, len(keypoints) + 1)]
    return frames, waiting


@pytest.fixture
def keypoints():
    rng = np.random.default_rng(0)
    return rng.normal(size=(500, 4, 2)).cumsum(0).astype(np.float32)


@pytest.mark.parametrize('length', [1, 2, 95, 96, 97, 160, 500])
def test_a_buffered_filter_is_the_filter_of_the_whole(keypoints, length):
    keypoints = keypoints[:length]
    for made in (GaussianFilter(sigma=2), MedianFilter(window=7)):
        frames, waiting = run_buffered(BufferedStream(made), keypoints)
        np.testing.assert_allclose(
            np.stack([x.keypoints for x in frames]),
            made.refine(keypoints).keypoints,
            atol=1e-4,
        )
        assert max(waiting) <= 96


@pytest.mark.parametrize('start', [0, 40, 60, 90, 490])
@pytest.mark.parametrize('length', [3, 4, 70])
def test_gaps_of_a_buffered_filter(keypoints, start, length):
    gap = slice(start, start + length)
    keypoints[gap, 2] = np.nan
    length = min(length, 500 - start)
    frames, _ = run_buffered(
        BufferedStream(GaussianFilter(sigma=1), max_gap=3), keypoints
    )
    empty = np.stack([np.isnan(x.keypoints).any(-1) for x in frames])
    filled = np.stack([x.filled for x in frames])
    expected = np.zeros((500, 4), bool)
    expected[gap, 2] = True
    nothing = np.zeros_like(expected)
    np.testing.assert_array_equal(empty, expected if length > 3 else nothing)
    np.testing.assert_array_equal(filled, nothing if length > 3 else expected)


def test_a_buffer_does_not_grow(keypoints):
    stream = BufferedStream(GaussianFilter(sigma=1))
    for pose in keypoints:
        stream.push_many({1: (pose, np.ones(4))})
        assert len(stream._buffers[1].frames) <= 64 + 2 * 32
    stream.flush(1)
    assert not stream._buffers
    assert stream.flush(1) == []


def test_a_filter_by_name_knows_size_and_rate(keypoints):
    big = keypoints * 100
    one = NamedFilter('one_euro').at_rate(50)
    # The settings are relative to the person: size changes nothing.
    np.testing.assert_allclose(
        one.refine(big).keypoints, 100 * one.refine(keypoints).keypoints, 1e-3
    )
    assert one.fps == 50
    assert one.at_rate(None) is one
    slow = NamedFilter('one_euro').at_rate(5).refine(keypoints).keypoints
    assert not np.allclose(slow, one.refine(keypoints).keypoints)
    median = NamedFilter('median:window=3').refine(keypoints).keypoints
    np.testing.assert_allclose(
        median, MedianFilter(window=3).refine(keypoints).keypoints
    )
    with pytest.raises(ValueError, match='filter has to be one of'):
        NamedFilter('magic')


def tracked(keypoints, scores):
    """A frame with one person, known to the tracker."""
    return Frame(
        0,
        None,
        bboxes=np.array([[0, 0, 9, 9.0]]),
        bbox_scores=np.ones(1),
        keypoints=keypoints,
        keypoint_scores=scores,
        track_ids=np.zeros(1, int),
        segments=np.zeros(1, int),
    )


def test_keypoints_are_matched_by_name():
    estimator = ['nose', 'left_hip', 'right_hip', 'left_knee', 'tail']
    refiner = ['right_hip', 'left_hip', 'root', 'nose']
    adapter = SkeletonAdapter(estimator, refiner)
    points = np.arange(10, dtype=np.float32).reshape(1, 5, 2)
    scores = np.array([[0.9, 0.8, 0.7, 0.6, 0.5]], np.float32)
    given, weights = adapter.to_refiner(points, scores)
    expected = [points[0, 2], points[0, 1], points[0, 1:3].mean(0)]
    np.testing.assert_allclose(given[0], [*expected, points[0, 0]])
    np.testing.assert_allclose(weights, [[0.7, 0.8, 0.7, 0.9]])
    filled = np.array([[True, False, True, False]])
    back, flags = adapter.from_refiner(given + 100, filled, points)
    moved = np.array([100, 100, 100, 0, 0])[:, None]
    np.testing.assert_allclose(back[0], points[0] + moved)
    assert flags.tolist() == [[False, False, True, False, False]]
    assert 'left as they were: left_knee, tail' in adapter.report


@pytest.mark.parametrize('target', [NAMES, None, []])
def test_equal_or_unknown_names_change_nothing(target):
    adapter = SkeletonAdapter(NAMES, target)
    points, scores = np.ones((2, 5, 2)), np.ones((2, 5))
    assert adapter.to_refiner(points, scores)[0] is points
    assert adapter.report == ''


def test_a_refiner_of_another_skeleton_in_the_pipeline():
    """It knows the first three keypoints, in another order."""
    seen = []

    class Spy:
        def push_many(self, poses, timestamp=None):
            from blob_world import StreamFrame

            out = {}
            for key, (keypoints, scores) in poses.items():
                seen.append(keypoints)
                out[key] = [StreamFrame(keypoints + 5, scores <= 0)]
            return out

        def flush(self, track_id):
            return []

    adapter = SkeletonAdapter(NAMES, ['right_hand', 'nose', 'left_hand'])
    stage = RefineStage(Spy(), adapter)
    points = truth((20, 20))[None]
    person = tracked(points, np.ones((1, 5)))
    stage.push(person)
    np.testing.assert_allclose(seen[0], points[0][[2, 0, 1]])
    np.testing.assert_allclose(person.refined[0, :3], points[0, :3] + 5)
    np.testing.assert_allclose(person.refined[0, 3:], points[0, 3:])


def test_keypoints_below_the_threshold_count_as_missing():
    scores = np.array([[0.9, 0.2, 0.19, 0.0, 1.0]])
    person = tracked(truth((20, 20))[None], scores)
    RefineStage(None, kpt_thr=0.2).push(person)
    assert np.isnan(person.keypoints[0]).any(-1).tolist() == [
        *(False, False, True, True, False)
    ]
    np.testing.assert_allclose(person.keypoint_scores, [[0.9, 0.2, 0, 0, 1]])
