# Copyright (c) hanet_mm contributors. All rights reserved.
"""The pipeline with stages that read the answer from the picture."""

import weakref

import numpy as np
import pytest
from blob_world import (
    NAMES,
    OFFSET,
    BlobDetector,
    BlobTracker,
    FailingSource,
    LateStream,
    draw,
    make_pipeline,
    place_at,
    truth,
    walk,
)
from blob_world import (
    run as dicts,
)

from hanet_mm.apis.tracking import PoseTracker
from hanet_mm.apis.video.pipeline import PoseReader, StageClock
from hanet_mm.apis.video.sources import SourceStopped, open_source


def run(pipeline, frames, fps=25):
    return list(dicts(pipeline, open_source(frames, fps)))


def people(result):
    return {x['track_id']: x for x in result['instances']}


@pytest.mark.parametrize('lookahead', [0, 1, 6, 100])
@pytest.mark.parametrize('batch_size', [1, 4])
def test_all_frames_come_in_order_with_their_poses(lookahead, batch_size):
    pipeline = make_pipeline(LateStream(lookahead), batch_size=batch_size)
    results = run(pipeline, walk(30))
    assert [x['frame_id'] for x in results] == list(range(30))
    for t, result in enumerate(results):
        assert result['image_size'] == (96, 64)
        assert result['timestamp'] == pytest.approx(t / 25)
        (person,) = result['instances']
        expected = truth(place_at(t))
        np.testing.assert_allclose(person['keypoints_input'], expected)
        np.testing.assert_allclose(person['keypoints'], expected + OFFSET)
        np.testing.assert_allclose(person['keypoint_scores'], 0.9)
        assert not person['filled'].any()
        assert (person['track_id'], person['segment']) == (0, 0)
        x, y = place_at(t)
        assert person['bbox'].tolist() == [x - 10, y - 1, x + 11, y + 26]


def test_without_a_refiner_poses_stay_as_they_are():
    for t, result in enumerate(run(make_pipeline(), walk(5))):
        person = result['instances'][0]
        np.testing.assert_array_equal(
            person['keypoints'], person['keypoints_input']
        )
        np.testing.assert_array_equal(person['keypoints'], truth(place_at(t)))


def test_results_come_before_the_source_ends():
    read = []

    def frames():
        for t, frame in enumerate(walk(40)):
            read.append(t)
            yield frame

    pipeline = make_pipeline(LateStream(5), batch_size=4)
    results = dicts(pipeline, open_source(frames()))
    assert not read
    assert next(results)['frame_id'] == 0
    assert len(read) == 8  # the batch in which frame 5 is


@pytest.mark.parametrize('det_interval', [1, 5])
def test_memory_holds_the_pictures_of_one_batch(det_interval):
    alive = []
    most = 0

    def frames():
        nonlocal most
        for frame in walk(300):
            alive.append(weakref.ref(frame))
            most = max(most, sum(x() is not None for x in alive))
            yield frame

    pipeline = make_pipeline(
        LateStream(90), batch_size=4, det_interval=det_interval
    )
    count = 0
    for _ in dicts(pipeline, open_source(frames())):
        count += 1
        now = sum(x() is not None for x in alive)
        most = max(most, now)
    assert count == 300
    # A batch, and the one that the source has in its hands.
    assert most <= 4 + 2


def test_keypoints_in_memory_are_bounded_by_the_look_ahead():
    read, done, waiting, old = 0, 0, [], []

    def frames():
        nonlocal read
        for frame in walk(400):
            read += 1
            waiting.append(read - done)
            yield frame

    pipeline = make_pipeline(LateStream(20), batch_size=4)
    for result in dicts(pipeline, open_source(frames())):
        done += 1
        old.append(weakref.ref(result['instances'][0]['keypoints_input']))
    del result
    assert done == 400
    assert max(waiting) <= 20 + 4 + 1
    assert not any(x() is not None for x in old)  # nor kept afterwards


def test_pictures_are_kept_on_request_only():
    frames = list(walk(3))
    pipeline = make_pipeline(LateStream(2))
    kept = pipeline.run(open_source(frames), keep=lambda image: image[::2])
    for found, frame in zip(kept, frames):
        np.testing.assert_array_equal(found.result()['image'], frame[::2])
    assert 'image' not in run(pipeline, frames)[0]


def test_frames_with_nobody_have_no_instances():
    empty = draw({})
    pipeline = make_pipeline(LateStream(3))
    assert [x['instances'] for x in run(pipeline, [empty] * 9)] == [[]] * 9
    # Somebody in the middle.
    frames = [empty, draw({0: (20, 20)}), empty]
    counts = [len(x['instances']) for x in run(pipeline, frames)]
    assert counts == [0, 1, 0]


def test_a_video_of_one_frame():
    results = run(make_pipeline(LateStream(100)), walk(1))
    assert len(results) == 1
    np.testing.assert_allclose(
        results[0]['instances'][0]['keypoints'], truth(place_at(0)) + OFFSET
    )


