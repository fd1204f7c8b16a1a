# Copyright (c) hanet_mm contributors. All rights reserved.
"""The code blocks of README and docs run, and the pages hold together."""

import json
import re
import shutil
from types import SimpleNamespace

import numpy as np
import pytest
from doc_pages import PAGES, ROOT, check_command, read_blocks, read_commands
from doc_pages import run_command as run

import hanet_mm
from hanet_mm import load_refiner
from hanet_mm.core.data.sequences import (
    PoseSequences,
    load_pose_sequences,
    save_pose_sequences,
)

# One epoch in place of hundreds.
FEWER = {
    'tools/train.py': [
        '--cfg-options',
        'train_cfg.max_epochs=1',
        'train_cfg.val_interval=1',
        'default_hooks.checkpoint.interval=1',
    ]
}
# Pages of which a block that is run needs the OpenMMLab packages.
NEED_MM = {
    'docs/datasets.md',
    'docs/train_your_own.md',
    'docs/training.md',
    'docs/video.md',
}
LONGEST_README, SHORTEST_README = 800, 600


def short_clip(length, count):
    """The demo's clip, cut into sequences of some frames."""
    clip = load_pose_sequences(ROOT / 'tools/demo_data/noisy_clip.npz')
    frames = slice(0, length * count)
    return PoseSequences(
        keypoints_est=clip.keypoints_est[frames],
        scores=clip.scores[frames],
        keypoints_gt=clip.keypoints_gt[frames],
        bboxes=clip.bboxes[frames],
        seq_len=np.full(count, length),
        seq_name=np.array([f'clip_{i}' for i in range(count)]),
        fps=np.full(count, 30.0),
        meta=clip.meta,
    )


def save_poses(path, clip):
    np.savez(path, keypoints=clip.keypoints_est, scores=clip.scores)


def save_predictions(path, clip):
    """The layout of predictions that MMPose's inferencers write."""
    frames = zip(clip.keypoints_est.tolist(), clip.scores.tolist())
    path.write_text(
        json.dumps(
            [
                dict(
                    frame_id=index,
                    instances=[
                        dict(keypoints=x, keypoint_scores=s, track_id=0)
                    ],
                )
                for index, (x, s) in enumerate(frames)
            ]
        )
    )


