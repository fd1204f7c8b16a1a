# Copyright (c) hanet_mm contributors. All rights reserved.
"""Time HANet: forward, train step, loss, against a large matrix product.

Settings a and b are the two of the published code's benchmark; a-plain and
b-plain compute the same networks at full length with masks (the oracle of the
tests, needs a checkout). a-published and b-published also evaluate the
projection after the last level, as the published code does, which nothing
uses.

    python tools/benchmark/benchmark_model.py
    python tools/benchmark/benchmark_model.py --compare a a-published
    python tools/benchmark/benchmark_model.py --compare b b-plain --batch 64
"""

import argparse
import importlib.util
import sys
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Optional

import torch
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from timing import Table, describe_machine, time_in_turns
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

import hanet_mm  # noqa: F401

SETTINGS = {
    'a': dict(T=11, N=5, h=64, L=5, K=15, D=2, batch=64, norm_first=False),
    'b': dict(T=101, N=5, h=64, L=5, K=17, D=3, batch=16, norm_first=True),
}
ORACLE = Path(__file__).parents[2] / 'tests' / 'oracles' / 'plain_hanet.py'


class Job(NamedTuple):
    """What is timed for one setting."""

    name: str
    model: nn.Module
    batch: int
    steps: Dict[str, Callable[[], object]]


def build_hanet(setting: dict) -> nn.Module:
    """HANet of a setting."""
    shared = dict(
        num_keypoints=setting['K'],
        coord_dims=setting['D'],
        embed_dims=setting['h'],
        norm_first=setting['norm_first'],
    )
    return MODELS.build(
        dict(
            type='HANet',
            window_size=setting['T'],
            sample_interval=setting['N'],
            backbone=dict(
                type='HierarchicalEncoder', num_levels=setting['L'], **shared
            ),
            head=dict(
                type='KinematicHead',
                num_layers=setting['L'],
                decoder=dict(type='PoseSequenceCodec'),
                **shared,
            ),
        )
    )


def build_plain(setting: dict, unused_projection: bool) -> nn.Module:
    """The full-length masked computation of the same network."""
    if not ORACLE.is_file():
        raise FileNotFoundError(f'{ORACLE}: run this in a checkout')
    spec = importlib.util.spec_from_file_location('plain_hanet', ORACLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PlainHANet(
        setting['K'],
        setting['D'],
        setting['T'],
        setting['N'],
        setting['h'],
        setting['L'],
        norm_first=setting['norm_first'],
        unused_projection=unused_projection,
    )


def prepare(
    name: str,
    device: torch.device,
    batch: Optional[int] = None,
    **smaller: int,
) -> Job:
    """Model, data and steps of a setting, some values of which may change."""
    key, _, kind = name.partition('-')
    setting, plain = {**SETTINGS[key], **smaller}, bool(kind)
    setting['batch'] = batch or setting['batch']
    torch.manual_seed(0)
    if plain:
        model = build_plain(setting, kind == 'published').to(device)
    else:
        model = build_hanet(setting).to(device)
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=1e-3,
        weight_decay=0.01,
        amsgrad=True,
        fused=device.type == 'cuda' or torch.__version__ >= (2, 4),
    )
    loss_module = MODELS.build(dict(type='OMLLoss'))
    shape = (setting['batch'], setting['T'], setting['K'], setting['D'])
    poses = torch.randn(shape, device=device)
    target = torch.randn(shape, device=device)
    visible = torch.ones(shape[:3], device=device)

    def run() -> tuple:
        if plain:
            return model(poses)
        # Final and refined poses.
        return tuple(model(poses, None, mode='tensor')[:2])

    def compute_loss(final: Tensor, refined: Tensor) -> Tensor:
        losses = loss_module(final, refined, target, visible, setting['N'])
        return sum(losses.values())

    def forward() -> None:
        model.eval()
        with torch.no_grad():
            run()

    def train_step() -> None:
        model.train()
        optimizer.zero_grad()
        compute_loss(*run()).backward()
        optimizer.step()

    outputs = [x.detach().requires_grad_() for x in run()]

    def loss_alone() -> None:
        compute_loss(*outputs).backward()

    steps = dict(forward=forward, train=train_step, loss=loss_alone)
    return Job(name, model, setting['batch'], steps)


def count_flops(step: Callable[[], object]) -> int:
    """Floating point operations of a step."""
    with FlopCounterMode(display=False) as counter:
        step()
    return counter.get_total_flops()


