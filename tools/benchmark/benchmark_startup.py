# Copyright (c) hanet_mm contributors. All rights reserved.
"""Time imports and starts of the command, each in a process of its own.

python tools/benchmark/benchmark_startup.py
"""

import argparse
import statistics
import sys
from typing import Dict, List

from timing import ChildCost, Table, run_child, write_report

COMMAND = ['-m', 'hanet_mm.apis.cli']
STARTS: Dict[str, List[str]] = {
    'python': ['-c', ''],
    'import torch': ['-c', 'import torch'],
    'import hanet_mm': ['-c', 'import hanet_mm'],
    'from hanet_mm import load_refiner': [
        '-c',
        'from hanet_mm import load_refiner',
    ],
    'hanet-mm --version': [*COMMAND, '--version'],
    'hanet-mm --help': [*COMMAND, '--help'],
    'hanet-mm models': [*COMMAND, 'models'],
    'hanet-mm refine --help': [*COMMAND, 'refine', '--help'],
}


def measure(quick: bool) -> List[Table]:
    """The table of this benchmark; the processes run in turns."""
    names = list(STARTS)[:5] if quick else list(STARTS)
    rounds = 1 if quick else 5
    costs: Dict[str, List[ChildCost]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            costs[name].append(run_child(STARTS[name]))
    rows = []
    torch_cpu = statistics.median(x.cpu for x in costs['import torch'])
    for name, found in costs.items():
        cpu = statistics.median(x.cpu for x in found)
        rows.append(
            [
                name,
                statistics.median(x.wall for x in found),
                cpu,
                f'{cpu / torch_cpu:.2f}x',
                statistics.median(x.peak for x in found),
            ]
        )
    return [
        Table(
            'Imports and starts',
            f'Medians of {rounds} processes each, in turns.',
            ['what', 'wall s', 'CPU s', 'CPU beside torch', 'peak MB'],
            rows,
        )
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('--quick', action='store_true', help='one round')
    tables = measure(parser.parse_args().quick)
    sys.stdout.write(write_report(tables) + '\n')


if __name__ == '__main__':
    main()
