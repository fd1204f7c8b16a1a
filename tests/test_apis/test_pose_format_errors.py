# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files that are wrong: one line naming the file, the frame, the field."""

import json

import numpy as np
import pytest
from format_files import SIZE, write, write_example

from hanet_mm.apis.formats import open_poses

COCO = dict(image_id=3, category_id=1, keypoints=[1, 2, 0.5] * 17, score=1)
LANDMARKS = [dict(x=0.5, y=0.5, z=0, visibility=1)] * 33
PERSON = dict(pose_keypoints_2d=[1, 2, 0.5] * 25)

BAD_JSON = {
    'coco: short': (
        [COCO, {**COCO, 'image_id': 4, 'keypoints': [1, 2, 3]}],
        ['entry 1 (image_id 4): keypoints: expected numbers (3K,)', '(3,)'],
    ),
    'coco: not threes': (
        [{**COCO, 'keypoints': [1, 2, 3, 4]}],
        ['entry 0', 'x, y and score of each keypoint, found 4 numbers'],
    ),
    'coco: words': (
        [COCO, {**COCO, 'image_id': 5, 'keypoints': ['a'] * 51}],
        ['entry 1 (image_id 5): keypoints: expected numbers', 'found none'],
    ),
    'coco: no image': (
        [COCO, dict(keypoints=[1, 2, 3])],
        ['entry 1: expected a dict with image_id and keypoints'],
    ),
    'coco: image id': (
        [COCO, {**COCO, 'image_id': -4}],
        ['image_id: expected a number from 0,', 'found -4'],
    ),
    'coco: id twice': (
        [{**COCO, 'track_id': 7}] * 2,
        ['frame 3: expected each track_id once, found [7, 7]'],
    ),
    'coco: id': (
        [{**COCO, 'track_id': {}}],
        ['entry 0: track_id: expected an integer or a string, found {}'],
    ),
    'coco: far': (
        [COCO, {**COCO, 'image_id': 10_000_000}],
        ['person: expected gaps of at most 10000 frames', 'found 3 and then'],
    ),
    'coco: nobody known': (
        [COCO, COCO],
        ['frame 3: expected one person, or a track_id', '--track'],
    ),
    'alphapose: name': (
        [{**COCO, 'image_id': 'cat.jpg'}],
        ['image_id: expected a number', "found 'cat.jpg'"],
    ),
    'alphapose: people': (
        {'1.jpg': dict(people=[PERSON]), '2.jpg': dict(people=3)},
        ["2.jpg: expected a dict with a list 'people' or 'bodies'"],
    ),
    'alphapose: bodies': (
        {'1.jpg': dict(bodies=[PERSON])},
        ['1.jpg: person 0: expected a dict with joints'],
    ),
    'alphapose: number': (
        {'a1.jpg': dict(people=[PERSON]), 'b1.jpg': dict(people=[])},
        ['a different number for each frame, found a1.jpg and b1.jpg'],
    ),
    'mediapipe: number': (
        [LANDMARKS, LANDMARKS[:-1]],
        ['frame 1: expected 33 landmarks, found 32'],
    ),
    'mediapipe: landmark': (
        [LANDMARKS, [*LANDMARKS[:-1], dict(x=1)]],
        ['frame 1: landmark 32: expected a dict with x, y', "{'x': 1}"],
    ),
    'mediapipe: words': (
        [LANDMARKS, [*LANDMARKS[:-1], dict(x='a', y=1)]],
        ['frame 1: landmarks: expected numbers (33, 2)'],
    ),
    'mediapipe: some visible': (
        [LANDMARKS, [*LANDMARKS[:-1], dict(x=1, y=1, visibility='no')]],
        ['frame 1: visibility: expected numbers (33,)'],
    ),
    'mediapipe: frame': (
        [dict(frame=2, landmarks=LANDMARKS)] * 2,
        ['entry 1: expected the number of each frame once', 'found 2'],
    ),
    'mediapipe: entry': (
        [dict(landmarks=LANDMARKS), dict(hands=[])],
        ['frame 1: expected a dict with landmarks or pose_landmarks'],
    ),
    'mediapipe: list': (
        [dict(landmarks='a')],
        ['frame 0: expected a list of landmarks, found str'],
    ),
    'mediapipe: size': (
        dict(width=0, height=3, frames=[LANDMARKS]),
        ['width, height: expected numbers above 0, found (0, 3)'],
    ),
    'unknown dict': (
        dict(version=1, joints=[]),
        [
            'one of the formats mmpose, alphapose',
            'a dict with version, joints',
        ],
    ),
    'unknown list': ([dict(a=1)], ['found a list of dict with a']),
    'a number': (3, ['found int']),
}


@pytest.mark.parametrize('name', BAD_JSON)
def test_bad_json(tmp_path, name):
    content, parts = BAD_JSON[name]
    path = write(tmp_path / 'in.json', content)
    size = None if name == 'mediapipe: size' else SIZE
    assert_fails(path, parts, image_size=size)


def assert_fails(path, parts, **more):
    with pytest.raises(ValueError, match='expected') as error:
        open_poses(path, **more)
    message = str(error.value)
    assert message.startswith(str(path))
    assert '\n' not in message
    for part in parts:
        assert part in message


