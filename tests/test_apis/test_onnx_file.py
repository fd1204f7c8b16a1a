# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm export --onnx``."""

import json
import sys

import numpy as np
import pytest
import torch

from hanet_mm import Refiner
from hanet_mm.apis import onnx_file
from hanet_mm.apis.cli import main

T, K = 5, 4


@pytest.fixture
def refiner(tmp_path):
    torch.manual_seed(0)
    shape = dict(num_keypoints=K, coord_dims=2, embed_dims=16, use_scores=True)
    refiner = Refiner(
        dict(
            backbone=dict(shape, num_levels=1),
            head=dict(shape, num_layers=1),
            sample_interval=1,
        ),
        T,
        'box',
        fps=30,
    )
    refiner.save(tmp_path / 'r.safetensors')
    return refiner


def test_file_gives_what_torch_gives(refiner, tmp_path, capsys):
    onnx = pytest.importorskip('onnx')
    runtime = pytest.importorskip('onnxruntime')
    out = tmp_path / 'r.onnx'
    source = str(tmp_path / 'r.safetensors')
    assert main(['export', source, '--onnx', str(out)]) == 0
    said = capsys.readouterr().out
    assert 'opset 17, windows of 5 frames in batches of any size' in said
    model = onnx.load(out)
    onnx.checker.check_model(model)
    assert [x.version for x in model.opset_import if not x.domain] == [17]
    settings = {x.key: x.value for x in model.metadata_props}
    assert json.loads(settings['hanet_mm']) == refiner.config
    session = runtime.InferenceSession(str(out))
    rng = np.random.default_rng(0)
    for count in (1, 4):
        poses = rng.normal(0, 0.3, (count, T, K, 2)).astype(np.float32)
        scores = rng.random((count, T, K)).astype(np.float32)
        found = session.run(['final'], dict(keypoints=poses, scores=scores))
        with torch.no_grad():
            expected = refiner.network(
                torch.from_numpy(poses), torch.from_numpy(scores)
            ).final.numpy()
        limit = 1e-4 * np.abs(expected).max()
        np.testing.assert_allclose(found[0], expected, rtol=0, atol=limit)


def test_wrong_results_are_not_written(refiner, tmp_path, monkeypatch):
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime')
    make_engine = onnx_file.run_onnx

    def wrong(graph):
        engine = make_engine(graph)

        def run(poses, scores):
            refined = engine(poses, scores)
            return refined._replace(final=1.001 * refined.final)

        return run

    monkeypatch.setattr(onnx_file, 'run_onnx', wrong)
    out = tmp_path / 'r.onnx'
    with pytest.raises(ValueError, match=r'differ by 1\.0e-03 of the largest'):
        onnx_file.write_onnx(refiner, out)
    assert not out.exists()


def test_missing_package_is_named(refiner, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, 'onnx', None)
    source = str(tmp_path / 'r.safetensors')
    assert main(['export', source, '--onnx', str(tmp_path / 'r.onnx')]) == 1
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    assert 'pip install "hanet_mm[onnx]"' in error


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ([], 'expected -o OUT.safetensors or --onnx OUT.onnx'),
        (['--onnx', 'r.onnx', '--trust'], 'expected -o OUT.safetensors'),
    ],
)
def test_what_is_written_has_to_be_said(refiner, options, message, capsys):
    assert main(['export', 'r.safetensors', *options]) == 1
    assert message in capsys.readouterr().err
