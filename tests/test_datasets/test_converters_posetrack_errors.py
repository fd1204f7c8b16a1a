# Copyright (c) hanet_mm contributors. All rights reserved.
"""What is wrong in annotations and results of PoseTrack is named."""

import pytest
from posetrack_files import VIDEO, convert, make_script
from posetrack_scenes import (
    NAMES,
    NAMES_17,
    Script,
    annotation_17,
    annotation_18,
    results,
    write,
)


@pytest.fixture
def script():
    return make_script()


def set_in(content, path, value):
    """Set, or with value None remove, what lies at a path of keys."""
    for key in path[:-1]:
        content = content[key]
    if value is None:
        del content[path[-1]]
    else:
        content[path[-1]] = value


PERSON, RECT = ('annotations', 0), ('annolist', 0, 'annorect', 0)


POINT = (*RECT, 'annopoints', 0, 'point', 0)


COCO = ['nose', 'left_eye', 'right_eye', *NAMES_17[3:]]


@pytest.mark.parametrize(
    ('path', 'value', 'message'),
    [
        (('images',), None, r"expected an object with key 'images'"),
        (('categories',), None, r"key 'categories' is missing"),
        (
            ('categories', 0, 'keypoints'),
            COCO,
            r"key 'keypoints': expected the 15 joints.*found nose, left_eye",
        ),
        (('images', 1, 'file_name'), None, r"images\[1\]: key 'file_name'"),
        (('images', 1, 'file_name'), 'a.jpg', r'images\[1\].*<number>\.jpg'),
        (('images', 1, 'id'), 10128340000, f'{VIDEO}, frame 1.*occurs twice'),
        (
            ('images', 0, 'ignore_regions_x'),
            [[1, 2, 3]],
            f'{VIDEO}, frame 0.*ignore_regions_x.*equal lengths',
        ),
        ((*PERSON, 'image_id'), 7, r"annotations\[0\].*'image_id'.* 7"),
        (
            ('images', 0, 'ignore_regions_x'),
            5,
            f"{VIDEO}, frame 0: key 'ignore_regions_x': expected a list",
        ),
        (
            ('images', 1, 'file_name'),
            f'{VIDEO}/99999999999.jpg',
            f'{VIDEO}: expected images of most frames',
        ),
        (
            (*PERSON, 'track_id'),
            float('inf'),
            f"{VIDEO}, frame 0: key 'track_id'",
        ),
        ((*PERSON, 'track_id'), None, f"{VIDEO}, frame 0: key 'track_id'"),
        ((*PERSON, 'track_id'), 'a', f"{VIDEO}, frame 0: key 'track_id'.*'a'"),
        (
            (*PERSON, 'keypoints'),
            [0] * 45,
            f"{VIDEO}, frame 0: key 'keypoints': expected 51",
        ),
        ((*PERSON, 'bbox'), [1, 2], f"{VIDEO}, frame 0: key 'bbox'"),
        ((*PERSON, 'bbox_head'), None, f'{VIDEO}, frame 0.*without a head'),
    ],
)
def test_a_bad_annotation_of_2018_is_named(
    tmp_path, script, path, value, message
):
    content = annotation_18(script)
    set_in(content, path, value)
    with pytest.raises(ValueError, match=message) as error:
        convert(tmp_path, content, results(script))
    assert 'annotation.json' in str(error.value)
    assert '\n' not in str(error.value)
    assert not (tmp_path / 'out').exists()


