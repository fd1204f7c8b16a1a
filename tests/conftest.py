# Copyright (c) hanet_mm contributors. All rights reserved.
"""Fixtures shared by all tests."""

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

REPO_ROOT = Path(__file__).resolve().parents[1]
HAS_OPENMMLAB = importlib.util.find_spec('mmpose') is not None
DEVICES = ['cpu']
if torch.cuda.is_available():
    DEVICES.append(pytest.param('cuda', marks=pytest.mark.gpu))
# In a module whose imports need OpenMMLab.
NEEDS_OPENMMLAB = re.compile(r'^pytestmark = .*pytest\.mark\.mm\b', re.M)


def pytest_ignore_collect(collection_path):
    """Do not import the modules marked ``mm`` where they cannot be."""
    if HAS_OPENMMLAB or not collection_path.name.startswith('test_'):
        return None
    if collection_path.suffix != '.py':
        return None
    text = collection_path.read_text(encoding='utf-8')
    return True if NEEDS_OPENMMLAB.search(text) else None


def pytest_addoption(parser):
    """How many cases of each fuzz test run, and which."""
    group = parser.getgroup('fuzz')
    group.addoption(
        '--fuzz-count',
        type=int,
        help='cases of each fuzz test; by default a few',
    )
    group.addoption(
        '--fuzz-seed', type=int, default=0, help='seed of the first case'
    )


def pytest_generate_tests(metafunc):
    """Give a test marked ``fuzz(few)`` its seeds, in their order."""
    marker = metafunc.definition.get_closest_marker('fuzz')
    if marker is None:
        return
    first = metafunc.config.getoption('--fuzz-seed')
    count = metafunc.config.getoption('--fuzz-count') or marker.args[0]
    metafunc.parametrize('seed', range(first, first + count))


def pytest_report_header(config):
    """Say where a part of the tests cannot run, and what is fuzzed."""
    lines = []
    if not HAS_OPENMMLAB:
        lines.append('no OpenMMLab: modules marked mm are not collected')
    first = config.getoption('--fuzz-seed')
    count = config.getoption('--fuzz-count') or 'a few'
    lines.append(f'fuzz: {count} cases of each test from seed {first} on')
    return lines


@pytest.fixture(params=DEVICES)
def device(request) -> torch.device:
    """The CPU, and the accelerator where there is one."""
    return torch.device(request.param)


@pytest.fixture(scope='session')
def shared_dir() -> Path:
    """Folder with real data and reference fixtures, or skip the test."""
    path = Path(os.environ.get('HANET_SHARED', REPO_ROOT.parent / 'shared'))
    if not path.is_dir():
        pytest.skip(f'needs the reference data folder, not found: {path}')
    return path


@pytest.fixture(scope='session')
def repo_root() -> Path:
    """Root of the checkout."""
    return REPO_ROOT


@pytest.fixture(scope='session')
def plain_hanet():
    """The oracle of the network, see tests/oracles/plain_hanet.py."""
    path = REPO_ROOT / 'tests' / 'oracles' / 'plain_hanet.py'
    spec = importlib.util.spec_from_file_location('plain_hanet', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PlainHANet


@pytest.fixture(scope='session')
def run_python():
    """Run Python in a process of its own, from another working directory."""

    def run(*args, cwd):
        # PYTHONPATH: works from a checkout that is not installed, too.
        result = subprocess.run(
            [sys.executable, '-W', 'ignore', *map(str, args)],
            cwd=cwd,
            env=dict(
                os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(REPO_ROOT)
            ),
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    return run


@pytest.fixture(autouse=True)
def _default_scope():
    """No test inherits the default scope that a run before it has set."""
    try:
        from mmengine.registry import DefaultScope
    except ImportError:
        return
    DefaultScope._instance_dict.clear()
