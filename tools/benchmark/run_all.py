# Copyright (c) hanet_mm contributors. All rights reserved.
"""Run the benchmarks of speed and memory; prints Markdown, writes JSON.

make bench
python tools/benchmark/run_all.py --json bench.json
python tools/benchmark/run_all.py --only peers startup --quick
"""

import argparse
import importlib
import sys
from typing import List, Optional

from timing import Table, write_report

# Modules benchmark_NAME; those that need OpenMMLab come last.
NAMES = ('startup', 'peers', 'streaming', 'growth', 'model', 'dataloader')


def measure(names: List[str], quick: bool) -> List[Table]:
    """The tables of some benchmarks."""
    tables = []
    for name in names:
        sys.stderr.write(f'{name} ...\n')
        module = importlib.import_module(f'benchmark_{name}')
        tables += module.measure(quick)
    return tables


def main(argv: Optional[List[str]] = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--only', nargs='+', choices=NAMES, default=NAMES)
    parser.add_argument(
        '--quick', action='store_true', help='tiny sizes, to see that it runs'
    )
    parser.add_argument('--json', metavar='FILE', help='write figures there')
    args = parser.parse_args(argv)
    tables = measure(list(args.only), args.quick)
    sys.stdout.write(write_report(tables, args.json) + '\n')


if __name__ == '__main__':
    main()