@pytest.mark.parametrize(
    ('path', 'value', 'message'),
    [
        (('annolist',), 5, "key 'annolist': expected a list, found int"),
        (('annolist', 1, 'image'), None, r"annolist\[1\]: key 'image'"),
        ((*RECT, 'annopoints'), 5, "key 'annopoints': expected a list of obj"),
        (('annolist', 1, 'image', 0, 'name'), 'x', r'annolist\[1\].*number'),
        ((*POINT, 'id'), [15], f'{VIDEO}, frame 1.*joint 0 to 14, found 15'),
        ((*POINT, 'x'), ['a'], f"{VIDEO}, frame 1: annopoints: key 'x'"),
        ((*POINT, 'y'), None, f"{VIDEO}, frame 1: annopoints: key 'y'"),
        ((*RECT, 'x1'), None, f'{VIDEO}, frame 1.*without a head box'),
        ((*RECT, 'y2'), None, f"{VIDEO}, frame 1: key 'y2' is missing"),
        ((*RECT, 'track_id'), None, f"{VIDEO}, frame 1: key 'track_id'"),
    ],
)
def test_a_bad_annotation_of_2017_is_named(
    tmp_path, script, path, value, message
):
    content = annotation_17(script)
    set_in(content, path, value)
    with pytest.raises(ValueError, match=message) as error:
        convert(tmp_path, content, results(script, old=True))
    assert 'annotation.json' in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize(
    ('path', 'value', 'message'),
    [
        ((1, 'image_id'), None, "entry 1: key 'image_id' is missing"),
        ((1, 'image_id'), 12, "entry 1: key 'image_id': 12 is no image"),
        ((1, 'image_id'), 'a/b.jpg', "'a/b.jpg' is no image"),
        ((1, 'category_id'), 3, f'entry 1.*{VIDEO}, frame 1.*found 3'),
        ((1, 'keypoints'), None, f"{VIDEO}, frame 1.*key 'keypoints' is mis"),
        ((1, 'keypoints'), [1.0] * 78, 'expected 51 or 45 finite numbers'),
        ((1, 'keypoints'), [1e39] * 51, 'expected 51 or 45 finite numbers'),
        ((1, 'keypoints'), [float('nan')] * 51, None),
        ((1, 'keypoints'), [1, 1, float('nan')] * 17, 'a score is NaN'),
        ((1, 'scores'), [1] * 15, "frame 1.*key 'scores': expected 17"),
        ((1, 'track_id'), 0.5, "frame 1.*key 'track_id'.*found 0.5"),
        ((1,), 5, "entry 1: expected an object with key 'image_id'"),
    ],
)
def test_a_bad_pose_is_named(tmp_path, script, path, value, message):
    found = results(script)
    set_in(found, path, value)
    if message is None:  # a pose without any number is left out
        seqs = convert(tmp_path, annotation_18(script), found)
        assert seqs.valid.any(1).tolist() == [True]
        return
    with pytest.raises(ValueError, match=message) as error:
        convert(tmp_path, annotation_18(script), found)
    assert 'found.json' in str(error.value)
    assert '\n' not in str(error.value)


def test_other_skeletons_in_results_are_refused(tmp_path, script):
    categories = [dict(keypoints=COCO)]
    found = dict(annotations=results(script), categories=categories)
    with pytest.raises(ValueError, match=r'found\.json.*left_eye'):
        convert(tmp_path, annotation_18(script), found)
    categories[0]['keypoints'] = list(NAMES)  # 15 names, 17 keypoints
    with pytest.raises(ValueError, match='expected 45 finite numbers'):
        convert(tmp_path, annotation_18(script), found)


def test_ids_are_needed_and_single_where_they_are_used(tmp_path, script):
    found = results(script)
    with pytest.raises(ValueError, match=f'{VIDEO}, frame 0.*has none'):
        convert(tmp_path, annotation_18(script), found, use_track_ids=True)
    found = [dict(item, track_id=3) for item in (*found, found[1])]
    with pytest.raises(ValueError, match=f'{VIDEO}, frame 1.*3 twice'):
        convert(tmp_path, annotation_18(script), found, use_track_ids=True)


def test_files_that_cannot_be_read_are_named(tmp_path, script):
    good = write(tmp_path / 'a.json', annotation_18(script))
    broken = tmp_path / 'broken.json'
    broken.write_text(good.read_text()[:200])
    with pytest.raises(ValueError, match=r'broken\.json: expected JSON'):
        convert(tmp_path, broken, [])
    with pytest.raises(ValueError, match=r'empty: expected a JSON file'):
        convert(tmp_path, tmp_path / 'empty', [])
    with pytest.raises(ValueError, match='expected a list of poses'):
        convert(tmp_path, good, 3)
    twice = tmp_path / 'twice'
    for name in 'ab':
        write(twice / f'{name}.json', annotation_18(script))
    with pytest.raises(ValueError, match=rf'b\.json.*{VIDEO}.*a\.json'):
        convert(tmp_path, twice, [])
    nobody = annotation_18(Script(VIDEO, 2, ()))
    with pytest.raises(ValueError, match='expected annotated persons or pos'):
        convert(tmp_path, nobody, [])
