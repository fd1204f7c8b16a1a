# Copyright (c) hanet_mm contributors. All rights reserved.
"""Names, splits and repetitions of JHMDB's clips."""

import numpy as np
import pytest
from jhmdb_clips import (
    ClipChoice,
    compare_clips,
    read_clip_choice,
)

from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences


@pytest.fixture
def splits(tmp_path):
    """Split files of two actions, with one clip name used in both."""
    folder = tmp_path / 'splits'
    folder.mkdir()
    for name, text in {
        'run_test_split1.txt': 'a.avi 1\nb.avi 2\n\n#odd!(name)[1].avi 2\n',
        'shoot_ball_test_split1.txt': 'a.avi 2\r\nc.avi 1\r\n',
        'run_test_split2.txt': 'a.avi 2\nb.avi 1\n',
        'readme.txt': 'not a split file at all\n',
    }.items():
        (folder / name).write_text(text, newline='')
    return folder


@pytest.mark.parametrize(
    ('split', 'subset', 'names'),
    [
        (1, 'train', {'run/a', 'shoot_ball/c'}),
        (1, 'test', {'run/b', 'run/#odd!(name)[1]', 'shoot_ball/a'}),
        (2, 'train', {'run/b'}),
        (2, 'test', {'run/a'}),
    ],
)
def test_official_folder(splits, split, subset, names):
    choice = read_clip_choice(splits, split, subset)
    assert choice.names == names
    assert choice.protocol == f'split {split} {subset}, chosen by clip name'


def test_one_split_file_and_plain_lists(splits, tmp_path):
    one = splits / 'run_test_split1.txt'
    assert read_clip_choice(one, subset='train').names == {'a'}
    plain = tmp_path / 'mine.txt'
    plain.write_text('run/a\nb.avi\n')
    choice = read_clip_choice(plain)
    assert choice.names == {'run/a', 'b'}
    assert choice.protocol == 'clips listed in mine.txt'


@pytest.mark.parametrize(
    ('listed', 'clips', 'expected'),
    [
        # with actions on both sides the action counts
        ({'run/a'}, ['run/a', 'walk/a', 'run/b'], [True, False, False]),
        # where one side has none, the clip's own name decides
        ({'run/a'}, ['a', 'b'], [True, False]),
        ({'a'}, ['run/a', 'walk/a', 'a'], [True, True, True]),
    ],
)
def test_clips_are_matched_by_action_where_it_is_known(
    listed, clips, expected
):
    assert ClipChoice(frozenset(listed), '').mask(clips) == expected


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a.avi 1\nb.avi 3\n', r'line 2: expected .*found .b\.avi 3.'),
        ('a.avi 1\nb.avi\n', r'line 2: expected .<clip>\.avi 1\|2., found'),
        ('a.avi train\n', 'line 1: expected'),
        ('a.avi 1 2\n', 'line 1: expected'),
        ('a.avi 1\na.avi 2\n', "line 2: 'run/a' is listed twice"),
    ],
)
def test_an_unknown_line_is_named(tmp_path, text, message):
    path = tmp_path / 'run_test_split1.txt'
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as error:
        read_clip_choice(tmp_path, 1, 'train')
    assert str(error.value).startswith(str(path))
    assert '\n' not in str(error.value)


def test_what_is_missing_is_said(splits, tmp_path):
    with pytest.raises(ValueError, match=r'_test_split3\.txt, found none'):
        read_clip_choice(splits, 3, 'train')
    with pytest.raises(ValueError, match="'train' or 'test', found None"):
        read_clip_choice(splits, 1)
    (tmp_path / 'empty.txt').write_text('\n')
    with pytest.raises(ValueError, match=r'empty\.txt.*clip names'):
        read_clip_choice(tmp_path / 'empty.txt')
    with pytest.raises(FileNotFoundError, match='nowhere'):
        read_clip_choice(tmp_path / 'nowhere.txt')


def test_clips_in_two_files(tmp_path):
    def named(*names):
        path = tmp_path / f'{"".join(names)}.npz'
        sequences = PoseSequences(
            keypoints_est=np.zeros((len(names), 1, 2)),
            scores=np.ones((len(names), 1)),
            seq_len=np.ones(len(names), int),
            seq_name=names,
        )
        save_pose_sequences(path, sequences)
        return path

    note = compare_clips(named('b', 'a', 'c'), named('c', 'd', 'b', 'b'))
    assert note.startswith('WARNING: 2 clips are in both')
    assert note.endswith(': b, c')
    assert compare_clips(named('a'), named('b')).startswith('no clip is in')
