"""Measure a method on the test data of a data set."""

import math
from contextlib import nullcontext
from typing import Any, Dict, List, Mapping, Optional, Sequence

from mmengine.evaluator import Evaluator
from mmpose.registry import METRICS

from hanet_mm.datasets.pose_sequence_dataset import PoseSequenceDataset

from .methods import Method
from .protocols import PROTOCOLS

_BATCH_SEQUENCES = 16


def metric_configs(
    evaluator: Any, smpl_model: Optional[Mapping[str, Any]] = None
) -> List[Dict[str, Any]]:
    """Metrics of refined poses that a config lists.

    Args:
        evaluator: ``test_evaluator``: a config or a list of such.
        smpl_model (Mapping, optional): Body model that stands in for that
            of metrics which have one.

    Returns:
        list[dict]: Without source and prefix.
    """
    given = evaluator if isinstance(evaluator, (list, tuple)) else [evaluator]
    chosen = []
    for metric in given:
        metric = dict(metric)
        if metric.pop('source', 'pred') != 'pred':
            continue
        metric.pop('prefix', None)
        if smpl_model is not None and 'body_model' in metric:
            metric['body_model'] = dict(smpl_model)
        chosen.append(metric)
    return chosen


def measure(
    dataset: PoseSequenceDataset,
    method: Method,
    protocol: str,
    metrics: Sequence[Mapping[str, Any]],
    progress: bool,
) -> Dict[str, Any]:
    """Figures of a method; call it in the scope of MMPose.

    Args:
        dataset (PoseSequenceDataset): Test items.
        method (Method): What is measured.
        protocol (str): A key of :data:`.protocols.PROTOCOLS`.
        metrics (Sequence[Mapping]): See :func:`metric_configs`.
        progress (bool): Whether to show a progress bar on stderr.

    Returns:
        dict: A row of the report: figures that have no value are None.
    """
    evaluator = Evaluator(_build_metrics(metrics, method.source, protocol))
    evaluator.dataset_meta = dataset.metainfo
    scored, label = 0, f'{method.name}, {protocol}'
    with _bar(len(dataset), label, progress) as bar:
        for start in range(0, len(dataset), _BATCH_SEQUENCES):
            stop = min(start + _BATCH_SEQUENCES, len(dataset))
            items = [dataset[i] for i in range(start, stop)]
            samples = [item['data_samples'] for item in items]
            method.predict([x['inputs'] for x in items], samples, protocol)
            scored += sum(
                int(x.pred_instances.refined_mask.sum()) for x in samples
            )
            evaluator.process(data_samples=samples)
            if bar is not None:
                bar.update(stop - start)
    figures = evaluator.evaluate(len(dataset))
    return dict(
        method=method.name,
        protocol=protocol,
        **_reading(method, protocol),
        frames_refined=scored,
        metrics={
            name.split('/', 1)[1]: None if math.isnan(value) else float(value)
            for name, value in figures.items()
        },
        **method.details,
    )


def _build_metrics(
    metrics: Sequence[Mapping[str, Any]], source: str, protocol: str
) -> List[Any]:
    built = []
    for metric in metrics:
        metric = dict(metric, source=source)
        if metric['type'] == 'PoseSequencePCK':
            metric['average'] = PROTOCOLS[protocol].average
        built.append(METRICS.build(metric))
    return built


def _reading(method: Method, protocol: str) -> Dict[str, Any]:
    """N, T, stride and the share of frames that are read."""
    windows = method.windows(protocol)
    if windows is not None:
        return dict(
            interval=windows.interval,
            window=windows.window,
            stride=windows.stride,
            share_read=windows.share_read,
        )
    reading = dict(interval=1, window=None, stride=None, share_read=1.0)
    if PROTOCOLS[protocol].tail == 'drop':
        # These windows decide which frames count.
        reading['window'] = method.published.window
        reading['stride'] = method.published.stride
    return reading


def _bar(total: int, label: str, shown: bool) -> Any:
    if not shown:
        return nullcontext()
    from tqdm import tqdm

    return tqdm(total=total, desc=label, unit='sequence')
