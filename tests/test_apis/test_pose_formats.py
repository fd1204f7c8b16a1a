# Copyright (c) hanet_mm contributors. All rights reserved.
"""Every format: read, refined as the arrays in it are, and written back."""

import csv
import json

import numpy as np
import pytest
from format_files import (
    COCO,
    EXAMPLES,
    FRAMES,
    SIZE,
    make_coco_refiner,
    make_person,
    write,
    write_alphapose,
    write_alphapose_people,
    write_coco,
    write_example,
    write_mediapipe,
)

from hanet_mm.apis import refine_file
from hanet_mm.apis.formats import FORMATS, open_poses
from hanet_mm.apis.formats.coco import ResultList
from hanet_mm.core.data.gaps import UNKNOWN_SCORE
from hanet_mm.core.poses.skeleton_data import SKELETONS


def believed_of(name, person):
    """Scores that the refiner is given of an example."""
    if name != 'mediapipe':
        return person.scores
    # Visibility counts a quarter.
    drawn = UNKNOWN_SCORE + 0.25 * (person.scores - UNKNOWN_SCORE)
    return np.where(person.scores > 0, drawn, 0)


def assert_tracks(poses, persons):
    """A file holds these persons."""
    assert len(poses.tracks) == len(persons)
    for track, person in zip(poses.tracks, persons.values()):
        assert track.first_frame == person.first
        there = person.scores.any(1)
        np.testing.assert_allclose(
            track.keypoints[there], person.keypoints[there], atol=1e-4
        )
        assert np.isnan(track.keypoints[~there]).all()
        np.testing.assert_allclose(track.scores, person.scores, atol=1e-6)


def read_json(path):
    def refuse(name):
        raise AssertionError(f'{name} is not JSON')

    return json.loads(path.read_text('utf-8'), parse_constant=refuse)


@pytest.mark.parametrize('name', EXAMPLES)
def test_a_file_is_read_by_its_content(tmp_path, name):
    path, persons = write_example(name, tmp_path)
    poses = open_poses(path)
    assert_tracks(poses, persons)
    names = SKELETONS[EXAMPLES[name].skeleton].keypoint_names
    if name != 'npy':
        assert tuple(poses.keypoint_names) == names
    again = open_poses(path, format=EXAMPLES[name].name)
    assert type(again) is type(poses)
    assert_tracks(again, persons)


@pytest.mark.parametrize('name', EXAMPLES)
def test_refined_as_the_arrays_are(tmp_path, name):
    """Keypoints of the refiner are refined, scores stay; what was filled is
    in the file.
    """
    path, persons = write_example(name, tmp_path)
    out = tmp_path / 'out' / path.name
    refiner = make_coco_refiner()
    summary = refine_file(path, out, refiner)
    names = SKELETONS[EXAMPLES[name].skeleton].keypoint_names
    order = [names.index(x) for x in COCO]
    given = list(persons.values())
    direct = refiner.refine(
        [person.keypoints[:, order] for person in given],
        [believed_of(name, person)[:, order] for person in given],
    )
    found = open_poses(out)
    assert found.keypoint_names == open_poses(path).keypoint_names
    for track, person, result in zip(found.tracks, given, direct):
        there = person.scores.any(1)
        expected = person.keypoints.copy()
        expected[:, order] = result.keypoints
        # Others follow those, see test_followers.
        np.testing.assert_allclose(
            track.keypoints[there][:, order],
            expected[there][:, order],
            rtol=0,
            atol=2e-3,
        )
        moved = np.abs(track.keypoints - person.keypoints)[:, order]
        assert np.nanmax(moved) > 0.5
        np.testing.assert_allclose(track.scores, person.scores, atol=1e-6)
    assert summary.num_sequences == len(persons)
    assert summary.num_filled == sum(
        int(result.filled[person.scores.any(1)].sum())
        for result, person in zip(direct, given)
    )


@pytest.mark.parametrize(
    'name',
    [name for name in EXAMPLES if EXAMPLES[name].name == 'alphapose']
    + ['coco'],
)
def test_all_else_in_json_is_kept(tmp_path, name):
    path, persons = write_example(name, tmp_path)
    out = tmp_path / 'out.json'
    refine_file(path, out, make_coco_refiner())
    before, after = read_json(path), read_json(out)
    filled = 0
    assert len(people_of(after)) == len(people_of(before))
    for old, new in zip(people_of(before), people_of(after)):
        field = next(x for x in new if f'{x}_input' in new)
        filled += sum(new.pop('filled'))
        assert new[field] != old[field]
        assert new.pop(f'{field}_input') == old[field]
        assert new.pop(field)[2::3] == old[field][2::3]
        old.pop(field)
    assert filled == len(persons)
    assert after == before


