# Copyright (c) hanet_mm contributors. All rights reserved.
"""JHMDB's joint_positions tree with MMPose's predictions -> flat layout."""

import json
import logging
import runpy
import sys

import numpy as np
import pytest
from jhmdb_clips import ClipChoice
from jhmdb_official import (
    convert_official_jhmdb,
    read_joint_positions,
)
from published_files import JHMDB_KEYPOINTS
from scipy.io import savemat

from hanet_mm.core.data.sequences import load_pose_sequences

CLIPS = {'run/b!(er)t': 3, 'walk/anna': 5, 'walk/solo': 1}


def truth_of(clip):
    """Ground truth of a made-up clip, px counted from 0."""
    rng = np.random.default_rng(sum(map(ord, clip)))
    shape = (CLIPS[clip], 15, 2)
    return rng.uniform(20, 200, shape).round(2).astype(np.float32)


def write_mat(root, clip, truth):
    path = root / clip / 'joint_positions.mat'
    path.parent.mkdir(parents=True)
    frames = len(truth)
    savemat(
        path,
        {
            # MATLAB's pixels start at 1 and its frames come last
            'pos_img': truth.astype(np.float64).transpose(2, 1, 0) + 1,
            'pos_world': np.zeros((2, 15, frames)),
            'scale': np.ones((1, frames)),
            'viewpoint': np.ones((1, frames)),
        },
    )
    return path


def persons(*poses, score=0.5):
    """Instances of a frame as MMPose's inferencer writes them."""
    return [
        {
            'keypoints': np.asarray(pose, float).tolist(),
            'keypoint_scores': [score] * len(pose),
            'bbox': [[0.0, 0.0, 1.0, 1.0]],
            'bbox_score': 0.9,
        }
        for pose in poses
    ]


def write_json(root, clip, frames):
    path = root / f'{clip}.json'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(
            [{'frame_id': i, 'instances': v} for i, v in enumerate(frames)]
        )
    )
    return path


@pytest.fixture
def tree(tmp_path):
    """Annotation and predictions: the truth moved by 3 px to the right."""
    root, predictions = tmp_path / 'joint_positions', tmp_path / 'predictions'
    for clip in CLIPS:
        truth = truth_of(clip)
        write_mat(root, clip, truth)
        write_json(
            predictions, clip, [persons(pose + [3, 0]) for pose in truth]
        )
    return root, predictions


@pytest.fixture
def out(tmp_path):
    """Where to convert to: a folder of its own."""
    return tmp_path / 'converted' / 'out.npz'


def test_converts_the_tree(tree, out):
    notes = convert_official_jhmdb(*tree, out)
    seqs = load_pose_sequences(out, require=('keypoints_gt', 'bboxes'))
    assert seqs.seq_name.tolist() == [*CLIPS]
    assert seqs.seq_len.tolist() == [*CLIPS.values()]
    truth = np.concatenate([truth_of(clip) for clip in CLIPS])
    np.testing.assert_allclose(seqs.keypoints_gt, truth, atol=1e-4)
    np.testing.assert_allclose(seqs.keypoints_est, truth + [3, 0], atol=1e-4)
    assert (seqs.scores == 0.5).all()
    assert (seqs.visible == 1).all()
    assert seqs.image_size.tolist() == [[320, 240]] * 3
    assert seqs.meta['keypoint_names'] == [*JHMDB_KEYPOINTS]
    assert seqs.meta['estimator'] == 'predictions'
    assert '0 of 9 frames without a person' in notes
    # a box as large as the joints plus 5 % on each of its sides
    low, high = truth.min(1), truth.max(1)
    expected = np.concatenate(
        [low - 0.05 * (high - low), high + 0.05 * (high - low)], 1
    )
    np.testing.assert_allclose(seqs.bboxes, expected, atol=1e-3)


def test_boxes_are_those_of_the_flat_data(tmp_path, shared_dir, out):
    flat = load_pose_sequences(shared_dir / 'data' / 'jhmdb_sim_test.npz')
    flat = flat.select([0])
    write_mat(tmp_path / 'joints', 'clap/clap_0032', flat.keypoints_gt)
    frames = [persons(pose) for pose in flat.keypoints_est]
    write_json(tmp_path / 'found', 'clap/clap_0032', frames)
    convert_official_jhmdb(tmp_path / 'joints', tmp_path / 'found', out)
    seqs = load_pose_sequences(out)
    for name in ('keypoints_gt', 'keypoints_est', 'bboxes'):
        np.testing.assert_allclose(
            getattr(seqs, name), getattr(flat, name), atol=1e-4
        )


def test_frames_without_anybody_are_missing(tree, out):
    root, predictions = tree
    clip, truth = 'walk/anna', truth_of('walk/anna')
    frames = [persons(pose) for pose in truth]
    frames[1] = []
    path = write_json(predictions, clip, [*frames, persons(truth[0])])
    content = json.loads(path.read_text())
    del content[3]  # a frame that is not in the file at all
    path.write_text(json.dumps(content))
    notes = convert_official_jhmdb(root, predictions, out)
    seqs = load_pose_sequences(out)
    found = seqs.valid[3:8].all(1)
    assert found.tolist() == [True, False, True, False, True]
    assert np.isnan(seqs.keypoints_est[[4, 6]]).all()
    assert (seqs.scores[[4, 6]] == 0).all()
    assert '2 of 9 frames without a person' in notes
    assert '1 predicted frames after the last annotated one' in notes


