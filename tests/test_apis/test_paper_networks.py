# Copyright (c) hanet_mm contributors. All rights reserved.
"""Rows of checkpoints and of portable refiners."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope, init_default_scope
from mmengine.runner import Runner
from paper_data import make_sequences, write

from hanet_mm.apis import export_refiner
from hanet_mm.apis.benchmark.catalog import (
    CATALOG,
    DataSource,
    build_dataset,
    match_config,
)
from hanet_mm.apis.benchmark.paper import (
    NetworkFile,
    PaperRequest,
    has_failures,
    reproduce,
)
from hanet_mm.apis.benchmark.protocols import PaperProtocol, Windows, predict
from hanet_mm.apis.config_files import config_root, read_config

pytestmark = pytest.mark.mm

SIZE = (640, 480)
CONFIG = """
_base_ = ['{base}']
model = dict(
    test_cfg=dict(stride=3, flip_test={flip}),
    backbone=dict(embed_dims=16, num_levels=2),
    head=dict(embed_dims=16, num_layers=1),
)
"""


def write_network(folder, name, stem='net', flip=False):
    """A config like that of the data set, and random weights."""
    base = config_root() / 'hanet' / CATALOG[name].config
    config = folder / f'{stem}.py'
    config.write_text(CONFIG.format(base=base, flip=flip), encoding='utf-8')
    init_default_scope('mmpose')
    cfg = Config.fromfile(config)
    cfg.work_dir = str(folder / 'work')
    cfg.test_dataloader.update(num_workers=0, persistent_workers=False)
    root = folder / cfg.test_dataloader.dataset.data_root
    cfg.test_dataloader.dataset.data_root = str(root)
    cfg.visualizer.vis_backends = [dict(type='LocalVisBackend')]
    cfg.experiment_name = folder.name
    runner = Runner.from_cfg(cfg)
    torch.manual_seed(0)
    for value in runner.model.parameters():
        torch.nn.init.normal_(value, std=0.1)
    weights = folder / f'{stem}.pth'
    torch.save(dict(state_dict=runner.model.state_dict()), weights)
    return config, weights, runner


def write_test_data(folder, name, lengths):
    sequences = make_sequences(name, lengths)
    rng = np.random.default_rng(0)
    scale = 4 if name == 'jhmdb' else 0.02
    noise = rng.normal(0, scale, sequences.keypoints_est.shape)
    sequences.keypoints_est += noise.astype(np.float32)
    write(folder / 'data', name, sequences)
    return sequences


def run(folder, *names, **options):
    catalog = {name: CATALOG[name] for name in names}
    request = PaperRequest(folder / 'data', catalog=catalog, **options)
    return [*reproduce(request)][-1]


def rows_of(report, name):
    return [x for x in report['data_sets'][0]['rows'] if name in x['method']]


@pytest.mark.parametrize(
    ('name', 'flip'), [('jhmdb', False), ('pw3d', False), ('pw3d', True)]
)
def test_ours_is_what_the_runner_measures(tmp_path, name, flip):
    lengths = [28, 9, 17] if name == 'jhmdb' else [130, 40]
    write_test_data(tmp_path, name, lengths)
    config, weights, runner = write_network(tmp_path, name, flip=flip)
    expected = runner.test()
    report = run(tmp_path, name, checkpoints=[(config, weights)])
    assert not has_failures(report)
    published, ours = rows_of(report, 'HANet')
    assert ours['method'] == 'HANet (net: net.pth)'
    for key, value in ours['metrics'].items():
        assert value == pytest.approx(expected[f'refined/{key}'], rel=1e-6)
    inputs = rows_of(report, 'input')[1]
    for key, value in inputs['metrics'].items():
        assert value == pytest.approx(expected[f'input/{key}'], rel=1e-6)

    # The config's stride; the published one is N.
    window = runner.model.window_size
    for row, stride, frames in (
        (published, 5, {11: 26 + 9 + 16, 101: 126 + 40}[window]),
        (ours, 3, sum(lengths)),
    ):
        assert (row['interval'], row['window']) == (5, window)
        assert (row['stride'], row['frames_refined']) == (stride, frames)
        share = {11: 7 / 11, 101: 61 / 101}[window]
        assert row['share_read'] == share
    assert published['metrics']['MPJPE'] != ours['metrics']['MPJPE']


def test_refiner_equals_its_checkpoint(tmp_path):
    write_test_data(tmp_path, 'pw3d', [130, 40])
    config, weights, _ = write_network(tmp_path, 'pw3d')
    portable = tmp_path / 'net.safetensors'
    export_refiner(weights, portable, config)
    report = run(
        tmp_path,
        'pw3d',
        checkpoints=[(config, weights)],
        refiners=[f'pw3d={portable}'],
    )
    rows = rows_of(report, 'HANet')
    assert [row['method'] for row in rows] == [
        'HANet (net: net.pth)',
        'HANet (net.safetensors)',
    ] * 2
    for first, second in (rows[:2], rows[2:]):
        for key in ('interval', 'window', 'stride', 'frames_refined'):
            assert first[key] == second[key]
        assert second['metrics'] == pytest.approx(first['metrics'], rel=1e-6)


def test_the_published_tail_has_no_say(tmp_path):
    sequences = write_test_data(tmp_path, 'jhmdb', [28])
    config, weights, _ = write_network(tmp_path, 'jhmdb')
    found = []
    for _ in range(2):
        report = run(tmp_path, 'jhmdb', checkpoints=[(config, weights)])
        found.append([x['metrics']['MPJPE'] for x in rows_of(report, 'HANet')])
        # No published window reaches frame 26.
        sequences.keypoints_est[26:] += 50
        write(tmp_path / 'data', 'jhmdb', sequences)
    assert found[0][0] == found[1][0]
    assert found[0][1] < found[1][1]


def test_configs_find_their_data_set(tmp_path):
    sources = {
        name: DataSource(name, entry, tmp_path)
        for name, entry in CATALOG.items()
    }
    for path in (config_root() / 'hanet').glob('*/hanet_*.py'):
        folder = path.parent.name
        found = match_config(read_config(path), path, sources)
        expected = folder
        if folder == 'h36m':
            expected += '-fcn' if 'fcn' in path.name else '-mhformer'
        elif folder == 'posetrack':
            expected = path.stem.split('_')[-1]
        elif path.stem.endswith('smpl'):
            expected += '-smpl'
        assert found == expected
    synthetic = next((config_root() / 'hanet/synthetic').glob('*.py'))
    with pytest.raises(ValueError, match='SyntheticPoseSequenceDataset'):
        match_config(read_config(synthetic), synthetic, sources)


def test_bad_networks(tmp_path):
    write_test_data(tmp_path, 'pw3d', [12])
    config, weights, _ = write_network(tmp_path, 'jhmdb')
    portable = tmp_path / 'net.safetensors'
    export_refiner(weights, portable, config)
    other = tmp_path / 'other.pth'
    torch.save(dict(state_dict={'a': torch.ones(1)}), other)
    code = tmp_path / 'code.pth'
    torch.save(dict(state_dict={}, run=print), code)
    pw3d = config_root() / 'hanet' / CATALOG['pw3d'].config
    report = run(
        tmp_path,
        'jhmdb',
        'pw3d',
        checkpoints=[(config, weights), (pw3d, other), (pw3d, code)],
        refiners=[f'pw3d={portable}'],
    )
    assert has_failures(report)
    # The data of this one are not there.
    (unused,) = report['unused']
    assert unused['name'] == 'HANet (net: net.pth)'
    (found,) = report['data_sets']
    assert [x['method'] for x in found['rows']] == ['input'] * 2
    for failure, file, part in zip(
        found['failures'],
        (other, code, portable),
        ('weights do not fit', 'plain data only', 'expected a refiner of 14'),
    ):
        assert failure['error'].startswith(str(file))
        assert part in failure['error']


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(refiners=['jhmdb']), 'expected DATASET=FILE'),
        (dict(refiners=['coco=a']), 'expected DATASET=FILE'),
        (dict(refiners=['jhmdb=a']), 'a: no such file'),
        (dict(checkpoints=[('a.py', 'b')]), 'a.py: no such config'),
    ],
)
def test_wrong_arguments(tmp_path, options, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        run(tmp_path, 'jhmdb', **options)


@pytest.mark.parametrize('gate', [False, True])
@pytest.mark.parametrize('fps', [None, 10.0, 60.0])
def test_refiners_do_what_refine_does(tmp_path, fps, gate):
    """At the frame rate of the data (25), behind the gate if there is one."""
    sequences = write_test_data(tmp_path, 'jhmdb', [70, 44])
    sequences.scores[20:24, 3] = 0
    write(tmp_path / 'data', 'jhmdb', sequences)
    config, weights, _ = write_network(tmp_path, 'jhmdb')
    path = tmp_path / 'a.safetensors'
    refiner = export_refiner(weights, path, config, fps=fps)
    if gate:
        # Every window is far.
        refiner.add_gate().limit.fill_(0)
        refiner.save(path)
    with DefaultScope.overwrite_default_scope('mmpose'):
        source = DataSource('jhmdb', CATALOG['jhmdb'], tmp_path / 'data')
        dataset = build_dataset(source.test_cfg)
    network = NetworkFile('jhmdb', path)
    method = network.load(dataset.metainfo, 'cpu')
    published = Windows(5, 11, 5)
    parts = (slice(0, 70), slice(70, 114))
    ours = PaperProtocol('ours', published)
    given = [
        [x[part] for part in parts]
        for x in (sequences.keypoints_est, sequences.scores)
    ]
    expected = refiner.refine(*given, fps=25, image_size=SIZE)
    for sample, result in zip(
        predict(dataset, method, ours, range(2)), expected
    ):
        found = sample.pred_instances
        np.testing.assert_array_equal(found.keypoints, result.keypoints)
        assert found.refined_mask.all()
    # Whole windows of 11 at stride 5, in frames of the refiner.
    step = (fps or 25) / 25
    refiner.stride = 5
    samples = predict(
        dataset, method, PaperProtocol('published', published), range(2)
    )
    for sample, points, scores in zip(samples, *given):
        last = 10
        while last + 5 <= np.ceil((len(points) - 1) * step):
            last += 5
        kept = sum(t * step <= last for t in range(len(points)))
        found = sample.pred_instances
        assert found.refined_mask.tolist() == [
            t < kept for t in range(len(points))
        ]
        result = refiner.refine(
            points[:kept], scores[:kept], fps=25, image_size=SIZE
        )
        np.testing.assert_array_equal(found.keypoints[:kept], result.keypoints)
