# Copyright (c) hanet_mm contributors. All rights reserved.
"""Published object-array files for JHMDB -> flat layout."""

import logging
import os
import runpy
import subprocess
import sys

import numpy as np
import pytest
from jhmdb_clips import read_clip_choice
from jhmdb_files import CLIPS, make_out, make_pair, published, save
from jhmdb_published import (
    convert_published_jhmdb,
)
from published_files import JHMDB_KEYPOINTS

from hanet_mm.core.data.sequences import load_pose_sequences


@pytest.fixture
def pair(tmp_path):
    return make_pair(tmp_path)


@pytest.fixture
def out(tmp_path):
    return make_out(tmp_path)


@pytest.mark.parametrize('flat', [True, False])
def test_converts_exactly(tmp_path, out, flat):
    gt, det = published(CLIPS.items(), flat=flat)
    notes = convert_published_jhmdb(*save(tmp_path, gt, det), out, True)
    seqs = load_pose_sequences(out, require=('keypoints_gt', 'bboxes'))
    assert seqs.seq_name.tolist() == [*CLIPS]
    assert seqs.seq_len.tolist() == [*CLIPS.values()]

    def stacked(arrays):
        return np.concatenate([a.reshape(-1, 15, 2) for a in arrays])

    np.testing.assert_array_equal(
        seqs.keypoints_est, stacked(det['joints_2d'])
    )
    np.testing.assert_array_equal(seqs.keypoints_gt, stacked(gt['joints_2d']))
    np.testing.assert_array_equal(seqs.bboxes, np.concatenate(gt['bbox']))
    assert seqs.image_size.tolist() == [[320, 240]] * 3  # W, H from H, W
    assert (seqs.scores == 1).all()
    assert (seqs.visible == 1).all()
    assert seqs.meta['keypoint_names'][:3] == ['neck', 'belly', 'head']
    assert seqs.meta['estimator'] == 'det'
    assert seqs.meta['protocol'] == 'all sequences of the file, each clip once'
    assert 'read 3 sequences, 12 frames; differs' in notes[0]
    assert '261 / 9228' in notes[0]
    assert '687 / 24372' in notes[0]


def test_sequences_of_one_length_make_a_full_object_array(tmp_path, out):
    gt, det = published([('walk/anna', 4), ('run/bert', 4)])
    paths = tmp_path / 'gt.npz', tmp_path / 'det.npz'
    for path, arrays in zip(paths, (gt, det)):
        np.savez(path, **{k: np.array(v, object) for k, v in arrays.items()})
    with np.load(paths[1], allow_pickle=True) as archive:
        assert archive['joints_2d'].shape == (2, 4, 30)  # not (2,)
    convert_published_jhmdb(*paths, out, True)
    seqs = load_pose_sequences(out)
    np.testing.assert_array_equal(
        seqs.keypoints_est, np.reshape(det['joints_2d'], (8, 15, 2))
    )


def test_missing_values_are_marked(tmp_path, out):
    gt, det = published(CLIPS.items())
    det['joints_2d'][0][1, 3] = np.nan  # y of keypoint 1 in frame 1
    gt['joints_2d'][2][0, 29] = np.nan
    convert_published_jhmdb(*save(tmp_path, gt, det), out, True)
    seqs = load_pose_sequences(out)
    assert np.argwhere(seqs.scores == 0).tolist() == [[1, 1]]
    assert np.argwhere(seqs.visible == 0).tolist() == [[7, 14]]


