# Copyright (c) hanet_mm contributors. All rights reserved.
"""Importing the package changes nothing for others in the process."""

import pytest

pytestmark = pytest.mark.mm

CODE = """
import inspect, logging, os, signal, sys, warnings
import matplotlib, numpy as np, torch
import mmengine.dist, mmengine.hooks, mmengine.runner
import mmpose.apis, mmpose.datasets, mmpose.models, mmpose.visualization


def functions():
    found = {}
    for name, module in list(sys.modules.items()):
        if name.split('.')[0] not in ('mmengine', 'mmcv', 'mmpose', 'mmdet'):
            continue
        for key, value in list(vars(module).items()):
            if inspect.isroutine(value) or inspect.isclass(value):
                found[name, key] = value
                if inspect.isclass(value):
                    for part, x in list(vars(value).items()):
                        if inspect.isroutine(x):
                            found[name, key, part] = x
    return found


def state():
    loggers = logging.root.manager.loggerDict.values()
    return dict(
        filters=list(warnings.filters),
        show=warnings.showwarning,
        levels={
            x.name: (x.level, [*x.handlers], x.disabled)
            for x in [logging.root, *loggers]
            if isinstance(x, logging.Logger)
        },
        backend=dict.get(matplotlib.rcParams, 'backend'),
        style=str(dict.get(matplotlib.rcParams, 'figure.figsize')),
        torch=(
            torch.get_default_dtype(),
            torch.get_default_device(),
            torch.get_num_threads(),
            torch.is_grad_enabled(),
            torch.are_deterministic_algorithms_enabled(),
            torch.backends.cudnn.benchmark,
            torch.get_float32_matmul_precision(),
            torch.initial_seed(),
            torch.multiprocessing.get_sharing_strategy(),
        ),
        safe=len(torch.serialization.get_safe_globals()),
        numpy=(np.geterr(), np.random.get_state()[1].tolist()),
        signals={x: signal.getsignal(x) for x in signal.valid_signals()},
        hooks=(sys.excepthook, sys.displayhook, sys.getrecursionlimit()),
        environment=dict(os.environ),
    )


before, known = state(), functions()
import hanet_mm
import hanet_mm.apis.refine, hanet_mm.apis.tracking, hanet_mm.filters
import hanet_mm.core.refine.refiner, hanet_mm.core.stream.refiner
from mmpose.registry import HOOKS, MODELS
assert MODELS.get('HANet').__module__.startswith('hanet_mm')
assert HOOKS.get('EpochSeedHook').__module__.startswith('hanet_mm')
after, found = state(), functions()
for key in before:
    if key == 'levels':  # of loggers that were there
        after[key] = {x: after[key][x] for x in before[key]}
    if before[key] != after[key]:
        print('changed:', key, before[key], after[key])
for key, value in known.items():
    if found.get(key) is not value:
        print('replaced:', key)
"""


def test_import_and_look_up_change_nothing(run_python, tmp_path):
    assert run_python('-c', CODE, cwd=tmp_path) == ''


def test_mmengine_is_changed_in_launched_processes(
    run_python, tmp_path, monkeypatch
):
    """There, and without an accelerator, its own function cannot work."""
    for name in ('RANK', 'LOCAL_RANK', 'WORLD_SIZE'):
        monkeypatch.setenv(name, '1')
    monkeypatch.setenv('CUDA_VISIBLE_DEVICES', '')
    out = run_python(
        '-c',
        'import hanet_mm.engine, mmengine.dist.utils as utils\n'
        'print(utils._init_dist_pytorch.__module__)',
        cwd=tmp_path,
    )
    assert out.strip() == 'hanet_mm.engine.running'
