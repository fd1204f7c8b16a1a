# Copyright (c) hanet_mm contributors. All rights reserved.
"""Portable files made from checkpoints of training runs."""

import os
import pickle
import warnings

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner, load_checkpoint
from mmpose.registry import DATASETS, MODELS

from hanet_mm import load_refiner
from hanet_mm.apis import export_refiner
from hanet_mm.apis.checkpoints import read_checkpoint, read_config_value
from hanet_mm.apis.cli import main
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.engine.safe_globals import safe_checkpoints

pytestmark = pytest.mark.mm

CONFIG = 'configs/hanet/jhmdb/hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py'
JOINTS = (
    'neck belly head right_shoulder left_shoulder right_hip left_hip '
    'right_elbow left_elbow right_knee left_knee right_wrist left_wrist '
    'right_ankle left_ankle'
).split()
LENGTHS = (14, 3, 25)


def make_sequences():
    """Three clips of a random walk, with gaps."""
    rng = np.random.default_rng(0)
    frames = sum(LENGTHS)
    truth = 120 + rng.normal(0, 30, (1, 15, 2))
    truth = truth + rng.normal(0, 2, (frames, 15, 2)).cumsum(0)
    estimate = truth + rng.normal(0, 3, truth.shape)
    estimate[5:9, 3] = np.nan
    scores = rng.uniform(0.1, 1, (frames, 15))
    scores[20:30, 14] = 0
    return PoseSequences(
        keypoints_est=estimate,
        scores=scores,
        seq_len=np.array(LENGTHS),
        seq_name=np.array(['a', 'b', 'c']),
        keypoints_gt=truth,
        bboxes=np.tile([0.0, 0, 100, 100], (frames, 1)),
        image_size=np.array([(320, 240), (320, 240), (640, 480)]),
        meta=dict(keypoint_names=JOINTS),
    )


@pytest.fixture(scope='module')
def run(tmp_path_factory, repo_root):
    """Work folder of a run of one iteration, and its config."""
    folder = tmp_path_factory.mktemp('run')
    save_pose_sequences(folder / 'train.npz', make_sequences())
    cfg = Config.fromfile(repo_root / CONFIG)
    cfg.merge_from_dict(
        dict(
            work_dir=str(folder),
            model=dict(
                backbone=dict(embed_dims=16, num_levels=2),
                head=dict(
                    embed_dims=16,
                    num_layers=2,
                    loss=dict(norms=['l1']),
                    unsampled_memory=dict(bias=1.0),
                ),
                distance=2,
                test_cfg=dict(stride=3, taper=True),
            ),
            train_cfg=dict(by_epoch=False, max_iters=1, max_epochs=None),
            visualizer=dict(vis_backends=[]),
            experiment_name='test_export',
        )
    )
    cfg.train_dataloader.update(num_workers=0, persistent_workers=False)
    cfg.train_dataloader.dataset.update(
        data_root=str(folder), ann_file='train.npz', part=None
    )
    for key in ('param_scheduler', 'val_cfg', 'test_cfg'):
        cfg[key] = None
    for part in ('val', 'test'):
        cfg[f'{part}_dataloader'] = cfg[f'{part}_evaluator'] = None
    cfg.train_cfg.pop('max_epochs')
    cfg.train_cfg.pop('val_interval')
    cfg.default_hooks = dict(
        checkpoint=dict(type='CheckpointHook', interval=1, by_epoch=False)
    )
    Runner.from_cfg(cfg).train()
    return folder, cfg


@pytest.fixture
def checkpoint(run):
    return run[0] / 'iter_1.pth'


def load(path):
    with safe_checkpoints():
        return torch.load(path, weights_only=True)


def save(content, path):
    torch.save(content, path)
    return path


def test_exported_refiner_equals_the_model(run, checkpoint, tmp_path):
    folder, cfg = run
    exported = export_refiner(checkpoint, tmp_path / 'a.safetensors')
    init_default_scope('mmpose')
    model = MODELS.build(cfg.model)
    load_checkpoint(model, str(checkpoint), strict=True)
    dataset = DATASETS.build(
        dict(
            type='JhmdbSequenceDataset',
            ann_file=str(folder / 'train.npz'),
            test_mode=True,
            pipeline=[dict(type='PackPoseSequenceInputs')],
        )
    )
    items = [dataset[i] for i in range(len(dataset))]
    batch = dict(
        inputs=[item['inputs'] for item in items],
        data_samples=[item['data_samples'] for item in items],
    )
    expected = model.eval().test_step(batch)

    seqs = make_sequences()
    ends = np.cumsum(LENGTHS)[:-1]
    results = load_refiner(tmp_path / 'a.safetensors').refine(
        np.split(seqs.keypoints_est, ends),
        np.split(seqs.scores, ends),
        seqs.image_size,
    )
    for sample, result in zip(expected, results):
        np.testing.assert_allclose(
            result.keypoints,
            sample.pred_instances.keypoints,
            rtol=0,
            atol=1e-5,
        )
        np.testing.assert_array_equal(
            ~result.filled, sample.est_instances.keypoints_valid
        )
    assert exported.keypoint_names == JOINTS
    assert (exported.stride, exported.taper) == (3, True)
    assert exported.network.distance == 2
    assert exported.normalization == 'image'