def test_twenty_people_are_refined_together():
    size = (640, 120)
    places = {i: (20 + 30 * i, 30 + 3 * (i % 5)) for i in range(20)}
    frames = [
        draw({i: (x + t, y) for i, (x, y) in places.items()}, size)
        for t in range(12)
    ]
    stream = LateStream(4)
    results = run(make_pipeline(stream), frames)
    assert set(stream.persons_at_once) == {20}
    for t, result in enumerate(results):
        found = people(result)
        assert sorted(found) == list(range(20))
        for i, (x, y) in places.items():
            np.testing.assert_allclose(
                found[i]['keypoints_input'], truth((x + t, y))
            )


def test_the_tracker_of_the_package_keeps_twenty_people_apart():
    size = (640, 120)
    frames = [
        draw({i: (20 + 30 * i + t, 30) for i in range(20)}, size)
        for t in range(8)
    ]
    pipeline = make_pipeline(LateStream(4), tracker=PoseTracker())
    began = [
        {i: x['keypoints_input'][0] - (t, 0) for i, x in people(r).items()}
        for t, r in enumerate(run(pipeline, frames))
    ]
    assert sorted(x for x, _ in began[0].values()) == [
        20 + 30 * i for i in range(20)
    ]
    for later in began:
        assert later.keys() == began[0].keys()
        for i, place in later.items():
            np.testing.assert_allclose(place, began[0][i])


def missed(frames, **options):
    detector = BlobDetector(missed=[(t, 0) for t in frames])
    return make_pipeline(detector=detector, **options)


@pytest.mark.parametrize('lookahead', [5, 100])
def test_a_short_miss_is_filled_and_flagged(lookahead):
    pipeline = missed([6, 7, 8], stream=LateStream(lookahead), max_gap=3)
    results = run(pipeline, walk(20))
    for t, result in enumerate(results):
        (person,) = result['instances']
        away = t in (6, 7, 8)
        assert person['filled'].all() == away
        assert person['filled'].any() == away
        assert person['segment'] == 0
        assert np.isfinite(person['keypoints']).all()
        assert np.isnan(person['keypoints_input']).any() == away
        if away:
            assert person['bbox_score'] == 0
            assert (person['keypoint_scores'] == 0).all()
            # The stream repeats the last pose; the box lies around it.
            expected = truth(place_at(5)) + OFFSET
            np.testing.assert_allclose(person['keypoints'], expected)
            box = [*expected.min(0), *expected.max(0)]
            np.testing.assert_allclose(person['bbox'], box)


def test_a_long_miss_stays_empty_and_begins_a_new_segment():
    pipeline = missed([6, 7, 8, 9], stream=LateStream(100), max_gap=3)
    results = run(pipeline, walk(20))
    segments = [[x['segment'] for x in r['instances']] for r in results]
    assert segments == [[0]] * 6 + [[]] * 4 + [[1]] * 10
    assert not any(x['filled'].any() for r in results for x in r['instances'])


def test_nobody_is_invented_after_the_last_sight():
    frames = [*walk(10), *[draw({})] * 20]
    for max_gap in (0, 4, 50):
        pipeline = make_pipeline(LateStream(3), max_gap=max_gap)
        counts = [len(x['instances']) for x in run(pipeline, frames)]
        assert counts == [1] * 10 + [0] * 20


def test_others_go_on_when_somebody_leaves_for_good():
    frames = [
        draw({0: (20 + t, 20), **({1: (70, 20)} if t < 8 else {})})
        for t in range(60)
    ]
    stream = LateStream(6)
    pipeline = make_pipeline(stream, max_gap=5)
    results = dicts(pipeline, open_source(frames))
    waiting = 0
    for t, result in enumerate(results):
        found = people(result)
        assert sorted(found) == ([0, 1] if t < 8 else [0])
        assert found[0]['segment'] == 0
        waiting = len(stream.tracks)
    assert waiting <= 1  # nothing is kept of who has left


def test_without_look_ahead_a_miss_cannot_be_filled():
    results = run(missed([6], stream=LateStream(0)), walk(12))
    assert [len(x['instances']) for x in results] == [1] * 6 + [0] + [1] * 5
    assert {x['instances'][0]['segment'] for x in results if x['instances']}


def test_a_jump_begins_a_new_segment():
    pipeline = make_pipeline(LateStream(4), tracker=BlobTracker(jumps=(7,)))
    results = run(pipeline, walk(15))
    segments = [x['instances'][0]['segment'] for x in results]
    assert segments == [0] * 7 + [1] * 8
    assert all(len(x['instances']) == 1 for x in results)


