# Copyright (c) hanet_mm contributors. All rights reserved.
"""What the hooks draw of the sequences of a test, and what they refuse."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.registry import DATASETS, HOOKS, VISUALIZERS
from mmpose.structures import PoseDataSample

import hanet_mm  # noqa: F401
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.core.poses.body import forward_kinematics, mean_adult_offsets
from hanet_mm.core.poses.rotations import (
    axis_angle_to_matrix,
    matrix_to_rot6d,
)
from hanet_mm.engine.visualization_hooks import sequence_name
from hanet_mm.visualization.sample_poses import poses_of_sample

pytestmark = pytest.mark.mm

CONFIGS = sorted(
    (Path(__file__).parents[2] / 'configs' / 'hanet').rglob('*.py')
)
NAMES = ('head', 'wrist', 'ankle', 'hip')
META = dict(
    keypoint_id2name=dict(enumerate(NAMES)),
    keypoint_name2id={name: i for i, name in enumerate(NAMES)},
    skeleton_links=[(0, 3), (3, 2)],
    skeleton_link_colors=[(255, 0, 0), (0, 255, 0)],
)
VISUALIZATION = dict(type='PoseSequenceVisualizationHook', enable=True)
BADCASE = dict(
    type='PoseSequenceBadCaseHook',
    enable=True,
    metric=[
        dict(type='PoseSequencePCK'),
        dict(type='SequenceMPJPE', source='input'),
        dict(type='SequenceMPJPE'),
        dict(type='AccelError'),
    ],
)


@pytest.fixture(autouse=True)
def visualizer():
    init_default_scope('mmpose')
    count = len(VISUALIZERS.get('PoseSequenceVisualizer')._instance_dict)
    return VISUALIZERS.build(
        dict(type='PoseSequenceVisualizer', name=f'hooks{count}')
    )


def make_sample(seq_id=0, error=0.0, dims=2, **metainfo):
    """Truth, an estimate 3 (4) off in x (y), refined poses ``error`` off."""
    rng = np.random.default_rng(seq_id)
    truth = 100 + rng.normal(0, 3, (12, len(NAMES), dims)).cumsum(0)
    estimate, refined = truth.copy(), truth.copy()
    estimate[..., :2] += 3, 4
    refined[..., 0] += error
    seen = np.ones(truth.shape[:2])
    sample = PoseDataSample()
    sample.est_instances = InstanceData(
        keypoints=estimate, keypoint_scores=seen, keypoints_valid=seen > 0
    )
    sample.gt_instances = InstanceData(keypoints=truth, keypoints_visible=seen)
    sample.pred_instances = InstanceData(
        keypoints=refined, refined_mask=np.ones(12, bool)
    )
    sample.set_metainfo(dict(seq_name='run', seq_id=seq_id, **metainfo))
    return sample


def run(hook, samples, folder):
    """Show a hook the samples of a test, two a batch."""
    runner = SimpleNamespace(
        work_dir=str(folder),
        timestamp='now',
        test_evaluator=SimpleNamespace(dataset_meta=META),
    )
    hook.before_run(runner)
    for i in range(0, len(samples), 2):
        hook.after_test_iter(runner, i, {}, samples[i : i + 2])
    hook.after_test_epoch(runner)
    return sorted(
        str(x.relative_to(folder)) for x in folder.rglob('*') if x.is_file()
    )


def test_every_third_sequence_is_drawn(tmp_path):
    hook = HOOKS.build(dict(VISUALIZATION, interval=3, out_dir='out'))
    found = run(hook, [make_sample(i) for i in range(5)], tmp_path)
    assert found == ['now/out/run_0.png', 'now/out/run_3.png']
    assert cv2.imread(str(tmp_path / found[0])).std() > 0


def test_names_stay_in_the_folder():
    sample = PoseDataSample(metainfo=dict(seq_name='../a b/c', seq_id=7))
    assert sequence_name(sample) == '.._a_b_c_7'
    sample = PoseDataSample(metainfo=dict(seq_name='x' * 500, seq_id=7))
    assert len(sequence_name(sample)) < 200


def test_the_changed_frame_is_drawn_on_its_picture(tmp_path, visualizer):
    rng = np.random.default_rng(0)
    colors = rng.integers(40, 200, (12, 3))
    paths = [str(tmp_path / f'{i}.png') for i in range(12)]
    for path, color in zip(paths, colors):
        picture = np.broadcast_to(color.astype(np.uint8), (240, 320, 3))
        cv2.imwrite(path, picture[..., ::-1])
    sample = make_sample(img_path=paths)
    sample.pred_instances.keypoints[7] += 9
    hook = HOOKS.build(dict(VISUALIZATION, interval=1, out_dir='out'))
    found = run(hook, [sample], tmp_path / 'work')
    assert found == ['now/out/run_0.png', 'now/out/run_0_frame7.png']
    drawn = cv2.imread(str(tmp_path / 'work' / found[1]))[..., ::-1]
    # Darkened, so that limbs stand out.
    assert (drawn == np.round(0.65 * colors[7])).all(-1).mean() > 0.3


def test_a_damaged_picture_is_named(tmp_path):
    path = tmp_path / 'frame.png'
    path.write_bytes(b'no picture')
    sample = make_sample(img_path=[str(path)] * 12)
    hook = HOOKS.build(dict(VISUALIZATION, interval=1, out_dir='out'))
    with pytest.raises(ValueError, match=r'frame\.png: expected an image'):
        run(hook, [sample], tmp_path)


def test_another_visualizer_is_refused_at_start(tmp_path):
    VISUALIZERS.build(dict(type='PoseLocalVisualizer', name=str(tmp_path)))
    hook = HOOKS.build(dict(VISUALIZATION, out_dir='out'))
    with pytest.raises(ValueError, match="found 'PoseLocalVisualizer'"):
        run(hook, [], tmp_path)


def test_no_interval_is_refused():
    with pytest.raises(ValueError, match='interval: expected >= 1, found 0'):
        HOOKS.build(dict(VISUALIZATION, interval=0))


def test_bad_cases_are_worse_than_the_estimate(tmp_path):
    # The estimate is 5 off.
    samples = [make_sample(i, error) for i, error in enumerate((4.9, 8, 5.1))]
    found = run(HOOKS.build(BADCASE), samples, tmp_path)
    assert found == [
        'now/badcase/results.json',
        'now/badcase/run_1_MPJPE8.png',
        'now/badcase/run_2_MPJPE5.1.png',
    ]
    text = (tmp_path / found[0]).read_text()
    assert text.index('run_1') < text.index('run_2')


def test_bad_cases_by_a_threshold(tmp_path):
    samples = [make_sample(i, error) for i, error in enumerate((1, 2.5, 3))]
    hook = HOOKS.build(dict(BADCASE, badcase_thr=2.5 - 1e-9))
    names = [x[12:17] for x in run(hook, samples, tmp_path)[1:]]
    assert names == ['run_1', 'run_2']


def test_bad_cases_by_another_error(tmp_path):
    sample = make_sample(error=100)  # a constant error has no acceleration
    hook = HOOKS.build(dict(BADCASE, metric_key='Accel', badcase_thr=0.1))
    assert run(hook, [sample], tmp_path) == ['now/badcase/results.json']


@pytest.mark.parametrize(
    ('wrong', 'message'),
    [
        (dict(metric=None), 'expected an error .* found none; give'),
        (dict(metric_key='PCK'), "expected 'PCK' .* found MPJPE, Accel"),
        (dict(metric_type='loss'), "expected 'accuracy' .* found 'loss'"),
        (dict(badcase_thr='a'), "badcase_thr: expected a number .* found 'a'"),
        (dict(badcase_thr=float('nan')), 'expected a number .* found nan'),
    ],
)
def test_what_cannot_judge_sequences_is_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        HOOKS.build(dict(BADCASE, **wrong))
    HOOKS.build(dict(BADCASE, **wrong, enable=False))


@pytest.mark.parametrize('path', CONFIGS, ids=lambda path: path.stem)
def test_bad_cases_can_be_found_with_every_config(path):
    cfg = Config.fromfile(path)
    badcase = cfg.default_hooks.badcase
    badcase.setdefault('metric', cfg.test_evaluator)  # as test.py does
    HOOKS.build(dict(badcase, enable=True))


def test_poses_in_metres_are_drawn_in_mm():
    poses = poses_of_sample(make_sample(error=2.0, dims=3))
    assert poses.unit == 'mm'
    difference = (poses.after - poses.truth).reshape(-1, 3)
    np.testing.assert_allclose(difference, [[2000, 0, 0]] * 12 * len(NAMES))
    np.testing.assert_allclose(poses.change, 1000 * np.sqrt(17))


def test_changes_are_those_of_joints_with_a_truth():
    sample = make_sample(error=1.0)
    sample.gt_instances.keypoints_visible[:, 2] = 0
    change = poses_of_sample(sample).change
    assert np.isnan(change[:, 2]).all()
    np.testing.assert_allclose(change[:, [0, 1, 3]], np.sqrt(20))
    sample.gt_instances.keypoints_visible[:] = 0
    assert not np.isnan(poses_of_sample(sample).change).any()


def test_rotations_are_drawn_as_joints():
    rng = np.random.default_rng(0)
    matrices = axis_angle_to_matrix(
        torch.from_numpy(rng.normal(0, 0.3, (5, 24, 3)))
    )
    rotations = matrix_to_rot6d(matrices).numpy()
    seen = np.ones((5, 24), bool)
    seen[2, 20] = False
    sample = PoseDataSample()
    sample.est_instances = InstanceData(
        keypoints=rotations, keypoints_valid=seen
    )
    poses = poses_of_sample(sample)
    expected = forward_kinematics(matrices, mean_adult_offsets().double())
    known = np.delete(np.arange(5), 2)
    np.testing.assert_allclose(
        poses.before[known], 1000 * expected.numpy()[known], atol=1e-6
    )
    # The whole frame: joints depend on all rotations before them.
    assert np.isnan(poses.before[2]).all()


def test_pictures_of_a_file_reach_the_samples(tmp_path):
    count, joints = 7, 15
    poses = np.random.default_rng(0).uniform(0, 99, (count, joints, 2))
    names = np.array([f'clip/{i:02}.jpg' for i in range(count)])
    save_pose_sequences(
        tmp_path / 'a.npz',
        PoseSequences(
            keypoints_est=poses,
            scores=np.ones((count, joints)),
            seq_len=[3, 4],
            seq_name=['a', 'b'],
            keypoints_gt=poses,
            extras=dict(img_path=names),
        ),
    )
    config = dict(
        type='JhmdbSequenceDataset',
        data_root=str(tmp_path),
        ann_file='a.npz',
        test_mode=True,
        pipeline=[dict(type='PackPoseSequenceInputs')],
    )
    found = [x['data_samples'].img_path for x in DATASETS.build(config)]
    expected = [str(tmp_path / name) for name in names]
    assert found == [expected[:3], expected[3:]]
    config.update(test_mode=False, window_size=3)
    assert 'img_path' not in DATASETS.build(config)[0]['data_samples']


def test_the_base_runtime_has_the_hooks(repo_root):
    cfg = Config.fromfile(repo_root / 'configs/_base_/runtime.py')
    for name, kind in (
        ('visualization', 'PoseSequenceVisualizationHook'),
        ('badcase', 'PoseSequenceBadCaseHook'),
    ):
        assert cfg.default_hooks[name].type == kind
        assert not HOOKS.build(cfg.default_hooks[name]).enable