def test_command_says_what_it_wrote(checkpoint, tmp_path, capsys):
    out = tmp_path / 'new' / 'a.safetensors'
    assert main(['export', str(checkpoint), '-o', str(out)]) == 0
    assert capsys.readouterr().out == f'{out}: {load_refiner(out)!r}\n'


def test_frame_rate_goes_into_the_file(checkpoint, tmp_path, capsys):
    out = str(tmp_path / 'a.safetensors')
    assert main(['export', str(checkpoint), '-o', out, '--fps', '25']) == 0
    assert load_refiner(out).fps == 25
    assert main(['export', str(checkpoint), '-o', out, '--fps', '0']) == 1
    assert 'fps' in capsys.readouterr().err


def test_rates_of_the_training_data_go_into_the_file(checkpoint, tmp_path):
    content = load(checkpoint)
    cfg = Config.fromstring(content['meta']['cfg'], '.py')
    cfg.train_dataloader.dataset.fps_range = (20.0, 30.0)
    content['meta']['cfg'] = cfg.pretty_text
    other = str(save(content, tmp_path / 'other.pth'))
    out = str(tmp_path / 'a.safetensors')
    assert main(['export', other, '-o', out, '--fps', '25']) == 0
    assert load_refiner(out).fps_range == [20.0, 30.0]
    # Without the rate itself they say nothing.
    assert main(['export', other, '-o', out]) == 0
    assert load_refiner(out).fps_range is None


def test_several_checkpoints_are_averaged(checkpoint, tmp_path):
    content = load(checkpoint)
    weights = content['state_dict']
    content['state_dict'] = {k: 3 * v for k, v in weights.items()}
    other = save(content, tmp_path / 'other.pth')
    out = str(tmp_path / 'a.safetensors')
    assert main(['export', str(checkpoint), str(other), '-o', out]) == 0
    for name, value in load_refiner(out).network.state_dict().items():
        torch.testing.assert_close(value, 2 * weights[name])


def test_trust_goes_into_the_file(checkpoint, tmp_path):
    out = str(tmp_path / 'a.safetensors')
    assert main(['export', str(checkpoint), '-o', out, '--trust']) == 0
    assert load_refiner(out).config['trust']
    assert main(['export', str(checkpoint), '-o', out]) == 0
    assert 'trust' not in load_refiner(out).config


def test_gate_is_fitted_to_the_training_data(checkpoint, tmp_path, capsys):
    out = tmp_path / 'refiner.safetensors'
    assert main(['export', str(checkpoint), '-o', str(out), '--gate']) == 0
    refiner = load_refiner(out)
    sequences = make_sequences()
    poses = np.split(sequences.keypoints_est, sequences.starts[1:])
    scores = np.split(sequences.scores, sequences.starts[1:])
    sizes = sequences.image_size
    # Next to all of the training windows pass.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        refiner.refine(poses, scores, sizes)
    counts = [int(str(x.message).split()[0]) for x in caught]
    assert sum(counts) <= 1
    # Such people are nowhere in the training data.
    with pytest.warns(UserWarning, match="outside the refiner's training"):
        refiner.refine([x + 5000 for x in poses], scores, sizes)


def test_config_is_for_checkpoints_without_one(run, checkpoint, tmp_path):
    _, cfg = run
    cfg.dump(tmp_path / 'config.py')
    bare = save(
        dict(state_dict=load(checkpoint)['state_dict']), tmp_path / 'a.pth'
    )
    out = tmp_path / 'a.safetensors'
    with pytest.raises(ValueError, match='give it with --config'):
        export_refiner(bare, out)
    refiner = export_refiner(bare, out, tmp_path / 'config.py')
    full = export_refiner(checkpoint, tmp_path / 'b.safetensors')
    assert refiner.keypoint_names is None
    assert dict(refiner.config, keypoint_names=JOINTS) == full.config


def change_model(checkpoint, path, old, new):
    content = load(checkpoint)
    assert old in content['meta']['cfg']
    content['meta']['cfg'] = content['meta']['cfg'].replace(old, new)
    return save(content, path)


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        (
            "type='HANet'",
            "type='TopdownPoseEstimator'",
            'expected a model of type HANet, found TopdownPoseEstimator',
        ),
        ('num_levels=2', 'num_levels=3', "'backbone.levels.2.self_attn"),
        ('num_levels=2', 'levels=2', "unexpected keyword argument 'levels'"),
        ('window_size=11', 'window_size=10', 'T - 1'),
        ('sample_interval=5', 'interval=5', "model has no 'sample_interval'"),
        ('model = dict(', 'model = open(', 'model is not plain data'),
        ('model = dict(', 'other = dict(', 'type HANet, found None'),
        ('model = dict(', 'model = = dict(', 'not the text of a config'),
    ],
)
def test_config_of_another_model(checkpoint, tmp_path, old, new, message):
    path = change_model(checkpoint, tmp_path / 'a.pth', old, new)
    with pytest.raises(ValueError, match=message) as info:
        export_refiner(path, tmp_path / 'a.safetensors')
    assert str(path) in str(info.value)
    assert '\n' not in str(info.value)
    assert not (tmp_path / 'a.safetensors').exists()


