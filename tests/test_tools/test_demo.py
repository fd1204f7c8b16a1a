# Copyright (c) hanet_mm contributors. All rights reserved.
"""The demo, with an untrained refiner and without OpenMMLab."""

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from hanet_mm import Refiner
from hanet_mm.core.data.sequences import load_pose_sequences
from hanet_mm.core.poses.skeleton_data import SKELETONS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CLIP = ROOT / 'tools/demo_data/noisy_clip.npz'
NAMES = SKELETONS['coco17'].keypoint_names
# Runs the demo where OpenMMLab cannot be imported, with weights elsewhere.
PROGRAM = """
import runpy, sys
for name in ('mmengine', 'mmcv', 'mmdet', 'mmpose', 'xtcocotools'):
    sys.modules[name] = None
from pathlib import Path
from hanet_mm.core.refine import weights_file as shipped
script, folder, *sys.argv[1:] = sys.argv[1:]
shipped.WEIGHTS = Path(folder)
runpy.run_path(script, run_name='__main__')
"""


def run_demo(weights, cwd):
    return subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', PROGRAM]
        + [str(ROOT / 'tools/demo.py'), str(weights)],
        cwd=cwd,
        env={'OMP_NUM_THREADS': '1', 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def make_refiner():
    torch.manual_seed(0)
    shape = dict(num_keypoints=17, coord_dims=2, embed_dims=16)
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=1),
            head=dict(shape, num_layers=1),
            sample_interval=2,
        ),
        window_size=5,
        normalization='box',
        keypoint_names=NAMES,
        fps=30,
    )


@pytest.fixture(scope='module')
def demo(tmp_path_factory):
    folder = tmp_path_factory.mktemp('demo')
    make_refiner().save(folder / 'weights/coco17-2d.safetensors')
    done = run_demo(folder / 'weights', folder)
    assert done.returncode == 0, done.stderr
    return folder / 'demo_out', done.stdout


@pytest.fixture(scope='module')
def clip():
    return load_pose_sequences(CLIP, require=('keypoints_gt', 'bboxes'))


def test_table_has_a_row_for_each_method(demo, clip):
    out, text = demo
    table = (out / 'results.md').read_text()
    assert table.strip() in text
    assert 'synthetic people, simulated estimator' in table
    figures = json.loads((out / 'results.json').read_text())
    assert len(figures) == 2 + len(clip.meta['filters'])
    assert next(iter(figures)).startswith('input')
    assert list(figures)[-1] == '**refiner coco17-2d**'
    for name, values in figures.items():
        cells = ' | '.join(f'{x:.2f}' for x in values.values())
        assert f'| {name} | {cells} |' in table


def interpolated(clip):
    """Gaps of each joint bridged by straight lines, ends held."""
    out = clip.keypoints_est.astype(np.float64)
    for start, length in zip(clip.starts, clip.seq_len):
        part, seen = out[start : start + length], clip.valid[start:][:length]
        for k in range(part.shape[1]):
            frames = np.flatnonzero(seen[:, k])
            for d in range(2):
                known = part[frames, k, d]
                part[:, k, d] = np.interp(np.arange(length), frames, known)
    return out


def plain_figures(points, clip):
    error = np.linalg.norm(points - clip.keypoints_gt, axis=-1)
    size = np.max(clip.bboxes[:, 2:] - clip.bboxes[:, :2], axis=1)
    accel = []
    for start, length in zip(clip.starts, clip.seq_len):
        both = [
            x[start : start + length].astype(np.float64)
            for x in (points, clip.keypoints_gt)
        ]
        a, b = (np.diff(x, n=2, axis=0) for x in both)
        accel.append(np.linalg.norm(a - b, axis=-1))
    return {
        'mean_error': error.mean(),
        'pck_0.05': 100 * (error <= 0.05 * size[:, None]).mean(),
        'error_95': np.percentile(error, 95),
        'accel_error': np.concatenate(accel).mean(),
    }


def test_figures_are_those_of_a_plain_computation(demo, clip):
    figures = json.loads((demo[0] / 'results.json').read_text())
    estimates = np.split(clip.keypoints_est, clip.starts[1:])
    scores = np.split(clip.scores, clip.starts[1:])
    results = make_refiner().refine(estimates, scores, fps=30)
    refined = np.concatenate([x.keypoints for x in results])
    for name, points in (
        ('input, gaps interpolated', interpolated(clip)),
        ('**refiner coco17-2d**', refined),
    ):
        expected = plain_figures(points, clip)
        assert figures[name] == pytest.approx(expected, rel=1e-4)