def measure_jobs(
    jobs: List[Job], rounds: int, device: torch.device
) -> Dict[str, float]:
    """Median seconds of all steps, taken in turns."""
    size = 1536
    left = torch.randn(size, size, device=device)
    right = torch.randn(size, size, device=device)
    tasks = {'mm': lambda: torch.mm(left, right)}
    for job in jobs:
        for step, function in job.steps.items():
            tasks[f'{job.name} {step}'] = function
    medians = time_in_turns(tasks, rounds, device, warm=2)
    medians['mm gflops'] = 2 * size**3 / medians['mm'] / 1e9
    return medians


def report(jobs: List[Job], times: Dict[str, float]) -> str:
    """Markdown table of the measurements."""
    peak = times['mm gflops']
    lines = [
        f'matrix product 1536^3: {peak:.0f} GFLOP/s',
        '',
        '| setting | parameters | GFLOP | forward ms | train step ms | '
        'loss, share of step | forward GFLOP/s (of product) | windows/s '
        'forward | windows/s train |',
        '| --- ' * 9 + '|',
    ]
    for job in jobs:
        forward, train, loss = (
            times[f'{job.name} {step}']
            for step in ('forward', 'train', 'loss')
        )
        flops = count_flops(job.steps['forward'])
        rate = flops / forward / 1e9
        parameters = sum(p.numel() for p in job.model.parameters())
        lines.append(
            f'| {job.name} | {parameters / 1e6:.2f} M | {flops / 1e9:.2f} | '
            f'{forward * 1e3:.1f} | {train * 1e3:.1f} | '
            f'{100 * loss / train:.1f} % | {rate:.0f} '
            f'({100 * rate / peak:.0f} %) | {job.batch / forward:.0f} | '
            f'{job.batch / train:.0f} |'
        )
    return '\n'.join(lines)


def compare(jobs: List[Job], times: Dict[str, float]) -> str:
    """How many times faster the first setting is than the second."""
    one, two = (job.name for job in jobs)
    forward, train = (
        times[f'{two} {step}'] / times[f'{one} {step}']
        for step in ('forward', 'train')
    )
    return (
        f'{one} is faster than {two}: forward {forward:.2f}x, '
        f'train step {train:.2f}x'
    )


def measure(quick: bool) -> List[Table]:
    """Both settings beside the computation as published, in turns."""
    init_default_scope('mmpose')
    rounds = 1 if quick else 5
    smaller = dict(h=16, L=1) if quick else {}
    table = Table(
        'Published computation',
        'Networks of the paper beside a full-length masked computation of '
        'the same network, with the projection that the published code '
        f'evaluates to no use; medians of {rounds} rounds in turns.',
        ['setting, batch', 'step', 'ms', 'as published ms', 'times as fast'],
    )
    for key in SETTINGS:
        for batch in (2, 3) if quick else (64, 512):
            jobs = [
                prepare(key + kind, torch.device('cpu'), batch, **smaller)
                for kind in ('', '-published')
            ]
            # Training steps of 512 windows would take minutes.
            names = ('forward', 'train') if batch < 512 else ('forward',)
            for name in names:
                steps = {job.name: job.steps[name] for job in jobs}
                ours, other = time_in_turns(steps, rounds).values()
                table.rows.append(
                    [
                        f'{key}, {batch}',
                        name,
                        1e3 * ours,
                        1e3 * other,
                        other / ours,
                    ]
                )
    return [table]


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    names = [
        name + kind
        for name in SETTINGS
        for kind in ('', '-plain', '-published')
    ]
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        '--compare',
        nargs=2,
        choices=names,
        metavar='SETTING',
        help=f'time two settings in turns; settings: {", ".join(names)}',
    )
    parser.add_argument('--batch', type=int, help='default: of the setting')
    parser.add_argument('--rounds', type=int, default=11)
    parser.add_argument('--threads', type=int, help='CPU threads of torch')
    parser.add_argument(
        '--device', default='cuda' if torch.cuda.is_available() else 'cpu'
    )
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    args = parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    init_default_scope('mmpose')
    device = torch.device(args.device)
    jobs = [
        prepare(name, device, args.batch) for name in args.compare or SETTINGS
    ]
    times = measure_jobs(jobs, args.rounds, device)
    lines = [
        f'torch {torch.__version__}, {device}, '
        f'{describe_machine()["threads"]} CPU threads, medians of '
        f'{args.rounds} rounds in turns',
        report(jobs, times),
    ]
    if args.compare:
        lines += ['', compare(jobs, times)]
    sys.stdout.write('\n'.join(lines) + '\n')


if __name__ == '__main__':
    main()
