# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm refine`` on archives."""

import numpy as np
import pytest
from refine_data import (
    LENGTHS,
    SIZES,
    D,
    K,
    make_poses,
    make_refiner,
    make_sequences,
    read_npz,
    run,
)

from hanet_mm.apis import refine_file
from hanet_mm.core.data.sequences import (
    load_pose_sequences,
    save_pose_sequences,
)


def test_flat_layout_comes_back_with_refined_keypoints(tmp_path, refiner):
    source, out = tmp_path / 'in.npz', tmp_path / 'folder' / 'out.npz'
    truth = make_poses(sum(LENGTHS), seed=1)
    seqs = make_sequences(keypoints_gt=truth, image_size=SIZES)
    save_pose_sequences(source, seqs)
    refine_file(source, out, refiner)

    found, given = read_npz(out), read_npz(source)
    ends = np.cumsum(LENGTHS)[:-1]
    expected = make_refiner().refine(
        np.split(seqs.keypoints_est, ends), np.split(seqs.scores, ends)
    )
    np.testing.assert_array_equal(
        found.pop('keypoints_est'),
        np.concatenate([x.keypoints for x in expected]),
    )
    np.testing.assert_array_equal(
        found.pop('keypoints_input'), given.pop('keypoints_est')
    )
    filled = np.zeros((sum(LENGTHS), K), bool)
    filled[10:12, 1] = filled[15, 2] = True
    np.testing.assert_array_equal(found.pop('filled'), filled)
    assert set(found) == set(given)
    for key, value in given.items():
        np.testing.assert_array_equal(found[key], value)
    # The package itself reads it as any other file of sequences.
    np.testing.assert_array_equal(load_pose_sequences(out).keypoints_gt, truth)


def test_image_normalisation_takes_each_sequences_size(tmp_path):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    seqs = make_sequences(image_size=SIZES)
    save_pose_sequences(source, seqs)
    refiner = make_refiner('image')
    refine_file(source, out, refiner)
    ends = np.cumsum(LENGTHS)[:-1]
    expected = refiner.refine(
        np.split(seqs.keypoints_est, ends),
        np.split(seqs.scores, ends),
        SIZES,
    )
    np.testing.assert_array_equal(
        read_npz(out)['keypoints_est'],
        np.concatenate([x.keypoints for x in expected]),
    )


def test_image_size_may_come_from_the_command_line(tmp_path, assert_fails):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    portable = tmp_path / 'image.safetensors'
    refiner = make_refiner('image')
    refiner.save(portable)
    save_pose_sequences(source, make_sequences())
    assert_fails(source, str(source), '--image-size W H', refiner=portable)
    assert_fails(
        source,
        'expected W, H > 0, found [0, 240]',
        refiner=portable,
        more=('--image-size', 0, 240),
    )
    assert run(source, out, portable, '--image-size', 640, 480) == 0
    first = make_sequences().keypoints_est[: LENGTHS[0]]
    expected = refiner.refine(first, image_size=(640, 480)).keypoints
    found = read_npz(out)['keypoints_est'][: LENGTHS[0]]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


def test_output_replaces_a_file_only_when_it_is_whole(
    tmp_path, refiner, capsys
):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    out.write_bytes(b'before')
    bad = make_sequences()
    bad.keypoints_est[:7] = np.nan
    save_pose_sequences(source, bad)
    assert run(source, out, refiner) == 1
    assert out.read_bytes() == b'before'
    save_pose_sequences(source, make_sequences())
    assert run(source, out, refiner) == 0
    assert len(load_pose_sequences(out)) == 3
    # Never over its own input.
    before = out.read_bytes()
    assert run(out, out, refiner) == 1
    assert out.read_bytes() == before
    assert {x.name for x in tmp_path.iterdir()} == {
        'in.npz',
        'out.npz',
        refiner.name,
    }


@pytest.mark.parametrize('scores', [None, 'scores', 'keypoint_scores'])
def test_plain_keypoints_come_back_refined(tmp_path, refiner, scores):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    keypoints = make_poses(9).astype(np.float64)
    keypoints[4, 1] = np.nan
    confidence = np.ones((9, K))
    confidence[2, 0] = 0
    more = {scores: confidence} if scores else {}
    np.savez(source, keypoints=keypoints, image_size=[320, 240], **more)
    refine_file(source, out, refiner)

    found = read_npz(out)
    expected = make_refiner().refine(keypoints, confidence if scores else None)
    np.testing.assert_array_equal(found.pop('keypoints'), expected.keypoints)
    np.testing.assert_array_equal(found.pop('filled'), expected.filled)
    np.testing.assert_array_equal(found.pop('keypoints_input'), keypoints)
    assert set(found) == {'image_size', *more}


