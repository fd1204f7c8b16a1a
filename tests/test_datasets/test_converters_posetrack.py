# Copyright (c) hanet_mm contributors. All rights reserved.
"""PoseTrack's annotation and an estimator's poses -> flat layout."""

import numpy as np
import pytest
from posetrack import convert_posetrack
from posetrack_scenes import (
    BODY,
    HEAD,
    HEAD_SIZE,
    NAMES,
    Script,
    annotation_17,
    annotation_18,
    results,
    stand,
    walk,
    write,
)

from hanet_mm.core.data.sequences import load_pose_sequences

VIDEO = '000342_mpii_test'


@pytest.fixture
def convert(tmp_path):
    """Write scripts in one of the forms, convert them, load the result."""

    def run(*scripts, old=False, count=17, **options):
        folder = tmp_path / 'val'
        for script in scripts:
            annotation = annotation_17 if old else annotation_18
            write(folder / f'{script.name}.json', annotation(script))
        found = write(
            tmp_path / 'dcpose.json', results(*scripts, old=old, count=count)
        )
        if old:
            options.setdefault('image_size', (640, 480))
        options.setdefault('dataset', f'posetrack1{7 if old else 8}')
        out = tmp_path / 'out.npz'
        run.notes = convert_posetrack(folder, found, out, **options)
        return load_pose_sequences(out, allow_empty=True)

    return run


def person(seqs, track_id):
    """The only sequence of a person."""
    ids = seqs.extras['track_id_gt'][seqs.starts]
    (index,) = np.flatnonzero(ids == track_id)
    return seqs.select([index])


def assert_estimate(seqs, places, shift=(0, 0)):
    """Compare the estimates with where the person was found."""
    frames = seqs.extras['frame_number'].tolist()
    found = [f for f, valid in zip(frames, seqs.valid) if valid.all()]
    assert found == sorted(places)
    for frame, (x, y) in places.items():
        row = frames.index(frame)
        np.testing.assert_allclose(
            seqs.keypoints_est[row], stand(x + shift[0], y + shift[1])
        )
        assert (seqs.scores[row] == 0.75).all()
    missing = ~np.isin(frames, list(places))
    assert np.isnan(seqs.keypoints_est[missing]).all()
    assert (seqs.scores[missing] == 0).all()


@pytest.mark.parametrize('old', [False, True])
@pytest.mark.parametrize('use_track_ids', [False, True])
def test_two_people_crossing(convert, old, use_track_ids):
    ways = {3: walk(range(11), 240, 12), 7: walk(range(11), 360, -12, 212)}
    script = Script(VIDEO, 11, (0, 4, 8), ways)
    for frame in range(11):
        # whoever stands on the left comes first, as a detector may list them
        pair = sorted(ways, key=lambda track_id: ways[track_id][frame])
        for track_id in pair:
            script.follow(
                {frame: ways[track_id][frame]}, (2, 1), track_id=track_id + 40
            )
    seqs = convert(script, old=old, use_track_ids=use_track_ids)
    assert seqs.seq_name.tolist() == [VIDEO] * 2
    assert seqs.seq_len.tolist() == [11, 11]
    first = 1 if old else 0
    for track_id, way in ways.items():
        one = person(seqs, track_id)
        numbers = one.extras['frame_number']
        assert numbers.tolist() == list(range(first, 11 + first))
        one.extras['frame_number'] = numbers - first
        assert_estimate(one, way, shift=(2, 1))
        labelled = np.isin(np.arange(11), script.labelled)
        assert one.extras['annotated'].tolist() == labelled.tolist()
        assert ((one.visible == 1) == labelled[:, None]).all()
        for frame in range(11):
            truth = stand(*way[frame]) if labelled[frame] else np.nan
            np.testing.assert_array_equal(
                one.keypoints_gt[frame], np.broadcast_to(truth, (15, 2))
            )
        head = one.extras['head_size_gt']
        np.testing.assert_allclose(head[labelled], HEAD_SIZE)
        assert np.isnan(head[~labelled]).all()
    assert seqs.meta['keypoint_names'] == list(NAMES)
    assert '6 persons annotated in them: 6 matched' in '\n'.join(convert.notes)


