# Copyright (c) hanet_mm contributors. All rights reserved.
"""Human3.6M, 3DPW and AIST++: skeletons and reading of converted files."""

import re

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from published_3d import (
    H36M_KEYPOINTS,
    LSP_KEYPOINTS,
    convert_published_3d,
)
from published_smpl import (
    SMPL_KEYPOINTS,
    convert_published_smpl,
)
from scipy.spatial.transform import Rotation

import hanet_mm  # noqa: F401
from hanet_mm.apis.annotations.mocap import MOCAP_DATASETS
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.core.poses.body import SMPL_PARENTS

pytestmark = pytest.mark.mm

JOINTS = {
    'Human36mSequenceDataset': (H36M_KEYPOINTS, [0]),
    'MpiInf3dhpSequenceDataset': (
        MOCAP_DATASETS['mpi_inf_3dhp'].keypoints,
        [14],
    ),
    'Pw3dSequenceDataset': (LSP_KEYPOINTS, [2, 3]),
    'AistSequenceDataset': (LSP_KEYPOINTS, [2, 3]),
}
SMPL = ('Pw3dSmplSequenceDataset', 'AistSmplSequenceDataset')
LENGTHS = (6, 3)
TOTAL = sum(LENGTHS)


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmpose')


def build(kind, path, **kwargs):
    return DATASETS.build(
        dict(type=kind, ann_file=str(path), pipeline=[], **kwargs)
    )


def save(path, values, units, names):
    rng = np.random.default_rng(1)
    save_pose_sequences(
        path,
        PoseSequences(
            keypoints_est=values + rng.normal(0, 0.01, values.shape),
            scores=np.ones(values.shape[:2]),
            keypoints_gt=values,
            seq_len=np.array(LENGTHS),
            seq_name=np.array(['one', 'two']),
            fps=np.full(2, 50.0),
            meta=dict(units=units, keypoint_names=list(names)),
        ),
    )


def metainfo(kind):
    return DATASETS.get(kind)._load_metainfo()


@pytest.mark.parametrize('kind', [*JOINTS, *SMPL])
def test_left_and_right_change_places(kind):
    meta = metainfo(kind)
    names = [
        meta['keypoint_id2name'][i]
        for i in range(len(SMPL_KEYPOINTS))
        if i in meta['keypoint_id2name']
    ]
    other = {'left': 'right', 'right': 'left'}
    for name, index in zip(names, meta['flip_indices']):
        expected = re.sub('^(left|right)', lambda m: other[m[0]], name)
        assert names[index] == expected
    # Every keypoint is on a bone, and bones reach it from every other one.
    links = [set(link) for link in meta['skeleton_links']]
    reached = {0}
    for _ in names:
        reached |= {i for a in links if a & reached for i in a}
    assert reached == {*range(len(names))}
    assert len(meta['dataset_keypoint_weights']) == len(names)
    assert len(meta['keypoint_colors']) == len(names)
    assert len(meta['skeleton_link_colors']) == len(links)


@pytest.mark.parametrize('kind', [*JOINTS])
def test_the_root_is_the_pelvis_or_lies_between_the_hips(kind):
    names, root = JOINTS[kind]
    meta = metainfo(kind)
    assert meta['root_indices'] == root
    assert [*meta['keypoint_name2id']] == [*names]
    found = {names[i] for i in root}
    assert found in ({'root'}, {'left_hip', 'right_hip'})


def test_smpl_bones_are_those_of_its_kinematic_tree():
    links = metainfo(SMPL[0])['skeleton_links']
    parents = [int(parent) for parent in SMPL_PARENTS]
    assert {(parents[k], k) for k in range(1, 24)} == {
        tuple(link) for link in links
    }
    assert 'root_indices' not in metainfo(SMPL[0])


@pytest.mark.parametrize('kind', [*JOINTS])
@pytest.mark.parametrize(('units', 'factor'), [('m', 1), ('mm', 1e-3)])
def test_joints_are_read_in_metres(tmp_path, kind, units, factor):
    names, _ = JOINTS[kind]
    rng = np.random.default_rng(0)
    joints = rng.uniform(-0.6, 0.6, (TOTAL, len(names), 3)) / factor
    save(tmp_path / 'poses.npz', joints, units, names)
    dataset = build(kind, tmp_path / 'poses.npz', test_mode=True)
    assert len(dataset) == 2
    item = dataset.get_data_info(1)
    assert item['keypoints_gt'].shape == (3, len(names), 3)
    np.testing.assert_allclose(
        item['keypoints_gt'], joints[6:] * factor, rtol=1e-5
    )
    windows = build(kind, tmp_path / 'poses.npz', window_size=5)
    assert len(windows) == 2 + 1  # starts 0, 1 and a padded one


