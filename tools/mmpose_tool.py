# Copyright (c) hanet_mm contributors. All rights reserved.
"""Run a script of the installed MMPose; for train.py, test.py and others."""

import runpy
import sys
from importlib.util import find_spec
from pathlib import Path

from hanet_mm.apis.errors import one_line_interrupts


def run_mmpose_tool(name: str, safe: bool = False) -> None:
    """Run a script of MMPose's ``tools`` with this process's arguments.

    Args:
        name (str): File name of the script.
        safe (bool): Whether to let it read checkpoints of MMEngine, see
            :mod:`hanet_mm.engine.safe_globals`.

    Raises:
        SystemExit: MMPose is not installed, or came without its scripts.
    """
    spec = find_spec('mmpose')
    if spec is None or spec.origin is None:
        sys.exit(f'tools/{name} needs MMPose: mim install "mmpose>=1.3.0"')
    script = Path(spec.origin).parent / '.mim' / 'tools' / name
    if not script.is_file():
        sys.exit(f'MMPose came without its tools: expected {script}')
    sys.argv[0] = str(script)
    with one_line_interrupts():
        if safe:
            from hanet_mm.engine.safe_globals import register_safe_globals

            register_safe_globals()
        runpy.run_path(str(script), run_name='__main__')
