# Copyright (c) hanet_mm contributors. All rights reserved.
"""Commands that take refiners by name, and one where none is named."""

import argparse
import json

import numpy as np
import pytest
from format_files import COCO, make_coco_refiner, write_example
from refine_data import make_sequences
from test_refine_3d_files import joints_file, make_refiner

from hanet_mm.apis import refine_file
from hanet_mm.apis.cli import main
from hanet_mm.apis.commands import extract, video
from hanet_mm.apis.refine import RefineOptions, refine_folder
from hanet_mm.core.data.sequences import (
    PoseSequences,
    load_pose_sequences,
    save_pose_sequences,
)
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine import weights_file as shipped


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A package with refiners of the names of the defaults, untrained."""
    folder = tmp_path / 'weights'
    monkeypatch.setattr(shipped, 'WEIGHTS', folder)
    make_coco_refiner().save(folder / 'coco17-2d.safetensors')
    make_refiner(17, 3, 'root', [0]).save(folder / 'h36m17-3d.safetensors')
    for name in ('coco17-2d', 'h36m17-3d'):
        (folder / f'{name}.md').write_text(f'# {name}\n\nFor {name}.\n\nMore.')
    return folder


def refine(source, out, *more):
    return main(['refine', str(source), '-o', str(out), *more])


def points_file(path, names):
    rng = np.random.default_rng(0)
    keypoints = rng.normal(100, 20, (8, len(names), 2))
    save_pose_sequences(
        path,
        PoseSequences(
            keypoints_est=keypoints,
            scores=np.ones(keypoints.shape[:2]),
            seq_len=[8],
            seq_name=['walk'],
            meta=dict(keypoint_names=list(names)),
        ),
    )
    return path


@pytest.mark.parametrize('more', [(), ('--refiner', 'coco17-2d')])
def test_a_name_and_no_name_give_the_same(tmp_path, weights, capsys, more):
    source, _ = write_example('coco', tmp_path)
    out, expected = tmp_path / 'out.json', tmp_path / 'expected.json'
    assert refine(source, out, *more) == 0
    # Only who named none has to be told which.
    assert ('; by coco17-2d' in capsys.readouterr().out) != bool(more)
    refine_file(source, expected, weights / 'coco17-2d.safetensors')
    assert out.read_text() == expected.read_text()
    assert json.loads(out.read_text()) != json.loads(source.read_text())


def test_3d_joints_have_another_default(tmp_path, weights, capsys):
    names = SKELETONS['h36m17'].keypoint_names
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    rng = np.random.default_rng(0)
    seqs = PoseSequences(
        keypoints_est=rng.normal(0, 0.4, (8, 17, 3)),
        scores=np.ones((8, 17)),
        seq_len=[8],
        seq_name=['walk'],
        meta=dict(keypoint_names=list(names), units='m'),
    )
    save_pose_sequences(source, seqs)
    assert refine(source, out) == 0
    assert '; by h36m17-3d' in capsys.readouterr().out
    expected = make_refiner(17, 3, 'root', [0]).refine(seqs.keypoints_est)
    np.testing.assert_allclose(
        load_pose_sequences(out).keypoints_est, expected.keypoints, atol=1e-6
    )


def test_other_skeletons_are_mapped_by_name(tmp_path, weights, capsys):
    names = SKELETONS['jhmdb15'].keypoint_names
    source, out = points_file(tmp_path / 'in.npz', names), tmp_path / 'o.npz'
    assert refine(source, out) == 0
    assert 'jhmdb15 -> coco17: 12 mapped' in capsys.readouterr().out


@pytest.mark.parametrize('named', [True, False])
@pytest.mark.parametrize('skeleton', ['halpe26', 'coco_wholebody133'])
def test_feet_count_whether_named_or_not(tmp_path, capsys, skeleton, named):
    """Only one known skeleton has as many keypoints."""
    names = SKELETONS[skeleton].keypoint_names
    points = np.random.default_rng(0).normal(100, 20, (4, len(names), 2))
    source = tmp_path / 'in.npz'
    np.savez(source, keypoints=points)
    more = ['--skeleton', skeleton] if named else []
    assert refine(source, tmp_path / 'o.npz', *more) == 0
    assert 'by body23-2d' in capsys.readouterr().out


@pytest.mark.parametrize(
    ('names', 'reason'),
    [
        (['left_wrist', 'right_wrist', 'tip'], 'has 2 of the 17 keypoints'),
        (COCO[5:13], 'has 8 of the 17 keypoints'),
        (['tip', 'tail'], 'no keypoint in common'),
    ],
)
def test_points_that_the_default_does_not_know(
    tmp_path, weights, capsys, names, reason
):
    source, out = points_file(tmp_path / 'in.npz', names), tmp_path / 'o.npz'
    assert refine(source, out) == 1
    error = capsys.readouterr().err
    assert reason in error
    assert str(source) in error
    assert not out.exists()
    # Who names it shall have it, if there is anything to refine.
    asked = refine(source, out, '--refiner', 'coco17-2d')
    assert asked == (1 if 'tail' in names else 0)


def test_half_of_the_keypoints_are_enough_for_the_default(tmp_path, weights):
    source = points_file(tmp_path / 'in.npz', COCO[5:14])  # 9 of 17
    assert refine(source, tmp_path / 'out.npz') == 0


def test_rotations_get_the_robust_path(tmp_path, weights, capsys):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    turn = np.linspace(0, 8, 40)[:, None] * np.eye(72)[1]
    np.savez(source, poses=turn, mocap_framerate=60.0)
    assert refine(source, out) == 0
    assert 'RotationPath(fps=60)' in capsys.readouterr().out
    with np.load(out) as result:
        # Even speed stays, over more than a full turn.
        np.testing.assert_allclose(result['poses'], turn, atol=1e-3)


@pytest.mark.parametrize('more', [(), ('--refiner', 'coco17-2d')])
def test_a_package_without_weights_says_so(
    tmp_path, monkeypatch, capsys, more
):
    monkeypatch.setattr(shipped, 'WEIGHTS', tmp_path / 'nothing')
    source = points_file(tmp_path / 'in.npz', COCO)
    assert refine(source, tmp_path / 'out.npz', *more) == 1
    error = capsys.readouterr().err
    assert "unknown refiner 'coco17-2d'; bundled refiners: none;" in error
    assert error.count('\n') == 1


def test_a_folder_loads_each_default_once(tmp_path, weights, monkeypatch):
    folder, loaded = tmp_path / 'in', []
    folder.mkdir()
    for name in ('a', 'b'):
        points_file(folder / f'{name}.npz', COCO)
    joints_file(folder / 'c.npz', 'm', 1)  # of 5 joints without names
    from hanet_mm.apis import refine_options as module

    load = module.load_refiner
    monkeypatch.setattr(
        module,
        'load_refiner',
        lambda *x: loaded.append(x[0]) or load(*x),
    )
    summary = refine_folder(folder, tmp_path / 'out', RefineOptions())
    assert summary.num_refined == 2
    assert loaded == ['coco17-2d', 'h36m17-3d']
    assert 'expects keypoints (T, K, D) = (T, 17, 3)' in summary.failed[0][1]


def test_a_filter_is_no_refiner_by_default(tmp_path, weights, capsys):
    source = tmp_path / 'in.npz'
    save_pose_sequences(source, make_sequences())
    assert refine(source, tmp_path / 'o.npz', '--filter', 'median') == 0
    assert 'MedianFilter' in capsys.readouterr().out


def test_models_are_listed_with_a_line_each(weights, capsys):
    assert main(['models']) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ['coco17-2d  For coco17-2d.', 'h36m17-3d  For h36m17-3d.']
    assert main(['models', 'coco17-2d']) == 0
    card = capsys.readouterr().out
    assert card == '# coco17-2d\n\nFor coco17-2d.\n\nMore.\n'
    assert main(['models', 'coco']) == 1
    assert 'coco17-2d, h36m17-3d' in capsys.readouterr().err


def test_models_of_a_package_without_any(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shipped, 'WEIGHTS', tmp_path / 'nothing')
    assert main(['models']) == 0
    assert capsys.readouterr().out == 'no bundled refiners\n'


def parse(command, *words):
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return parser.parse_args([str(x) for x in words])


@pytest.mark.mm
@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        ((), 'default'),
        (('--refiner', 'other'), 'other'),
        (('--no-refine',), None),
    ],
)
def test_a_video_has_a_default(monkeypatch, words, expected):
    from hanet_mm.apis.video import inferencer as module

    monkeypatch.setattr(module, 'PoseRefinementInferencer', dict)
    args = parse(video, 'video', 'x.mp4', *words)
    assert video.make_inferencer(args)['refiner'] == expected


@pytest.mark.mm
def test_extraction_refines_nothing(monkeypatch):
    from hanet_mm.apis.video import inferencer as module

    monkeypatch.setattr(module, 'PoseRefinementInferencer', dict)
    words = ('extract', 'in.npz', '--videos', 'videos', '-o', 'out.npz')
    made = extract.make_inferencer(parse(extract, *words))
    assert made['refiner'] is None


def test_an_inferencer_takes_a_name(weights):
    """The name is looked up before any model is built."""
    module = pytest.importorskip('hanet_mm.apis.inferencers')
    with pytest.raises(ValueError, match='coco17-2d, h36m17-3d'):
        module.PoseRefinementInferencer('no-such-model', refiner='coco')
    with pytest.raises(ValueError, match="pose2d 'no-such-model'"):
        module.PoseRefinementInferencer('no-such-model', refiner='coco17-2d')


@pytest.mark.parametrize(
    ('more', 'said'),
    [
        (['--refiner', 'fixed.safetensors'], False),
        (['--refiner', 'rated.safetensors'], True),
        (['--refiner', 'rated.safetensors', '--fps', '25'], False),
        (['--filter', 'gaussian'], False),
        (['--filter', 'gaussian', '--unswap'], True),
    ],
)
def test_a_frame_rate_that_nobody_said_is_told(
    tmp_path, monkeypatch, capsys, more, said
):
    names = SKELETONS['coco17'].keypoint_names
    points_file(tmp_path / 'in.npz', names)
    monkeypatch.chdir(tmp_path)
    make_coco_refiner().save('fixed.safetensors')
    rated = make_coco_refiner()
    rated.config['fps'] = 30
    rated.save('rated.safetensors')
    assert refine('in.npz', 'out.npz', *more) == 0
    text = 'frame rate not known, taken for 30; '
    assert (text in capsys.readouterr().out) == said
