# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measure windows per second of loading and of training.

    python tools/benchmark/benchmark_dataloader.py CONFIG
    python tools/benchmark/benchmark_dataloader.py  # the small synthetic one

Loading alone and training steps alone (on one batch), so that the smaller of
the two is the bottleneck.
"""

import argparse
import time
from pathlib import Path

from mmengine.config import Config, DictAction
from mmengine.runner import Runner

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
    for _ in range(3):
        model.train_step(batch, optim_wrapper=wrapper)
    start = time.perf_counter()
    for _ in range(steps):
        # Logged values are read, as the loop does, so that a GPU is done.
        losses = model.train_step(batch, optim_wrapper=wrapper)
        losses['loss'].item()
    return steps * len(batch['inputs']) / (time.perf_counter() - start)


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
    runner = Runner.from_cfg(cfg)
    loader = runner.build_dataloader(cfg.train_dataloader)
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    loading = windows_per_second_loading(loader, args.batches)
    batch = next(iter(loader))
    training = windows_per_second_training(runner, batch, args.steps)
    print(
        f'\nloading  {loading:.0f} windows/s '
        f'({cfg.train_dataloader.num_workers} workers)\n'
        f'training {training:.0f} windows/s (batch {len(batch["inputs"])})\n'
        f'loading is {loading / training:.1f} times as fast'
    )


if __name__ == '__main__':
    main()
