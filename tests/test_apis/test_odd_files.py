# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files that a reader had not been thought for: one line, or read rightly."""

import json
import pickle

import numpy as np
import pytest
from file_kinds import PERSON, write_flat, write_plain
from format_files import (
    COCO,
    make_persons,
    write,
    write_coco,
    write_coco_dict,
    write_openpose,
)
from test_format_programs import write_deeplabcut, write_labels

from hanet_mm.apis import refine_file
from hanet_mm.apis.formats import open_poses


def assert_refused(path, match, **options):
    with pytest.raises(ValueError, match=match) as error:
        open_poses(path, **options).check()
    assert str(path) in str(error.value)
    assert '\n' not in str(error.value)
    assert len(str(error.value)) <= 300


def edited(path, edit):
    content = json.loads(path.read_text())
    edit(content)
    return write(path, content)


@pytest.mark.parametrize('value', [[0], {'a': 1}, '9' * 5000, 1.5, None])
def test_image_ids_of_wrong_kinds(tmp_path, value):
    path = write_coco(tmp_path, make_persons(17))
    edited(path, lambda x: x[3].update(image_id=value))
    assert_refused(path, 'image_id: expected a number from 0, or a name')


@pytest.mark.parametrize(
    ('key', 'field'), [('images', 'id'), ('annotations', 'image_id')]
)
@pytest.mark.parametrize('value', [[1], {}, None])
def test_ids_in_dicts_of_coco(tmp_path, key, field, value):
    path = write_coco_dict(tmp_path, make_persons(17))
    edited(path, lambda x: x[key][2].update({field: value}))
    assert_refused(path, f'{key}: entry 2: {field}: expected a number')


def test_sizes_in_dicts_of_coco_may_be_nonsense(tmp_path):
    path = write_coco_dict(tmp_path, make_persons(17))
    edited(path, lambda x: x['images'][0].update(width=[640]))
    assert open_poses(path).tracks[0].image_size is None


def test_landmarks_by_number_without_landmarks(tmp_path):
    path = write(tmp_path / 'a.json', {'0': 5, '1': None})
    assert_refused(path, 'expected', format='mediapipe', image_size=(9, 9))


def test_deeply_nested_text_of_ultralytics(tmp_path):
    path = write(tmp_path / 'a.json', [100_000 * '['])
    assert_refused(path, 'frame 0: expected a list', format='ultralytics')


def test_folders_among_the_files_of_a_folder(tmp_path):
    """They are no frames."""
    folder = write_openpose(tmp_path, make_persons(25))
    (folder / 'old.json').mkdir()
    assert len(open_poses(folder).tracks) == 2
    labels = write_labels(tmp_path / 'labels', {1: PERSON})
    (labels / 'old.txt').mkdir()
    assert len(open_poses(labels, image_size=(640, 480)).tracks) == 1


def test_labels_that_are_no_text(tmp_path):
    labels = write_labels(tmp_path / 'labels', {1: PERSON})
    file = labels / 'clip_3.txt'
    file.write_bytes(b'\xff' + file.read_bytes())
    assert_refused(file.parent, r'clip_3\.txt: expected text')


def test_json_with_a_byte_order_mark(tmp_path):
    path = write_coco(tmp_path, make_persons(17))
    path.write_text(path.read_text(), encoding='utf-8-sig')
    assert len(open_poses(path).tracks) == 2


@pytest.mark.parametrize('frame', ['inf', '1e300', '-1', '0.5', '9' * 400])
def test_frames_of_tables(tmp_path, frame):
    path = tmp_path / 'a.csv'
    path.write_text(f'frame,nose_x,nose_y\n0,1,2\n{frame},3,4\n')
    assert_refused(path, 'line 3: frame: expected an integer from 0')


def test_individuals_with_other_parts(tmp_path):
    """DeepLabCut has parts of the scene beside those of the animals."""
    people = {'ann': PERSON, 'single': PERSON}
    path = write_deeplabcut(tmp_path / 'in.csv', people)
    rows = [x.split(',') for x in path.read_text().split('\n')]
    keep = 1 + 3 * 17 + 3 * 5  # the face alone of the second
    path.write_text('\n'.join(','.join(row[:keep]) for row in rows))
    out = tmp_path / 'out.csv'
    refine_file(path, out, 'filter:gaussian')
    after = [x.split(',') for x in out.read_text().split('\n') if x]
    assert {len(row) for row in after} == {keep}
    assert all(row[keep - 3] for row in after)


def test_whole_numbers(tmp_path):
    path = tmp_path / 'a.npz'
    points = PERSON.keypoints.round().astype(int)
    np.savez(path, keypoints=points, scores=PERSON.scores)
    refine_file(path, tmp_path / 'b.npz', 'filter:one_euro')
    with np.load(tmp_path / 'b.npz') as after:
        assert np.abs(after['keypoints'] - points)[3:].max() < 50


def test_keypoints_of_no_dimension(tmp_path):
    np.savez(tmp_path / 'a.npz', keypoints=5.0)
    assert_refused(tmp_path / 'a.npz', r'expected keypoints \(T, K, D\)')


def test_image_sizes_of_many_numbers(tmp_path):
    path = write_plain(tmp_path)
    arrays = dict(np.load(path), image_size=np.ones((9, 9)))
    np.savez(path, **arrays)
    assert_refused(path, 'image_size: expected W, H > 0, found')


@pytest.mark.parametrize('maker', [write_flat, write_plain])
def test_names_that_come_twice(tmp_path, maker):
    path = maker(tmp_path)
    names = ['nose', *COCO[:16]]
    arrays = dict(np.load(path))
    if 'meta' in arrays:
        arrays['meta'] = json.dumps(dict(keypoint_names=names))
    else:
        arrays['keypoint_names'] = names
    np.savez(path, **arrays)
    assert_refused(path, "each keypoint name once, found 'nose' more")


@pytest.mark.parametrize('content', [7, {'a': 5}, {'a': {'b': 5}}])
def test_archives_of_videopose3d_with_other_content(tmp_path, content):
    path = tmp_path / 'a.npz'
    np.savez(path, positions_2d=np.array(content, dtype=object))
    assert_refused(path, 'expected', trust_pickle=True)


@pytest.mark.parametrize(
    'content',
    [
        {1: dict(pose=5)},
        {1: dict(pose=np.zeros((2, 72)), frame_ids=[[1], None])},
        {'a.jpg': dict(tid=[1], smpl=[])},
        {'a_1.jpg': dict(tid=[1], smpl=[{}])},
        {'a_1.jpg': dict(tid=[np.inf], smpl=[{}])},
        dict(poses=np.zeros((0, 72))),
        dict(poses=[None]),
    ],
)
def test_pickles_with_other_content(tmp_path, content):
    path = tmp_path / 'a.pkl'
    path.write_bytes(pickle.dumps(content))
    assert_refused(path, 'expected', trust_pickle=True)


def test_messages_are_short(tmp_path):
    path = tmp_path / 'a.csv'
    path.write_text('frame,nose_x,nose_y\n0,' + 100_000 * '[' + ',3')
    assert_refused(path, 'line 2: nose_x: expected a number')
    path = write_coco(tmp_path, make_persons(17))
    edited(path, lambda x: x[0].update(track_id={'a': 'b' * 5000}))
    assert_refused(path, 'entry 0: track_id: expected an integer')