def flat_arrays(**changes):
    seqs = make_sequences()
    arrays = dict(
        keypoints_est=seqs.keypoints_est,
        scores=seqs.scores,
        seq_len=seqs.seq_len,
        seq_name=seqs.seq_name,
    )
    return {**arrays, **changes}


def objects(length):
    array = np.empty(length, object)
    array[:] = [np.ones(i + 1) for i in range(length)]
    return array


def with_value(index, value):
    keypoints = make_sequences().keypoints_est
    keypoints[index] = value
    return keypoints


BAD_ARCHIVES = {
    'infinite': (
        flat_arrays(keypoints_est=with_value((9, 2, 0), np.inf)),
        ["'run' (index 2), frame 1, keypoint 2", 'inf'],
    ),
    'all missing': (
        flat_arrays(keypoints_est=with_value(slice(7, 8), np.nan)),
        ["sequence 'jump' (index 1)", 'missing'],
    ),
    'empty sequence': (
        flat_arrays(seq_len=np.array([7, 0, 13])),
        ["'jump' (index 1) is empty"],
    ),
    'wrong lengths': (
        flat_arrays(seq_len=np.array([7, 1, 13])),
        ['seq_len: expected a sum of 20', 'found 21'],
    ),
    'scores of another shape': (
        flat_arrays(scores=np.ones((20, 2))),
        ['scores: expected shape (20, 3), found (20, 2)'],
    ),
    'other K in the flat layout': (
        flat_arrays(
            keypoints_est=np.ones((20, 15, 2)), scores=np.ones((20, 15))
        ),
        ["keypoints_est: sequence 'run' (index 0)", '(T, 3, 2), found (7, 15'],
    ),
    'object arrays': (
        dict(imgname=objects(2), joints_2d=objects(2)),
        ['object array', '--trust-pickle'],
    ),
    'object keypoints': (
        dict(keypoints=objects(2)),
        ["'keypoints' is an object array"],
    ),
    'other keys': (
        dict(joints=np.ones((4, K, D))),
        ['expected keypoints_est, scores', 'or keypoints (T, K, D)', 'joints'],
    ),
    'other K': (
        dict(keypoints=np.ones((4, 17, 2))),
        ['expects keypoints (T, K, D) = (T, 3, 2), found (4, 17, 2)'],
    ),
    'other D': (
        dict(keypoints=np.ones((4, 3, 3))),
        ['keypoints: ', '(T, 3, 2), found (4, 3, 3)'],
    ),
    'no frames': (
        dict(keypoints=np.ones((0, 3, 2))),
        ['expected at least 1 frame, found 0'],
    ),
    'plain infinite': (
        dict(
            keypoints=np.where(np.arange(24).reshape(4, 3, 2) == 9, -np.inf, 1)
        ),
        ['keypoints: frame 1, keypoint 1', '-inf'],
    ),
    'beyond float32': (
        dict(keypoints=np.full((4, 3, 2), 1e300)),
        ['keypoints: frame 0, keypoint 0', '1e+300'],
    ),
    'plain all missing': (
        dict(keypoints=np.full((4, 3, 2), np.nan)),
        ['all keypoints are missing', 'all 4 frames'],
    ),
    'plain scores': (
        dict(keypoints=np.ones((4, 3, 2)), scores=np.ones((4, 2))),
        ['expected scores (T, K) = (4, 3), found (4, 2)'],
    ),
    'text': (
        dict(keypoints=np.array(['a'])),
        ['keypoints: expected numbers, found <U1'],
    ),
    'plain image size': (
        dict(keypoints=np.ones((4, 3, 2)), image_size=np.array([0, 4])),
        ['image_size: expected W, H > 0, found [0, 4]'],
    ),
}


@pytest.mark.parametrize('name', BAD_ARCHIVES)
def test_bad_archives(tmp_path, assert_fails, name):
    arrays, parts = BAD_ARCHIVES[name]
    source = tmp_path / 'in.npz'
    np.savez(source, **arrays)
    assert_fails(source, f'{source}: ', *parts)


@pytest.mark.parametrize('size', [0, 10, 0.5, 0.9])
def test_truncated_archives(tmp_path, assert_fails, size):
    source = tmp_path / 'in.npz'
    save_pose_sequences(source, make_sequences())
    data = source.read_bytes()
    source.write_bytes(data[: int(size if size > 1 else size * len(data))])
    assert_fails(source, f'{source}: ', 'truncated')
