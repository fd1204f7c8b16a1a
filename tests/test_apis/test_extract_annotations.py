# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm extract`` with the annotations that MMPose users have.

Pictures say by their colour which they are, and the models know where the
people of each are: what is wrong in the result is in a wrong row.
"""

import json

import numpy as np
import pytest
from colored_pictures import SIZE, World, make_command

from hanet_mm.apis.annotations.posetrack import KEYPOINTS
from hanet_mm.core.poses.skeleton_data import SKELETONS


@pytest.fixture
def command(monkeypatch, tmp_path):
    return make_command(monkeypatch, tmp_path)


EARS = ('left_ear', 'right_ear')


NAMES_17 = (*KEYPOINTS[:3], *EARS, *KEYPOINTS[3:])


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def flat(points, names, order, flags=1):
    """COCO's list of keypoints by name; 0 0 0 for those that are not known."""
    rows = np.zeros((len(order), 3))
    for row, name in zip(rows, order):
        if name in names:
            row[:] = [*points[names.index(name)], flags]
    return rows.ravel().tolist()


def posetrack(world, listed=(0, 4), labelled=(0, 4)):
    """posetrack18_val.json as MMPose merges it: two videos."""
    images, annotations = [], []
    names = world.keypoint_names
    for video, name in ((342, '000342_mpii_test'), (7, '000007_mpii_test')):
        for frame in range(5):
            people = {0: world.person(5 + frame + video / 100)}
            if frame < 4:
                people[1] = world.person(60 - frame)
            image = f'images/val/{name}/{frame:06d}.jpg'
            world.add(image, *people.values())
            if frame not in listed:
                continue
            key = 10**10 + video * 10**4 + frame
            images.append(
                dict(
                    has_no_densepose=True,
                    is_labeled=frame in labelled,
                    file_name=image,
                    nframes=5,
                    frame_id=key,
                    vid_id=f'{video:06d}',
                    id=key,
                    width=SIZE[0],
                    height=SIZE[1],
                )
            )
            for track, points in people.items():
                if frame not in labelled:
                    continue
                low, high = points.min(0), points.max(0)
                annotations.append(
                    dict(
                        bbox_head=[*map(float, low), 5, 5],
                        keypoints=flat(points, names, NAMES_17),
                        track_id=track,
                        image_id=key,
                        bbox=[*map(float, low), *map(float, high - low)],
                        scores=[],
                        category_id=1,
                        id=key * 100 + track,
                        iscrowd=False,
                        num_keypoints=15,
                    )
                )
    category = dict(id=1, name='person', keypoints=list(NAMES_17))
    return dict(categories=[category], images=images, annotations=annotations)


@pytest.mark.parametrize('listed', [range(5), (0, 4)])
def test_posetrack(command, tmp_path, listed):
    """Frames without annotation too, listed in the file or on disk only."""
    world = World(command.root, KEYPOINTS)
    source = write(tmp_path / 'a.json', posetrack(world, listed))
    seqs, report = command(world, source)
    # Person 1 is annotated in the first frame only.
    assert seqs.seq_name.tolist() == [
        *2 * ['000007_mpii_test'],
        *2 * ['000342_mpii_test'],
    ]
    assert seqs.seq_len.tolist() == [5, 1, 5, 1]
    for sequence, video in ((0, 7), (2, 342)):
        start = seqs.starts[sequence]
        for frame in range(5):
            expected = world.person(5 + frame + video / 100)
            np.testing.assert_allclose(
                seqs.keypoints_est[start + frame], expected
            )
    annotated = seqs.visible.any(1)
    assert annotated[:5].tolist() == [True, False, False, False, True]
    np.testing.assert_allclose(
        seqs.keypoints_est[annotated], seqs.keypoints_gt[annotated], atol=1e-4
    )
    assert seqs.meta['dataset'] == 'posetrack18'
    assert (seqs.image_size == SIZE).all()
    assert seqs.extras['annotated'].tolist() == annotated.tolist()
    assert '2 videos' in report
    assert '6 annotated poses, 0 (0.0 %) not found' in report


def test_annotated_boxes(command, tmp_path):
    """Without a detector, the estimator gets the persons of the file."""
    world = World(command.root, KEYPOINTS)
    source = write(tmp_path / 'a.json', posetrack(world, range(5)))
    seqs, _ = command(world, source, '--gt-boxes')
    assert [len(x) for x in world.boxes] == 2 * [2, 1, 1, 1, 1]
    # Enlarged by 25 %, once.
    points = world.person(5 + 7 / 100)
    expected = 1.25 * (points.max(0) - points.min(0))
    left, top, right, bottom = world.boxes[0][0]
    np.testing.assert_allclose([right - left, bottom - top], expected, 1e-3)
    assert seqs.valid.all()


