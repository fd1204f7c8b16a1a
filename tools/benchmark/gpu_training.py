# Copyright (c) hanet_mm contributors. All rights reserved.
"""Train and test a config on an accelerator in several ways, and on the CPU.

    python tools/benchmark/gpu_training.py
    python tools/benchmark/gpu_training.py CONFIG --cfg-options \
        train_cfg.max_epochs=2
    python tools/benchmark/gpu_training.py --device cpu  # what it would do

fp32, --amp (fp16 with a scaled loss) and bf16 in one process, and fp32 in two
processes that share the accelerator, through gloo: each trains from the same
seed and tests its last weights. The table has the seconds of training, the
figures, and how far they are from those of the CPU. Two processes see twice
as many windows a step, so their figures differ for that too.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import torch
from mmengine.config import Config, DictAction
from mmengine.runner import Runner
from timing import Table

from hanet_mm.core.data.atomic import atomic_path

CONFIG = (
    Path(__file__).parents[2]
    / 'configs/hanet/synthetic'
    / 'hanet-small_simulated-21frm_1xb64-4e_synthetic.py'
)


class Way(NamedTuple):
    """How a run is made."""

    name: str
    device: str
    processes: int = 1
    optim_wrapper: Dict[str, Any] = {}


CPU = Way('CPU, fp32', 'cpu')
# As --amp of MMPose's train.py does.
_AMP = dict(type='AmpOptimWrapper', loss_scale='dynamic')


def ways_on(device: str) -> List[Way]:
    """The CPU, which the others are compared with, and the others."""
    two = Way(f'{device}, fp32, two processes', device, processes=2)
    if device == 'cpu':  # MMEngine has no AmpOptimWrapper there
        return [CPU, two]
    return [
        CPU,
        Way(f'{device}, fp32', device),
        Way(f'{device}, --amp', device, optim_wrapper=_AMP),
        Way(
            f'{device}, bf16',
            device,
            optim_wrapper=dict(type='AmpOptimWrapper', dtype='bfloat16'),
        ),
        two,
    ]


def run(way: Way, args: argparse.Namespace, folder: Path) -> Dict[str, Any]:
    """Train and test in processes of their own."""
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    job = dict(
        config=str(args.config),
        options=args.cfg_options,
        optim_wrapper=way.optim_wrapper,
        work_dir=str(folder / 'run'),
        out=str(folder / 'figures.json'),
    )
    processes = []
    for rank in range(way.processes):
        env = dict(os.environ)
        if way.device == 'cpu':
            env['CUDA_VISIBLE_DEVICES'] = ''
        if way.processes > 1:
            # All of them on the first accelerator.
            env.update(
                RANK=str(rank),
                LOCAL_RANK='0',
                WORLD_SIZE=str(way.processes),
                MASTER_ADDR='127.0.0.1',
                MASTER_PORT=str(port),
            )
        command = [sys.executable, __file__, '--job', json.dumps(job)]
        processes.append(
            subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
        )
    try:
        failed = any(x.wait() for x in processes)
    finally:
        for process in processes:
            process.kill()
    if failed:
        raise SystemExit(f'{way.name}: a process failed, see above')
    return json.loads(Path(job['out']).read_text())


def work(job: Dict[str, Any]) -> None:
    """One process of a run."""
    cfg = Config.fromfile(job['config'])
    cfg.merge_from_dict(job['options'])
    cfg.work_dir = job['work_dir']
    cfg.optim_wrapper.update(job['optim_wrapper'])
    if 'RANK' in os.environ:
        cfg.launcher = 'pytorch'
        # NCCL refuses two processes on one device.
        cfg.env_cfg.dist_cfg.backend = 'gloo'
    runner = Runner.from_cfg(cfg)
    start = time.perf_counter()
    runner.train()
    seconds = time.perf_counter() - start
    figures = runner.test()
    if runner.rank == 0:
        found = {k: v for k, v in figures.items() if k.count('/') == 1}
        Path(job['out']).write_text(
            json.dumps(dict(seconds=seconds, figures=found))
        )


def report(results: Dict[str, Dict[str, Any]], note: str) -> Table:
    """Seconds and refined figures of each way, and the largest difference."""
    reference = results[CPU.name]['figures']
    names = [x for x in reference if x.startswith('refined/')]
    rows = []
    for name, result in results.items():
        figures = result['figures']
        far = max(
            abs(figures[x] - reference[x]) / max(abs(reference[x]), 1e-9)
            for x in names
        )
        values = [f'{figures[x]:.2f}' for x in names]
        rows.append(
            [name, f'{result["seconds"]:.1f}', *values, f'{100 * far:.2f} %']
        )
    titles = [x.removeprefix('refined/') for x in names]
    return Table(
        'Training in several ways',
        note,
        ['way', 'training s', *titles, 'most from CPU'],
        rows,
    )


def parse_args(argv: Any = None) -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', nargs='?', type=Path, default=CONFIG)
    parser.add_argument('--device', default='cuda', choices=('cuda', 'cpu'))
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        metavar='KEY=VALUE',
    )
    parser.add_argument(
        '--json', type=Path, help='write the results there too'
    )
    parser.add_argument('--job', type=json.loads, help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def main(argv: Any = None) -> None:
    """Run all ways and print the table."""
    args = parse_args(argv)
    if args.job:
        work(args.job)
        return
    if args.device == 'cuda' and not torch.cuda.is_available():
        sys.exit('no accelerator; --device cpu shows what would be done')
    results = {}
    for way in ways_on(args.device):
        with tempfile.TemporaryDirectory() as folder:
            results[way.name] = run(way, args, Path(folder))
    name = args.device
    if args.device == 'cuda':
        name = torch.cuda.get_device_name()
    note = f'`{args.config.stem}`, torch {torch.__version__}, {name}.'
    sys.stdout.write(report(results, note).to_markdown() + '\n')
    if args.json:
        with atomic_path(args.json) as temporary:
            temporary.write_text(json.dumps(results, indent=2))


if __name__ == '__main__':
    main()
