# Copyright (c) hanet_mm contributors. All rights reserved.
"""Time and memory of refine with longer, more, and shorter sequences.

Every point is a process of its own, for its peak memory, which is that above
the input once everything is loaded.

    python tools/benchmark/benchmark_growth.py
    python tools/benchmark/benchmark_growth.py --frames 1000000
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Dict, List

from timing import Table, run_child, write_report

REFINER = 'coco17-2d'
STATUS = Path('/proc/self/status')


def memory(field: str) -> float:
    """MB of this process, of a field of Linux; 0 elsewhere."""
    if not STATUS.exists():
        return 0.0
    lines = STATUS.read_text().splitlines()
    found = next(x for x in lines if x.startswith(f'{field}:'))
    return int(found.split()[1]) / 1e3


def refine_once(sequences: int, frames: int) -> Dict[str, float]:
    """Cost of one call with so many sequences of so many frames."""
    from walks import make_walks

    from hanet_mm import load_refiner

    refiner = load_refiner(REFINER)
    head = refiner.network.head
    poses = [make_walks(refiner, frames)[:, 0] for _ in range(sequences)]
    refiner.refine(poses[0][: 2 * refiner.window_size])
    before = memory('VmRSS')
    wall, cpu = time.perf_counter(), time.process_time()
    refiner.refine(poses)
    return dict(
        wall=time.perf_counter() - wall,
        cpu=time.process_time() - cpu,
        input=sum(x.nbytes for x in poses) / 1e6,
        above=max(memory('VmHWM') - before, 0.0),
        keypoints=head.num_keypoints,
    )


def _grow(title: str, note: str, points: List[tuple], what: str) -> Table:
    rows = []
    for sequences, frames in points:
        command = [__file__, '--once', str(sequences), str(frames)]
        found = json.loads(run_child(command).printed)
        total = sequences * frames
        rows.append(
            [
                frames if what == 'frames' else sequences,
                found['wall'],
                1e6 * found['cpu'] / total,
                found['input'],
                found['above'],
            ]
        )
    columns = [what, 'wall s', 'CPU us a frame', 'input MB', 'above it MB']
    return Table(title, note, columns, rows)


def measure(quick: bool, longest: int = 16000) -> List[Table]:
    """All tables of this benchmark."""
    lengths = [60] if quick else [longest // 16, longest // 4, longest]
    people = [2] if quick else [1, 4, 16]
    short = [4] if quick else [100, 400, 1600]
    frames = 60 if quick else 1000
    note = f'`refine` of {REFINER}, each point in a process of its own.'
    return [
        _grow(
            'Growth with T',
            f'{note} One sequence.',
            [(1, x) for x in lengths],
            'frames',
        ),
        _grow(
            'Growth with people',
            f'{note} {frames} frames of each.',
            [(x, frames) for x in people],
            'people',
        ),
        _grow(
            'Growth with sequences',
            f'{note} 30 frames of each.',
            [(x, 30) for x in short],
            'sequences',
        ),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--quick', action='store_true', help='tiny sizes')
    parser.add_argument(
        '--frames', type=int, default=16000, help='of the longest sequence'
    )
    parser.add_argument(
        '--once',
        type=int,
        nargs=2,
        metavar=('SEQUENCES', 'FRAMES'),
        help='print the cost of one call, JSON',
    )
    args = parser.parse_args()
    if args.once:
        text = json.dumps(refine_once(*args.once))
    else:
        text = write_report(measure(args.quick, args.frames))
    sys.stdout.write(text + '\n')


if __name__ == '__main__':
    main()
