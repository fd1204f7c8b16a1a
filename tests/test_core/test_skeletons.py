# Copyright (c) hanet_mm contributors. All rights reserved.
"""Skeletons against MMPose's descriptions, and one's own from JSON."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanet_mm.core.poses.skeleton import make_skeleton, plain_name
from hanet_mm.core.poses.skeleton_data import (
    SKELETONS,
    find_skeleton,
    skeleton_of_names,
    skeletons_of_size,
)
from hanet_mm.datasets.metainfo import keypoint_names, lsp14, posetrack15

IN_MMPOSE = {
    'coco17': 'coco',
    'halpe26': 'halpe26',
    'coco_wholebody133': 'coco_wholebody',
    'h36m17': 'h36m',
    'jhmdb15': 'jhmdb',
    'posetrack18': 'posetrack18',
    'mpii16': 'mpii',
    'openpose18': 'coco_openpose',
}


def mmpose_info(name):
    parse = pytest.importorskip('mmpose.datasets.datasets.utils')
    return parse.parse_pose_metainfo(
        dict(from_file=f'configs/_base_/datasets/{name}.py')
    )


@pytest.mark.mm
@pytest.mark.parametrize(('name', 'upstream'), IN_MMPOSE.items())
def test_names_and_mirror_pairs_are_those_of_mmpose(name, upstream):
    info = mmpose_info(upstream)
    skeleton = SKELETONS[name]
    expected = [
        info['keypoint_id2name'][i] for i in range(info['num_keypoints'])
    ]
    assert list(skeleton.keypoint_names) == expected
    swapped = list(range(len(skeleton)))
    for a, b in skeleton.flip_pairs:
        i, j = expected.index(a), expected.index(b)
        swapped[i], swapped[j] = j, i
    assert swapped == list(info['flip_indices'])


@pytest.mark.mm
@pytest.mark.parametrize(
    ('name', 'upstream'),
    [
        ('coco17', 'coco'),
        ('halpe26', 'halpe26'),
        ('h36m17', 'h36m'),
        ('jhmdb15', 'jhmdb'),
        ('posetrack18', 'posetrack18'),
        ('mpii16', 'mpii'),
        ('coco_wholebody133', 'coco_wholebody'),
    ],
)
def test_links_are_those_of_mmpose(name, upstream):
    found = {frozenset(pair) for pair in SKELETONS[name].link_indices}
    expected = mmpose_info(upstream)['skeleton_links']
    assert found == {frozenset(pair) for pair in expected}


def test_skeletons_of_the_data_sets_agree():
    for name, info in (('lsp14', lsp14), ('posetrack15', posetrack15)):
        assert SKELETONS[name].keypoint_names == keypoint_names(info)


def test_the_body_of_wholebody_is_its_beginning():
    body = SKELETONS['coco_wholebody_body']
    whole = SKELETONS['coco_wholebody133']
    assert body.keypoint_names == whole.keypoint_names[:23]
    assert len(body) == 23


def test_openpose_25_is_body_25():
    """The order of OpenPose's documentation, in its own spelling."""
    documented = (
        'Nose Neck RShoulder RElbow RWrist LShoulder LElbow LWrist MidHip '
        'RHip RKnee RAnkle LHip LKnee LAnkle REye LEye REar LEar LBigToe '
        'LSmallToe LHeel RBigToe RSmallToe RHeel'
    )
    found = SKELETONS['openpose25'].keypoint_names
    assert found == tuple(plain_name(x) for x in documented.split())


@pytest.mark.parametrize('skeleton', SKELETONS.values(), ids=str)
def test_every_skeleton_is_whole(skeleton):
    assert find_skeleton(skeleton.name) is skeleton
    assert skeleton in skeletons_of_size(len(skeleton))
    assert skeleton_of_names(skeleton.keypoint_names, 'x') is skeleton
    assert len(set(skeleton.points)) == len(skeleton)
    mirrored = [name for pair in skeleton.flip_pairs for name in pair]
    assert len(set(mirrored)) == len(mirrored)
    for left, right in skeleton.flip_pairs:
        if 'left' in left:
            assert left.replace('left', 'right') == right
    linked = {name for pair in skeleton.links for name in pair}
    assert linked <= {*skeleton.keypoint_names}


@pytest.mark.parametrize(
    ('spelling', 'name'),
    [
        ('LShoulder', 'left_shoulder'),
        ('leftShoulder', 'left_shoulder'),
        ('LEFT_SHOULDER', 'left_shoulder'),
        ('l_shoulder', 'left_shoulder'),
        ('shoulder.left', 'left_shoulder'),
        ('Left Shoulder', 'left_shoulder'),
        ('MidHip', 'mid_hip'),
        ('RBigToe', 'right_big_toe'),
        ('lateral', 'lateral'),
        ('nose', 'nose'),
        ('_', '_'),
    ],
)
def test_spellings(spelling, name):
    assert plain_name(spelling) == name


@given(st.text(max_size=20))
def test_plain_names_stay(name):
    assert plain_name(plain_name(name)) == plain_name(name)


def write(path, **content):
    path.write_text(json.dumps(content))
    return path


def test_a_skeleton_of_ones_own(tmp_path):
    names = ['tail', 'l_paw', 'r_paw']
    path = write(
        tmp_path / 'cat.json',
        name='cat',
        keypoint_names=names,
        links=[['tail', 'l_paw']],
    )
    found = find_skeleton(path)
    assert found == make_skeleton('cat', names, [('tail', 'l_paw')])
    assert found.keypoint_names == tuple(names)
    assert found.link_indices == ((0, 1),)
    assert found.flip_pairs == (('l_paw', 'r_paw'),)


GOOD = dict(name='cat', keypoint_names=['tail', 'paw'], links=[])


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(name=None), 'name: expected a text, found None'),
        (dict(keypoint_names=[]), 'keypoint_names: expected a list of names'),
        (dict(keypoint_names='ab'), "keypoint_names: .* found 'ab'"),
        (dict(keypoint_names=['a', 'a']), 'each name once, found a more'),
        (dict(links=[['tail']]), 'links: expected a list of pairs'),
        (dict(links=[['tail', 'leg']]), "links: expected names.* 'leg'"),
        (dict(flip_pairs=[['paw', 3]]), 'flip_pairs: expected a list of'),
        (dict(sigmas=[1]), "found 'sigmas'"),
    ],
)
def test_bad_skeletons_are_named(tmp_path, change, message):
    path = write(tmp_path / 'cat.json', **{**GOOD, **change})
    with pytest.raises(ValueError, match=message) as error:
        find_skeleton(path)
    assert str(error.value).startswith(f'{path}: ')


@pytest.mark.parametrize('text', ['[', '[1]', '"cat"'])
def test_files_that_are_no_skeletons(tmp_path, text):
    path = tmp_path / 'cat.json'
    path.write_text(text)
    with pytest.raises(ValueError, match=r'cat\.json: expected'):
        find_skeleton(path)


def test_unknown_skeletons(tmp_path):
    with pytest.raises(ValueError, match=r"'cocoa17': expected .*coco17, "):
        find_skeleton('cocoa17')
    with pytest.raises(FileNotFoundError, match=r'no\.json: no such file'):
        find_skeleton(tmp_path / 'no.json')