def test_weights_of_another_model(checkpoint, tmp_path):
    content = load(checkpoint)
    weights = content['state_dict']
    content['state_dict'] = {f'neck.{k}': v for k, v in weights.items()}
    path = save(content, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match=r'backbone\.\S+ expected shape'):
        export_refiner(path, tmp_path / 'a.safetensors')


def test_names_of_other_keypoints_than_the_network_has(checkpoint, tmp_path):
    content = load(checkpoint)
    del content['meta']['dataset_meta']['keypoint_id2name'][14]
    path = save(content, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='expected 15 keypoint_names, got 14'):
        export_refiner(path, tmp_path / 'a.safetensors')


class Call:
    """Unpickling it calls a function."""

    def __reduce__(self):
        return os.getcwd, ()


BAD_FILES = {
    'empty': (b'', 'not a checkpoint of torch, or truncated'),
    'text': (b'hello, this is text', 'not a checkpoint of torch'),
    'pickle': (pickle.dumps([1, 2]), 'not a checkpoint of torch'),
    'code': (dict(state_dict={}, x=Call()), 'plain data only'),
    'list': ([1, 2], "with 'state_dict', found list"),
    'no weights': (dict(epoch=1), "with 'state_dict', found epoch"),
    'weights': (
        dict(state_dict={'a': 1}),
        "state_dict['a']: expected a tensor, found int",
    ),
}


@pytest.mark.parametrize('name', BAD_FILES)
def test_files_that_are_no_checkpoints(tmp_path, capsys, name):
    content, message = BAD_FILES[name]
    path, out = tmp_path / 'a.pth', tmp_path / 'a.safetensors'
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        save(content, path)
    assert_fails(capsys, path, out, str(path), message)


def test_truncated_checkpoint(checkpoint, tmp_path, capsys):
    path, out = tmp_path / 'a.pth', tmp_path / 'a.safetensors'
    data = checkpoint.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert_fails(capsys, path, out, str(path), 'or truncated')


def test_missing_checkpoint(tmp_path, capsys):
    path, out = tmp_path / 'a.pth', tmp_path / 'a.safetensors'
    assert_fails(capsys, path, out, str(path), 'no such checkpoint file')


def assert_fails(capsys, path, out, *parts):
    """One line on stderr, an exit code, and nothing written."""
    assert main(['export', str(path), '-o', str(out)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ''
    assert captured.err.startswith('hanet-mm: error: ')
    assert captured.err.count('\n') == 1
    for part in parts:
        assert part in captured.err
    assert not list(out.parent.glob('*.safetensors*'))


def test_trusted_checkpoints_may_hold_code(checkpoint, tmp_path, capsys):
    path, out = tmp_path / 'a.pth', tmp_path / 'a.safetensors'
    save(dict(load(checkpoint), extra=Call()), path)
    assert_fails(capsys, path, out, 'getcwd')
    arguments = ['export', str(path), '-o', str(out), '--trust-pickle']
    assert main(arguments) == 0
    assert out.is_file()


def test_config_text_is_read_and_not_run():
    text = (
        "a = dict(b=[1, (2.5, None)], c={'d-e': -1, 'f': dict()})\n"
        "model = dict(type='x', a=True)\nimport nothing\nh = open('no')\n"
    )
    read = read_config_value
    assert read('file', text, 'model') == dict(type='x', a=True)
    assert read('file', text, 'a') == dict(
        b=[1, (2.5, None)], c={'d-e': -1, 'f': {}}
    )
    assert read('file', text, 'absent') is None
    with pytest.raises(ValueError, match=r'file: .* h is not plain data'):
        read('file', text, 'h')
    for code in ('[x for x in (1,)]', 'b', 'dict(a=b)', 'dict([(1, 2)])'):
        with pytest.raises(ValueError, match='is not plain data'):
            read('file', f'a = {code}', 'a')


def test_config_file_with_an_error(run, checkpoint, tmp_path):
    config = tmp_path / 'config.py'
    config.write_text('model = dict(\n', encoding='utf-8')
    with pytest.raises(ValueError, match='not a config of MMEngine') as info:
        export_refiner(checkpoint, tmp_path / 'a.safetensors', config)
    assert '\n' not in str(info.value)
    with pytest.raises(FileNotFoundError, match=r'no\.py: no such config'):
        export_refiner(checkpoint, tmp_path / 'a', tmp_path / 'no.py')
    config.write_text("_base_ = 'gone.py'\n", encoding='utf-8')
    with pytest.raises(FileNotFoundError, match=r'gone\.py'):
        export_refiner(checkpoint, tmp_path / 'a', config)


def test_old_torch_loads_no_checkpoint_unasked(tmp_path, monkeypatch):
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(state_dict={}), path)
    monkeypatch.setattr(torch, '__version__', '2.5.1')
    with pytest.raises(ValueError, match=r'epoch_1\.pth: torch 2\.5\.1 may'):
        read_checkpoint(path)
