# Copyright (c) hanet_mm contributors. All rights reserved.
"""Results of pose estimators in a stream, frame by frame."""

import copy
import pickle

import numpy as np
import pytest
from object_makers import (
    FRAMES,
    MAKERS,
    MEDIAPIPE,
    SIZE,
    as_landmarks,
    assert_same,
    freeze,
    instances_of,
    plain_ultralytics,
    stacked,
    ultralytics_points,
    walk,
)

import hanet_mm

LONG = 200  # frames of look-ahead, more than any video here has
PAIR = next(x for x in MAKERS if x.name == 'pair')


@pytest.fixture(scope='module')
def refiner():
    return hanet_mm.load_refiner('coco17-2d')


def run(stream, results):
    done = [x for result in results for x in stream.push(result)]
    return done + stream.flush()


@pytest.mark.parametrize('maker', MAKERS + MEDIAPIPE, ids=lambda x: x.name)
def test_with_all_frames_ahead_it_is_the_result_of_refine(maker, refiner):
    poses, scores = walk()
    if maker in MEDIAPIPE:
        poses, scores = as_landmarks(poses, scores)
    results = maker.video(poses, scores, [7] if maker.has_ids else None)
    before = freeze(results)
    stream = hanet_mm.StreamingRefiner(refiner, LONG, **maker.options)
    found = run(stream, results)
    assert freeze(results) == before
    assert [type(x) for x in found] == [type(x) for x in results]
    expected = hanet_mm.refine(results, refiner=refiner, **maker.options)
    assert_same(stacked(maker, found), stacked(maker, expected))


@pytest.mark.parametrize('lookahead', [0, 3])
def test_results_come_out_as_those_of_arrays(refiner, lookahead):
    poses, scores = walk()
    stream = hanet_mm.StreamingRefiner(refiner, lookahead)
    plain = hanet_mm.StreamingRefiner(refiner, lookahead)
    for result in PAIR.video(poses, scores):
        found = stream.push_many(result)
        # Blocks of frames begin by the id: the first person there is 1.
        expected = plain.push(result[0][0], result[1][0], track_id=1)
        assert len(found) == len(expected)
        for (keypoints, _), frame in zip(found, expected):
            assert_same(keypoints[0], frame.keypoints)
    assert len(stream.flush()) == lookahead


