# Copyright (c) hanet_mm contributors. All rights reserved.
"""A virtual environment and the commands that run inside it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Optional

ROOT = Path(__file__).resolve().parents[2]
# Relative, and pip runs in ROOT: pip splits PIP_CONSTRAINT at spaces.
CONSTRAINTS = 'requirements/constraints.txt'
STAMP = 'hanet-env.json'
CORE_STAMP = 'hanet-env-core.json'
VIDEO_STAMP = 'hanet-env-video.json'
SETTINGS = {
    'PIP_CONSTRAINT': CONSTRAINTS,
    'PIP_DISABLE_PIP_VERSION_CHECK': '1',
    'PIP_USER': '0',
    'PYTHONNOUSERSITE': '1',
}
# Packages whose versions tell whether somebody changed the environment.
RECORDED = (
    'torch',
    'torchvision',
    'numpy',
    'mmengine',
    'mmcv',
    'mmdet',
    'mmpose',
    'hanet_mm',
)
PROBE = """
import json, sys
from importlib import metadata
found = {'python': '.'.join(map(str, sys.version_info[:3]))}
for name in sys.argv[1:]:
    try:
        found[name] = metadata.version(name)
    except metadata.PackageNotFoundError:
        found[name] = None
print(json.dumps(found))
"""


class SetupError(Exception):
    """The environment cannot be made; the message says why."""


def venv_python(folder: Path) -> Path:
    """Return the Python of a virtual environment, there or yet to come."""
    windows = folder / 'Scripts' / 'python.exe'
    if os.name == 'nt' or windows.exists():
        return windows
    return folder / 'bin' / 'python'


def say(text: str) -> None:
    """Print one line of progress at once."""
    print(f'[setup] {text}', flush=True)


def pinned(name: str) -> str:
    """Return the release of a package that constraints.txt names."""
    text = (ROOT / CONSTRAINTS).read_text(encoding='utf-8')
    return re.search(rf'^{name}==([^;\s]+)', text, re.MULTILINE).group(1)


def last_line(text: str) -> str:
    """Return the last line of some output that is not empty."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else 'no message'


class Environment:
    """A virtual environment.

    Args:
        folder (Path): Where it is, or is to be.
        stamp (str): Name of the file in it that records what was finished.
    """

    def __init__(self, folder: Path, stamp: str = STAMP) -> None:
        self.folder = folder
        self.stamp = folder / stamp

    @property
    def python(self) -> Path:
        """The Python of the environment."""
        return venv_python(self.folder)

    def create(self) -> None:
        """Make the folder, or take up the one that is there."""
        if self.python.exists() and not self.fault('import pip'):
            return
        done = subprocess.run(
            [sys.executable, '-m', 'venv', str(self.folder)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SetupError(
                f'cannot create {self.folder}: {last_line(done.stdout)} (on '
                'Debian and Ubuntu, venv is in the package python3-venv)'
            )

    def run(
        self,
        *arguments: str,
        variables: Optional[dict] = None,
        capture: bool = False,
    ) -> subprocess.CompletedProcess:
        """Run the environment's Python in the project folder.

        Args:
            arguments (str): Arguments of Python.
            variables (dict): Environment variables to set.
            capture (bool): Keep both output streams in ``stdout``.

        Returns:
            subprocess.CompletedProcess: What ran, with its status.
        """
        # Packages of another environment must not hide missing ones here.
        elsewhere = ('PYTHONPATH', 'PYTHONHOME')
        kept = {k: v for k, v in os.environ.items() if k not in elsewhere}
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=ROOT,
            env={**kept, **SETTINGS, **(variables or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else None,
            stderr=subprocess.STDOUT if capture else None,
            text=True,
            errors='replace',
            check=False,
        )

    def install(self, *arguments: str) -> None:
        """Install with pip, its output shown; raise SetupError if it fails."""
        quiet = () if sys.stdout.isatty() else ('--quiet',)
        done = self.run('-m', 'pip', 'install', *quiet, *arguments)
        if done.returncode:
            raise SetupError(
                f'pip install {" ".join(arguments)}: its reason is above. '
                'Run the same command again to go on from here'
            )

    def fault(self, code: str) -> str:
        """Return why ``code`` fails in the environment, or ''."""
        done = self.run('-I', '-c', code, capture=True)
        return last_line(done.stdout) if done.returncode else ''

    def is_current(self, inputs: str) -> bool:
        """Whether the environment was set up with these inputs."""
        try:
            stamp = json.loads(self.stamp.read_text(encoding='utf-8'))
        except (OSError, ValueError):
            return False
        return stamp == {'inputs': inputs, 'found': self._versions()}

    def write_stamp(self, inputs: str) -> None:
        """Record that the set-up with these inputs is finished."""
        stamp = {'inputs': inputs, 'found': self._versions()}
        part = self.stamp.with_suffix('.part')
        part.write_text(json.dumps(stamp, indent=1), encoding='utf-8')
        os.replace(part, self.stamp)

    def _versions(self) -> dict:
        if not self.python.exists():
            return {}
        done = self.run('-I', '-c', PROBE, *RECORDED, capture=True)
        return json.loads(done.stdout) if done.returncode == 0 else {}
