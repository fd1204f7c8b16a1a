"""Measure refiners beside the input and the classical filters."""

import time
from dataclasses import replace
from typing import Any, Dict, Iterator, List, Optional, Sequence

import numpy as np

from hanet_mm.core.data.sequences import PoseSequences

from .curves import CurveMaker
from .filter_bank import BANK, FilterBank
from .measures import Truth, measure, read_truth
from .methods import Method, RefinerMethod
from .report import new_report
from .request import (
    NO_FILTER,
    Request,
    about_file,
    read_data,
    read_refiners,
    read_root,
)
from .verdict import judge

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


class _Evaluation:
    def __init__(self, request: Request) -> None:
        self.request = request
        self.data = read_data(request.data)
        self.root = read_root(request, self.data)
        refiners = read_refiners(request, self.data)
        self.report = new_report()
        self.report['data'] = about_file(request.data, self.data)
        tune = self._read_tune()
        bank = FilterBank(tune, self.data, self.root, request.progress)
        self.maker = CurveMaker(self.data, refiners, bank)
        count = self.data.scores.shape[1]
        # Which keypoints each refiner refines itself, (R, K).
        self.refined = np.array([x.refined_keypoints(count) for x in refiners])
        self.report['refiners'] = [
            dict(
                name=x.name,
                refiner=str(x.refiner),
                given=str(given),
                keypoints=x.plan.report,
            )
            for x, given in zip(refiners, request.refiners)
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
        self._measure_main()
        self.report['complete'] = not curves
        yield self.report
        for curve in curves:
            self.report['curves'][curve] = self._measure_curve(curve)
            self.report['complete'] = curve == curves[-1]
            yield self.report

    def _measure_main(self) -> None:
        methods = self.maker.methods()
        if self.request.others != NO_FILTER:
            others = BANK[self.request.others].title
            (found,) = [x for x in methods if x.name == others]
            methods = [
                replace(x, others=found.filter)
                if isinstance(x, RefinerMethod)
                else x
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
        with _bar(len(methods), 'main table', self.request.progress) as bar:
            rows = self._measure(methods, self.data, truths, bar)
        self.report['tables'] = [
            dict(title=title, rows=found, verdicts=judge(found))
            for (title, _), found in zip(tables, rows)
        ]

    def _measure_curve(self, curve: str) -> Dict[str, Any]:
        points = []
        total = self.maker.num_points(curve)
        # What a filter does for a refiner is no part of its curves.
        chosen = self.refined.all(0)
        with _bar(total, curve, self.request.progress) as bar:
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
                bar.update()
        return dict(
            self.maker.about(curve), keypoints=int(chosen.sum()), points=points
        )

    def _measure(
        self,
        methods: Sequence[Method],
        sequences: PoseSequences,
        truths: Sequence[Truth],
        bar: Any = None,
    ) -> List[List[Dict[str, Any]]]:
        """Rows of the methods against each truth."""
        rows: List[List[Dict[str, Any]]] = [[] for _ in truths]
        for method in methods:
            start = time.perf_counter()
            output = method.run(sequences)
            about = dict(
                method=method.name,
                kind=method.kind,
                settings=method.settings,
                seconds=time.perf_counter() - start,
            )
            for found, truth in zip(rows, truths):
                found.append({**about, **measure(output, truth)})
            if bar is not None:
                bar.update()
        return rows

    def _read_tune(self) -> Optional[PoseSequences]:
        path = self.request.tune
        if path is None:
            return None
        tune = read_data(path)
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


def _bar(total: int, label: str, shown: bool) -> Any:
    # Comes with the extra [mm].
    from tqdm import tqdm

    return tqdm(total=total, desc=label, disable=not shown)
