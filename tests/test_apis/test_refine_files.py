"""``hanet-mm refine`` on archives and on MMPose's predictions."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch

from hanet_mm import Refiner
from hanet_mm.apis import refine_file
from hanet_mm.apis.cli import main
from hanet_mm.core.sequences import (
    PoseSequences,
    load_pose_sequences,
    save_pose_sequences,
)

K, D = 3, 2
NAMES = ['head', 'left_hand', 'right_hand']
LENGTHS = (7, 1, 12)
SIZES = np.array([(320, 240), (320, 240), (640, 480)], np.float32)


def make_refiner(normalization='box', names=None):
    torch.manual_seed(0)
    shape = dict(num_keypoints=K, coord_dims=D, embed_dims=16)
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=2),
            head=dict(shape, num_layers=1),
            sample_interval=2,
        ),
        window_size=5,
        normalization=normalization,
        stride=2,
        keypoint_names=names,
    )


def make_poses(frames, seed=0):
    rng = np.random.default_rng(seed)
    start = rng.uniform(50, 200, (1, K, D))
    steps = rng.normal(0, 3, (frames, K, D))
    return (start + steps.cumsum(0)).astype(np.float32)


def make_sequences(**fields):
    """Three sequences; the last has two kinds of gaps."""
    keypoints = make_poses(sum(LENGTHS))
    scores = np.full(keypoints.shape[:2], 0.5, np.float32)
    keypoints[10:12, 1] = np.nan
    scores[15, 2] = 0
    values = dict(
        keypoints_est=keypoints,
        scores=scores,
        seq_len=np.array(LENGTHS),
        seq_name=np.array(['run', 'jump', 'run']),
        meta=dict(keypoint_names=NAMES, units='px'),
    )
    return PoseSequences(**{**values, **fields})


def read_npz(path):
    with np.load(path, allow_pickle=False) as data:
        return dict(data)


@pytest.fixture
def refiner(tmp_path):
    path = tmp_path / 'refiner.safetensors'
    make_refiner().save(path)
    return path


def run(source, out, refiner, *more):
    arguments = [str(x) for x in (source, '-o', out, '--refiner', refiner)]
    return main(['refine', *arguments, *map(str, more)])


@pytest.fixture
def assert_fails(tmp_path, capsys, refiner):
    """A call fails with one line on stderr and writes nothing."""

    def check(source, *parts, out=None, refiner=refiner, more=()):
        out = out or tmp_path / f'out{source.suffix}'
        before = {path.name for path in tmp_path.iterdir()}
        assert run(source, out, refiner, *more) == 1
        captured = capsys.readouterr()
        assert captured.out == ''
        assert captured.err.startswith('hanet-mm: error: ')
        assert captured.err.count('\n') == 1
        for part in parts:
            assert part in captured.err
        assert {path.name for path in tmp_path.iterdir()} == before

    return check


# --- Flat archives


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


def test_summary_is_one_line_with_all_numbers(tmp_path, refiner, capsys):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    save_pose_sequences(source, make_sequences())
    assert run(source, out, refiner) == 0
    captured = capsys.readouterr()
    assert captured.err == ''
    assert captured.out.count('\n') == 1
    for part in (
        f'{out}: 20 frames of 3 sequences refined',
        '3 of 60 keypoints filled',
        'T = 5',
        'N = 2',
        'stride 2',
        "normalization 'box'",
    ):
        assert part in captured.out


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
    assert run(out, out, refiner) == 0  # in place
    assert {x.name for x in tmp_path.iterdir()} == {
        'in.npz',
        'out.npz',
        refiner.name,
    }


# --- Archives with one person


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


# --- MMPose's predictions


def make_instance(keypoints, **more):
    return dict(
        keypoints=np.asarray(keypoints).tolist(),
        keypoint_scores=[0.9, 0.8, 0.7],
        bbox=[[0.0, 1.0, 2.0, 3.0]],
        bbox_score=0.99,
        **more,
    )


def write_json(path, content):
    path.write_text(json.dumps(content), encoding='utf-8')
    return path


def read_json(path):
    """Read JSON as the standard has it: without NaN and Infinity."""

    def refuse(name):
        raise AssertionError(f'{name} is not JSON')

    return json.loads(path.read_text('utf-8'), parse_constant=refuse)


def refined_without_output_keys(frames):
    """The content of a refined file as it was before."""
    before = json.loads(json.dumps(frames))
    for frame in before:
        for instance in frame['instances']:
            instance['keypoints'] = instance.pop('keypoints_input')
            del instance['filled']
    return before


def test_one_person_in_the_list_of_an_inferencer(tmp_path, refiner):
    poses = make_poses(8)
    frames = [
        dict(frame_id=i, instances=[make_instance(pose)])
        for i, pose in enumerate(poses)
    ]
    source = write_json(tmp_path / 'in.json', frames)
    refine_file(source, tmp_path / 'out.json', refiner)
    found = read_json(tmp_path / 'out.json')
    expected = make_refiner().refine(poses).keypoints
    for frame, pose in zip(found, expected):
        (instance,) = frame['instances']
        np.testing.assert_allclose(
            instance['keypoints'], pose, rtol=0, atol=1e-4
        )
        assert instance['filled'] == [False] * K
    assert refined_without_output_keys(found) == frames


def test_persons_are_told_apart_by_track_id(tmp_path, refiner):
    tall, small = make_poses(9), make_poses(6, seed=1)
    # Frames in no order; the small person enters at 3 and comes second once.
    frames = []
    for i in (4, 0, 8, 1, 2, 3, 5, 6, 7):
        instances = [make_instance(tall[i], track_id=7)]
        if i >= 3:
            instances.append(make_instance(small[i - 3], track_id='small'))
        if i % 2:
            instances.reverse()
        frames.append(dict(frame_id=i, instances=instances))
    source = write_json(tmp_path / 'in.json', frames)
    summary = refine_file(source, tmp_path / 'out.json', refiner)
    assert (summary.num_sequences, summary.num_frames) == (2, 15)
    found = read_json(tmp_path / 'out.json')
    alone = make_refiner()
    expected = {
        7: (0, alone.refine(tall).keypoints),
        'small': (3, alone.refine(small).keypoints),
    }
    for frame in found:
        for instance in frame['instances']:
            first, poses = expected[instance['track_id']]
            np.testing.assert_allclose(
                instance['keypoints'],
                poses[frame['frame_id'] - first],
                rtol=0,
                atol=1e-3,
            )
    assert refined_without_output_keys(found) == frames


@pytest.mark.parametrize('with_scores', [True, False])
def test_frames_in_between_are_filled_and_not_written(
    tmp_path, refiner, with_scores
):
    poses = make_poses(10)
    away = (3, 4, 8)
    frames = [
        dict(
            frame_id=i + 1,
            instances=[] if i in away else [make_instance(pose)],
        )
        for i, pose in enumerate(poses)
        if i != 4  # frame 5 is not in the file at all
    ]
    if not with_scores:
        for frame in frames:
            for instance in frame['instances']:
                del instance['keypoint_scores']
    content = dict(
        meta_info=dict(
            keypoint_id2name={str(i): x for i, x in enumerate(NAMES)}
        ),
        instance_info=frames,
    )
    source = write_json(tmp_path / 'in.json', content)
    summary = refine_file(source, tmp_path / 'out.json', refiner)
    assert summary.num_filled == len(away) * K
    found = read_json(tmp_path / 'out.json')
    poses[list(away)] = np.nan
    expected = make_refiner().refine(poses).keypoints
    for frame in found['instance_info']:
        for instance in frame['instances']:
            np.testing.assert_allclose(
                instance['keypoints'],
                expected[frame['frame_id'] - 1],
                rtol=0,
                atol=1e-4,
            )
    assert refined_without_output_keys(found['instance_info']) == frames
    assert found['meta_info'] == content['meta_info']


@pytest.mark.parametrize('missing', ['NaN', 'null', 'score'])
def test_missing_keypoints_are_filled_and_the_output_is_json(
    tmp_path, refiner, missing
):
    poses = make_poses(8)
    frames = [
        dict(frame_id=i, instances=[make_instance(pose)])
        for i, pose in enumerate(poses)
    ]
    instance = frames[5]['instances'][0]
    instance['bbox_score'] = float('nan')
    if missing == 'score':
        instance['keypoint_scores'][1] = 0
    else:
        value = float('nan') if missing == 'NaN' else None
        instance['keypoints'][1] = [value, value]
    source = write_json(tmp_path / 'in.json', frames)
    refine_file(source, tmp_path / 'out.json', refiner)
    found = read_json(tmp_path / 'out.json')
    poses[5, 1] = np.nan
    expected = make_refiner().refine(poses)
    for i, frame in enumerate(found):
        (instance,) = frame['instances']
        np.testing.assert_allclose(
            instance['keypoints'], expected.keypoints[i], rtol=0, atol=1e-4
        )
        assert instance['filled'] == expected.filled[i].tolist()
    instance = found[5]['instances'][0]
    assert instance['bbox_score'] is None
    if missing != 'score':
        assert instance['keypoints_input'][1] == [None, None]


# --- Bad input: archives


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


def test_other_keypoint_names(tmp_path, assert_fails):
    source, refiner = tmp_path / 'in.npz', tmp_path / 'named.safetensors'
    make_refiner(names=['head', 'right_hand', 'left_hand']).save(refiner)
    save_pose_sequences(source, make_sequences())
    parts = "keypoint 1: the refiner expects 'right_hand', found 'left_hand'"
    assert_fails(source, f'{source}: {parts}', refiner=refiner)
    # Without names in the file only their number can be compared.
    save_pose_sequences(source, make_sequences(meta={}))
    assert run(source, tmp_path / 'out.npz', refiner) == 0


# --- Bad input: predictions


def frames_of(*instances, **more):
    """Frames with one instance each."""
    return [
        dict(frame_id=i, instances=[instance], **more)
        for i, instance in enumerate(instances)
    ]


GOOD = make_instance(make_poses(1)[0])
BAD_PREDICTIONS = {
    'two persons': (
        [*frames_of(GOOD), dict(frame_id=1, instances=[GOOD, GOOD])],
        ['frame 1: expected one person, or a track_id', 'found 2 instances'],
    ),
    'track_id of some': (
        frames_of(GOOD, {**GOOD, 'track_id': 1}),
        ['frame 0: an instance has no track_id'],
    ),
    'track_id twice': (
        [dict(frame_id=3, instances=[{**GOOD, 'track_id': 1}] * 2)],
        ['frame 3: expected each track_id once, found [1, 1]'],
    ),
    'track_id of another type': (
        frames_of({**GOOD, 'track_id': [1]}),
        ['frame 0: track_id: expected integers or strings'],
    ),
    'frame twice': (
        [*frames_of(GOOD), *frames_of(GOOD)],
        ['frame 0: expected once, found twice'],
    ),
    'frame number': (
        [dict(frame_id='0', instances=[GOOD])],
        ["entry 0: frame_id: expected an integer >= 0, found '0'"],
    ),
    'far frames': (
        [*frames_of(GOOD), dict(frame_id=10**9, instances=[GOOD])],
        ['found 0 and then 1000000000'],
    ),
    'nobody': ([dict(frame_id=0, instances=[])], ['expected a person']),
    'no frames': ([], ['expected a person, found none']),
    'one image': ([GOOD], ['entry 0: expected a frame {frame_id, instances}']),
    'not frames': (dict(images=[]), ["'instance_info' with one, found None"]),
    'instances': (
        [dict(frame_id=0, instances=GOOD)],
        ['entry 0: instances: expected a list'],
    ),
    'no keypoints': (
        frames_of(GOOD, dict(bbox=[1, 2, 3, 4])),
        ['frame 1: person: keypoints: expected numbers (K, D)', 'found none'],
    ),
    'other K in a frame': (
        frames_of(GOOD, GOOD, make_instance(np.ones((2, 2)))),
        ['frame 2: person: keypoints', 'found (2, 2)'],
    ),
    'no score in a frame': (
        frames_of(GOOD, dict(keypoints=GOOD['keypoints'])),
        ['frame 1: person: keypoint_scores: expected numbers (K,)'],
    ),
    'words': (
        frames_of(dict(keypoints=[['a', 'b']] * 3)),
        ['frame 0: person: keypoints: expected numbers'],
    ),
    'other K': (
        frames_of(make_instance(np.ones((17, 2)))),
        ['(T, 3, 2), found (1, 17, 2)'],
    ),
    'infinite': (
        [
            dict(
                frame_id=5,
                instances=[make_instance([[1, 2], [3, np.inf], [5, 6]])],
            )
        ],
        ['person: frame 5, keypoint 1', 'inf'],
    ),
    'infinite elsewhere': (
        frames_of({**GOOD, 'bbox_score': np.inf}),
        ['infinite number outside the keypoints'],
    ),
    'all missing': (
        frames_of(*[make_instance(np.full((3, 2), np.nan))] * 2),
        ['person: all keypoints are missing', 'all 2 frames'],
    ),
    'names': (
        dict(meta_info=dict(keypoint_id2name=NAMES), instance_info=[]),
        ['keypoint_id2name: expected names by number, found list'],
    ),
}


@pytest.mark.parametrize('name', BAD_PREDICTIONS)
def test_bad_predictions(tmp_path, assert_fails, name):
    content, parts = BAD_PREDICTIONS[name]
    source = write_json(tmp_path / 'in.json', content)
    assert_fails(source, f'{source}: ', *parts)


@pytest.mark.parametrize('data', [b'', b'{"a": ', b'\xff\xfe'])
def test_files_that_are_not_json(tmp_path, assert_fails, data):
    source = tmp_path / 'in.json'
    source.write_bytes(data)
    assert_fails(source, f'{source}: expected JSON')


def test_keypoint_names_of_predictions(tmp_path, assert_fails):
    refiner = tmp_path / 'named.safetensors'
    make_refiner(names=NAMES).save(refiner)
    ids = {'0': 'head', '1': 'left_hand', '2': 'nose'}
    content = dict(
        meta_info=dict(keypoint_id2name=ids), instance_info=frames_of(GOOD)
    )
    source = write_json(tmp_path / 'in.json', content)
    parts = "keypoint 2: the refiner expects 'right_hand', found 'nose'"
    assert_fails(source, f'{source}: {parts}', refiner=refiner)


# --- Bad input: the rest


def test_bad_arguments(tmp_path, assert_fails):
    source = tmp_path / 'in.npz'
    save_pose_sequences(source, make_sequences())
    assert_fails(tmp_path / 'no.npz', 'no.npz: no such file of keypoints')
    assert_fails(
        tmp_path / 'a.csv', 'expected a file ending in .npz or .json', '.csv'
    )
    assert_fails(source, 'ending in .npz', out=tmp_path / 'out.json')
    assert_fails(source, 'no such refiner', refiner=tmp_path / 'no')
    assert_fails(source, 'not a refiner file', refiner=source)
    assert_fails(source, "device 'abacus'", more=('--device', 'abacus'))


def test_output_that_cannot_be_written(tmp_path, assert_fails):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    save_pose_sequences(source, make_sequences())
    out.mkdir()
    assert_fails(source, 'out.npz', out=out)


def test_wrong_usage_exits_with_2(capsys):
    with pytest.raises(SystemExit) as info:
        main(['refine', 'in.npz'])
    assert info.value.code == 2
    assert 'the following arguments are required' in capsys.readouterr().err


def test_refine_runs_without_openmmlab(tmp_path, refiner):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    save_pose_sequences(source, make_sequences())
    # Modules set to None cannot be imported.
    program = (
        'import sys\n'
        'for name in ("mmengine", "mmcv", "mmdet", "mmpose"):\n'
        '    sys.modules[name] = None\n'
        'from hanet_mm.apis.cli import main\n'
        'refine, export = sys.argv[1].split("|")\n'
        'sys.exit(main(refine.split()) * 10 + main(export.split()))\n'
    )
    commands = (
        f'refine {source} -o {out} --refiner {refiner}'
        f'|export {source} -o {tmp_path / "a.safetensors"}'
    )
    process = subprocess.run(
        [sys.executable, '-c', program, commands],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1, process.stderr
    assert len(load_pose_sequences(out)) == 3
    assert process.stderr.startswith('hanet-mm: error: reading a checkpoint')
    assert 'mim install' in process.stderr
    assert process.stderr.count('\n') == 1