def people_of(content):
    """The persons in results, by frame or in a list."""
    if isinstance(content, list):
        return content
    return [
        person
        for frame in content.values()
        for key in ('people', 'bodies')
        for person in frame.get(key, ())
    ]


def test_openpose_folders_keep_their_files(tmp_path):
    path, _ = write_example('openpose', tmp_path)
    out = tmp_path / 'out'
    refine_file(path, out, make_coco_refiner())
    files = sorted(x.name for x in path.iterdir())
    assert sorted(x.name for x in out.iterdir()) == files
    for name in files:
        before, after = read_json(path / name), read_json(out / name)
        assert after['version'] == 1.3
        assert len(after['people']) == len(before['people'])
        for old, new in zip(before['people'], after['people']):
            assert new['person_id'] == old['person_id']
            assert new['face_keypoints_2d'] == []
            points = new['pose_keypoints_2d_input']
            assert points == old['pose_keypoints_2d']
            flags = np.array(new['filled'])
            nothing = np.array(points)[2::3] == 0
            assert not (flags & ~nothing).any()
    with pytest.raises(FileExistsError, match='out: expected no such folder'):
        refine_file(path, out, make_coco_refiner())
    assert not list(tmp_path.glob('.*'))


def test_mediapipe_goes_through_pixels(tmp_path):
    path, persons = write_example('mediapipe', tmp_path)
    out = tmp_path / 'out.json'
    refine_file(path, out, make_coco_refiner())
    before, after = read_json(path), read_json(out)
    assert {**after, 'frames': 0} == {**before, 'frames': 0}
    names = SKELETONS['mediapipe33'].keypoint_names
    order = [names.index(x) for x in COCO]
    expected = make_coco_refiner().refine(
        persons[4].keypoints[:, order], persons[4].scores[:, order]
    )
    for row, (old, new) in enumerate(zip(before['frames'], after['frames'])):
        for index, place in enumerate(order):
            landmark = new[place]
            np.testing.assert_allclose(
                [landmark['x'] * SIZE[0], landmark['y'] * SIZE[1]],
                expected.keypoints[row, index],
                atol=1e-3,
            )
            assert landmark['filled'] == expected.filled[row, index]
            assert landmark['z'] == -0.5
        for landmark, given in zip(new, old):
            assert landmark['x_input'] == given['x']
            assert landmark['y_input'] == given['y']
            assert landmark['visibility'] == given['visibility']


def test_mediapipe_needs_the_size_of_the_image(tmp_path):
    path, persons = write_example('mediapipe', tmp_path)
    content = read_json(path)['frames']
    write(path, content)
    with pytest.raises(ValueError, match='with --image-size W H'):
        open_poses(path)
    assert_tracks(open_poses(path, image_size=SIZE), persons)


@pytest.mark.parametrize('key', ['landmarks', 'pose_landmarks'])
def test_forms_of_mediapipe(tmp_path, key):
    """Frames that are dicts, and people in a list, as its tasks return."""
    path, persons = write_example('mediapipe', tmp_path)
    frames = read_json(path)['frames']
    content = [
        {'frame': i, key: [x] if key == 'pose_landmarks' else x, 'ms': i * 40}
        for i, x in enumerate(frames)
    ]
    content[3] = {'frame': 3, key: [], 'ms': 120}
    write(path, content)
    (track,) = open_poses(path, image_size=SIZE).tracks
    assert np.isnan(track.keypoints[3]).all()
    there = np.arange(FRAMES) != 3
    np.testing.assert_allclose(
        track.keypoints[there], persons[4].keypoints[there], atol=1e-4
    )
    out = tmp_path / 'out.json'
    refine_file(path, out, make_coco_refiner(), image_size=SIZE)
    after = read_json(out)
    assert [x['ms'] for x in after] == [i * 40 for i in range(FRAMES)]
    assert after[3] == content[3]


def test_arrays_keep_their_places(tmp_path):
    path, _ = write_example('arrays', tmp_path)
    out = tmp_path / 'out.npz'
    refine_file(path, out, make_coco_refiner())
    with np.load(path) as before, np.load(out) as after:
        assert {*after} == {*before, 'data_input', 'filled'}
        for key in ('ids', 'keypoint_names', 'note'):
            np.testing.assert_array_equal(after[key], before[key])
        data = before['data']
        np.testing.assert_array_equal(after['data_input'], data)
        np.testing.assert_array_equal(after['data'][..., 2], data[..., 2])
        nobody = before['ids'] < 0
        assert nobody.any()
        assert (after['data'][nobody] == 0).all()
        missing = (data[..., 2] == 0) & ~nobody[..., None]
        np.testing.assert_array_equal(after['filled'], missing)


