# Copyright (c) hanet_mm contributors. All rights reserved.
"""Figures of a method by the metrics of a data set's config."""

import math
from typing import Any, Dict, List, Mapping, Optional, Sequence

import numpy as np
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from mmpose.registry import METRICS

from hanet_mm.datasets.pose_sequence_dataset import PoseSequenceDataset
from hanet_mm.progress import progress_bar

from .catalog import as_sequences
from .methods import Method
from .protocols import PROTOCOLS, PaperProtocol

_BATCH_SEQUENCES = 16


def metric_configs(
    evaluator: Any, smpl_model: Optional[Mapping[str, Any]] = None
) -> List[Dict[str, Any]]:
    """Metrics of refined poses that ``test_evaluator`` of a config lists.

    They come without source and prefix; ``smpl_model`` stands in for the
    body model of those that have one.
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
    protocol: PaperProtocol,
    metrics: Sequence[Mapping[str, Any]],
    progress: bool,
) -> Dict[str, Any]:
    """Row of a method; call it in the scope of MMPose.

    Figures that have no value are None.
    """
    source = 'input' if method.tool is None else 'pred'
    evaluator = Evaluator(_build_metrics(metrics, source, protocol.name))
    evaluator.dataset_meta = dataset.metainfo
    scored, label = 0, f'{method.name}, {protocol.name}'
    with progress_bar(len(dataset), label, 'sequence', progress) as advance:
        for start in range(0, len(dataset), _BATCH_SEQUENCES):
            stop = min(start + _BATCH_SEQUENCES, len(dataset))
            samples = predict(dataset, method, protocol, range(start, stop))
            scored += sum(
                int(x.pred_instances.refined_mask.sum()) for x in samples
            )
            evaluator.process(data_samples=samples)
            advance(stop - start)
    figures = evaluator.evaluate(len(dataset))
    return dict(
        method=method.name,
        protocol=protocol.name,
        **protocol.reading(method),
        frames_refined=scored,
        metrics={
            name.split('/', 1)[1]: None if math.isnan(value) else float(value)
            for name, value in figures.items()
        },
        **method.details,
    )


def predict(
    dataset: PoseSequenceDataset,
    method: Method,
    protocol: PaperProtocol,
    numbers: Sequence[int],
) -> List[Any]:
    """Data samples of some items, with ``pred_instances`` of a method."""
    samples = [dataset[i]['data_samples'] for i in numbers]
    sequences = as_sequences(
        [dataset.get_data_info(i) for i in numbers], dataset.UNITS
    )
    poses, masks = protocol.predict(method, sequences)
    ends = np.cumsum(sequences.seq_len)[:-1]
    for sample, points, mask in zip(samples, np.split(poses, ends), masks):
        sample.pred_instances = InstanceData(
            keypoints=points,
            keypoint_scores=sample.est_instances.keypoint_scores,
            refined_mask=mask,
        )
    return samples


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
