# Copyright (c) hanet_mm contributors. All rights reserved.
"""Ctrl-C while a command still imports is one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
# Python imports it first. A package that is imported late raises what Ctrl-C
# does.
STOP = """
import sys

class Stop:
    def find_spec(self, name, path=None, target=None):
        if name in ('numpy', 'torch', 'mmengine', 'hanet_mm.progress'):
            raise KeyboardInterrupt

sys.meta_path.insert(0, Stop())
"""


def scripts():
    """Those that import numpy or more before they begin."""
    converters = [
        path
        for folder in ('dataset_converters', 'model_converters')
        for path in sorted((TOOLS / folder).glob('*.py'))
        if "__name__ == '__main__'" in path.read_text(encoding='utf-8')
    ]
    names = ('demo.py', 'demo_train.py', 'reproduce_tables.py')
    return [*converters, *(TOOLS / name for name in names)]


def stopped(tmp_path, repo_root, *command):
    (tmp_path / 'sitecustomize.py').write_text(STOP)
    return subprocess.run(
        [sys.executable, *map(str, command)],
        env=dict(os.environ, PYTHONPATH=f'{tmp_path}{os.pathsep}{repo_root}'),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize('script', scripts(), ids=lambda x: x.name)
def test_of_a_script(tmp_path, repo_root, script):
    done = stopped(tmp_path, repo_root, script)
    assert (done.returncode, done.stderr) == (130, 'interrupted\n')


def test_of_the_command(tmp_path, repo_root):
    done = stopped(tmp_path, repo_root, '-m', 'hanet_mm.apis.cli')
    assert (done.returncode, done.stderr) == (130, 'hanet-mm: interrupted\n')
