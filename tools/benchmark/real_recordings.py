# Copyright (c) hanet_mm contributors. All rights reserved.
"""All tables of refiners on recordings with annotation, in one run.

    python tools/benchmark/real_recordings.py coco17-2d \
        --data mediapipe_val.npz movenet_val.npz \
        --tune mediapipe_train.npz movenet_train.npz -o work_dirs/real

Measured on the files of --data, each what an estimator said of COCO's 17
keypoints: errors beside the input and filters (tuned on --tune), errors of
filled keypoints beside a straight line, and errors beside those that the
refiner expects; on the files of --tune: what the parts of the first refiner
are worth, each switched off alone. Tables go to tables.md, the bars to
errors.png, the reports of hanet-mm evaluate to the folder evaluate.
--clean adds the range of motion kept of clean motion, --simulated TEST TRAIN
errors of simulated estimates. --pages puts the tables into Markdown pages,
between <!-- table: NAME --> and <!-- end -->.
"""

import argparse
import copy
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
from real_tables import (
    ablation_table,
    average_table,
    clean_table,
    curves_table,
    expected_table,
    file_tables,
    gap_tables,
    plot_errors,
    simulated_table,
)

from hanet_mm.apis.benchmark import (
    Method,
    Request,
    evaluate,
    evaluate_files,
    write_report,
)
from hanet_mm.apis.benchmark.breakdown import (
    FilledErrors,
    filled_errors,
    join_filled,
    relative_errors,
)
from hanet_mm.apis.benchmark.evaluation import measure_output, read_truth
from hanet_mm.apis.benchmark.filter_bank import known_chains, reference_methods
from hanet_mm.apis.benchmark.methods import INPUT, filled_input, make_tracks
from hanet_mm.apis.benchmark.pages import fill_page
from hanet_mm.apis.benchmark.perturbations import remove_keypoints
from hanet_mm.apis.benchmark.request import read_data
from hanet_mm.core.data.files import atomic_path
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.core.refine.refiner import Refiner, load_refiner
from hanet_mm.core.refine.swap_chains import SwapChains
from hanet_mm.progress import track

# Share of the keypoints that is taken away to have gaps of known truth.
REMOVED = 0.2
# 6 Hz at the 30 frames per second of clean motion.
SMOOTHER = 'median_butterworth:window=5,cutoff=0.2'
Tables = Dict[str, str]


def main() -> None:
    """Measure, write and print all tables."""
    args = parse_args()
    out = Path(args.out)
    if args.few:
        args.data = [shorten(x, args.few, out / 'few') for x in args.data]
        args.tune = [shorten(x, args.few, out / 'few') for x in args.tune]
        args.simulated = args.simulated and [
            shorten(x, args.few, out / 'few') for x in args.simulated
        ]
    names = short_names(args.data)
    parts = [
        partial(measure_accuracy, args, names, out),
        partial(measure_gaps, args.refiners, args.data),
        partial(measure_expected, args.refiners[0], args.data, names),
        partial(measure_ablation, args.refiners, args.tune or args.data),
    ]
    if args.clean:
        parts.append(partial(measure_clean, args.refiners, args.clean))
    if args.simulated:
        parts.append(partial(measure_simulated, args, out / 'simulated'))
    tables: Tables = {}
    for part in track(parts, 'tables'):
        tables.update(part())
        text = '\n'.join(f'## {k}\n\n{v}' for k, v in tables.items())
        with atomic_path(out / 'tables.md') as temporary:
            temporary.write_text(text, encoding='utf-8')
    for page in args.pages:
        path = Path(page)
        path.write_text(fill_page(path.read_text('utf-8'), tables), 'utf-8')
    print(text)


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n', maxsplit=1)[0]
    )
    add = parser.add_argument
    add('refiners', nargs='+', metavar='REFINER')
    add('--data', nargs='+', required=True, metavar='FILE')
    add(
        '--tune',
        nargs='*',
        default=[],
        metavar='FILE',
        help='training files, in the order of --data. Default: filters have '
        'their usual settings, and parts are measured on --data',
    )
    add('--simulated', nargs=2, metavar=('TEST', 'TRAIN'))
    add('--curves', nargs='*', default=[], help='of the simulated estimates')
    add(
        '--clean',
        nargs='+',
        metavar='KIND',
        help='kinds of clean motion to measure, or all, see clean_motion.py',
    )
    add('--pages', nargs='*', default=[], metavar='PAGE')
    add('--few', type=int, metavar='N', help='only N sequences of each file')
    add('-o', '--out', required=True, metavar='FOLDER')
    args = parser.parse_args()
    if args.tune and len(args.tune) != len(args.data):
        parser.error('--tune: expected a file for each of --data')
    return args


