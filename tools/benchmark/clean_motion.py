# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measure whether refiners and filters leave clean motion alone.

Simulated people do all kinds of exercises at several periods in front of a
static camera, about 300 px tall, at 30 frames a second; the estimates are the
truth and white noise of 0 to 1 px. Shown are, worst first, the smallest share
of the range of motion that a moving joint keeps, and how far keypoints were
moved from the estimates, in per cent of the body. Figures that miss the goals
have a star.

    python tools/benchmark/clean_motion.py coco17-2d robust_path
    python tools/benchmark/clean_motion.py butterworth --kinds cycling
"""

import argparse
import json
from pathlib import Path
from typing import List, NamedTuple, Optional

import numpy as np

from hanet_mm import list_refiners, load_refiner
from hanet_mm.apis.benchmark.methods import Method, make_tracks
from hanet_mm.apis.filter_choice import choose_filter
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.metrics.preservation import how_far_moved, range_kept
from hanet_mm.core.poses.boxes import person_size
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.robust_path import robust_path
from hanet_mm.core.refine.swap_chains import swap_chains
from hanet_mm.core.refine.unswap import unswap
from hanet_mm.datasets.simulation.body import sample_body_shapes
from hanet_mm.datasets.simulation.cameras import project, view_rotations
from hanet_mm.datasets.simulation.exercise_kinds import KINDS
from hanet_mm.datasets.simulation.exercises import perform
from hanet_mm.datasets.simulation.keypoints import procedural_keypoints

FPS, FRAMES, SIZE, EDGE = 30.0, 190, 300.0, 20
PERIODS, NOISES = (15, 20, 30, 60), (0.0, 0.25, 0.5, 1.0)
NAMES = SKELETONS['coco17'].keypoint_names
# Kinds are shown at periods so much shorter and longer than usual.
STRETCH = 1.4
# Joints that move less, in bodies and in noises, tell nothing of the range.
LEAST, LEAST_NOISES = 0.05, 10.0
PATH = 'robust_path'


class Case(NamedTuple):
    """A clip and what was made of it."""

    kind: str
    period: int
    noise: float
    truth: np.ndarray
    estimate: np.ndarray


def make_clip(kind: str, period: int, seed: int) -> np.ndarray:
    """True keypoints in px of somebody, (T, K, 2)."""
    rng = np.random.default_rng((seed, list(KINDS).index(kind), period))
    seconds = period / FPS
    table = KINDS[kind]._replace(
        period=(seconds, seconds), speed=(0.0, 0.0), spin=0.0
    )
    shape = sample_body_shapes(rng, 1)
    joints = perform(rng, table, shape, np.arange(FRAMES) / FPS)
    points = procedural_keypoints(joints, NAMES)
    yaw, pitch, roll = rng.uniform([-np.pi, -0.2, -0.1], [np.pi, 0.5, 0.1])
    points = points @ view_rotations(yaw, pitch, roll).T
    points -= points.mean(axis=(0, 1, 2))
    points[..., 2] += 5.0
    pixels = project(points, np.ones(1))[0]
    return (SIZE / person_size(pixels) * pixels + 500).astype(np.float32)


def make_cases(kinds: List[str], seed: int) -> List[Case]:
    """All clips with all amounts of noise."""
    cases = []
    for kind in kinds:
        low, high = np.multiply(KINDS[kind].period, FPS)
        usual = float(np.clip(30, low, high))
        nearest = min(PERIODS, key=lambda x: abs(np.log(x / usual)))
        for period in PERIODS:
            natural = low / STRETCH <= period <= high * STRETCH
            if not natural and period != nearest:
                continue
            truth = make_clip(kind, period, seed)
            rng = np.random.default_rng(seed)
            noise = rng.normal(0, 1, truth.shape)
            for sd in NOISES:
                estimate = (truth + sd * noise).astype(np.float32)
                cases.append(Case(kind, period, sd, truth, estimate))
    return cases


def as_sequences(cases: List[Case]) -> PoseSequences:
    """The clips as the sequences of a file."""
    return PoseSequences(
        keypoints_est=np.concatenate([x.estimate for x in cases]),
        scores=np.full((FRAMES * len(cases), len(NAMES)), 0.9),
        seq_len=np.full(len(cases), FRAMES),
        seq_name=np.array([f'{x.kind}-{x.period}-{x.noise}' for x in cases]),
        fps=np.full(len(cases), FPS),
        meta=dict(
            dataset='clean motion',
            estimator='simulated',
            units='px',
            keypoint_names=list(NAMES),
        ),
    )


def run(name: str, cases: List[Case]) -> List[np.ndarray]:
    """Keypoints of a method, (T, K, 2) each."""
    if name == PATH:
        chains = swap_chains(NAMES)
        none = np.zeros(cases[0].truth.shape[:2], bool)
        return [
            robust_path(
                unswap(x.estimate, chains).keypoints, none, FPS
            ).keypoints
            for x in cases
        ]
    sequences = as_sequences(cases)
    if name in list_refiners() or Path(name).exists():
        tool = load_refiner(name)
    else:
        tool = choose_filter(name, make_tracks(sequences))
    poses = Method(name, tool).run(sequences)
    return np.split(poses, len(cases))


def measure(case: Case, poses: np.ndarray) -> dict:
    """Figures of a clip."""
    size = person_size(case.truth)
    middle = slice(EDGE, -EDGE)
    least = max(LEAST * size, LEAST_NOISES * case.noise)
    kept = range_kept(poses[middle], case.truth[middle], case.period, least)
    moved = how_far_moved(poses, case.estimate, size)
    error = how_far_moved(poses, case.truth, size)
    worst = int(np.nanargmin(kept)) if np.isfinite(kept).any() else None
    return dict(
        kind=case.kind,
        period=case.period,
        noise=case.noise,
        kept=None if worst is None else float(kept[worst]),
        joint=None if worst is None else NAMES[worst],
        moved=moved.mean,
        moved_p95=moved.p95,
        error=error.mean,
    )


def least_kept(period: int) -> float:
    """The goal: 0.94 at 15 frames a period, 0.97 from 30 on."""
    return float(np.interp(period, [15, 30], [0.94, 0.97]))


def failures(row: dict) -> List[str]:
    """Names of the figures that miss the goals."""
    short = row['kept'] is not None and row['kept'] < least_kept(row['period'])
    mean = 0.2 if row['noise'] == 0 else 0.4
    found = dict(
        kept=short, moved=row['moved'] > mean, moved_p95=row['moved_p95'] > 1.5
    )
    return [name for name, failed in found.items() if failed]


def table(rows: List[dict], count: int) -> str:
    """Summary by noise and period, and the worst clips."""
    lines = ['noise period  clips  fail | kept min   5 %   median | moved %'
             '   max  p95 max | error %']  # fmt: skip
    for noise in NOISES:
        for period in PERIODS:
            some = [
                x for x in rows if (x['noise'], x['period']) == (noise, period)
            ]
            if not some:
                continue
            kept = [x['kept'] for x in some if x['kept'] is not None] or [0.0]
            moved = [x['moved'] for x in some]
            lines.append(
                f'{noise:5.2f} {period:6d} {len(some):6d} '
                f'{sum(bool(failures(x)) for x in some):5d} | '
                f'{min(kept):8.3f} {np.percentile(kept, 5):6.3f} '
                f'{np.median(kept):8.3f} | {np.mean(moved):7.3f} '
                f'{max(moved):5.2f} '
                f'{max(x["moved_p95"] for x in some):8.2f} | '
                f'{np.mean([x["error"] for x in some]):7.3f}'
            )
    lines.append('')
    lines.append(
        f'{"kind":20s} period noise   kept joint            moved %  p95 %'
    )
    order = sorted(rows, key=lambda x: (x['kept'] is None, x['kept'] or 0))
    for row in order[:count]:
        marks = failures(row)
        kept = '     -' if row['kept'] is None else f'{row["kept"]:6.3f}'
        lines.append(
            f'{row["kind"]:20s} {row["period"]:6d} {row["noise"]:5.2f} '
            f'{kept}{"*" if "kept" in marks else " "}'
            f'{row["joint"] or "":16s} '
            f'{row["moved"]:6.3f}{"*" if "moved" in marks else " "} '
            f'{row["moved_p95"]:6.3f}{"*" if "moved_p95" in marks else " "}'
        )
    return '\n'.join(lines)


def main(arguments: Optional[List[str]] = None) -> None:
    """Print the tables of the methods."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'methods',
        nargs='+',
        help=f'refiners, filters with settings, or {PATH}: un-swap and the '
        'robust path',
    )
    parser.add_argument(
        '--kinds', nargs='+', default=list(KINDS), choices=list(KINDS),
        metavar='KIND', help='kinds of motion; default: all',
    )  # fmt: skip
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument(
        '--rows', type=int, default=20, help='worst clips to show'
    )
    parser.add_argument('--json', help='file for all figures')
    args = parser.parse_args(arguments)
    cases = make_cases(args.kinds, args.seed)
    found = {}
    for name in args.methods:
        poses = run(name, cases)
        found[name] = [measure(*pair) for pair in zip(cases, poses)]
        print(f'\n{name}\n{table(found[name], args.rows)}', flush=True)
    if args.json:
        Path(args.json).write_text(json.dumps(found, indent=1))


if __name__ == '__main__':
    main()