def test_pictures_are_there(demo, clip):
    out, _ = demo
    assert cv2.imread(str(out / 'trajectories.png')) is not None
    video = cv2.VideoCapture(str(out / 'comparison.mp4'))
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == clip.seq_len[0]
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(30)


def test_without_weights_it_says_so_in_a_line(tmp_path):
    done = run_demo(tmp_path / 'nothing', tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("demo: unknown refiner 'coco17-2d'")
    assert done.stderr.count('\n') == 1
    assert not (tmp_path / 'demo_out').exists()


def test_the_clip_is_small_and_as_hard_as_said(clip):
    assert CLIP.stat().st_size < 200_000
    assert tuple(clip.meta['keypoint_names']) == NAMES
    assert clip.seq_len.tolist() == [300, 300]
    error = np.linalg.norm(clip.keypoints_est - clip.keypoints_gt, axis=-1)
    size = np.max(clip.bboxes[:, 2:] - clip.bboxes[:, :2], axis=1)
    mirrored = clip.keypoints_gt.copy()
    for a, b in SKELETONS['coco17'].flip_pairs:
        a, b = NAMES.index(a), NAMES.index(b)
        mirrored[:, [a, b]] = mirrored[:, [b, a]]
    flipped = np.linalg.norm(clip.keypoints_est - mirrored, axis=-1)
    # Left and right of the whole body exchanged, for several frames, and
    # as sure of it as ever.
    swapped = np.nanmedian(flipped, 1) < 0.5 * np.nanmedian(error, 1)
    assert 0.03 < swapped.mean() < 0.15
    assert np.median(clip.scores[swapped]) > 0.7
    assert 0.005 < (~clip.valid).mean() < 0.05
    assert (error > 0.2 * size[:, None]).mean() > 0.02


@pytest.fixture(scope='module')
def make_clip():
    pytest.importorskip('mmpose')
    path = ROOT / 'tools/demo_data/make_clip.py'
    spec = importlib.util.spec_from_file_location('make_clip', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_clip_is_what_its_script_makes(make_clip, clip):
    made = make_clip.make_sequences(
        make_clip.SEED, make_clip.NUM_PEOPLE, make_clip.NUM_FRAMES
    )
    # A step of the stored numbers may go the other way elsewhere.
    for name, step in (('keypoints_est', 1 / 8), ('keypoints_gt', 1 / 8)):
        np.testing.assert_allclose(
            getattr(made, name), getattr(clip, name), atol=1.01 * step
        )
    np.testing.assert_allclose(made.scores, clip.scores, atol=0.0101)


def test_settings_of_the_filters_are_tuned_on_other_people(make_clip, clip):
    """The least error of two filters, found again on the tuning people."""
    tuning = make_clip.make_sequences(
        make_clip.TUNING_SEED,
        make_clip.TUNING_PEOPLE,
        make_clip.TUNING_FRAMES,
    )
    assert not np.array_equal(tuning.keypoints_gt[:300], clip.keypoints_gt)
    names = ('gaussian', 'median')
    found = {
        name: make_clip.tune_filter(name, tuning)[1].arguments
        for name in names
    }
    assert {name: clip.meta['filters'][name] for name in names} == found


def test_keypoints_are_the_joints_of_the_motion(make_clip):
    """z stays up and nobody is mirrored; the face is before the head."""
    from hanet_mm.datasets.simulation import JOINT_NAMES

    rng = np.random.default_rng(0)
    motion = make_clip.generate_motion(rng, 3, 5)
    place = {
        name: motion.joints[..., i, :] for i, name in enumerate(JOINT_NAMES)
    }
    found = np.moveaxis(make_clip.coco_joints(motion.joints), 2, 0)
    out = dict(zip(NAMES, found))
    for name in NAMES[5:]:
        np.testing.assert_allclose(out[name], place[name], atol=1e-5)
    left = place['left_shoulder'] - place['right_shoulder']
    ahead = np.cross(left, (0, 0, 1))
    ears = (out['left_ear'] + out['right_ear']) / 2
    assert (((out['nose'] - ears) * ahead).sum(-1) > 0).all()
    assert (((out['left_ear'] - out['right_ear']) * left).sum(-1) > 0).all()
