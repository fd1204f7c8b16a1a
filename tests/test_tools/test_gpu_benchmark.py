# Copyright (c) hanet_mm contributors. All rights reserved.
"""tools/benchmark/gpu.py where there is no GPU."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch

# Training needs OpenMMLab.
pytestmark = pytest.mark.mm

TOOL = Path(__file__).parents[2] / 'tools/benchmark/gpu.py'


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('gpu_benchmark', TOOL)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOL.parent)
        spec.loader.exec_module(module)
    return module


def test_all_is_measured_on_a_cpu(tool, tmp_path, capsys):
    path = tmp_path / 'gpu.json'
    tool.main(
        '--device cpu --batch-size 4 --frames 60 --steps 1 --warmup 0 '
        f'--profiled 1 --json {path}'.split()
    )
    rows = json.loads(path.read_text())
    assert [(x['work'], x['precision']) for x in rows] == [
        ('refining', 'fp32'),
        ('refining', 'bf16'),
        ('training', 'fp32'),
        ('training', 'bf16'),
    ]
    for row in rows:
        assert row['throughput'] > 0
        assert row['idle'] is None
        assert row['synchronisations'] == 0
    assert capsys.readouterr().out.count('windows/s') == 2


def test_precision_is_set_and_comes_back(tool):
    before = torch.get_float32_matmul_precision()
    with tool.precision('tf32', torch.device('cpu')):
        assert torch.get_float32_matmul_precision() == 'high'
    with tool.precision('bf16', torch.device('cpu')):
        product = torch.ones(2, 2) @ torch.ones(2, 2)
        assert product.dtype == torch.bfloat16
    assert torch.get_float32_matmul_precision() == before


def test_overlapping_kernels_count_once(tool):
    assert tool.covered([(0, 4), (1, 2), (3, 6), (10, 11)]) == 7
