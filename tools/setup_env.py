"""Create the project's virtual environment, once; ``make`` runs this.

The environment is the folder ``.venv`` beside this checkout, or the one that
``HANET_VENV`` names. ``MMCV_WHEELS`` may name a folder with wheels of mmcv.
An interrupted run is taken up again by the next one, and a run that finds the
environment complete ends at once. Needs only the standard library, since it
runs before anything is installed.
"""

import hashlib
import os
import sys
import time
from pathlib import Path

from environment.mmcv_routes import provide_mmcv
from environment.venv import ROOT, Environment, SetupError, say

OLDEST, NEWEST = (3, 9), (3, 12)
# All that decides what is installed.
INPUTS = (
    'requirements/*.txt',
    'setup.py',
    'tools/environment/*.py',
    'tools/setup_env.py',
)
FINAL_CHECK = """
import sys
from importlib import import_module
for name in ('mmcv.ops', 'mmdet.apis', 'mmpose.apis', 'hanet_mm'):
    try:
        import_module(name)
    except Exception as error:
        text = ' '.join(str(error).split())
        sys.exit(f'{name} does not import: {type(error).__name__}: {text}')
"""


def hash_inputs() -> str:
    """Return a hash of what is installed and of where the project lies."""
    digest = hashlib.sha256(str(ROOT).encode())
    for pattern in INPUTS:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def check_python() -> None:
    """Raise SetupError if this Python is too old or too new."""
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        raise SetupError(
            f'Python {sys.version.split()[0]} ({sys.executable}) cannot be '
            f'used: expected {OLDEST[0]}.{OLDEST[1]} to '
            f'{NEWEST[0]}.{NEWEST[1]}; name another one: make '
            'PYTHON=/path/to/python3.11'
        )


def install_torch(env: Environment) -> None:
    """Install torch and the tools that build against it."""
    lists = ('requirements/build.txt', 'requirements/core.txt')
    env.install('-r', lists[0], '-r', lists[1], 'torchvision')


def install_mim(env: Environment) -> None:
    """Install MMEngine and ``mim``."""
    env.install('-r', 'requirements/mim.txt', 'mmengine')
    env.install('--no-deps', 'openmim')


def install_rest(env: Environment) -> None:
    """Install MMDetection, MMPose, the test tools and this package."""
    # The set-up of chumpy, which mmpose names, imports pip: no isolation.
    env.install('--no-build-isolation', 'chumpy')
    env.install('--no-build-isolation', '--editable', '.[mm,video,tests]')


def final_check(env: Environment) -> None:
    """Raise SetupError unless all that is used imports."""
    fault = env.fault(FINAL_CHECK)
    if fault:
        raise SetupError(
            f'{fault}. If an earlier run was killed, delete {env.folder} and '
            'run again'
        )


STEPS = {
    'virtual environment': Environment.create,
    'torch, a few GB with its CUDA libraries': install_torch,
    'MMEngine and mim': install_mim,
    'mmcv': provide_mmcv,
    'MMDetection, MMPose, test tools, hanet_mm': install_rest,
    'check that all imports': final_check,
}


def main() -> int:
    """Set the environment up; return the exit status."""
    # Absolute but not resolved: the folder may be a link.
    folder = os.path.abspath(os.environ.get('HANET_VENV') or ROOT / '.venv')
    env = Environment(Path(folder))
    inputs = hash_inputs()
    try:
        if env.is_current(inputs):
            return 0
        check_python()
        start = time.monotonic()
        for number, (name, step) in enumerate(STEPS.items(), 1):
            minutes = (time.monotonic() - start) / 60
            say(f'{number}/{len(STEPS)} {name} ({minutes:.1f} min so far)')
            step(env)
        env.write_stamp(inputs)
        say(f'ready in {(time.monotonic() - start) / 60:.1f} min: {folder}')
    except SetupError as error:
        say(f'failed: {error}')
        return 1
    except KeyboardInterrupt:
        say('interrupted: run the same command again to go on from here')
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