def test_boxes_of_a_file(command, tmp_path):
    """MMPose's posetrack18_val_human_detections.json."""
    world = World(command.root, KEYPOINTS)
    content = posetrack(world, range(5))
    boxes = []
    for image, people in zip(content['images'], world.people):
        for place, points in enumerate(people):
            low, high = points.min(0), points.max(0)
            boxes.append(
                dict(
                    image_id=image['id'],
                    category_id=1,
                    bbox=[*map(float, low), *map(float, high - low)],
                    score=0.9 if place == 0 else 0.25,
                )
            )
    boxes.append(dict(boxes[0], category_id=2, bbox=[0, 0, 1, 1]))
    boxes.append(dict(boxes[0], image_id=1))
    del boxes[6]  # person 0 in the fourth picture of the first video
    file = write(tmp_path / 'boxes.json', boxes)
    source = write(tmp_path / 'a.json', content)
    seqs, report = command(world, source, '--bbox-file', str(file))
    # The other persons' boxes have a low score.
    assert [len(x) for x in world.boxes] == [*[1] * 5, 1, 1, 1, 0, 1]
    # Videos are sorted by name: 342 comes second.
    assert seqs.valid.all(1).tolist() == [
        *[True] * 5,
        False,
        *[True] * 3,
        False,
        True,
        False,
    ]
    assert '2 (33.3 %) not found' in report
    with pytest.raises(ValueError, match='--bbox-file: its boxes are taken'):
        command(world, source, '--bbox-file', str(file), '--gt-boxes')


@pytest.mark.parametrize(
    ('boxes', 'expected'),
    [
        ({}, 'expected a list of boxes, found dict'),
        ([dict(image_id=1)], "entry 0: key 'category_id' is missing"),
        (
            [dict(image_id=1, category_id=1, bbox=[0, 0, 1, 1], score=1)],
            'in some of 10 annotated pictures, found none',
        ),
    ],
)
def test_a_wrong_file_of_boxes_is_named(command, tmp_path, boxes, expected):
    world = World(command.root, KEYPOINTS)
    source = write(tmp_path / 'a.json', posetrack(world, range(5)))
    file = write(tmp_path / 'boxes.json', boxes)
    with pytest.raises(ValueError, match=expected) as error:
        command(world, source, '--bbox-file', str(file))
    assert 'boxes.json' in str(error.value)


def test_jhmdb(command, tmp_path):
    names = SKELETONS['jhmdb15'].keypoint_names
    world = World(command.root, names)
    images, annotations = [], []
    for clip, length in {'jump/one': 3, 'run/two': 2}.items():
        for frame in range(length):
            key = len(images)
            points = world.person(10 + key)
            # Somebody else, who is not annotated.
            image = f'Frames/{clip}/{frame + 1:05d}.png'
            world.add(image, world.person(70), points)
            width, height = SIZE
            images.append(
                dict(id=key, file_name=image, width=width, height=height)
            )
            low, high = points.min(0), points.max(0)
            annotations.append(
                dict(
                    id=key,
                    image_id=key,
                    keypoints=flat(points + 1, list(names), names, 2),
                    bbox=[*map(float, low + 1), *map(float, high - low)],
                )
            )
    source = write(
        tmp_path / 'Sub1_test.json',
        dict(images=images, annotations=annotations),
    )
    seqs, _ = command(world, source)
    assert seqs.seq_name.tolist() == ['jump/one', 'run/two']
    expected = [world.person(10 + i) for i in range(5)]
    np.testing.assert_allclose(seqs.keypoints_est, expected)
    np.testing.assert_allclose(seqs.keypoints_gt, expected, atol=1e-4)
    assert seqs.fps.tolist() == [25, 25]
    assert (seqs.image_size == SIZE).all()


def test_missing_pictures_are_named(command, tmp_path):
    world = World(command.root, KEYPOINTS)
    source = write(tmp_path / 'a.json', posetrack(world, range(5)))
    gone = command.root / 'images/val/000342_mpii_test/000002.jpg'
    gone.unlink()
    with pytest.raises(ValueError, match=r'000002\.jpg: no such picture; 1 '):
        command(world, source)


@pytest.mark.parametrize(
    ('content', 'expected'),
    [
        (dict(images=[]), "expected COCO's images and annotations"),
        ([], "expected COCO's images and annotations"),
        (
            dict(images=[dict(id=1, file_name='000001.jpg')], annotations=[]),
            r"expected a file_name Frames/.* found '000001\.jpg'",
        ),
    ],
)
def test_other_json_is_refused(command, tmp_path, content, expected):
    source = write(tmp_path / 'a.json', content)
    with pytest.raises(ValueError, match=expected) as error:
        command(World(command.root, KEYPOINTS), source)
    assert 'a.json' in str(error.value)


def test_pictures_outside_of_the_root_are_refused(command, tmp_path):
    np.savez(
        tmp_path / 'a.npz',
        imgname=np.array(['../S1_a.1_000001.jpg']),
        part=np.zeros((1, 17, 3)),
        center=np.zeros((1, 2)),
        scale=np.ones(1),
    )
    with pytest.raises(ValueError, match=r'images: .* name of a picture'):
        command(World(command.root, KEYPOINTS), tmp_path / 'a.npz')