def test_people_are_followed_by_id_and_others_stay(refiner):
    poses, scores = walk(3)
    order = np.array([(0, 1), (1, 0)] * (FRAMES // 2))
    results = []
    for t in range(FRAMES):
        ids = np.array([11, 22])[order[t]]
        results.append(
            plain_ultralytics(poses[t, order[t]], scores[t, order[t]], ids)
        )
    results[9] = plain_ultralytics(poses[9, 2:], scores[9, 2:], None)
    stream = hanet_mm.StreamingRefiner(refiner, LONG)
    found = run(stream, results)
    assert_same(ultralytics_points(found[9]), poses[9, 2:])
    expected = hanet_mm.refine(results)
    for one, other in zip(found, expected):
        assert_same(ultralytics_points(one), ultralytics_points(other))


def test_a_second_person_without_id_starts_the_tracker(refiner):
    """The first one goes on without a break.

    It is the right one, which a tracker alone would number second.
    """
    poses, scores = (x[:, ::-1] for x in walk(2))
    results = PAIR.video(poses[:10, :1], scores[:10, :1])
    results += PAIR.video(poses[10:, ::-1], scores[10:, ::-1])
    stream = hanet_mm.StreamingRefiner(refiner, LONG)
    found = run(stream, results)
    first = np.array([keypoints[-1] for keypoints, _ in found])
    second = np.array([keypoints[0] for keypoints, _ in found[10:]])
    assert_same(first, refiner.refine(poses[:, 0], scores[:, 0]).keypoints)
    assert_same(
        second, refiner.refine(poses[10:, 1], scores[10:, 1]).keypoints
    )


def test_frames_without_people_come_out_in_order(refiner):
    poses, scores = walk()
    results = PAIR.video(poses, scores)
    for t in (0, 5, FRAMES - 1):
        results[t] = None
    stream = hanet_mm.StreamingRefiner(refiner, 3)
    found = run(stream, results)
    assert [t for t, x in enumerate(found) if x is None] == [0, 5, FRAMES - 1]
    assert len(found) == FRAMES
    # An empty result says it.
    for t in (0, 5):
        results[t] = PAIR.make(poses[t, :0], scores[t, :0], None)
    found = run(stream, results)
    counts = [1] * FRAMES
    counts[0] = counts[5] = counts[-1] = 0
    assert [0 if x is None else len(x[0]) for x in found] == counts


def test_missing_keypoints_that_stay_empty_keep_what_was_given(refiner):
    poses, scores = walk()
    scores[4:9, 0, 9] = 0
    stream = hanet_mm.StreamingRefiner(refiner, LONG, max_gap=2)
    found = run(stream, PAIR.video(poses, scores))
    kept = np.array([keypoints[0, 9] for keypoints, _ in found[4:9]])
    assert_same(kept, poses[4:9, 0, 9])


def test_a_batch_comes_out_when_all_of_its_frames_are_done(refiner):
    poses, scores = walk()
    frames = [instances_of(*x, None) for x in zip(poses, scores)]
    batches = [
        dict(predictions=frames[i : i + 6]) for i in range(0, FRAMES, 6)
    ]
    stream = hanet_mm.StreamingRefiner(refiner, 2)
    assert stream.push(batches[0]) == []
    assert len(stream.push(batches[1])) == 1
    rest = stream.push(batches[2]) + stream.push(batches[3]) + stream.flush()
    assert [len(x['predictions']) for x in rest] == [6, 6, 6]


@pytest.mark.parametrize('nobody', [None, []])
@pytest.mark.parametrize('way', ['push', 'push_many'])
def test_before_the_first_person_there_is_nobody(refiner, nobody, way):
    poses, scores = walk()
    results = PAIR.video(poses, scores)
    stream = hanet_mm.StreamingRefiner(refiner, 3)
    push = getattr(stream, way)
    assert [push(nobody), push(nobody)] == [[nobody], [nobody]]
    assert stream.flush() == []  # a video of nobody
    assert [push(nobody), push(nobody)] == [[nobody], [nobody]]
    found = [x for result in results for x in push(result)] + stream.flush()
    plain = hanet_mm.StreamingRefiner(refiner, 3)
    assert_same(stacked(PAIR, found), stacked(PAIR, run(plain, results)))
    # And of a second video.
    assert push(nobody) == [nobody]
    push(results[0])
    with pytest.raises(ValueError, match=r'result 2: expected the same'):
        push(plain_ultralytics(poses[1], scores[1], None))


@pytest.mark.parametrize(
    'others', [dict(scores=np.ones(17)), dict(track_id=3), dict(index=7)]
)
def test_a_result_comes_with_no_other_argument(refiner, others):
    poses, scores = walk()
    result = (poses[0], scores[0])
    name = next(iter(others))
    stream = hanet_mm.StreamingRefiner(refiner)
    for given in (result, None, []):
        with pytest.raises(TypeError, match=f'{name}: expected none'):
            stream.push(given, **others)
    if name == 'index':
        with pytest.raises(TypeError, match='index: expected none'):
            stream.push_many(result, **others)
    # A refused push changes nothing.
    assert stream.push(poses[0, 0], scores[0, 0])


@pytest.mark.parametrize('copy', [
    copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x)),
])  # fmt: skip
def test_a_copy_in_the_middle_goes_on_in_the_same_way(refiner, copy):
    results = PAIR.video(*walk())
    middle = FRAMES // 2
    stream = hanet_mm.StreamingRefiner(refiner, 3)
    for result in results[:middle]:
        stream.push(result)
    again = copy(stream)
    expected = run(stream, results[middle:])
    found = run(again, results[middle:])
    assert len(found) == len(expected) == len(results) - middle + 3
    assert_same(stacked(PAIR, found), stacked(PAIR, expected))


def test_a_stream_begins_anew_after_its_end_or_a_reset(refiner):
    poses, scores = walk()
    results = PAIR.video(poses, scores)
    stream = hanet_mm.StreamingRefiner(refiner, LONG)
    first = run(stream, results)
    for result in results[:5]:
        stream.push(result)
    stream.reset()
    assert_same(stacked(PAIR, run(stream, results)), stacked(PAIR, first))
    # Arrays may follow, too.
    assert stream.push(poses[0, 0], scores[0, 0]) == []
    assert list(stream.flush()) == [0]


def test_faults_are_named(refiner):
    poses, scores = walk()
    stream = hanet_mm.StreamingRefiner(refiner)
    stream.push(poses[0, 0], scores[0, 0])
    with pytest.raises(ValueError, match='rtmlib results: expected arrays'):
        stream.push((poses[1], scores[1]))
    stream = hanet_mm.StreamingRefiner(refiner)
    stream.push((poses[0], scores[0]))
    with pytest.raises(ValueError, match=r'result 1: expected the same kind'):
        stream.push(plain_ultralytics(poses[1], scores[1], None))
    lifted = np.zeros((1, 17, 3))
    with pytest.raises(ValueError, match='expected 2D keypoints'):
        hanet_mm.StreamingRefiner(refiner).push((lifted, scores[0]))
    landmarks = MEDIAPIPE[0].make(*(x[0] for x in as_landmarks(*walk())), 0)
    with pytest.raises(ValueError, match='give image_size'):
        hanet_mm.StreamingRefiner(refiner).push(landmarks)
    stream = hanet_mm.StreamingRefiner(refiner, image_size=SIZE)
    assert len(stream.push(landmarks)) == 1
