# Copyright (c) hanet_mm contributors. All rights reserved.
"""The sequences of a test that went wrong: ``--badcase``."""

import json
import math
from numbers import Real
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

from mmengine.dist import all_gather_object, is_main_process
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from mmengine.runner import Runner
from mmpose.registry import HOOKS, METRICS
from mmpose.structures import PoseDataSample

from hanet_mm.core.data.atomic import atomic_path

from .visualization_hooks import PoseSequenceVisualizationHook, sequence_name


@HOOKS.register_module()
class PoseSequenceBadCaseHook(PoseSequenceVisualizationHook):
    """Draw the sequences of a test that went wrong, and list them.

    ``results.json`` beside the pictures has the error of each, refined and
    before, the worst first. The hook does what MMPose's
    :class:`BadCaseAnalysisHook` does for images.

    Args:
        enable (bool): Whether to look for bad cases.
        out_dir (str): Folder of the pictures; a relative one lies in
            ``<work_dir>/<timestamp>``.
        metric (dict or Sequence[dict], optional): Metrics, the first one of
            which that is a mean error of refined sequences counts, such as
            :class:`hanet_mm.evaluation.SequenceMPJPE`. ``--badcase`` gives
            those of ``test_evaluator``.
        metric_key (str, optional): Name of its result, such as 'Accel', if
            another is wanted.
        badcase_thr (float, optional): Errors from here on are bad, in the
            unit of the metric. Defaults to None: a sequence is a bad case if
            its error is larger than that of the estimate it was made from.
        metric_type (str): 'accuracy', in MMPose the metrics of a test;
            losses are of windows, not of sequences.
        **kwargs: ``show`` and ``wait_time``, see
            :class:`PoseSequenceVisualizationHook`.

    Raises:
        ValueError: If enabled and no such metric is there, or the threshold
            is no number.
    """

    def __init__(
        self,
        enable: bool = False,
        out_dir: str = 'badcase',
        metric: Union[dict, Sequence[dict], None] = None,
        metric_key: Optional[str] = None,
        badcase_thr: Optional[float] = None,
        metric_type: str = 'accuracy',
        **kwargs: Any,
    ) -> None:
        super().__init__(enable=enable, out_dir=out_dir, **kwargs)
        self.badcase_thr = badcase_thr
        self._cases: List[Dict[str, Any]] = []
        self._seen = 0
        if not enable:
            return
        if metric_type != 'accuracy':
            raise ValueError(
                "badcase.metric_type: expected 'accuracy' (a metric of "
                f'sequences; losses are of windows), found {metric_type!r}'
            )
        if badcase_thr is not None and not _is_number(badcase_thr):
            raise ValueError(
                'badcase.badcase_thr: expected a number or None, found '
                f'{badcase_thr!r}'
            )
        self._refined, self._input = _build(metric, metric_key)

    def after_val_iter(self, *args: Any, **kwargs: Any) -> None:
        """Bad cases are those of a test."""

    def after_test_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: dict,
        outputs: Sequence[PoseDataSample],
    ) -> None:
        """Draw the bad cases of a batch."""
        if not self.enable:
            return
        meta = runner.test_evaluator.dataset_meta
        self._refined.dataset_meta = self._input.dataset_meta = meta
        name = self._refined.NAME
        for sample in outputs:
            content = sample.to_dict()
            error = self._refined.sequence_error(content)
            before = self._input.sequence_error(content)
            self._seen += 1
            if not self._is_bad(error, before):
                continue
            title = sequence_name(sample)
            self._cases.append(
                {
                    'sequence': title,
                    name: error,
                    # JSON has no NaN.
                    f'input {name}': None if math.isnan(before) else before,
                }
            )
            title = f'{title}_{name}{error:.4g}'
            self.draw(runner, sample, title, meta, self._seen)

    def after_test_epoch(
        self, runner: Runner, metrics: Optional[dict] = None
    ) -> None:
        """Write the list of all processes."""
        if not self.enable:
            return
        found = {
            case['sequence']: case
            for cases in all_gather_object(self._cases)
            for case in cases
        }
        self._cases, self._seen = [], 0
        name = self._refined.NAME
        cases = sorted(found.values(), key=lambda x: -x[name])
        if is_main_process():
            path = self._folder(runner) / 'results.json'
            with atomic_path(path) as temporary:
                temporary.write_text(json.dumps(cases, indent=1))
            print_log(
                f'{len(cases)} bad cases ({name} {self._rule()}): {path}',
                logger='current',
            )

    def _is_bad(self, error: float, before: float) -> bool:
        # NaN, where nothing is known to compare, is not bad.
        if self.badcase_thr is None:
            return error > before
        return error >= self.badcase_thr

    def _rule(self) -> str:
        if self.badcase_thr is None:
            return 'larger than before refining'
        return f'>= {self.badcase_thr:g}'


def _is_number(value: Any) -> bool:
    """Whether errors can be compared with a value: NaN is not."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return not math.isnan(value)


def _build(
    metric: Union[dict, Sequence[dict], None], key: Optional[str]
) -> Tuple[BaseMetric, BaseMetric]:
    """The metric that counts, of the refined poses and of the estimate."""
    configs = [metric] if isinstance(metric, dict) else list(metric or [])
    names = []
    for config in configs:
        built = METRICS.build(config)
        if not hasattr(built, 'sequence_error') or built.source != 'pred':
            continue
        if key in (None, built.NAME):
            return built, METRICS.build({**config, 'source': 'input'})
        names.append(built.NAME)
    raise ValueError(
        f'badcase: expected {"an error" if key is None else repr(key)} of '
        'refined sequences (SequenceMPJPE, AccelError, SequenceMPJAE) among '
        f'the metrics, found {", ".join(names) or "none"}; give '
        'badcase.metric, such as dict(type="SequenceMPJPE")'
    )
