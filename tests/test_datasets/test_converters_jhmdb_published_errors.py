# Copyright (c) hanet_mm contributors. All rights reserved.
"""What is wrong in the published files of JHMDB is named."""

import sys

import numpy as np
import pytest
from jhmdb_clips import read_clip_choice
from jhmdb_files import CLIPS, make_out, make_pair, objects, published, save
from jhmdb_published import (
    convert_published_jhmdb,
)


@pytest.fixture
def pair(tmp_path):
    return make_pair(tmp_path)


@pytest.fixture
def out(tmp_path):
    return make_out(tmp_path)


def cut(arrays, key, index):
    arrays[key][index] = arrays[key][index][:-1]


def put(arrays, key, index, value):
    arrays[key][index] = value


@pytest.mark.parametrize(
    ('change', 'parts'),
    [
        (
            lambda gt, det: cut(det, 'imgname', 1),
            ['det.npz', 'imgname', "'run/bert'", 'expected 3', 'found 2'],
        ),
        (
            lambda gt, det: cut(det, 'joints_2d', 1),
            [
                'det.npz',
                'joints_2d',
                "'run/bert'",
                'expected 3 frames',
                '(2, 30)',
            ],
        ),
        (
            lambda gt, det: cut(gt, 'joints_2d', 2),
            ['gt.npz', 'joints_2d', "'run/carl' (index 2)", '(4, 30)'],
        ),
        (
            lambda gt, det: put(gt, 'bbox', 0, np.zeros((4, 5))),
            ['gt.npz', 'bbox', "'walk/anna'", 'expected 4', 'found 5'],
        ),
        (
            lambda gt, det: put(gt, 'imgshape', 0, [240]),
            ['gt.npz', 'imgshape', "'walk/anna'", '240'],
        ),
        (
            lambda gt, det: put(det, 'joints_2d', 0, [[1, 2], [3]]),
            [
                'det.npz',
                'joints_2d',
                "'walk/anna'",
                'expected numbers, found list',
            ],
        ),
        (
            lambda gt, det: put(
                gt, 'imgname', 1, [*gt['imgname'][1][:2], 'run/x/1.png']
            ),
            ['gt.npz', 'imgname', "'run/bert'", 'frame 2', "'run/x/1.png'"],
        ),
        (
            lambda gt, det: put(
                det, 'imgname', 1, [f'run/carl/{i:05d}.png' for i in (1, 2, 3)]
            ),
            ['det.npz', "'run/bert'", 'frame 0', "'run/carl/00001.png'"],
        ),
        (
            lambda gt, det: put(gt, 'imgname', 0, []),
            ['gt.npz', 'imgname of sequence 0', "'none'"],
        ),
        (
            lambda gt, det: det['joints_2d'].pop(),
            ['det.npz', 'joints_2d', '3 sequences', '(2,)'],
        ),
        (
            lambda gt, det: det['joints_2d'][1].__setitem__((2, 4), np.inf),
            ['det.npz', 'keypoints_est', 'inf', "'run/bert'", 'frame 2'],
        ),
        (
            lambda gt, det: det['joints_2d'][1].fill(np.nan),
            ['det.npz', 'keypoints_est', 'missing', "'run/bert'"],
        ),
        (lambda gt, det: gt.pop('bbox'), ['gt.npz', "key 'bbox' is missing"]),
    ],
)
def test_bad_input_is_named_and_nothing_written(tmp_path, out, change, parts):
    gt, det = published(CLIPS.items())
    change(gt, det)
    paths = save(tmp_path, gt, det)
    with pytest.raises(ValueError, match=parts[0]) as error:
        convert_published_jhmdb(*paths, out, True)
    text = str(error.value)
    assert '\n' not in text
    for part in parts:
        assert part in text
    assert not out.parent.exists()


def test_no_sequences_at_all(tmp_path, out):
    paths = save(tmp_path, *published([]))
    with pytest.raises(ValueError, match=r'gt\.npz.*0 sequences'):
        convert_published_jhmdb(*paths, out, True)


def test_choice_that_fits_nothing(tmp_path, pair, out):
    names = tmp_path / 'names.txt'
    names.write_text('nobody\n')
    choice = read_clip_choice(names)
    with pytest.raises(ValueError, match=r'gt\.npz.*names\.txt.*none of'):
        convert_published_jhmdb(*pair[:2], out, True, clips=choice)


def test_keeping_repetitions_excludes_a_choice(tmp_path, pair, out):
    names = tmp_path / 'names.txt'
    names.write_text('bert\n')
    with pytest.raises(ValueError, match='keep_repeated'):
        convert_published_jhmdb(
            *pair[:2],
            out,
            True,
            clips=read_clip_choice(names),
            keep_repeated=True,
        )


@pytest.mark.parametrize('kept', [0.3, 0.99])
def test_truncated_files(pair, out, kept):
    data = pair[1].read_bytes()
    pair[1].write_bytes(data[: int(kept * len(data))])
    with pytest.raises(ValueError, match=r'det\.npz.*cannot be') as error:
        convert_published_jhmdb(*pair[:2], out, True)
    assert '\n' not in str(error.value)


def test_a_pickle_of_unknown_classes_is_a_one_line_error(tmp_path, pair, out):
    path = tmp_path / 'det.npz'
    with np.load(path, allow_pickle=True) as archive:
        arrays = dict(archive)
    sys.modules['gone'] = type(sys)('gone')
    sys.modules['gone'].Thing = type('Thing', (), {'__module__': 'gone'})
    arrays['imgname'] = objects([sys.modules['gone'].Thing()] * 3)
    np.savez(path, **arrays)
    del sys.modules['gone']
    with pytest.raises(ValueError, match=r'det\.npz.*unpickled.*gone'):
        convert_published_jhmdb(*pair[:2], out, True)