def shorten(path: str, count: int, folder: Path) -> str:
    """Write the first sequences of a file."""
    folder.mkdir(parents=True, exist_ok=True)
    short = folder / Path(path).name
    sequences = read_data(path)
    save_pose_sequences(
        short, sequences.select(np.arange(min(count, len(sequences))))
    )
    return str(short)


def short_names(paths: Sequence[str]) -> List[str]:
    """Names of files without the words that all of them share."""
    words = [Path(x).stem.split('_') for x in paths]
    shared = set(words[0]).intersection(*words) if len(words) > 1 else set()
    return [' '.join(x for x in own if x not in shared) for own in words]


def measure_accuracy(
    args: argparse.Namespace, names: Sequence[str], out: Path
) -> Tables:
    """Errors, on average and by file."""
    requests = [
        Request(args.refiners, data, tune, curves=[], progress=True)
        for data, tune in zip(args.data, args.tune or [None] * len(args.data))
    ]
    *_, report = evaluate_files(requests)
    write_report(out / 'evaluate', report)
    files = report.get('files', {names[0]: report})
    rows = [x['tables'][0]['rows'] for x in files.values()]
    average = report['tables'][0]['rows']
    plot_errors(out / 'errors.png', [*names, 'average'], [*rows, average])
    return dict(
        average=average_table(average), **file_tables(names, rows, average)
    )


def measure_gaps(refiners: Sequence[str], paths: Sequence[str]) -> Tables:
    """Errors of filled keypoints, where estimators found none and where
    keypoints were taken away.
    """
    tools = [Method(Path(x).stem, load_refiner(x)) for x in refiners]
    found: Dict[str, List[FilledErrors]] = dict(found=[], removed=[])
    for path in paths:
        data = read_data(path)
        check_names(path, data, tools)
        methods = [Method(INPUT), *reference_methods(data), *tools]
        found['found'].append(filled_errors(methods, data))
        found['removed'].append(
            filled_errors(methods, remove_keypoints(data, REMOVED))
        )
    names = ['straight line', *[x.name for x in methods[1:]]]
    return gap_tables(names, {k: join_filled(v) for k, v in found.items()})


def check_names(
    path: str, data: PoseSequences, methods: Sequence[Method]
) -> None:
    """Raise unless keypoints are those of the refiners."""
    for method in methods:
        expected = list(method.tool.keypoint_names)
        names = list(data.meta.get('keypoint_names') or [])
        if names != expected:
            raise ValueError(
                f"{path}: expected the keypoints of '{method.name}' "
                f'({", ".join(expected)}), found {", ".join(names) or "none"}'
            )


def measure_expected(
    refiner: str, paths: Sequence[str], names: Sequence[str]
) -> Tables:
    """Expected errors beside actual ones."""
    tool = load_refiner(refiner)
    pairs = []
    for path in paths:
        data = read_data(path)
        pairs.append(expected_and_actual(tool, data))
    if any(x is None for x in pairs):
        return {}
    return dict(expected=expected_table(names, pairs))


