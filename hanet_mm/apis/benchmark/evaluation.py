# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measure refiners beside the input and the classical filters."""

import sys
import time
from dataclasses import replace
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence

import numpy as np

from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.metrics.measures import (
    Figures,
    TruePoses,
    measure,
    present,
    true_poses,
)
from hanet_mm.progress import clock, is_silent, progress_bar

from .curves import CurveMaker
from .filter_bank import BANK, FilterBank, known_chains
from .methods import Method, filled_input, unswap_sequences
from .perturbations import common_rate
from .report import new_report
from .request import (
    NO_FILTER,
    Request,
    about_file,
    read_data,
    read_refiners,
    read_root,
)
from .tables import judge

Report = Dict[str, Any]


def evaluate(request: Request) -> Iterator[Report]:
    """Measure the main table, then the curves.

    Args:
        request (Request): What to measure.

    Yields:
        dict: The report so far: after the main table and after each curve.
        ``complete`` is True in the last one.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: One line: what is wrong with the request or a file.
    """
    request.check()
    yield from _Evaluation(request).run()


def read_truth(
    sequences: PoseSequences, root: Optional[Sequence[int]] = None
) -> TruePoses:
    """Truth of sequences, see :func:`true_poses`."""
    ends = np.cumsum(sequences.seq_len)[:-1]
    parts = [
        None if x is None else np.split(x, ends)
        for x in (
            sequences.keypoints_gt,
            sequences.visible,
            sequences.bboxes,
        )
    ]
    return true_poses(*parts, root)


def measure_output(
    output: np.ndarray, truth: TruePoses, given: np.ndarray
) -> Figures:
    """Figures of an output (N, K, D) beside the filled input: what a method
    left empty is filled as gaps of the input are, and counted in ``empty``,
    so that leaving out difficult frames does not pay.
    """
    lengths = np.array([len(x) for x in truth.keypoints])
    ends = np.cumsum(lengths)[:-1]
    hole = ~present(output)
    filled = fill_missing(output, hole, lengths)
    counted = present(np.concatenate(truth.keypoints))
    return dict(
        measure(np.split(filled, ends), truth, np.split(given, ends)),
        empty=int((hole & counted).sum()),
    )