BAD_FRAMES = {
    'field': (
        dict(people=[dict(joints=[])]),
        'person 0: expected a dict with pose_keypoints_2d or pose_keypoints',
    ),
    'id': (
        dict(people=[dict(PERSON, person_id=['a'])]),
        'person 0: person_id: expected an integer, or a list with one',
    ),
    'length': (
        dict(people=[dict(pose_keypoints_2d=[1, 2, 3], person_id=9)]),
        'person 0: pose_keypoints_2d: expected numbers (3K,)',
    ),
    'nothing': ([], "expected a dict with a list 'people'"),
}


@pytest.mark.parametrize('name', BAD_FRAMES)
def test_bad_frames_of_openpose(tmp_path, name):
    folder, _ = write_example('openpose', tmp_path)
    content, part = BAD_FRAMES[name]
    file = folder / 'dance_2_000000000004_keypoints.json'
    write(file, content)
    assert_fails(folder, [f'{file}: {part}'])
    file.write_text('{')
    assert_fails(folder, [f'{file}: expected JSON'])


def test_frames_of_openpose_with_names_that_have_no_number(tmp_path):
    folder, _ = write_example('openpose', tmp_path)
    write(folder / 'x_keypoints.json', dict(people=[]))
    assert_fails(folder, ["found 'x_keypoints.json'"])


ONES = np.ones((4, 2, 17, 3))
BAD_ARRAYS = {
    'shape': (dict(data=np.ones((4, 17))), 'data: expected numbers (T, K, 3)'),
    'last': (dict(data=np.ones((4, 17, 5))), 'found float64 (4, 17, 5)'),
    'words': (dict(data=np.array([[['a', 'b']]])), 'found <U1 (1, 1, 2)'),
    'ids': (dict(data=ONES, ids=[1, 2, 3]), '(T, P) = (4, 2)'),
    'id words': (dict(data=ONES, ids=['a', 'b']), 'ids: expected numbers'),
    'id twice': (dict(data=ONES, ids=[5, 5]), 'frame 0: expected each'),
    'no ids': (dict(data=ONES), 'frame 0: expected one person'),
    'conf': (
        dict(data=ONES, ids=[1, 2], conf=np.ones((4, 17))),
        'conf: expected numbers (T, P, K) = (4, 2, 17)',
    ),
    'names': (
        dict(data=ONES, ids=[1, 2], keypoint_names=np.ones(3)),
        'keypoint_names: expected an array of K strings',
    ),
}


@pytest.mark.parametrize('name', BAD_ARRAYS)
def test_bad_arrays(tmp_path, name):
    arrays, part = BAD_ARRAYS[name]
    path = tmp_path / 'in.npz'
    np.savez(path, **arrays)
    assert_fails(path, [part])


def test_npy_files_that_are_none(tmp_path):
    path = tmp_path / 'in.npy'
    for data in (b'', b'\x93NUMPY', b'no'):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r'in\.npy: cannot be read'):
            open_poses(path)
    np.save(path, np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match=r'in\.npy: cannot be read'):
        open_poses(path)


BAD_TABLES = {
    'no frame': ('person,a_x,a_y\n1,2,3\n', 'expected a column frame or'),
    'no names': ('frame,a_x\n1,2\n', 'found the columns frame, a_x'),
    'empty': ('', 'found the columns none'),
    'word': ('frame,a_x,a_y\n1,2,3\n\n2,2,b\n', "line 4: a_y: .* 'b'"),
    'cells': ('frame,a_x,a_y\n1,2,3\n2,2\n', 'line 3: expected 3 cells'),
    'frame': ('frame,a_x,a_y\n1.5,2,3\n', "line 2: frame: .* '1.5'"),
    'no number': ('frame,a_x,a_y\n,2,3\n', "line 2: frame: .* ''"),
    'column': ('frame,a_x,a_y,a_x\n1,2,3,4\n', "each column once, .* 'a_x'"),
    'twice': ('frame,a_x,a_y\n1,2,3\n1,2,3\n', 'frame 1: expected one person'),
}


@pytest.mark.parametrize('name', BAD_TABLES)
def test_bad_tables(tmp_path, name):
    text, message = BAD_TABLES[name]
    path = tmp_path / 'in.csv'
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        open_poses(path)
    assert str(error.value).startswith(str(path))


def test_tables_that_are_no_text(tmp_path):
    path = tmp_path / 'in.csv'
    path.write_bytes(b'frame,a_x,a_y\n\xff\xfe')
    with pytest.raises(ValueError, match=r'in\.csv: expected CSV'):
        open_poses(path)


def test_wrong_formats(tmp_path):
    path, _ = write_example('coco', tmp_path)
    for name, part in (
        (
            'openpose',
            'expected a folder with a file for each frame, found .json',
        ),
        ('csv', 'expected a file ending in .csv, found .json'),
        ('mmpose', 'entry 0: expected a dict with frame_id and instances'),
    ):
        assert_fails(path, [part], format=name)
    with pytest.raises(ValueError, match=r"one of mmpose, .* found 'xml'"):
        open_poses(path, format='xml')
    people, _ = write_example('alphapose', tmp_path)
    people.write_text(json.dumps(dict(a=1)))
    assert_fails(people, ['expected a list of results'], format='coco')
    with pytest.raises(FileNotFoundError, match='no such pose file'):
        open_poses(tmp_path / 'no.csv')