def expected_and_actual(
    refiner: Refiner, data: PoseSequences
) -> Optional[Tuple[np.ndarray, np.ndarray]]:
    """Errors (n,) in percent of the box; None if none are expected."""
    tracks = [x for x in make_tracks(data) if not x.missing.all()]
    kept = [not x.missing.all() for x in make_tracks(data)]
    truth = read_truth(data.select(np.flatnonzero(kept)))
    results = refiner.refine(
        [x.keypoints for x in tracks],
        [x.scores for x in tracks],
        fps=[x.fps or refiner.fps for x in tracks] if refiner.fps else None,
    )
    if results[0].expected_error is None:
        return None
    poses = np.concatenate([x.keypoints for x in results])
    actual = relative_errors(poses, truth)
    expected = np.concatenate([x.expected_error for x in results])
    # The same unit: the error of a pose that is so far off.
    scale = relative_errors(
        poses + [1.0, 0], truth._replace(keypoints=[poses])
    )
    expected = expected * scale
    known = np.isfinite(actual) & np.isfinite(expected)
    return expected[known], actual[known]


def measure_ablation(refiners: Sequence[str], paths: Sequence[str]) -> Tables:
    """What parts are worth: figures of each file without each of them."""
    rows: Dict[str, List[Dict[str, Any]]] = {}
    for path in paths:
        data = read_data(path)
        truth, given = read_truth(data), filled_input(data)
        for name, method, sequences in variants(refiners, data):
            figures = measure_output(method.run(sequences), truth, given)
            rows.setdefault(name, []).append(figures)
    return dict(ablation=ablation_table(rows))


def variants(
    refiners: Sequence[str], data: PoseSequences
) -> Iterator[Tuple[str, Method, PoseSequences]]:
    """The first refiner, without each of its parts, and the others."""
    refiner = load_refiner(refiners[0])
    method = Method(Path(refiners[0]).stem, refiner)
    yield 'all', method, data
    if refiner.chains is not None:
        count = len(refiner.chains.chains)
        one_sided = SwapChains(np.arange(count), np.full(count, -1))
        limited = with_chains(refiner, one_sided)
        yield 'without un-swap', replace(method, tool=limited), data
        free = replace(method, tool=with_chains(refiner, None))
        unswapped = replace(free, chains=known_chains(data))
        yield 'without the limit', unswapped, data
        yield 'without both', free, data
    yield 'scores ignored', method, data.limit_scores(ignore=True)
    if refiner.fps is not None and data.fps is not None:
        told = f'rate not given ({refiner.fps:g} assumed)'
        yield told, method, replace(data, fps=None)
    if refiner.gate is not None:
        ungated = copy.copy(refiner)
        ungated.gate = None
        yield 'without the gate', replace(method, tool=ungated), data
    for other in refiners[1:]:
        yield f'in its place {other}', Method(other, load_refiner(other)), data


def with_chains(refiner: Refiner, chains: Optional[SwapChains]) -> Refiner:
    """The refiner with other pairs; None: without a limit as well."""
    other = copy.copy(refiner)
    other.chains = chains
    return other


def measure_clean(refiners: Sequence[str], kinds: List[str]) -> Tables:
    """What is left of clean motion, and how far it is moved."""
    # It simulates people, which the rest does not need.
    import clean_motion

    if kinds == ['all']:
        kinds = list(clean_motion.KINDS)
    cases = clean_motion.make_cases(kinds, seed=0)
    rows = {}
    for name in (*refiners, SMOOTHER):
        poses = clean_motion.run(name, cases)
        rows[name] = [clean_motion.measure(*x) for x in zip(cases, poses)]
    rows['median (5) + Butterworth 6 Hz'] = rows.pop(SMOOTHER)
    return dict(clean=clean_table(rows))


def measure_simulated(args: argparse.Namespace, out: Path) -> Tables:
    """Tables of simulated estimates, with curves in the folder."""
    data, tune = args.simulated
    request = Request(
        args.refiners, data, tune, curves=args.curves, progress=True
    )
    for report in evaluate(request):
        write_report(out, report)
    tables = dict(simulated=simulated_table(report['tables'][0]['rows']))
    if report['curves']:
        tables['curves'] = curves_table(report['curves'])
    return tables


if __name__ == '__main__':
    main()