def test_xy_of_ultralytics(tmp_path):
    """Without scores, 0, 0 is a keypoint that was not found."""
    person = make_person(0, FRAMES, 17, 0)
    path, out = tmp_path / 'xy.npz', tmp_path / 'out.npz'
    np.savez(path, data=person.keypoints.astype(np.float32))
    refine_file(path, out, make_coco_refiner())
    given = person.keypoints.copy()
    given[2, 5] = np.nan
    direct = make_coco_refiner().refine(given.astype(np.float32))
    with np.load(out) as after:
        assert after['data'].dtype == np.float32
        np.testing.assert_allclose(after['data'], direct.keypoints, atol=1e-3)
        np.testing.assert_array_equal(after['filled'], direct.filled)


def test_tables_keep_their_columns(tmp_path):
    path, persons = write_example('csv', tmp_path)
    out = tmp_path / 'out.csv'
    refine_file(path, out, make_coco_refiner())
    with open(path, newline='') as file:
        before = list(csv.DictReader(file))
    with open(out, newline='') as file:
        after = list(csv.DictReader(file))
    assert list(after[0])[: len(before[0])] == list(before[0])
    flags = 0
    assert len(after) == len(before)
    for old, new in zip(before, after):
        for key in ('frame', 'note', 'person', 'nose_score'):
            assert new[key] == old[key]
        for key in ('nose_x', 'nose_y'):
            assert new[f'{key}_input'] == old[key]
            assert new[key] != old[key]
        flags += int(new['left_shoulder_filled'])
        assert new['nose_filled'] == '0'
    assert flags == len(persons)


def test_cells_of_tables_may_be_empty(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_text(
        'frame,a_x,a_y,b_x,b_y\n1,1,2,,\n2,1,2,nan,4\n\n4,1,2,5,6\n'
    )
    (track,) = open_poses(path).tracks
    assert track.first_frame == 1
    assert track.scores is None
    b = track.keypoints[:, 1]
    np.testing.assert_array_equal(
        b, [[np.nan, np.nan], [np.nan, 4], [np.nan, np.nan], [5, 6]]
    )


@pytest.mark.parametrize('name', sorted({x.name for x in EXAMPLES.values()}))
def test_all_formats_have_an_example(name):
    assert name in FORMATS
    # test_refine_predictions, test_refine_archives
    others = {'mmpose', 'npz'}
    # test_format_programs, test_format_trc
    others |= {'mmpose_folder', 'ultralytics_txt', 'trc', 'deeplabcut'}
    others |= {'videopose3d', 'smpl_pickle'}  # test_rotation_filter
    others |= {'c3d', 'sleap_h5'}  # test_binary_formats
    assert {x.name for x in EXAMPLES.values()} | others == {*FORMATS}


def test_coco_and_alphapose_are_told_apart(tmp_path):
    person = {4: make_person(0, FRAMES, 17, 0)}
    for write_file, field in (
        (write_coco, 'track_id'),
        (write_alphapose, 'idx'),
    ):
        poses = open_poses(write_file(tmp_path, person))
        assert isinstance(poses, ResultList)
        assert poses.tracks[0].name == f'{field} 4'


def test_alphapose_of_bodies_in_a_folder(tmp_path):
    """``sep-json``: a file for each image, without an ending of OpenPose."""
    person = {4: make_person(0, FRAMES, 18, 0)}
    combined = read_json(
        write_alphapose_people(tmp_path, person, 'bodies', 'joints')
    )
    folder = tmp_path / 'sep-json'
    folder.mkdir()
    for name, content in combined.items():
        write(folder / name.replace('.jpg', '.json'), content)
    poses = open_poses(folder)
    assert_tracks(poses, person)
    assert (
        tuple(poses.keypoint_names) == SKELETONS['openpose18'].keypoint_names
    )


def test_mediapipe_people_of_one_frame(tmp_path):
    path, persons = write_example('mediapipe', tmp_path)
    frames = read_json(write_mediapipe(tmp_path, persons))['frames']
    content = [{'pose_landmarks': [x, x]} for x in frames]
    write(path, content)
    with pytest.raises(ValueError, match=r'frame 0: .*found 2 persons'):
        open_poses(path, image_size=SIZE)