@pytest.mark.parametrize('kind', [*JOINTS])
def test_undeclared_millimetres_are_refused(tmp_path, kind):
    names, _ = JOINTS[kind]
    rng = np.random.default_rng(0)
    joints = rng.uniform(-600, 600, (TOTAL, len(names), 3))
    save(tmp_path / 'poses.npz', joints, 'm', names)
    with pytest.raises(ValueError, match=r"poses\.npz: .*'one'.*'mm'"):
        build(kind, tmp_path / 'poses.npz')


@pytest.mark.parametrize('kind', SMPL)
def test_rotations_are_read_in_6d(tmp_path, kind):
    rng = np.random.default_rng(0)
    vectors = rng.normal(0, 0.5, (TOTAL, 24, 3))
    save(tmp_path / 'poses.npz', vectors, 'axis-angle', SMPL_KEYPOINTS)
    item = build(kind, tmp_path / 'poses.npz', test_mode=True)[0]
    matrices = Rotation.from_rotvec(vectors[:6].reshape(-1, 3)).as_matrix()
    # r00 r01 r10 r11 r20 r21
    expected = matrices[..., :2].reshape(6, 24, 6)
    np.testing.assert_allclose(item['keypoints_gt'], expected, atol=1e-5)


def test_names_of_another_skeleton_are_refused(tmp_path):
    joints = np.random.default_rng(0).uniform(-0.6, 0.6, (TOTAL, 14, 3))
    save(tmp_path / 'poses.npz', joints, 'm', reversed(LSP_KEYPOINTS))
    with pytest.raises(ValueError, match=r"poses\.npz.*'head_top', 'neck'"):
        build('Pw3dSequenceDataset', tmp_path / 'poses.npz')


def published(folder, **gt_and_det):
    """Object arrays with one entry a sequence of each key."""
    paths = []
    for side, arrays in gt_and_det.items():
        columns = {}
        for key, entries in arrays.items():
            columns[key] = np.empty(len(entries), dtype=object)
            for index, entry in enumerate(entries):
                columns[key][index] = entry
        paths.append(folder / f'{side}.npz')
        np.savez(paths[-1], **columns)
    return paths


IMAGES = [[f'bus/image_{i:05d}.jpg' for i in range(n)] for n in LENGTHS]


def test_from_published_joints_to_items(tmp_path):
    rng = np.random.default_rng(0)
    gt, det = (
        [rng.uniform(-0.6, 0.6, (n, 51)) for n in LENGTHS] for _ in range(2)
    )
    paths = published(
        tmp_path,
        gt=dict(imgname=IMAGES, joints_3d=gt),
        det=dict(imgname=IMAGES, joints_3d=det),
    )
    out = tmp_path / 'pw3d.npz'
    convert_published_3d('pw3d', *paths, out, trust_pickle=True)
    item = build('Pw3dSequenceDataset', out, test_mode=True)[1]
    # The publication's choice of 14 out of 17 joints.
    picks = [6, 5, 4, 1, 2, 3, 16, 15, 14, 11, 12, 13, 8, 10]
    for key, source in (('keypoints', det), ('keypoints_gt', gt)):
        np.testing.assert_allclose(
            item[key], source[1].reshape(3, 17, 3)[:, picks], rtol=1e-6
        )


def test_from_published_smpl_to_items(tmp_path):
    rng = np.random.default_rng(0)
    gt = dict(
        imgname=IMAGES,
        pose=[rng.normal(0, 0.5, (n, 72)) for n in LENGTHS],
        trans=[rng.normal(size=(n, 3)) for n in LENGTHS],
        scaling=[0.9, 1.1],
    )
    det = dict(
        imgname=IMAGES,
        pose=[rng.normal(0, 0.5, (n, 72)) for n in LENGTHS],
        shape=[rng.normal(size=(n, 10)) for n in LENGTHS],
    )
    out = tmp_path / 'aist.npz'
    convert_published_smpl(
        'aist', *published(tmp_path, gt=gt, det=det), out, trust_pickle=True
    )
    item = build('AistSmplSequenceDataset', out, test_mode=True)[1]
    assert item['keypoints'].shape == (3, 24, 6)
    extras = item['extras']
    np.testing.assert_allclose(extras['scale_gt'], [1.1] * 3, rtol=1e-6)
    np.testing.assert_allclose(extras['betas_est'], det['shape'][1], 1e-6)
    np.testing.assert_allclose(extras['transl_gt'], gt['trans'][1], 1e-6)
