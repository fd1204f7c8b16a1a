# Copyright (c) hanet_mm contributors. All rights reserved.
"""JHMDB's annotation in MMPose's files."""

import json

import numpy as np
import pytest
from jhmdb_official import convert_official_jhmdb

from hanet_mm.core.data.sequences import load_pose_sequences

CLIPS = {'jump/one': 3, 'run/two': 2}


@pytest.fixture
def files(tmp_path):
    """The annotation, and predictions that are 2 px beside it."""
    images, annotations = [], []
    for clip, length in CLIPS.items():
        frames = []
        for frame in range(length):
            key = len(images)
            name = f'Frames/{clip}/{frame + 1:05d}.png'
            images.append(dict(id=key, file_name=name, width=320, height=240))
            points = np.arange(30.0).reshape(15, 2) + 10 * frame
            flags = np.full((15, 1), 2)
            flags[4] = frame > 0
            annotations.append(
                dict(
                    id=key,
                    image_id=key,
                    keypoints=np.hstack([points + 1, flags]).ravel().tolist(),
                    bbox=[1, 11, 400, 100],
                )
            )
            person = dict(
                keypoints=(points + [2, 0]).tolist(),
                keypoint_scores=[0.9] * 15,
            )
            frames.append(dict(frame_id=frame, instances=[person]))
        out = tmp_path / 'predictions' / f'{clip}.json'
        out.parent.mkdir(parents=True)
        out.write_text(json.dumps(frames))
    content = dict(images=images, annotations=annotations)
    return tmp_path, content


def convert(files):
    folder, content = files
    path = folder / 'Sub1_test.json'
    path.write_text(json.dumps(content))
    convert_official_jhmdb(path, folder / 'predictions', folder / 'x.npz')
    return load_pose_sequences(folder / 'x.npz')


def test_pixels_are_counted_from_0_and_unseen_joints_unknown(files):
    seqs = convert(files)
    assert seqs.seq_name.tolist() == [*CLIPS]
    assert seqs.seq_len.tolist() == [3, 2]
    expected = np.arange(30).reshape(15, 2) + 10
    np.testing.assert_array_equal(seqs.keypoints_gt[1], expected)
    assert seqs.visible[:2, 4].tolist() == [0, 1]
    assert np.isnan(seqs.keypoints_gt[0, 4]).all()
    # Estimates are those of their frames.
    known = seqs.visible > 0
    error = (seqs.keypoints_est - seqs.keypoints_gt)[known]
    np.testing.assert_array_equal(error, np.tile([2, 0], (len(error), 1)))
    # Limited to the image, as by MMPose.
    assert seqs.bboxes[0].tolist() == [0, 10, 319, 110]


def test_frames_without_annotation_are_rows_without_truth(files):
    files[1]['annotations'].pop(1)
    seqs = convert(files)
    assert seqs.seq_len.tolist() == [3, 2]
    assert not seqs.visible[1].any()
    assert seqs.valid[1].all()


def test_what_is_wrong_is_named(files):
    files[1]['annotations'][1]['keypoints'].pop()
    with pytest.raises(
        ValueError, match=r"Sub1_test\.json: annotations\[1\]: key 'keypoints'"
    ):
        convert(files)
    files[1]['images'][0]['file_name'] = 'one.png'
    with pytest.raises(ValueError, match=r"images\[0\].*'one.png'"):
        convert(files)


TOO_FAR = 'Frames/jump/one/99999999999.png'


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (lambda x: x.update(images=None), "key 'images': expected a list"),
        (lambda x: x['images'][1].update(id=[1]), r"images\[1\]: key 'id'"),
        (lambda x: x['images'][1].update(id=0), r'images\[1\]: id 0 occurs'),
        (lambda x: x['images'][1].update(width='x'), "'width' and 'height'"),
        (
            lambda x: x['annotations'][2].update(bbox=[1, None, 2, 3]),
            r"annotations\[2\]: key 'bbox': expected numbers, found NaN",
        ),
        (lambda x: x.update(images=[], annotations=[]), 'expected some'),
        (lambda x: x['images'][1].update(file_name=TOO_FAR), 'of most frames'),
        (lambda x: x['images'][1].update(file_name='a/b/²2.png'), 'found'),
        (
            lambda x: x['annotations'][0].update(bbox=[10**400, 0, 1, 1]),
            r"annotations\[0\]: key 'bbox': expected 4 finite numbers",
        ),
    ],
)
def test_damaged_fields_are_one_line(files, change, expected):
    change(files[1])
    with pytest.raises(ValueError, match=expected) as error:
        convert(files)
    assert str(error.value).startswith(str(files[0]))
    assert '\n' not in str(error.value)
