# Copyright (c) hanet_mm contributors. All rights reserved.
"""Time a refiner beside plain networks and filters, offline and in streams.

The networks have the shape of SmoothNet and DeciWatch, random weights and the
window of the refiner, see peers.py; every method runs in turns.

    python tools/benchmark/benchmark_peers.py
    python tools/benchmark/benchmark_peers.py --refiner my.safetensors
"""

import argparse
import sys
from typing import Dict, Iterator, List

import numpy as np
from peers import make_filters, make_peers
from timing import Step, Table, time_in_turns, write_report
from walks import make_walks

from hanet_mm import Refiner, StreamingRefiner, load_refiner

REFINER = 'coco17-2d'


def offline_table(refiner: Refiner, frames: int, rounds: int) -> Table:
    """Person-frames per second of a long sequence."""
    walk = make_walks(refiner, frames)[:, 0]
    peers = make_peers(refiner.window_size, walk[0].size)
    steps: Dict[str, Step] = {'refine': lambda: refiner.refine(walk)}
    for name, peer in peers.items():
        steps[name] = lambda peer=peer: peer.refine(walk)
    for name, smooth in make_filters().items():
        steps[name] = lambda smooth=smooth: smooth(walk)
    times = time_in_turns(steps, rounds)
    return Table(
        'Offline',
        f'One sequence of {frames} frames, medians of {rounds} rounds in '
        f'turns; {refiner}. The networks take every window.',
        ['method', 'frames/s', 'time beside refine'],
        [
            [name, frames / x, f'{x / times["refine"]:.3g}x']
            for name, x in times.items()
        ],
    )


def stream_table(refiner: Refiner, pushes: int, people: int) -> Table:
    """Milliseconds of a frame of a video with so many people."""
    window = refiner.window_size
    walks = make_walks(refiner, 3 * window + 2 * pushes, people)
    steps: Dict[str, Step] = {}
    for lookahead in sorted({0, window // 2, window - 1}):
        name = f'push, look-ahead {lookahead}'
        steps[name] = _pushes(refiner, lookahead, walks, 3 * window)
    last = np.ascontiguousarray(walks[-window:].swapaxes(0, 1))
    for name, peer in make_peers(window, last[0, 0].size).items():
        steps[name] = lambda peer=peer: [peer.push(x) for x in last]
    for name, smooth in make_filters().items():
        steps[name] = lambda smooth=smooth: [smooth(x) for x in last]
    times = time_in_turns(steps, pushes)
    first = next(iter(times.values()))
    return Table(
        f'Streams, people in a frame: {people}',
        f'Medians of {pushes} pushes in turns. The other methods compute the '
        f'last {window} frames of each person anew.',
        ['method', 'ms a frame', 'time beside look-ahead 0'],
        [[name, 1e3 * x, f'{x / first:.3g}x'] for name, x in times.items()],
    )


def _pushes(
    refiner: Refiner, lookahead: int, walks: np.ndarray, filled: int
) -> Step:
    """A function that pushes the next frame into a stream that runs."""
    size = (640, 480) if refiner.normalization == 'image' else None
    stream = StreamingRefiner(refiner, lookahead, image_size=size)
    frames: Iterator[Dict] = (
        {person: (pose, None) for person, pose in enumerate(frame)}
        for frame in walks
    )
    for _ in range(filled):
        stream.push_many(next(frames))
    return lambda: stream.push_many(next(frames))


def measure(quick: bool, name: str = REFINER) -> List[Table]:
    """All tables of this benchmark."""
    refiner = load_refiner(name)
    frames, rounds = (4 * refiner.window_size, 1) if quick else (3000, 5)
    pushes = 2 if quick else 60
    return [
        offline_table(refiner, frames, rounds),
        *(
            stream_table(refiner, pushes, x)
            for x in ((1,) if quick else (1, 20))
        ),
    ]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--refiner', default=REFINER, help='name or file')
    parser.add_argument('--quick', action='store_true', help='tiny sizes')
    args = parser.parse_args()
    tables = measure(args.quick, args.refiner)
    sys.stdout.write(write_report(tables) + '\n')


if __name__ == '__main__':
    main()
