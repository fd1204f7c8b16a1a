# Copyright (c) hanet_mm contributors. All rights reserved.
"""The thin wrappers of MMPose's own scripts."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.mm


def run(cwd, *arguments):
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ('tool', 'option'), [('train.py', '--resume'), ('test.py', '--dump')]
)
def test_options_are_those_of_mmpose(repo_root, tmp_path, tool, option):
    done = run(tmp_path, repo_root / 'tools' / tool, '--help')
    assert done.returncode == 0, done.stderr
    assert option in done.stdout
    assert '--cfg-options' in done.stdout


def test_wrapper_runs_under_the_launcher_of_torch(repo_root, tmp_path):
    done = run(
        tmp_path,
        *('-m', 'torch.distributed.run', '--nproc_per_node=1'),
        *('--master_port=0', repo_root / 'tools' / 'train.py', '--help'),
    )
    assert done.returncode == 0, done.stderr
    assert '--launcher' in done.stdout


def test_without_mmpose_the_reason_is_one_line(repo_root, tmp_path):
    code = "import sys; sys.modules['mmpose'] = None\n"
    code += f'sys.path.insert(0, {str(repo_root / "tools")!r})\n'
    code += "import mmpose_tool; mmpose_tool.run_mmpose_tool('train.py')\n"
    done = run(tmp_path, '-c', code)
    assert done.returncode == 1
    assert done.stderr == (
        'tools/train.py needs MMPose: mim install "mmpose>=1.3.0"\n'
    )