class _Evaluation:
    def __init__(self, request: Request) -> None:
        self.request = request
        self.data = read_data(request.data, request.ignore_scores)
        self.root = read_root(request, self.data)
        refiners = read_refiners(request, self.data)
        self.report = new_report()
        self.report['data'] = dict(
            about_file(request.data, self.data),
            ignore_scores=request.ignore_scores,
        )
        tune = self._read_tune()
        bank = FilterBank(tune, self.data, self.root, request.progress)
        self.maker = CurveMaker(self.data, refiners, bank)
        self.unswapping = self._unswapping(tune)
        count = self.data.scores.shape[1]
        # Which keypoints each refiner refines itself, (R, K).
        self.refined = np.array([x.refined_keypoints(count) for x in refiners])
        self.report['refiners'] = [
            dict(
                name=x.name,
                refiner=str(x.tool),
                given=x.details['given'],
                keypoints=x.plan.report,
            )
            for x in refiners
        ]
        self.report['others'] = request.others

    def run(self) -> Iterator[Report]:
        """The report after each part."""
        curves = []
        for curve in self.request.curves:
            reason = self.maker.why_not(curve)
            if reason:
                self.report['left_out'].append(
                    dict(curve=curve, reason=reason)
                )
            else:
                curves.append(curve)
        start = time.perf_counter()
        self._measure_main()
        if curves and self.request.progress and not is_silent():
            self._announce(curves, time.perf_counter() - start)
        self.report['complete'] = not curves
        yield self.report
        for curve in curves:
            self.report['curves'][curve] = self._measure_curve(curve)
            self.report['complete'] = curve == curves[-1]
            yield self.report

    def _announce(self, curves: List[str], seconds: float) -> None:
        """Tell how long the curves take: a point is about a main table."""
        points = sum(map(self.maker.num_points, curves))
        sys.stderr.write(
            f'curves: {points} points follow, about '
            f'{clock(points * seconds)} minutes ("--curves" without names '
            'leaves them out)\n'
        )

    def _unswapping(self, tune: Optional[PoseSequences]) -> List[Method]:
        """The filters behind un-swap, where left and right are known."""
        chains = known_chains(self.data)
        if chains is None:
            return []
        progress = self.request.progress
        bank = FilterBank(tune, self.data, self.root, progress, chains)
        return bank.methods(common_rate(self.data))

    def _measure_main(self) -> None:
        methods = self.maker.methods()
        place = 1 + len(BANK)
        methods[place:place] = self.unswapping
        if self.request.others != NO_FILTER:
            title = BANK[self.request.others].title
            (others,) = [x.tool for x in methods if x.name == title]
            methods = [
                replace(x, others=others) if x.kind == 'refiner' else x
                for x in methods
            ]
        truth = read_truth(self.data, self.root)
        tables = [('all keypoints', truth)]
        for chosen in np.unique(self.refined, axis=0):
            if not chosen.all():
                tables.append(
                    (self._title(chosen), truth.of_keypoints(chosen))
                )
        truths = [x for _, x in tables]
        with self._bar(len(methods), 'main table', 'method') as advance:
            rows = self._measure(methods, self.data, truths, advance)
        self.report['tables'] = [
            dict(title=title, rows=found, verdicts=judge(found))
            for (title, _), found in zip(tables, rows)
        ]

    def _measure_curve(self, curve: str) -> Dict[str, Any]:
        points = []
        total = self.maker.num_points(curve)
        # What a filter does for a refiner is no part of its curves.
        chosen = self.refined.all(0)
        with self._bar(total, curve, 'point') as advance:
            for point in self.maker.points(curve):
                truth = read_truth(point.sequences, self.root)
                (rows,) = self._measure(
                    point.methods,
                    point.sequences,
                    [truth.of_keypoints(chosen)],
                )
                points.append(
                    dict(value=point.value, note=point.note, rows=rows)
                )
                advance()
        return dict(
            self.maker.about(curve), keypoints=int(chosen.sum()), points=points
        )

    def _measure(
        self,
        methods: Sequence[Method],
        sequences: PoseSequences,
        truths: Sequence[TruePoses],
        advance: Callable[[], Any] = lambda: None,
    ) -> List[List[Dict[str, Any]]]:
        """Rows of the methods against each truth."""
        rows: List[List[Dict[str, Any]]] = [[] for _ in truths]
        given = filled_input(sequences)
        start = time.perf_counter()
        # All that undo swaps do so in the same way: it is done once.
        chains = [x.chains for x in methods if x.chains is not None]
        undone = unswap_sequences(sequences, chains[0]) if chains else None
        unswapping = time.perf_counter() - start
        for method in methods:
            start = time.perf_counter()
            if undone is None or method.chains is None:
                output = method.run(sequences)
            else:
                output = replace(method, chains=None).run(undone)
                start -= unswapping
            about = dict(
                method=method.name,
                kind=method.kind,
                settings=method.settings,
                seconds=time.perf_counter() - start,
            )
            for found, truth in zip(rows, truths):
                figures = measure_output(output, truth, given)
                found.append({**about, **figures})
            advance()
        return rows

    def _bar(self, total: int, label: str, unit: str) -> Any:
        return progress_bar(total, label, unit, self.request.progress)

    def _read_tune(self) -> Optional[PoseSequences]:
        path = self.request.tune
        if path is None:
            return None
        tune = read_data(path, self.request.ignore_scores)
        dims = (x.keypoints_est.shape[2] for x in (self.data, tune))
        expected, found = dims
        if expected != found:
            raise ValueError(
                f'{path}: expected D = {expected} coordinates as in '
                f'{self.request.data}, found {found}'
            )
        self.report['tuned_on'] = about_file(path, tune)
        return tune

    def _title(self, chosen: np.ndarray) -> str:
        names = self.data.meta.get('keypoint_names')
        names = names or [f'keypoint {i}' for i in range(len(chosen))]
        kept = [name for name, flag in zip(names, chosen) if flag]
        who = [
            entry['name']
            for entry, flags in zip(self.report['refiners'], self.refined)
            if np.array_equal(flags, chosen)
        ]
        return (
            f'the {len(kept)} keypoints that {", ".join(who)} refines itself '
            f'({", ".join(kept)})'
        )
