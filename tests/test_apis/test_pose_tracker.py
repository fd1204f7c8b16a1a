# Copyright (c) hanet_mm contributors. All rights reserved.
"""Persons keep their ids: scripted scenes, counted identity switches."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from walking_people import NOBODY, Walker, across, count_switches, film

from hanet_mm.apis.tracking import PoseTracker, assign_track_ids


def track(frames, tracker=None, skip=1):
    """Ids and segments of each frame."""
    tracker = tracker or PoseTracker()
    out = [
        tracker.update(
            skip * index,
            frame['bboxes'],
            frame['bbox_scores'],
            frame['keypoints'],
            frame['keypoint_scores'],
        )
        for index, frame in enumerate(frames)
    ]
    return [x.track_ids for x in out], [x.segments for x in out]


def ids_of(person, frames, ids):
    """All ids that a person ever had, in their order."""
    found = [x[f['person'] == person] for f, x in zip(frames, ids)]
    return list(dict.fromkeys(np.concatenate(found).tolist()))


def four_apart(**kwargs):
    walkers = [
        across(100, 500, y, (0, 90), phase=y, **kwargs)
        for y in (300, 550, 800, 1050)
    ]
    return walkers


def test_people_apart_keep_their_ids_although_missed():
    frames = film(four_apart(), 91, miss=0.2, noise=0.02)
    ids, segments = track(frames)
    assert count_switches(frames, ids) == 0
    assert set(np.concatenate(ids)) == {0, 1, 2, 3}
    assert all((x == 0).all() for x in segments)


@pytest.mark.parametrize('hidden', [0.3, 0.5, 2.0])
def test_two_who_cross_keep_their_ids(hidden):
    """Ten crossings with the one behind hidden for up to 20 frames."""
    switches = boxes_only = 0
    for seed in range(10):
        walkers = [
            across(200, 700, 600, (0, 100), phase=seed),
            across(720, 210, 585, (0, 100), phase=1.3 * seed, stride=0.23),
        ]
        frames = film(walkers, 101, seed=seed, hidden=hidden)
        switches += count_switches(frames, track(frames)[0])
        if hidden == 0.5:
            tracker = PoseTracker(oks_weight=0)
            boxes_only += count_switches(frames, track(frames, tracker)[0])
    assert switches == 0
    # The poses tell apart what the boxes do not.
    assert boxes_only > 0 or hidden != 0.5


def test_who_turns_round_while_hidden_is_recovered():
    for seed in range(3):
        walkers = [
            Walker([(200, 600), (480, 600), (200, 600)], (0, 60, 120)),
            Walker([(500, 640), (500, 640)], (0, 120), height=190, stride=0.0),
        ]
        frames = film(walkers, 121, seed=seed, hidden=0.2)
        ids, segments = track(frames)
        assert count_switches(frames, ids) == 0
        assert max(map(max, segments)) == 0


def test_who_is_hidden_for_long_is_remembered():
    walkers = [
        across(200, 800, 600, (0, 150)),
        # Stands in front of the way of the first.
        Walker([(500, 640), (500, 640)], (0, 150), height=190, stride=0.0),
    ]
    frames = film(walkers, 151, hidden=0.2)
    gap = [f for f in range(151) if 0 not in frames[f]['person']]
    assert len(gap) > 15  # the scene is what it should be
    ids, _ = track(frames)
    assert count_switches(frames, ids) == 0
    # A tracker that remembers nothing cannot do this.
    assert count_switches(frames, track(frames, PoseTracker(max_missed=3))[0])


def test_poses_are_expected_where_they_move_to():
    """A row that speeds up until each is where the next one was before."""
    times = np.arange(41)
    ran = 60 * np.maximum(times - 20, 0) + 1.5 * np.minimum(times, 20) ** 2
    row = [
        Walker([(60 * n + x, 600) for x in ran], times, stride=0.0)
        for n in range(4)
    ]
    frames = film(row, 41, hidden=2.0)
    ids, segments = track(frames, PoseTracker(oks_weight=1))
    assert count_switches(frames, ids) == 0
    assert max(map(max, segments)) == 0


def test_coming_and_going_disturbs_nobody_and_ids_are_not_used_again():
    walkers = [
        Walker([(300, 400), (330, 400)], (0, 120)),
        across(600, 800, 600, (0, 40)),  # leaves for good
        across(900, 600, 700, (50, 120)),  # comes later
        across(600, 660, 600, (100, 120)),  # where the second once was
    ]
    frames = film(walkers, 121)
    ids, _ = track(frames)
    every = [ids_of(person, frames, ids) for person in range(4)]
    assert [len(x) for x in every] == [1, 1, 1, 1]
    assert len(set(map(tuple, every))) == 4
    assert every[2:] == [[2], [3]]


def test_frames_without_anybody_are_misses():
    tracker = PoseTracker(max_missed=5)
    pose = across(0, 0, 300, (0, 9)).pose(0)[None]

    def see(frame):
        return tracker.update(frame, None, None, pose).track_ids.tolist()

    def nobody(frame, keypoints):
        tracked = tracker.update(frame, None, None, keypoints)
        assert tracked.track_ids.shape == tracked.segments.shape == (0,)

    assert [see(n) for n in range(8)] == [[0]] * 8
    for frame in range(8, 13):
        nobody(frame, NOBODY if frame % 2 else [])
    assert see(13) == [0]  # missed 5 times
    for frame in range(14, 20):
        nobody(frame, NOBODY)
    assert see(20) == [1]  # missed 6 times


@pytest.mark.parametrize('nobody', [NOBODY, []])
def test_frames_without_anybody_need_no_keypoints(nobody):
    """Readers do not know K there, sigmas do."""
    tracker = PoseTracker(sigmas=np.full(17, 0.05))
    pose = across(0, 0, 300, (0, 9)).pose(0)[None]
    for frame, keypoints in enumerate([nobody, pose, nobody, pose]):
        tracked = tracker.update(frame, None, None, keypoints)
        assert tracked.track_ids.tolist() == [0] * len(keypoints)


@pytest.mark.parametrize(('known', 'expected'), [(0.9, -1), (0.7, 0)])
def test_an_unknown_box_score_is_that_of_a_usual_detection(known, expected):
    """Of one person found twice the better one counts; unknown is 0.8."""
    pose = across(0, 0, 300, (0, 9)).pose(0)
    found = np.stack([pose, pose + 1])
    tracked = PoseTracker().update(0, None, [np.nan, known], found)
    assert tracked.track_ids.tolist() == [expected, -1 - expected]


def test_someone_seen_once_is_not_remembered_for_long():
    pose = across(0, 0, 300, (0, 9)).pose(0)[None]
    for missed, expected in ((3, 0), (4, 1)):
        tracker = PoseTracker()
        tracker.update(0, None, None, pose)
        for frame in range(missed):
            tracker.update(1 + frame, None, None, NOBODY)
        tracked = tracker.update(1 + missed, None, None, pose)
        assert tracked.track_ids.tolist() == [expected]


def test_a_jump_begins_a_segment_and_disturbs_nobody():
    walkers = [
        Walker(
            # 1.4 heights to the right between frames 30 and 31.
            [(200, 300), (260, 300), (512, 300), (570, 300)],
            (0, 30, 31, 60),
        ),
        across(300, 500, 700, (0, 60)),
    ]
    frames = film(walkers, 61)
    ids, segments = track(frames)
    assert count_switches(frames, ids) == 0
    rows = [f['person'] == 0 for f in frames]
    jumper = np.concatenate([s[row] for s, row in zip(segments, rows)])
    assert jumper.tolist() == [0] * 31 + [1] * 30
    others = np.concatenate([s[~row] for s, row in zip(segments, rows)])
    assert (others == 0).all()


def test_over_a_gap_a_longer_way_is_no_jump():
    """0.9 heights in one frame are a jump where 0.7 are allowed.

    With a frame left out in between they are none.
    """
    pose = across(0, 0, 300, (0, 9), stride=0.0).pose(0)
    moved = pose + [0.9 * 180, 0]
    box = np.array([[-90, 120, 90, 300.0]])  # 180 px
    for gap, expected in ((0, 1), (1, 0)):
        tracker = PoseTracker(max_jump=0.7)
        for frame in range(10):
            tracker.update(frame, box, None, pose[None])
        later = box + [0.9 * 180, 0, 0.9 * 180, 0]
        tracked = tracker.update(10 + gap, later, None, moved[None])
        assert tracked.track_ids.tolist() == [0]
        assert tracked.segments.tolist() == [expected]


def test_someone_found_twice_is_one_person():
    frames = film(four_apart(), 91, twice=0.3)
    ids, _ = track(frames)
    for frame, found in zip(frames, ids):
        for person in range(4):
            same = found[frame['person'] == person]
            assert (same >= 0).sum() == 1
    assert count_switches(frames, ids) == 0
    assert max(map(max, ids)) == 3


def test_a_low_score_continues_a_track_but_begins_none():
    frames = film([across(200, 300, 300, (0, 20))], 21)
    for frame in frames[10:]:
        frame['bbox_scores'][:] = 0.15
    ids, _ = track(frames)
    assert np.concatenate(ids).tolist() == [0] * 21
    # Who comes out from behind something is half hidden at first.
    nobody = {key: value[:0] for key, value in frames[0].items()}
    ids, _ = track([*frames[:10], *[nobody] * 5, *frames[15:]])
    assert np.concatenate(ids).tolist() == [0] * 16
    ids, _ = track(frames[10:])
    assert np.concatenate(ids).tolist() == [-1] * 11
    ids, _ = track(frames[10:], PoseTracker(new_track_score=0.1))
    assert np.concatenate(ids).tolist() == [0] * 11


def test_missing_keypoints_and_boxes_never_raise():
    rng = np.random.default_rng(0)
    frames = film(four_apart(), 91, ghosts=0.2, twice=0.1, miss=0.1)
    for frame in frames:
        lost = rng.random(frame['keypoints'].shape[:2]) < 0.4
        frame['keypoints'][lost] = np.nan
        frame['keypoint_scores'][lost] = 0
        whole = rng.random(len(lost)) < 0.1
        frame['keypoints'][whole] = np.nan  # left with the box
        frame['bboxes'][rng.random(len(lost)) < 0.2] = np.nan
        frame['bboxes'][rng.random(len(lost)) < 0.05, 2:] = -np.inf
        frame['bbox_scores'][rng.random(len(lost)) < 0.1] = np.nan
    ids, _ = track(frames)
    assert count_switches(frames, ids) == 0
    for frame, found in zip(frames, ids):
        usable = np.isfinite(frame['keypoints']).all(2).sum(1) >= 3
        usable |= np.isfinite(frame['bboxes']).all(1)
        assert (found[~usable] == -1).all()


def test_twenty_people():
    rng = np.random.default_rng(0)
    walkers = [
        across(
            *rng.uniform(0, 1900, 2),
            200 + 45 * n,
            (0, 299),
            height=160,
            phase=n,
        )
        for n in range(20)
    ]
    frames = film(walkers, 300, miss=0.03, noise=0.02)
    ids, segments = track(frames)
    # 45 px apart and 160 px tall, they cross and hide each other often.
    assert count_switches(frames, ids) <= 4
    assert np.median([len(np.unique(x)) for x in ids]) >= 15
    assert max(map(max, segments)) == 0


def test_frames_may_be_left_out():
    frames = film(four_apart(), 91)[::6]
    ids, segments = track(frames, skip=6)
    assert count_switches(frames, ids) == 0
    assert max(map(max, segments)) == 0


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    shift=st.tuples(st.integers(-2000, 2000), st.integers(-2000, 2000)),
)
def test_order_and_place_do_not_matter(seed, shift):
    rng = np.random.default_rng(seed)
    walkers = [
        across(
            *rng.uniform(0, 900, 2), rng.uniform(300, 700), (0, 25), phase=n
        )
        for n in range(6)
    ]
    frames = film(walkers, 25, seed=seed, miss=0.1, ghosts=0.2, twice=0.1)
    moved, orders = [], []
    for frame in frames:
        order = rng.permutation(len(frame['person']))
        frame = {k: np.asarray(x, np.float64)[order] for k, x in frame.items()}
        frame['keypoints'] += shift
        frame['bboxes'] += shift * 2
        moved.append(frame)
        orders.append(order)
    for expected, found in zip(track(frames), track(moved)):
        for order, old, new in zip(orders, expected, found):
            np.testing.assert_array_equal(old[order], new)


def test_reset_begins_anew():
    frames = film(four_apart(), 30)
    tracker = PoseTracker()
    first = track(frames, tracker)
    tracker.reset()
    for old, new in zip(first, track(frames, tracker)):
        for x, y in zip(old, new):
            np.testing.assert_array_equal(x, y)


def test_ids_for_files_without_boxes_and_scores():
    frames = film(four_apart(), 40, miss=0.1)
    ids = assign_track_ids([{'keypoints': x['keypoints']} for x in frames])
    assert [len(x) for x in ids] == [len(x['person']) for x in frames]
    assert count_switches(frames, ids) == 0
    assert assign_track_ids([]) == []


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            {'bboxes': np.zeros((2, 4))},
            r'frame 1: bboxes .*\(1, 4\).*\(2, 4\)',
        ),
        ({'keypoints': np.zeros((1, 17, 3))}, r'frame 1: keypoints .*N, K, 2'),
        ({'keypoints': np.zeros((1, 16, 2))}, 'frame 1: expected 17 .* 16'),
        ({'keypoint_scores': np.zeros((1, 5))}, 'frame 1: keypoint_scores'),
        ({'bbox_scores': np.zeros(3)}, 'frame 1: bbox_scores'),
    ],
)
def test_wrong_shapes_are_named(change, message):
    pose = across(0, 0, 300, (0, 9)).pose(0)[None]
    with pytest.raises(ValueError, match=message):
        assign_track_ids([{'keypoints': pose}, {'keypoints': pose, **change}])


def test_wrong_use_is_named():
    tracker = PoseTracker()
    tracker.update(5, None, None, NOBODY)
    with pytest.raises(ValueError, match='frame 5: expected a frame after 5'):
        tracker.update(5, None, None, NOBODY)
    with pytest.raises(ValueError, match="frame 0: expected 'keypoints'"):
        assign_track_ids([{'bboxes': np.zeros((1, 4))}])
    for arguments in (
        {'oks_weight': 2},
        {'match_thr': 0},
        {'max_missed': -1},
        {'max_jump': 0},
    ):
        with pytest.raises(ValueError, match=next(iter(arguments))):
            PoseTracker(**arguments)


def test_the_core_install_is_enough(run_python, tmp_path):
    program = tmp_path / 'program.py'
    program.write_text(
        'import sys\n'
        'for name in ("scipy", "cv2", "mmengine", "mmdet", "tqdm"):\n'
        '    sys.modules[name] = None\n'
        'import numpy as np\n'
        'from hanet_mm.apis.tracking import assign_track_ids\n'
        'person = np.random.default_rng(0).uniform(0, 90, (17, 2))\n'
        'both = np.stack([person, person + 200])\n'
        'frames = [dict(keypoints=both + t) for t in range(3)]\n'
        'print([x.tolist() for x in assign_track_ids(frames)])\n'
    )
    assert run_python(program, cwd=tmp_path) == f'{[[0, 1]] * 3}\n'