def test_a_track_starts_in_the_middle_and_ends_before_the_end(convert):
    way = walk(range(2, 10), 100, 6)
    script = Script(VIDEO, 14, (0, 4, 8, 12), {0: way})
    script.follow(way)
    seqs = convert(script)
    assert seqs.seq_len.tolist() == [8]
    assert seqs.extras['frame_number'].tolist() == list(range(2, 10))
    # frame 12 is labelled, but the person is gone by then
    assert np.flatnonzero(seqs.visible.any(1)).tolist() == [2, 6]
    assert_estimate(seqs, way)
    assert '4 frames labelled, 10 not' in convert.notes
    assert '6 poses in unlabelled frames: 6 linked' in '\n'.join(convert.notes)


def test_a_track_of_one_frame(convert):
    script = Script(VIDEO, 6, (3,), {5: {3: (200, 200)}})
    script.follow({3: (204, 200)})
    seqs = convert(script)
    assert seqs.seq_len.tolist() == [1]
    assert seqs.extras['frame_number'].tolist() == [3]
    assert_estimate(seqs, {3: (204, 200)})
    np.testing.assert_array_equal(seqs.keypoints_gt[0], stand(200, 200))


def test_annotated_and_never_found_stays(convert):
    script = Script(
        VIDEO,
        5,
        (0, 2, 4),
        {1: {0: (100, 200), 2: (110, 200), 4: (120, 200)}, 2: {2: (400, 200)}},
    )
    script.follow({0: (100, 200), 1: (105, 200), 4: (120, 200)})
    seqs = convert(script)
    assert seqs.seq_len.tolist() == [5, 1]
    # not found in frames 2 and 3 of its own track
    assert_estimate(
        person(seqs, 1), {0: (100, 200), 1: (105, 200), 4: (120, 200)}
    )
    assert person(seqs, 1).visible[2].all()
    never = person(seqs, 2)
    assert_estimate(never, {})
    assert never.visible.all()
    assert never.extras['head_size_gt'].tolist() == [HEAD_SIZE]
    assert '4 persons annotated in them: 2 matched' in '\n'.join(convert.notes)
    assert '2 not found' in '\n'.join(convert.notes)


def test_places_in_the_lists_of_the_frames_are_kept(convert):
    """Person 7 is listed first, and found second in frame 0."""
    people = {7: {0: (100, 200), 1: (100, 200)}, 2: {0: (400, 200)}}
    script = Script(VIDEO, 2, (0, 1), people)
    script.follow({0: (400, 200)})
    script.follow({0: (100, 200)})
    seqs = convert(script)
    first, other = person(seqs, 7), person(seqs, 2)
    assert first.extras['order_gt'].tolist() == [0, 0]
    assert first.extras['order_est'].tolist() == [1, -1]
    assert other.extras['order_gt'].tolist() == [1]
    assert other.extras['order_est'].tolist() == [0]


@pytest.mark.parametrize('use_track_ids', [False, True])
def test_found_without_annotation_is_a_track_of_its_own(
    convert, use_track_ids
):
    script = Script(VIDEO, 20, (2, 3), {0: walk(range(20), 100, 2)})
    script.follow(script.people[0], track_id=0)
    ghost = walk(range(1, 6), 400, 3)
    later = walk(range(12, 14), 400, 3)  # gone for longer than is followed
    script.follow(ghost, track_id=9)
    script.follow(later, track_id=9)
    seqs = convert(script, use_track_ids=use_track_ids)
    assert seqs.seq_len.tolist() == [20, 5, 2]
    for index, places in ((1, ghost), (2, later)):
        other = seqs.select([index])
        assert_estimate(other, places)
        assert (other.extras['track_id_gt'] == -1).all()
        assert (other.visible == 0).all()
        assert np.isnan(other.keypoints_gt).all()
        assert np.isnan(other.extras['head_size_gt']).all()
    # frames 2 and 3 of the video are labelled whoever is in them
    other = seqs.select([1])
    assert other.extras['annotated'].tolist() == [0, 1, 1, 0, 0]
    text = '\n'.join(convert.notes)
    assert '2 poses in labelled frames match nobody' in text
    assert '23 poses in unlabelled frames: 18 linked' in text
    assert '2 tracks of poses without annotated person' in text