def test_clips_without_predictions_are_left_out_and_said(tree, out):
    root, predictions = tree
    (predictions / 'walk/anna.json').unlink()
    write_json(predictions, 'walk/solo', [[]])
    notes = convert_official_jhmdb(root, predictions, out)
    assert load_pose_sequences(out).seq_name.tolist() == ['run/b!(er)t']
    assert '2 of 3 clips left out' in notes[0]
    assert 'walk/anna, walk/solo' in notes[0]


def test_clips_are_chosen_by_name(tree, out):
    choice = ClipChoice(frozenset({'walk/anna', 'walk/gone'}), 'mine')
    notes = convert_official_jhmdb(*tree, out, clips=choice)
    seqs = load_pose_sequences(out)
    assert seqs.seq_name.tolist() == ['walk/anna']
    assert seqs.meta['protocol'] == 'mine'
    assert notes[0] == 'mine: 1 of 2 clips are in the source'


def test_leftovers_of_macos_are_no_clips(tree, out):
    write_mat(tree[0], 'walk/.AppleDouble', truth_of('walk/anna'))
    convert_official_jhmdb(*tree, out)
    assert len(load_pose_sequences(out)) == 3


def test_one_frame_without_the_axis_that_matlab_drops(tmp_path):
    truth = truth_of('walk/solo')
    path = tmp_path / 'joint_positions.mat'
    savemat(path, {'pos_img': truth[0].T.astype(float) + 1})
    np.testing.assert_allclose(read_joint_positions(path), truth, atol=1e-4)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ({'pos_world': np.zeros((2, 15, 3))}, "key 'pos_img' is missing"),
        (
            {'pos_img': np.zeros((2, 13, 3))},
            r'pos_img: expected shape \(2, 15, T\), found \(2, 13, 3\)',
        ),
        ({'pos_img': np.zeros((2, 15, 0))}, r'pos_img.*\(2, 15, 0\)'),
        (None, 'cannot be read'),
    ],
)
def test_a_bad_annotation_is_named(tree, out, content, message):
    path = tree[0] / 'walk/anna/joint_positions.mat'
    if content is None:
        path.write_bytes(path.read_bytes()[:300])
    else:
        savemat(path, content)
    with pytest.raises(ValueError, match=message) as error:
        convert_official_jhmdb(*tree, out)
    assert str(path) in str(error.value)
    assert '\n' not in str(error.value)
    assert not out.parent.exists()


def test_inf_in_a_prediction_is_named(tree, out):
    truth = truth_of('walk/anna')
    truth[2, 4] = np.inf
    write_json(tree[1], 'walk/anna', [persons(pose) for pose in truth])
    with pytest.raises(
        ValueError, match=r"keypoints_est.*inf.*'walk/anna'.*frame 2"
    ):
        convert_official_jhmdb(*tree, out)


def test_empty_places_are_named(tree, tmp_path, out):
    empty = tmp_path / 'empty'
    empty.mkdir()
    with pytest.raises(ValueError, match=r'empty.*joint_positions\.mat'):
        convert_official_jhmdb(empty, tree[1], out)
    with pytest.raises(ValueError, match='empty: expected predictions'):
        convert_official_jhmdb(tree[0], empty, out)
    choice = ClipChoice(frozenset({'nobody'}), 'mine')
    with pytest.raises(ValueError, match='clips of mine, found none'):
        convert_official_jhmdb(*tree, out, clips=choice)


def test_command_line(
    repo_root, tree, out, tmp_path, monkeypatch, caplog, capsys
):
    script = str(repo_root / 'tools/dataset_converters/jhmdb_official.py')
    caplog.set_level(logging.INFO)
    splits = tmp_path / 'splits'
    splits.mkdir()
    (splits / 'run_test_split1.txt').write_text('b!(er)t.avi 1\n')
    (splits / 'walk_test_split1.txt').write_text('anna.avi 2\nsolo.avi 1\n')

    def run(subset, *more):
        place = out.with_name(f'{subset}.npz')
        argv = [script, *tree, place, '--splits', splits, '--subset', subset]
        monkeypatch.setattr(sys, 'argv', list(map(str, [*argv, *more])))
        runpy.run_path(script, run_name='__main__')
        return load_pose_sequences(place)

    train = run('train', '--image-size', '640', '480')
    assert train.seq_name.tolist() == ['run/b!(er)t', 'walk/solo']
    assert train.image_size.tolist() == [[640, 480]] * 2
    assert '100%' in capsys.readouterr().err  # progress was shown
    test = run('test', '--compare-with', out.with_name('train.npz'))
    assert test.seq_name.tolist() == ['walk/anna']
    assert 'no clip is in both' in caplog.text
    with pytest.raises(SystemExit, match=r'error: .*_test_split2\.txt'):
        run('test', '--split', '2')