class Bomb:
    """Unpickling it would make a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), 'w')


def test_nothing_is_unpickled_without_trust(tmp_path, out):
    evidence = tmp_path / 'exploded'
    gt, det = published(CLIPS.items())
    gt['imgname'] = [Bomb(evidence)] * 3
    paths = save(tmp_path, gt, det)
    with pytest.raises(ValueError, match='--trust-pickle') as error:
        convert_published_jhmdb(*paths, out)
    assert '\n' not in str(error.value)
    assert "key 'imgname'" in str(error.value)
    assert not evidence.exists()
    assert not out.parent.exists()
    # with trust the file does what its author wanted
    with pytest.raises(ValueError, match='imgname'):
        convert_published_jhmdb(*paths, out, trust_pickle=True)
    assert evidence.exists()


def test_plain_arrays_need_no_trust(tmp_path, out):
    gt, det = published([('walk/anna', 4), ('run/bert', 4)])
    paths = tmp_path / 'gt.npz', tmp_path / 'det.npz'
    np.savez(paths[0], **gt)
    np.savez(paths[1], **det)
    convert_published_jhmdb(*paths, out)
    assert load_pose_sequences(out).seq_len.tolist() == [4, 4]


def three_splits(tmp_path, tests):
    """Split folder; ``tests[k]`` are the test clips of split k."""
    folder = tmp_path / 'splits'
    folder.mkdir()
    for k, chosen in tests.items():
        for action in ('run', 'walk'):
            lines = [
                f'{clip.split("/")[1]}.avi {2 if clip in chosen else 1}'
                for clip in CLIPS
                if clip.startswith(action)
            ]
            path = folder / f'{action}_test_split{k}.txt'
            path.write_text('\n'.join(lines) + '\n')
    return folder


def test_clean_splits_from_files_that_hold_all_splits(tmp_path):
    tests = {1: ['run/bert'], 2: ['run/carl', 'run/bert'], 3: ['walk/anna']}
    folder = three_splits(tmp_path, tests)
    order = {
        'test': [c for k in tests for c in tests[k]],
        'train': [c for k in tests for c in CLIPS if c not in tests[k]],
    }
    found = {}
    for subset, clips in order.items():
        gt, det = published([(c, CLIPS[c]) for c in clips], seed=1)
        paths = save(tmp_path, gt, det)
        for k in tests:
            out = tmp_path / f'{subset}{k}.npz'
            choice = read_clip_choice(folder, k, subset)
            notes = convert_published_jhmdb(*paths, out, True, clips=choice)
            seqs = load_pose_sequences(out)
            found[subset, k] = seqs.seq_name.tolist()
            assert seqs.meta['protocol'] == (
                f'split {k} {subset}, chosen by clip name'
            )
            assert any('repeat a clip (left out)' in note for note in notes)
    for k, chosen in tests.items():
        assert sorted(found['test', k]) == sorted(chosen)
        assert sorted(found['train', k]) == sorted({*CLIPS} - {*chosen})


def test_repeated_clips_are_counted_and_left_out(tmp_path, out):
    clips = [*CLIPS.items(), ('run/bert', 3), ('walk/anna', 4)]
    gt, det = published(clips)
    det['joints_2d'][3] = det['joints_2d'][1].copy()  # the same estimates
    gt['imgname'][4] = det['imgname'][4] = [
        f'walk/anna/{i:05d}.png' for i in range(11, 15)
    ]  # another part of the clip: not a repetition
    paths = save(tmp_path, gt, det)
    notes = convert_published_jhmdb(*paths, out, True)
    assert any('1 sequences repeat' in n and ', 0 of' in n for n in notes)
    assert load_pose_sequences(out).seq_name.tolist() == [*CLIPS, 'walk/anna']


def test_the_first_of_repeated_clips_is_taken_or_all(tmp_path, out):
    gt, det = published([*CLIPS.items(), ('run/bert', 3)])
    paths = save(tmp_path, gt, det)
    notes = convert_published_jhmdb(*paths, out, True)
    assert any('(left out), 1 of them with other' in note for note in notes)
    seqs = load_pose_sequences(out)
    np.testing.assert_array_equal(
        seqs.keypoints_est[4:7], det['joints_2d'][1].reshape(3, 15, 2)
    )
    notes = convert_published_jhmdb(*paths, out, True, keep_repeated=True)
    assert any('(kept)' in note for note in notes)
    seqs = load_pose_sequences(out)
    assert seqs.seq_name.tolist() == [*CLIPS, 'run/bert']
    assert seqs.meta['protocol'].endswith('clips repeat')


def test_counts_of_the_published_files_are_recognised(tmp_path, out):
    frames = [36] * 93 + [35] * 168  # 261 sequences, 9228 frames
    gt, det = published([(f'run/c{i}', n) for i, n in enumerate(frames)])
    notes = convert_published_jhmdb(*save(tmp_path, gt, det), out, True)
    assert notes[0].endswith('9228 frames; as the published test file')


def test_the_real_files_give_the_flat_file(shared_dir, out):
    data = shared_dir / 'data'
    convert_published_jhmdb(
        data / 'jhmdb_gt_test.npz',
        data / 'jhmdb_simplebaseline_test.npz',
        out,
        trust_pickle=True,
    )
    seqs = load_pose_sequences(out)
    flat = load_pose_sequences(data / 'jhmdb_sim_test.npz')
    for name in ('seq_name', 'seq_len', 'image_size'):
        np.testing.assert_array_equal(
            getattr(seqs, name), getattr(flat, name), err_msg=name
        )
    for name in ('keypoints_est', 'keypoints_gt', 'bboxes', 'visible'):
        np.testing.assert_allclose(
            getattr(seqs, name), getattr(flat, name), atol=1e-4, err_msg=name
        )
    assert seqs.meta['keypoint_names'] == flat.meta['keypoint_names']
    assert 'SIMULATED' in seqs.meta['note']


def test_keypoint_names_are_those_of_the_flat_format():
    assert (
        *('neck', 'belly', 'head', 'right_shoulder', 'left_shoulder'),
        *('right_hip', 'left_hip', 'right_elbow', 'left_elbow'),
        *('right_knee', 'left_knee', 'right_wrist', 'left_wrist'),
        *('right_ankle', 'left_ankle'),
    ) == JHMDB_KEYPOINTS


SCRIPT = 'tools/dataset_converters/jhmdb_published.py'


def test_command_line(repo_root, tmp_path, pair, out, monkeypatch, caplog):
    caplog.set_level(logging.INFO)

    def run(*more):
        argv = [SCRIPT, *pair[:2], out, '--trust-pickle', *more]
        monkeypatch.setattr(sys, 'argv', list(map(str, argv)))
        runpy.run_path(str(repo_root / SCRIPT), run_name='__main__')

    names = tmp_path / 'names.txt'
    names.write_text('run/bert\nanna.avi\n')
    run('--splits', names, '--estimator', 'mine', '--fps', '30')
    assert 'clips listed in names.txt: 2 of 2 clips' in caplog.text
    seqs = load_pose_sequences(out)
    assert seqs.seq_name.tolist() == ['walk/anna', 'run/bert']
    assert seqs.meta['estimator'] == 'mine'
    assert seqs.fps.tolist() == [30, 30]
    first = out.rename(tmp_path / 'first.npz')
    run('--keep-repeated', '--compare-with', first)
    assert 'WARNING: 2 clips are in both' in caplog.text
    assert load_pose_sequences(out).meta['protocol'].endswith('clips repeat')


def test_command_line_refuses_in_one_line(repo_root, tmp_path, pair, out):
    done = subprocess.run(
        [sys.executable, repo_root / SCRIPT, *pair[:2], out],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, 'PYTHONPATH': str(repo_root)},
    )
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith('error: ')
    assert '--trust-pickle' in last
    assert not out.parent.exists()