def test_ids_go_where_poses_are_not_alike(convert):
    """A jump that no likeness of poses can follow, but the id does."""
    places = {0: (100, 200), 1: (400, 200), 2: (100, 200)}
    script = Script(VIDEO, 3, (0, 2), {0: places})
    script.follow(places, track_id=4)
    assert_estimate(person(convert(script, use_track_ids=True), 0), places)
    seqs = convert(script)
    assert_estimate(
        person(seqs, 0), {frame: places[frame] for frame in (0, 2)}
    )
    assert_estimate(person(seqs, -1), {1: places[1]})


def test_an_id_that_changes_hands_counts_by_the_nearest_labelled_frame(
    convert,
):
    """Both people lie too far apart to be linked; the ids swap at frame 4."""
    ways = {0: walk(range(8), 100, 0), 1: walk(range(8), 500, 0)}
    script = Script(VIDEO, 8, (0, 7), ways)
    for frame in range(8):
        for track_id, way in ways.items():
            name = track_id if frame < 4 else 1 - track_id
            script.follow({frame: way[frame]}, track_id=name)
    seqs = convert(script, use_track_ids=True)
    for track_id, way in ways.items():
        assert_estimate(person(seqs, track_id), way)


def test_labelled_frames_have_the_last_word(convert):
    """Someone stands still, but is not annotated in labelled frame 2."""
    script = Script(VIDEO, 5, (0, 2), {0: {0: (200, 200)}})
    still = walk(range(5), 200, 0)
    script.follow(still)
    seqs = convert(script)
    assert_estimate(person(seqs, 0), {f: still[f] for f in (0, 1)})
    assert_estimate(person(seqs, -1), {f: still[f] for f in (2, 3, 4)})


def test_a_person_found_twice_keeps_the_nearer_pose(convert):
    script = Script(VIDEO, 3, (0, 2), {0: walk(range(3), 200, 0)})
    script.follow({1: (206, 200)})
    script.follow(script.people[0])
    seqs = convert(script)
    assert_estimate(person(seqs, 0), script.people[0])
    assert_estimate(person(seqs, -1), {1: (206, 200)})


def test_of_two_ids_the_one_known_nearer_in_time_is_taken(convert):
    """Ids 1 and 2 both stand for the person, in frames 0 and 6."""
    script = Script(VIDEO, 7, (0, 6), {0: walk(range(7), 200, 0)})
    first, second = walk(range(4), 200, 0), walk(range(2, 7), 200, 0, 230)
    script.people[0][6] = (200, 230)
    script.follow(first, track_id=1)
    script.follow(second, track_id=2)
    seqs = convert(script, use_track_ids=True)
    taken = {**{f: second[f] for f in range(3, 7)}, **first}
    del taken[3]  # as far from both: the scores decide, see below
    one = person(seqs, 0)
    rows = sorted(taken)
    np.testing.assert_array_equal(
        one.keypoints_est[rows], [stand(*taken[f]) for f in rows]
    )
    for item in script.found:
        if item[0] == 3 and item[2]['track_id'] == 1:
            points = np.c_[item[1], np.full(15, 0.5)]  # others have 0.75
            item[2]['keypoints'] = points.reshape(-1).tolist()
    one = person(convert(script, use_track_ids=True), 0)
    np.testing.assert_array_equal(one.keypoints_est[3], stand(*second[3]))


def test_a_wrong_pose_in_the_right_box_is_an_error_of_the_estimator(convert):
    script = Script(VIDEO, 1, (0,), {0: {0: (200, 200)}})
    wrong = stand(200, 200)[::-1]  # ankles where the head should be
    script.found.append((0, wrong, dict(bbox=[150, 100, 100, 190])))
    seqs = convert(script)
    assert seqs.seq_len.tolist() == [1]
    np.testing.assert_array_equal(seqs.keypoints_est[0], wrong)
    assert '1 matched to a pose (1 of them by box alone)' in '\n'.join(
        convert.notes
    )


