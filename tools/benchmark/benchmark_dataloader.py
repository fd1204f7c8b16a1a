# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measure windows per second of loading and of training.

    python tools/benchmark/benchmark_dataloader.py CONFIG
    python tools/benchmark/benchmark_dataloader.py  # the small synthetic one

Loading alone and training steps alone (on one batch), so that the smaller of
the two is the bottleneck.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from typing import List, NamedTuple

from mmengine.config import Config, DictAction
from mmengine.runner import Runner
from timing import Table, time_in_turns

DEMO = (
    Path(__file__).parents[2]
    / 'configs/hanet/synthetic'
    / 'hanet-small_simulated-21frm_1xb64-4e_synthetic.py'
)


def windows_per_second_loading(loader, batches: int) -> float:
    """Iterate over the loader alone, after a warm-up of ten batches."""
    iterator = iter(loader)
    for _ in range(10):
        next(iterator)
    windows, start = 0, time.perf_counter()
    for _, batch in zip(range(batches), iterator):
        windows += len(batch['inputs'])
    return windows / (time.perf_counter() - start)


def windows_per_second_training(runner: Runner, batch, steps: int) -> float:
    """Train on one batch again and again."""
    model, wrapper = runner.model.train(), runner.optim_wrapper

    def step() -> None:
        # Logged values are read, as the loop does, so that a GPU is done.
        losses = model.train_step(batch, optim_wrapper=wrapper)
        losses['loss'].item()

    seconds = time_in_turns({'step': step}, steps, warm=3)['step']
    return len(batch['inputs']) / seconds


class Speed(NamedTuple):
    """Windows per second of loading and training, workers and batch."""

    loading: float
    training: float
    workers: int
    batch: int


def time_config(cfg: Config, batches: int, steps: int) -> Speed:
    """Measure a config."""
    runner = Runner.from_cfg(cfg)
    loader = runner.build_dataloader(cfg.train_dataloader)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    loading = windows_per_second_loading(loader, batches)
    batch = next(iter(loader))
    training = windows_per_second_training(runner, batch, steps)
    workers = cfg.train_dataloader.num_workers
    return Speed(loading, training, workers, len(batch['inputs']))


def measure(quick: bool) -> List[Table]:
    """Loading and training of the small synthetic config."""
    cfg = Config.fromfile(DEMO)
    cfg.log_level = 'ERROR'
    batches, steps = (2, 1) if quick else (100, 20)
    with tempfile.TemporaryDirectory() as folder:
        cfg.work_dir = folder
        speed = time_config(cfg, batches, steps)
    columns = ['loading windows/s', 'training windows/s', 'workers', 'batch']
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
        f'({speed.workers} workers)\n'
        f'training {speed.training:.0f} windows/s (batch {speed.batch})\n'
        f'loading is {speed.loading / speed.training:.1f} times as fast\n'
    )


if __name__ == '__main__':
    main()
