# Copyright (c) hanet_mm contributors. All rights reserved.
"""Time a push of StreamingRefiner for one and for many persons.

A push is one frame of a video: all persons whose turn it is go through the
network in one call. Most pushes of a stream that decides frames in blocks do
little, so the mean stands beside median, 95th percentile and the slowest one,
all in CPU time; what else the machine does counts less there. Beside them the
clock, the mean of the network alone, and the time of refining the last T
frames of each person anew, which is what a stream would cost without state (2T
- 1 frames where all windows are waited for).

    python tools/benchmark/benchmark_streaming.py --threads 1
    python tools/benchmark/benchmark_streaming.py --refiner my.safetensors
"""

import argparse
import sys
import time
from typing import List, NamedTuple, Optional

import numpy as np
import torch
from timing import Step, Table, time_once
from walks import make_walks

from hanet_mm import Refiner, StreamingRefiner, load_refiner
from hanet_mm.core.nn.decoder import RefinedPoses

# The small network of JHMDB (configs/), with random weights.
SHAPE = dict(num_keypoints=15, coord_dims=2, embed_dims=128)
NETWORK = dict(
    backbone=dict(**SHAPE, num_levels=3),
    head=dict(**SHAPE, num_layers=3),
    sample_interval=5,
)
WINDOW, FPS = 11, 25.0


class Timing(NamedTuple):
    """Milliseconds of one setting, of CPU but for ``clock``.

    Attributes:
        mean (float): Of a push.
        median (float): Of a push.
        slow (float): 95th percentile of a push.
        slowest (float): Of all pushes.
        clock (float): Mean of a push by the clock.
        network (float): The network's part of the mean.
        anew (float): Median of refining the last frames anew.
    """

    mean: float
    median: float
    slow: float
    slowest: float
    clock: float
    network: float
    anew: float


def build_refiner(path: Optional[str], device: torch.device) -> Refiner:
    """Load a refiner, or make the one described above."""
    if path:
        return load_refiner(path, device)
    torch.manual_seed(0)
    return Refiner(NETWORK, WINDOW, 'box', fps=FPS).to(device)


def time_each(steps: List[Step], warm: int) -> np.ndarray:
    """Milliseconds of CPU and clock of each step (n, 2), but the first."""
    times = []
    for step in steps:
        start = time.process_time()
        clock = time_once(step)
        times.append((time.process_time() - start, clock))
    return 1e3 * np.array(times)[warm:]


class NetworkTimer:
    """Runs the network of a stream and keeps the times that it takes."""

    def __init__(self, stream: StreamingRefiner):
        self.times: List[float] = []
        # Hooks would keep the network from being traced.
        self._engine = stream._engine
        stream._engine = self

    def __call__(self, *inputs: torch.Tensor) -> RefinedPoses:
        start = time.process_time()
        refined = self._engine(*inputs)
        self.times.append(1e3 * (time.process_time() - start))
        return refined


def time_pushes(
    refiner: Refiner, people: int, lookahead: int, n: int
) -> Timing:
    """Time n pushes after a warm-up that fills the windows."""
    window = refiner.window_size
    warm = 2 * window + lookahead
    poses = make_walks(refiner, warm + n, people)
    size = (640, 480) if refiner.normalization == 'image' else None
    stream = StreamingRefiner(refiner, lookahead, image_size=size)

    def push(frame: np.ndarray) -> object:
        found = {number: (x, None) for number, x in enumerate(frame)}
        return stream.push_many(found)

    timer = NetworkTimer(stream)
    for pose in poses[:warm]:
        push(pose)
    timer.times.clear()
    pushes = time_each([lambda x=x: push(x) for x in poses[warm:]], 0)
    network = sum(timer.times) / n
    # All windows that cover the frame that comes out.
    reach = window + lookahead
    anew = time_each(
        [
            lambda i=i: refiner.refine(
                list(poses[i : i + reach].swapaxes(0, 1)), image_size=size
            )
            for i in range(4 + n // 10)
        ],
        3,
    )
    cpu, clock = pushes.T
    return Timing(
        float(cpu.mean()),
        float(np.median(cpu)),
        float(np.percentile(cpu, 95)),
        float(cpu.max()),
        float(clock.mean()),
        network,
        float(np.median(anew[:, 0])),
    )


def report(
    refiner: Refiner,
    people: List[int],
    lookahead: Optional[List[int]],
    pushes: int,
) -> Table:
    """Table of the measurements, for each number of people and look-ahead."""
    last = refiner.window_size - 1
    table = Table(
        'Streams in detail',
        f'{refiner}, {pushes} pushes.',
        ['persons', 'look-ahead', 'latency ms', 'push ms, mean', 'median']
        + ['95 % below', 'slowest', 'clock', 'network', 'anew', 'frames/s'],
    )
    for count in people:
        for ahead in lookahead or (0, last // 2, last):
            x = time_pushes(refiner, count, ahead, pushes)
            fps = refiner.fps
            latency = 1000 * ahead / fps if fps else None
            table.rows.append([count, ahead, latency, *x, 1000 / x.mean])
    return table


def measure(quick: bool) -> List[Table]:
    """Pushes of the small network."""
    refiner = build_refiner(None, torch.device('cpu'))
    people, pushes = ([1], 3) if quick else ([1, 20], 100)
    return [report(refiner, people, None, pushes)]


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--refiner', help='portable file of a refiner')
    parser.add_argument('--people', type=int, nargs='+', default=[1, 20])
    parser.add_argument(
        '--lookahead', type=int, nargs='+', help='default: 0, half, all'
    )
    parser.add_argument('--pushes', type=int, default=200)
    parser.add_argument('--threads', type=int, help='CPU threads of torch')
    parser.add_argument('--device', default='cpu')
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    args = parse_args()
    if args.threads:
        torch.set_num_threads(args.threads)
    refiner = build_refiner(args.refiner, torch.device(args.device))
    table = report(refiner, args.people, args.lookahead, args.pushes)
    sys.stdout.write(
        f'torch {torch.__version__}, {args.device}, '
        f'{torch.get_num_threads()} CPU threads\n\n{table.to_markdown()}\n'
    )


if __name__ == '__main__':
    main()
