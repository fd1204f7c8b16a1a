# Copyright (c) hanet_mm contributors. All rights reserved.
"""tools/benchmark/gpu_training.py where there is no GPU."""

import importlib.util
import json
from pathlib import Path

import pytest

pytestmark = [pytest.mark.mm, pytest.mark.slow]

TOOL = Path(__file__).parents[2] / 'tools/benchmark/gpu_training.py'
TINY = (
    'train_cfg.max_epochs=1 model.backbone.embed_dims=16 '
    'model.head.embed_dims=16 model.head.num_layers=1 '
    'model.backbone.num_levels=1 '
) + ' '.join(
    f'{x}_dataloader.dataset.num_sequences=4 {x}_dataloader.num_workers=0 '
    f'{x}_dataloader.persistent_workers=False'
    for x in ('train', 'val', 'test')
)


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('gpu_training', TOOL)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOL.parent)
        spec.loader.exec_module(module)
    return module


def test_one_and_two_processes_on_a_cpu(tool, tmp_path, capsys):
    path = tmp_path / 'training.json'
    options = f'--device cpu --json {path} --cfg-options {TINY}'
    tool.main(options.split())
    results = json.loads(path.read_text())
    assert [*results] == ['CPU, fp32', 'cpu, fp32, two processes']
    for result in results.values():
        assert result['seconds'] > 0
        assert result['figures']['refined/MPJPE'] > 0
    # The input is the same for all.
    one, two = (x['figures']['input/MPJPE'] for x in results.values())
    assert one == pytest.approx(two, rel=1e-5)
    printed = capsys.readouterr().out
    assert 'PCK@0.05' in printed
    assert '| CPU, fp32 |' in printed


def test_ways_of_an_accelerator(tool):
    ways = {x.name: x for x in tool.ways_on('cuda')}
    assert [*ways] == [
        'CPU, fp32',
        'cuda, fp32',
        'cuda, --amp',
        'cuda, bf16',
        'cuda, fp32, two processes',
    ]
    assert ways['cuda, bf16'].optim_wrapper['dtype'] == 'bfloat16'


def test_without_an_accelerator_it_says_so(tool, monkeypatch):
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    with pytest.raises(SystemExit, match='no accelerator'):
        tool.main([])
