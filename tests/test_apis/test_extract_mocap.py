# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm extract`` with the annotations of 3D data sets."""

import numpy as np
import pytest
from colored_pictures import World, make_command

from hanet_mm.apis.annotations.mocap import MOCAP_DATASETS
from hanet_mm.core.poses.skeleton_data import SKELETONS


@pytest.fixture
def command(monkeypatch, tmp_path):
    return make_command(monkeypatch, tmp_path)


@pytest.mark.parametrize(
    ('dataset', 'images'),
    [
        (
            'h36m',
            [
                f'S1/{x}/{x}_{i:06d}.jpg'
                for x in ('S1_Walk.54138969', 'S1_Eat_1.54138969')
                for i in (1, 6, 16)
            ],
        ),
        (
            'mpi_inf_3dhp',  # all in one folder
            [
                f'{x}_{i:06d}.jpg'
                for x in ('S1_Seq1_Cam0', 'TS2')
                for i in (1, 2, 4)
            ],
        ),
    ],
)
def test_mocap(command, tmp_path, dataset, images):
    """``part`` is the truth; a frame without a picture has a row."""
    names = MOCAP_DATASETS[dataset].keypoints
    world = World(command.root, names)
    points = np.array([world.person(10 + i) for i in range(6)])
    for image, person in zip(images, points):
        world.add(image, person)
    flags = np.ones((6, 17, 1))
    flags[0, 3] = 0
    size = (points.max(1) - points.min(1)).max(1)
    np.savez(
        tmp_path / 'a.npz',
        imgname=np.array(images),
        part=np.concatenate([points, flags], -1),
        S=np.zeros((6, 17, 4)),
        center=(points.max(1) + points.min(1)) / 2,
        scale=1.2 * size / 200,
    )
    seqs, _ = command(world, tmp_path / 'a.npz')
    assert seqs.seq_len.tolist() == [4, 4]
    known = [0, 1, 3, 4, 5, 7]
    np.testing.assert_allclose(seqs.keypoints_est[known], points)
    np.testing.assert_allclose(seqs.keypoints_gt[known], points, rtol=1e-6)
    assert seqs.visible[0].sum() == 16
    assert not seqs.valid[[2, 6]].any()
    sides = seqs.bboxes[known, 2:] - seqs.bboxes[known, :2]
    np.testing.assert_allclose(sides, np.tile(size[:, None], 2), rtol=1e-5)
    assert seqs.fps[0] == (10 if dataset == 'h36m' else 25)
    assert seqs.meta['dataset'] == dataset


def write_pw3d(world, path, **changes):
    """SPIN's rows of two persons of a video, one after the other."""
    names = world.keypoint_names
    points = [
        np.array([world.person(x + i) for i in range(3)]) for x in (5, 60)
    ]
    images = [f'imageFiles/bus/image_{i:05d}.jpg' for i in range(3)]
    for image, *people in zip(images, *points):
        world.add(image, *people)
    both = np.concatenate(points)
    part = np.zeros((6, 24, 3))
    part[:, : len(names), :2] = both
    part[:, : len(names), 2] = 1
    arrays = dict(
        imgname=np.array(2 * images),
        shape=np.repeat([[0.5], [1.5]], 3, 0) * np.ones(10),
        part=part,
        center=(both.max(1) + both.min(1)) / 2,
        scale=1.2 * (both.max(1) - both.min(1)).max(1) / 200,
    )
    arrays.update(changes)
    np.savez(path, **{k: v for k, v in arrays.items() if v is not None})
    return both


def test_pw3d(command, tmp_path):
    world = World(command.root, SKELETONS['lsp14'].keypoint_names)
    points = write_pw3d(world, tmp_path / 'a.npz')
    seqs, _ = command(world, tmp_path / 'a.npz')
    assert seqs.seq_name.tolist() == ['bus', 'bus']
    np.testing.assert_allclose(seqs.keypoints_est, points)
    np.testing.assert_allclose(seqs.keypoints_gt, points, rtol=1e-6)
    assert seqs.fps.tolist() == [30, 30]


def test_pw3d_without_keypoints_in_2d_is_refused(command, tmp_path):
    world = World(command.root, SKELETONS['lsp14'].keypoint_names)
    write_pw3d(world, tmp_path / 'a.npz', part=None)
    with pytest.raises(ValueError, match=r"a\.npz: key 'part' is missing"):
        command(world, tmp_path / 'a.npz')
