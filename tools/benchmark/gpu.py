# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measure refining and training on an accelerator, in several precisions.

    python tools/benchmark/gpu.py
    python tools/benchmark/gpu.py --json gpu.json --batch-size 512
    python tools/benchmark/gpu.py --device cpu --steps 2  # what it would do

fp32, TF32, bf16 (autocast) and AMP (autocast to fp16 with a scaled loss) in
turns; for each the throughput, the share of the time in which the device had
nothing to do, and how often a step waited for it: synchronisations, and
numbers that are read back. Needs no data: windows are simulated, and the
refiner is a bundled one.
"""

import argparse
import json
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, MODELS
from timing import Table, time_in_turns, time_once
from torch.profiler import ProfilerActivity, profile

import hanet_mm
from hanet_mm.datasets.simulation import generate_synthetic_sequences

CONFIG = (
    Path(__file__).parents[2]
    / 'configs/hanet/portable'
    / 'hanet-plus_evidence-49frm_1xb64-10k_coco17-2d.py'
)
PRECISIONS = ('fp32', 'tf32', 'bf16', 'amp')
# A CPU has neither TF32 nor fast fp16.
CPU_PRECISIONS = ('fp32', 'bf16')
_WAITS = (
    'cudaStreamSynchronize',
    'cudaDeviceSynchronize',
    'cudaEventSynchronize',
)
_READ = 'aten::_local_scalar_dense'


class Job(NamedTuple):
    """A step to time, and how many units of work it does."""

    name: str
    step: Callable[[], object]
    units: int
    unit: str


@contextmanager
def precision(name: str, device: torch.device) -> Iterator[None]:
    """Compute in a precision; what was set before comes back."""
    before = torch.get_float32_matmul_precision()
    convolutions = torch.backends.cudnn.allow_tf32
    with ExitStack() as stack:
        if name in ('bf16', 'amp'):
            kind = torch.bfloat16 if name == 'bf16' else torch.float16
            stack.enter_context(torch.autocast(device.type, kind))
        try:
            exact = name != 'tf32'
            torch.set_float32_matmul_precision('highest' if exact else 'high')
            torch.backends.cudnn.allow_tf32 = not exact
            yield
        finally:
            torch.set_float32_matmul_precision(before)
            torch.backends.cudnn.allow_tf32 = convolutions


def training_job(
    path: Path, batch_size: int, device: torch.device, scaled: bool
) -> Job:
    """A training step of a config on one batch of simulated windows."""
    config = Config.fromfile(path)
    dataset = config.train_dataloader.dataset
    # Procedural motion and simulated errors need no files.
    dataset.update(
        ann_file='', bank=None, num_windows=batch_size, chunk_size=batch_size
    )
    windows = DATASETS.build(dataset)
    batch = pseudo_collate([windows[i] for i in range(batch_size)])
    torch.manual_seed(0)
    model = MODELS.build(config.model).to(device).train()
    wrapper = build_optim_wrapper(model, config.optim_wrapper)
    scaler = torch.amp.GradScaler(device.type, enabled=scaled)

    def step() -> None:
        data = model.data_preprocessor(batch, training=True)
        loss, _ = model.parse_losses(model(**data, mode='loss'))
        # As the wrapper does, with a scaled loss.
        scaler.scale(loss).backward()
        scaler.unscale_(wrapper.optimizer)
        torch.nn.utils.clip_grad_norm_(
            model.parameters(), **config.optim_wrapper.clip_grad
        )
        scaler.step(wrapper.optimizer)
        scaler.update()
        wrapper.zero_grad()

    return Job('training', step, batch_size, 'windows/s')


def refining_job(name: str, frames: int, device: torch.device) -> Job:
    """Refining one long sequence with a bundled refiner."""
    refiner = hanet_mm.load_refiner(name, device=device)
    sequence = generate_synthetic_sequences(1, (frames, frames), fps=30.0)
    names = list(refiner.keypoint_names)
    # Its keypoints are others: any moving points will do.
    points = np.resize(
        sequence.keypoints_est.swapaxes(0, 1), (len(names), frames, 2)
    )
    poses = np.nan_to_num(points.swapaxes(0, 1), nan=100.0)
    scores = np.full(poses.shape[:2], 0.8, np.float32)

    def step() -> None:
        refiner.refine(poses, scores)

    return Job('refining', step, frames, 'frames/s')


def inspect(job: Job, device: torch.device, calls: int) -> Dict[str, Any]:
    """Share of idle time, and waits and numbers read per step."""
    activities = [ProfilerActivity.CPU]
    if device.type == 'cuda':
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as profiler:
        wall = sum(time_once(job.step, device) for _ in range(calls))
    count = {x.key: x.count for x in profiler.key_averages()}
    busy = None
    if device.type == 'cuda':
        spans = sorted(
            (x.time_range.start, x.time_range.end)
            for x in profiler.events()
            if x.device_type == torch.autograd.DeviceType.CUDA
        )
        busy = covered(spans) / 1e6
    # The end of each call is one that this program waits for.
    waits = sum(count.get(x, 0) for x in _WAITS) / calls
    return dict(
        idle=None if busy is None else max(1 - busy / wall, 0.0),
        synchronisations=max(waits - (device.type == 'cuda'), 0),
        numbers_read=count.get(_READ, 0) / calls,
    )


def covered(spans: List[tuple]) -> float:
    """Length of the union of sorted spans."""
    total, last = 0.0, float('-inf')
    for start, end in spans:
        total += max(end - max(start, last), 0)
        last = max(last, end)
    return total


def measure(args: argparse.Namespace, device: torch.device) -> List[dict]:
    """Rows of the table."""
    precisions = PRECISIONS if device.type == 'cuda' else CPU_PRECISIONS
    jobs = {
        (name, job.name): job
        for name in precisions
        for job in (
            training_job(args.config, args.batch_size, device, name == 'amp'),
            refining_job(args.refiner, args.frames, device),
        )
    }

    def within(name: str, job: Job) -> Callable[[], None]:
        def step() -> None:
            with precision(name, device):
                job.step()

        return step

    times = time_in_turns(
        {key: within(key[0], job) for key, job in jobs.items()},
        args.steps,
        device,
        args.warmup,
    )
    rows = []
    for key, job in jobs.items():
        median = times[key]
        with precision(key[0], device):
            found = inspect(job, device, args.profiled)
        rows.append(
            dict(
                work=job.name,
                precision=key[0],
                milliseconds=1e3 * median,
                throughput=job.units / median,
                unit=job.unit,
                **found,
            )
        )
    return sorted(rows, key=lambda x: x['work'])


def report(rows: List[dict], note: str) -> Table:
    """The rows as a table."""
    columns = {
        'work': 'work',
        'precision': 'precision',
        'milliseconds': 'ms',
        'throughput': 'throughput',
        'unit': '',
        'idle': 'device idle',
        'synchronisations': 'synchronisations',
        'numbers_read': 'numbers read',
    }
    return Table(
        'Precisions',
        note,
        list(columns.values()),
        [[row[key] for key in columns] for row in rows],
    )


def parse_args(argv: Any = None) -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', nargs='?', type=Path, default=CONFIG)
    parser.add_argument('--refiner', default='coco17-2d')
    parser.add_argument('--batch-size', type=int, default=64)
    parser.add_argument('--frames', type=int, default=20000)
    parser.add_argument('--steps', type=int, default=30)
    parser.add_argument('--warmup', type=int, default=3)
    parser.add_argument(
        '--profiled', type=int, default=5, help='steps that are looked into'
    )
    parser.add_argument('--device', default='cuda')
    parser.add_argument('--json', type=Path, help='write the rows there too')
    return parser.parse_args(argv)


def main(argv: Any = None) -> None:
    """Measure and print."""
    args = parse_args(argv)
    init_default_scope('mmpose')
    device = torch.device(args.device)
    rows = measure(args, device)
    name = device.type
    if device.type == 'cuda':
        name = torch.cuda.get_device_name(device)
    note = (
        f'torch {torch.__version__}, {name}, medians of {args.steps} steps '
        f'in turns; batch {args.batch_size}, {args.frames} frames.'
    )
    sys.stdout.write(report(rows, note).to_markdown() + '\n')
    if args.json:
        args.json.write_text(json.dumps(rows, indent=2))


if __name__ == '__main__':
    main()
