# Copyright (c) hanet_mm contributors. All rights reserved.
"""Create the project's virtual environment, once; ``make`` runs this.

The environment is the folder ``.venv`` beside this checkout, or the one that
``HANET_VENV`` names. ``MMCV_WHEELS`` may name a folder with wheels of mmcv.
An interrupted run is taken up again by the next one, and a run that finds the
environment complete ends at once. With ``--core`` only what the demo needs is
installed, without OpenMMLab; a later run without it adds the rest. With
``--video`` MediaPipe comes to that, for the demo with a video. Needs only the
standard library, since it runs before anything is installed.
"""

import argparse
import hashlib
import os
import sys
import time
from pathlib import Path
from typing import Tuple

from environment.mmcv_routes import provide_mmcv
from environment.venv import (
    CORE_STAMP,
    ROOT,
    STAMP,
    VIDEO_STAMP,
    Environment,
    SetupError,
    say,
)

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
for name in {names}:
    try:
        import_module(name)
    except Exception as error:
        text = f'{{type(error).__name__}}: ' + ' '.join(str(error).split())
        sys.exit(f'{{name}} does not import: {{text}}')
"""
ALL_MODULES = ('mmcv.ops', 'mmdet.apis', 'mmpose.apis', 'hanet_mm')
CORE_MODULES = ('torch', 'scipy', 'matplotlib', 'cv2', 'hanet_mm')
VIDEO_MODULES = (*CORE_MODULES, 'mediapipe')


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
    env.install('--no-build-isolation', '--editable', '.[mm,video,tests,docs]')


def install_core(env: Environment) -> None:
    """Install what the demo needs: torch, tools for pictures, this package.

    The releases are those of the whole environment.
    """
    lists = ('requirements/core.txt', 'requirements/demo.txt')
    env.install('-r', lists[0], '-r', lists[1], 'setuptools', 'wheel')
    env.install('--no-deps', '--no-build-isolation', '--editable', '.')


def install_video(env: Environment) -> None:
    """Install what the demo needs for a video: MediaPipe, with its model."""
    env.install('-r', 'requirements/mediapipe.txt')


def video_check(env: Environment) -> None:
    """Raise SetupError unless all that a video needs imports."""
    check_imports(env, VIDEO_MODULES)


def core_check(env: Environment) -> None:
    """Raise SetupError unless all that the demo uses imports."""
    check_imports(env, CORE_MODULES)


def final_check(env: Environment) -> None:
    """Raise SetupError unless all that is used imports."""
    check_imports(env, ALL_MODULES)


def check_imports(env: Environment, names: Tuple[str, ...]) -> None:
    """Raise SetupError unless some modules import."""
    fault = env.fault(FINAL_CHECK.format(names=names))
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
CORE_STEPS = {
    'virtual environment': Environment.create,
    'torch (a few GB with its CUDA libraries), hanet_mm': install_core,
    'check that all imports': core_check,
}

VIDEO_STEPS = {
    **dict(list(CORE_STEPS.items())[:-1]),
    'MediaPipe, with its model': install_video,
    'check that all imports': video_check,
}


def set_up(env: Environment, steps: dict, inputs: str) -> None:
    """Go through the steps and record that they are finished."""
    start = time.monotonic()
    for number, (name, step) in enumerate(steps.items(), 1):
        minutes = (time.monotonic() - start) / 60
        say(f'{number}/{len(steps)} {name} ({minutes:.1f} min so far)')
        step(env)
    env.write_stamp(inputs)
    say(f'ready in {(time.monotonic() - start) / 60:.1f} min: {env.folder}')


def main() -> int:
    """Set the environment up; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument(
        '--core', action='store_true', help='only what the demo needs'
    )
    parser.add_argument(
        '--video',
        action='store_true',
        help='only what the demo with a video needs',
    )
    args = parser.parse_args()
    # Absolute but not resolved: the folder may be a link.
    folder = os.path.abspath(os.environ.get('HANET_VENV') or ROOT / '.venv')
    # The first is what is asked for; the others serve as well.
    steps, stamps = STEPS, [STAMP]
    if args.video:
        steps, stamps = VIDEO_STEPS, [VIDEO_STAMP]
    elif args.core:
        steps, stamps = CORE_STEPS, [CORE_STAMP, STAMP, VIDEO_STAMP]
    inputs = hash_inputs()
    try:
        envs = [Environment(Path(folder), stamp) for stamp in stamps]
        if any(env.is_current(inputs) for env in envs):
            return 0
        check_python()
        set_up(envs[0], steps, inputs)
    except SetupError as error:
        say(f'failed: {error}')
        return 1
    except KeyboardInterrupt:
        say('interrupted: run the same command again to go on from here')
        return 130
    return 0


if __name__ == '__main__':
    sys.exit(main())