@pytest.fixture
def prepare(tmp_path, monkeypatch):
    """Make the files and names that the blocks of a page start from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('PYTHONPATH', str(ROOT))
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    (tmp_path / 'configs').symlink_to(ROOT / 'configs')

    def make(page):
        one, several = short_clip(40, 1), short_clip(45, 10)
        save_poses(tmp_path / 'poses.npz', one)
        save_predictions(tmp_path / 'predictions.json', one)
        save_predictions(tmp_path / 'estimates.json', one)
        save_pose_sequences(tmp_path / 'train.npz', several)
        save_pose_sequences(tmp_path / 'test.npz', short_clip(45, 2))
        for name in ('estimates', 'truth'):
            shutil.copy(tmp_path / 'test.npz', tmp_path / f'{name}.npz')
        if page == 'docs/evaluation.md':
            load_refiner('coco17-2d').save(tmp_path / 'mine.safetensors')
            for name in ('estimates.json', 'estimates.npz'):
                refined = name.replace('estimates', 'refined')
                words = ['hanet-mm', 'refine', name, '-o', refined]
                run(words, tmp_path, [])
        return names_of(page, one, several)

    return make


def names_of(page, one, several):
    """The variables that the Python blocks of a page take as given."""
    names = dict(keypoints=one.keypoints_est, scores=one.scores)
    if page == 'docs/train_your_own.md':
        names = dict(
            noisy=several.keypoints_est,
            scores=several.scores,
            true=several.keypoints_gt,
            boxes=several.bboxes,
            lengths=several.seq_len,
            names=several.seq_name,
            rates=several.fps,
            keypoint_names=several.meta['keypoint_names'],
        )
    elif page == 'docs/video.md':
        people = [{1: (x, s)} for x, s in zip(one.keypoints_est, one.scores)]
        names = dict(
            camera=people[:12],
            show=lambda *values: None,
            dataset_meta=dict(sigmas=np.full(17, 0.05)),
            frames=[
                SimpleNamespace(
                    bboxes=one.bboxes[[i]],
                    bbox_scores=np.ones(1),
                    keypoints=one.keypoints_est[[i]],
                    keypoint_scores=one.scores[[i]],
                )
                for i in range(5)
            ],
        )
    elif page == 'docs/objects.md':
        names = dict(predictor=predict_detectron, frames=one.keypoints_est)
        names['hanet_mm'] = hanet_mm
    elif page == 'docs/datasets.md':
        names = dict(codec=dict(type='PoseSequenceCodec'), names=('nose',))
    return names


def predict_detectron(keypoints):
    """Stands in for a predictor, which finds the keypoints (17, 2) given."""
    scores = np.full((17, 1), 0.9)
    triples = np.concatenate([keypoints, scores], 1)[None]
    return dict(instances=SimpleNamespace(pred_keypoints=triples))


def check_config(path):
    """A config on a page reads, and its training set has windows."""
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmpose.registry import DATASETS

    init_default_scope('mmpose')
    dataset = DATASETS.build(Config.fromfile(path).train_dataloader.dataset)
    assert 'inputs' in dataset[0]


@pytest.mark.slow
@pytest.mark.parametrize(
    'page',
    [
        pytest.param(x, marks=[pytest.mark.mm] if x in NEED_MM else [])
        for x in PAGES
    ],
)
def test_blocks_that_a_reader_can_run_run(page, prepare, tmp_path):
    names = prepare(page)
    for block in read_blocks(page):
        if block.not_run or block.needs:
            continue
        if block.file:
            (tmp_path / block.file).write_text(block.text)
            check_config(tmp_path / block.file)
        elif block.language == 'python':
            exec(compile(block.text, block.where, 'exec'), names)
        elif block.language == 'json':
            json.loads(block.text)
        elif block.language in ('shell', 'bash'):
            for words in read_commands(block):
                run(words, tmp_path, FEWER.get(words[1], []))


LIBRARY_BLOCKS = [x for page in PAGES for x in read_blocks(page) if x.needs]


@pytest.mark.parametrize('block', LIBRARY_BLOCKS, ids=lambda x: x.where)
def test_blocks_for_other_libraries_run_where_these_are(block, monkeypatch):
    """With their own results; only the networks are replaced."""
    pytest.importorskip(block.needs)
    monkeypatch.syspath_prepend(ROOT / 'tests' / 'test_apis')
    import object_pages

    names = object_pages.names_for(block.needs, monkeypatch)
    exec(compile(block.text, block.where, 'exec'), names)
    assert names['refined'] is not None


@pytest.mark.mm
@pytest.mark.slow
def test_arguments_of_blocks_that_are_not_run_are_known():
    helps = {}
    blocks = [x for page in PAGES for x in read_blocks(page) if x.not_run]
    assert blocks
    for block in blocks:
        if block.language == 'python':
            compile(block.text, block.where, 'exec')
        else:
            for words in read_commands(block):
                check_command(words, helps)


def test_every_block_has_a_language():
    """A block without one would not be run, and nobody would see it."""
    known = {'python', 'shell', 'json', 'text', 'bibtex'}
    blocks = [x for page in PAGES for x in read_blocks(page)]
    assert [x.where for x in blocks if x.language not in known] == []


@pytest.mark.parametrize('page', [x for x in PAGES if x.startswith('docs/')])
def test_every_page_says_which_extra_it_needs(page):
    if page in ('docs/index.md', 'docs/install.md', 'docs/architecture.md'):
        return
    assert '\nNeeds: ' in (ROOT / page).read_text()[:600]


@pytest.mark.parametrize('page', PAGES)
def test_links_lead_to_files(page):
    text = (ROOT / page).read_text()
    links = re.findall(r'\]\((?!https?:)([^)#\s]+)', text)
    missing = [
        x for x in links if not (ROOT / page).parent.joinpath(x).exists()
    ]
    assert missing == []


def test_readme_is_read_in_three_minutes():
    words = len((ROOT / 'README.md').read_text().split())
    assert SHORTEST_README <= words <= LONGEST_README


@pytest.mark.slow
@pytest.mark.parametrize('name', ['refine_a_clip.ipynb'])
def test_notebook_runs_from_end_to_end(name, monkeypatch):
    monkeypatch.chdir(ROOT / 'docs')
    monkeypatch.setenv('MPLBACKEND', 'agg')
    cells = json.loads((ROOT / 'docs' / name).read_text())['cells']
    names = {}
    for index, cell in enumerate(cells):
        if cell['cell_type'] == 'code':
            code = ''.join(cell['source'])
            exec(compile(code, f'{name}[{index}]', 'exec'), names)
    assert names['error_after'] < names['error_before']
