# Copyright (c) hanet_mm contributors. All rights reserved.
"""Sources of an mmcv whose ops work with the installed torch.

Each route is a function that returns why it failed, or ''.
"""

import os
import re
import shutil
from pathlib import Path
from typing import Optional

from .venv import Environment, SetupError, last_line, pinned, say

SOURCE_BUILD_MINUTES = 12
# A wheel made for another torch may import and fail when called: call it.
CHECK = """
import mmcv
import torch
from mmcv.ops import nms
nms(torch.tensor([[0.0, 0.0, 1.0, 1.0]]), torch.ones(1), 0.5)
if mmcv.__version__ != '{version}':
    raise ImportError(f'found mmcv {{mmcv.__version__}}')
"""


def provide_mmcv(env: Environment) -> None:
    """Try the routes to mmcv in turn and say which one was taken."""
    for name, route in ROUTES.items():
        fault = route(env)
        if not fault:
            say(f'mmcv {pinned("mmcv")}: {name}')
            return
        say(f'mmcv: not {name} ({fault})')
    raise SetupError('no way to install mmcv worked; the reasons are above')


def already_importable(env: Environment) -> str:
    """Route 1: the environment has it."""
    return check(env)


def prebuilt(env: Environment) -> str:
    """Route 2: OpenMMLab's wheel for this torch, which ``mim`` knows.

    Without retries and with a short time-out, so that a machine that cannot
    reach it goes on within seconds; wheels only, so that no build starts;
    without pip's cache, which may hold a build for another torch.
    """
    variables = {
        'PIP_ONLY_BINARY': 'mmcv',
        'PIP_NO_CACHE_DIR': '1',
        'PIP_RETRIES': '0',
        'PIP_TIMEOUT': '10',
        'PIP_DEFAULT_TIMEOUT': '10',
    }
    return install(env, 'mim', variables=variables)


def from_folder(env: Environment) -> str:
    """Route 3: a wheel in the folder that ``MMCV_WHEELS`` names."""
    folder = os.environ.get('MMCV_WHEELS')
    if not folder:
        return 'MMCV_WHEELS is not set'
    if not Path(folder).is_dir():
        return f'MMCV_WHEELS={folder} is not a folder'
    options = ('--no-index', '--no-cache-dir', '--only-binary', 'mmcv')
    links = ('--find-links', os.path.abspath(folder))
    return install(env, 'pip', *options, *links)


def from_source(env: Environment) -> str:
    """Route 4: a build against this torch, never one from pip's cache."""
    compiler = os.environ.get('CXX', 'c++').split()[0]
    if not shutil.which(compiler):
        return (
            f'no C++ compiler, {compiler}; on Debian and Ubuntu: apt-get '
            'install g++ python3-dev'
        )
    say(
        f'building mmcv {pinned("mmcv")} with its ops from source: about '
        f'{SOURCE_BUILD_MINUTES} minutes on 2 cores, silent meanwhile'
    )
    options = ('--no-build-isolation', '--no-cache-dir', '--no-binary', 'mmcv')
    return install(env, 'pip', *options, variables={'MMCV_WITH_OPS': '1'})


ROUTES = {
    'already importable': already_importable,
    "OpenMMLab's prebuilt wheel for this torch": prebuilt,
    'a wheel in the folder MMCV_WHEELS': from_folder,
    'built from source': from_source,
}


def install(
    env: Environment,
    tool: str,
    *options: str,
    variables: Optional[dict] = None,
) -> str:
    """Install the pinned mmcv with ``pip`` or ``mim`` and check it."""
    # No constraints: they hide pip's reason behind a conflict.
    done = env.run(
        *('-m', tool, 'install', '--no-deps', *options),
        f'mmcv=={pinned("mmcv")}',
        variables={'PIP_CONSTRAINT': '', **(variables or {})},
        capture=True,
    )
    if done.returncode == 0:
        return check(env)
    log = env.folder / 'mmcv-install.log'
    log.write_text(done.stdout, encoding='utf-8')
    why = reason(done.stdout)
    if done.returncode < 0:
        why = f'{tool} was ended by signal {-done.returncode}'
    return f'{why}; see {log}'


def check(env: Environment) -> str:
    """Return why mmcv does not work, and remove it then, or ''.

    Left in place, pip would take it for installed.
    """
    fault = env.fault(CHECK.format(version=pinned('mmcv')))
    if fault:
        env.run('-m', 'pip', 'uninstall', '--yes', 'mmcv', capture=True)
    return fault


def reason(log: str) -> str:
    """Return the line of a log of pip that says most about a failure."""
    lines = re.findall(r'^.*(?:ERROR|[Ee]rror): .*$', log, re.MULTILINE)
    telling = [line for line in lines if 'No matching' in line] or lines
    return telling[0].strip() if telling else last_line(log)
