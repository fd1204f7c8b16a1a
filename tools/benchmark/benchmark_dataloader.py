# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measure windows per second of loading and of training.

    python tools/benchmark/benchmark_dataloader.py CONFIG
    python tools/benchmark/benchmark_dataloader.py  # the small synthetic one

Loading alone and training steps alone (on one batch), so that the smaller of
the two is the bottleneck: by the clock, as configured, and by the CPU time of
this process alone, which other work on the machine changes less. Windows that
a data set would keep are made anew.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable, List, NamedTuple

import torch
from mmengine.config import Config, DictAction
from mmengine.runner import Runner
from timing import Table
from torch.utils.data import DataLoader

DEMO = (
    Path(__file__).parents[2]
    / 'configs/hanet/synthetic'
    / 'hanet-small_simulated-21frm_1xb64-4e_synthetic.py'
)


class Rate(NamedTuple):
    """Windows per second of the clock, and of CPU time of this process."""

    wall: float
    cpu: float


def time_windows(work: Callable[[], int]) -> Rate:
    """Time work that returns its number of windows."""
    wall, cpu = time.perf_counter(), time.process_time()
    windows = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Rate(windows / wall, windows / cpu)


def loading_rate(loader: DataLoader, batches: int) -> Rate:
    """Iterate over the loader alone, after a warm-up of three batches."""
    iterator = iter(loader)
    for _ in range(3):
        next(iterator)
    return time_windows(
        lambda: sum(len(next(iterator)['inputs']) for _ in range(batches))
    )


def training_rate(runner: Runner, batch: dict, steps: int) -> Rate:
    """Train on one batch again and again."""
    model, wrapper = runner.model.train(), runner.optim_wrapper

    def work() -> int:
        for _ in range(steps):
            # Logged values are read, as the loop does, so that a GPU is done.
            losses = model.train_step(batch, optim_wrapper=wrapper)
            losses['loss'].item()
        return steps * len(batch['inputs'])

    for _ in range(3):
        model.train_step(batch, optim_wrapper=wrapper)
    return time_windows(work)


class Speed(NamedTuple):
    """Windows per second of loading and training, workers and batch."""

    loading: float
    loading_cpu: float
    training: float
    training_cpu: float
    workers: int
    batch: int


def time_config(cfg: Config, batches: int, steps: int) -> Speed:
    """Measure a config."""
    settings = cfg.train_dataloader
    if 'keep' in settings.dataset:
        settings.dataset.keep = False
    runner = Runner.from_cfg(cfg)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    alone = dict(settings, num_workers=0, persistent_workers=False)
    # An infinite sampler can be iterated over only once.
    batch = next(iter(runner.build_dataloader(alone)))
    loader = runner.build_dataloader(alone)
    loading_cpu = loading_rate(loader, batches).cpu
    training = training_rate(runner, batch, steps)
    loader = runner.build_dataloader(settings)
    return Speed(
        loading_rate(loader, batches).wall,
        loading_cpu,
        *training,
        settings.num_workers,
        len(batch['inputs']),
    )


def measure(quick: bool) -> List[Table]:
    """Loading and training of the small synthetic config."""
    cfg = Config.fromfile(DEMO)
    cfg.log_level = 'ERROR'
    batches, steps = (2, 1) if quick else (100, 20)
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        speed = time_config(cfg, batches, steps)
    columns = [
        'loading windows/s',
        'loading per CPU second',
        'training windows/s',
        'training per CPU second',
        'workers',
        'batch',
    ]
    return [
        Table(
            'Loading and training',
            f'`{DEMO.name}`, each alone.',
            ['config', *columns],
            [['small, synthetic', *speed]],
        )
    ]


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', nargs='?', default=DEMO)
    parser.add_argument('--batches', type=int, default=100)
    parser.add_argument('--steps', type=int, default=20)
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        help='settings of the config to change, as in tools/train.py',
    )
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    args = parse_args()
    cfg = Config.fromfile(args.config)
    cfg.work_dir = 'work_dirs/benchmark'
    cfg.merge_from_dict(args.cfg_options)
    speed = time_config(cfg, args.batches, args.steps)
    sys.stdout.write(
        f'\nloading  {speed.loading:.0f} windows/s '
        f'({speed.workers} workers), {speed.loading_cpu:.0f} per CPU second\n'
        f'training {speed.training:.0f} windows/s (batch {speed.batch}, '
        f'{torch.get_num_threads()} threads), '
        f'{speed.training_cpu:.0f} per CPU second\n'
        f'loading is {speed.loading / speed.training:.1f} times as fast\n'
    )


if __name__ == '__main__':
    main()
