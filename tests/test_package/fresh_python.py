# Copyright (c) hanet_mm contributors. All rights reserved.
"""Python processes that find or lack some packages."""

import subprocess
import sys
import textwrap


def make_python(tmp_path, repo_root, monkeypatch):
    """Run code in a new process that finds packages of ``tmp_path`` first."""
    path = f'{tmp_path}:{repo_root}'
    monkeypatch.setenv('PYTHONPATH', path)

    def run(code, *options):
        return subprocess.run(
            [sys.executable, *options, '-c', textwrap.dedent(code)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run