def test_who_belongs_to_nobody_is_left_out():
    class Picky(BlobTracker):
        def update(self, *args):
            found = super().update(*args)
            found.track_ids[found.track_ids == 1] = -1
            return found

    frames = [draw({0: (20, 20), 1: (60, 20)})] * 5
    pipeline = make_pipeline(LateStream(2), tracker=Picky())
    assert [sorted(people(x)) for x in run(pipeline, frames)] == [[0]] * 5


def test_missing_keypoints_are_told_apart():
    frames = [
        draw({0: (30, 20)}, hidden=[(0, 2)] if t == 3 else ())
        for t in range(8)
    ]
    results = run(make_pipeline(LateStream(2)), frames)
    for t, result in enumerate(results):
        (person,) = result['instances']
        expected = [t == 3 and k == 2 for k in range(len(NAMES))]
        assert person['filled'].tolist() == expected
        gone = np.isnan(person['keypoints_input']).any(-1)
        assert gone.tolist() == expected
        assert ((person['keypoint_scores'] == 0) == expected).all()


def test_a_change_of_resolution_is_no_jump():
    # The same scene, from frame 4 on with twice as many pixels.
    seen = []

    class Spy(LateStream):
        def push_many(self, poses, timestamp=None):
            seen.extend(points for points, _ in poses.values())
            return super().push_many(poses, timestamp)

    frames = [
        image if t < 4 else np.kron(image, np.ones((2, 2, 1), np.uint8))
        for t, image in enumerate(walk(9))
    ]
    results = run(make_pipeline(Spy(2)), frames)
    for t, (result, pushed) in enumerate(zip(results, seen)):
        (person,) = result['instances']
        small = truth(place_at(t))
        # Pixel n covers 2n and 2n + 1: its middle is at 2n + 0.5.
        own = small if t < 4 else 2 * small + 0.5
        assert result['image_size'] == ((96, 64) if t < 4 else (192, 128))
        np.testing.assert_allclose(person['keypoints_input'], own)
        np.testing.assert_allclose(pushed, small, atol=0.26)
        shift = OFFSET if t < 4 else 2 * OFFSET
        np.testing.assert_allclose(person['keypoints'], own + shift)
        x, y = place_at(t)
        box = np.array([x - 10, y - 1, x + 11, y + 26])
        np.testing.assert_allclose(person['bbox'], box * (1 if t < 4 else 2))
        assert person['segment'] == 0


@pytest.mark.parametrize('frames', [0, 1, 10])
@pytest.mark.parametrize(
    'error', [SourceStopped('it stopped'), KeyboardInterrupt()]
)
def test_what_a_failing_source_gave_is_finished_first(frames, error):
    pipeline = make_pipeline(LateStream(100), batch_size=4)
    results = []
    with pytest.raises(type(error)) as caught:
        results.extend(dicts(pipeline, FailingSource(frames, error)))
    assert caught.value is error
    assert [x['frame_id'] for x in results] == list(range(frames))
    assert all(len(x['instances']) == 1 for x in results)


def test_a_second_video_starts_anew():
    pipeline = make_pipeline(lambda size: LateStream(5), tracker=PoseTracker())
    first = run(pipeline, walk(10))
    unfinished = pipeline.run(open_source(walk(10)))
    next(unfinished)
    unfinished.close()
    second = run(pipeline, walk(10))
    for one, two in zip(first, second):
        assert people(one).keys() == people(two).keys() == {0}
        assert two['instances'][0]['segment'] == 0
        np.testing.assert_array_equal(
            one['instances'][0]['keypoints'], two['instances'][0]['keypoints']
        )


def test_a_camera_does_not_wait_for_a_batch():
    source = open_source(walk(20))
    source.live = True
    detector = BlobDetector()
    results = make_pipeline(detector=detector, batch_size=8).run(source)
    next(results)
    assert detector.batches == [1]


def test_frames_are_detected_in_batches():
    detector = BlobDetector()
    run(make_pipeline(detector=detector, batch_size=8), walk(20))
    assert detector.batches == [8, 8, 4]


def test_the_detector_runs_every_few_frames():
    detector = BlobDetector()
    results = run(
        make_pipeline(LateStream(2), detector, det_interval=5), walk(22)
    )
    assert detector.batches == [1] * 5
    for t, result in enumerate(results):
        np.testing.assert_allclose(
            result['instances'][0]['keypoints_input'], truth(place_at(t))
        )


def test_the_time_of_each_stage_is_counted():
    clock = StageClock()
    list(make_pipeline(LateStream(2)).run(open_source(walk(5)), clock))
    spent = clock.seconds
    for stage in ('reading', 'detector', 'estimator', 'tracker', 'refiner'):
        assert spent[stage] > 0
    assert spent['writing'] == 0
    assert clock.shares().startswith('reading ')


@pytest.mark.parametrize('name', ['det_interval', 'batch_size'])
def test_numbers_below_one_are_refused(name):
    with pytest.raises(ValueError, match=f'{name}: expected at least 1'):
        PoseReader(None, None, **{name: 0})