def test_a_person_annotated_by_a_box_alone(convert, tmp_path):
    script = Script(VIDEO, 1, (0,), {0: {0: (200, 200)}, 1: {0: (400, 200)}})
    script.follow({0: (400, 200)})
    content = annotation_18(script)
    content['annotations'][1]['keypoints'] = [0] * 51
    del content['annotations'][1]['bbox_head']
    annotation = write(tmp_path / 'one.json', content)
    found = write(tmp_path / 'found.json', results(script))
    out = tmp_path / 'one.npz'
    notes = convert_posetrack(annotation, found, out, 'posetrack18')
    seqs = load_pose_sequences(out, allow_empty=True)
    assert seqs.valid.any(1).tolist() == [False, True]
    assert seqs.visible.any(1).tolist() == [True, False]
    assert np.isnan(seqs.extras['head_size_gt'][1])
    assert '1 annotated persons without keypoints' in notes


@pytest.mark.parametrize('old', [False, True])
def test_boxes_are_enlarged_and_interpolated(convert, old):
    way = walk(range(7), 100, 10)
    script = Script(VIDEO, 7, (1, 5), {0: way})
    script.follow(way, (1, 0))
    seqs = convert(script, old=old)
    if old:  # no box of the person there: around keypoints and head
        low = np.minimum(BODY.min(0), HEAD[:2])
        high = np.maximum(BODY.max(0), HEAD[:2] + HEAD[2:])
    else:
        low, high = np.array([-50, -100]), np.array([50, 100])
    x = np.array([110, 110, 120, 130, 140, 150, 150.0])
    margin = (high - low) / 8  # 25 % larger: an eighth on each side
    expected = np.concatenate([low - margin, high + margin]) + np.stack(
        [x, np.full(7, 200), x, np.full(7, 200)], axis=1
    )
    np.testing.assert_allclose(seqs.bboxes, expected, atol=1e-3)


@pytest.mark.parametrize('old', [False, True])
def test_ignore_regions(convert, old):
    square = [[10.0, 10.0], [40.0, 10.0], [40.0, 40.5], [10.0, 40.0]]
    triangle = [[100.0, 0.0], [120.0, 0.0], [110.0, 20.0]]
    regions = {0: [square, triangle], 2: [triangle]}
    script = Script(VIDEO, 3, (0, 2), {0: {0: (200, 200)}}, regions=regions)
    script.follow({0: (200, 200)})
    other = Script('000001_mpii_test', 1, (0,), {0: {0: (200, 200)}})
    seqs = convert(script, other, old=old)
    assert seqs.seq_name.tolist() == ['000001_mpii_test', VIDEO]
    first = 1 if old else 0
    assert seqs.meta['ignore_regions'] == {
        VIDEO: {
            str(first): [square, triangle],
            str(2 + first): [triangle],
        }
    }
    assert '1 labelled frames without any person' in convert.notes


@pytest.mark.parametrize('count', [17, 15])
def test_seventeen_and_fifteen_keypoints(convert, count):
    script = Script(VIDEO, 1, (0,), {0: {0: (200, 200)}})
    script.follow({0: (201, 200)})
    assert_estimate(convert(script, count=count), {0: (201, 200)})


def test_keypoints_without_score_are_missing(convert):
    script = Script(VIDEO, 2, (0, 1), {0: walk(range(2), 200, 0)})
    script.follow(script.people[0])
    points = np.concatenate([stand(200, 200), np.zeros((15, 1))], axis=1)
    points[3:, 2] = 0.5
    points[4, 2] = -0.1
    script.found[0][2]['keypoints'] = points.reshape(-1).tolist()
    points[:, 2] = 0
    script.found[1][2]['keypoints'] = points.reshape(-1).tolist()
    seqs = convert(script)
    expected = np.array([0, 0, 0, 0.5, 0, *[0.5] * 10], dtype=np.float32)
    np.testing.assert_array_equal(seqs.scores, [expected, 0 * expected])
    missing = np.isnan(seqs.keypoints_est).all(-1)
    np.testing.assert_array_equal(missing, seqs.scores == 0)
    assert '1 poses without any score above 0 left out' in convert.notes


def test_numbers_of_videos_are_compared(convert):
    script = Script(VIDEO, 1, (0,), {0: {0: (200, 200)}})
    script.follow({0: (200, 200)})
    unlabelled = Script('000001_mpii_test', 1, ())
    unlabelled.follow({0: (200, 200)})
    convert(script, unlabelled, split='val')
    assert convert.notes[0] == (
        'WARNING: 1 labelled videos, but 170 are published for posetrack18 val'
    )
