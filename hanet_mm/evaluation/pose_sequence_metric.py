# Copyright (c) hanet_mm contributors. All rights reserved.
"""Base of the metrics over whole pose sequences."""

import logging
from abc import abstractmethod
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
import torch
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log

# Instances of a data sample and prefix of the results by source.
_FIELDS = dict(pred='pred_instances', input='est_instances')
_PREFIXES = dict(pred='refined', input='input')


class Comparison(NamedTuple):
    """One sequence as the functions of ``core.metrics.errors`` take it."""

    pred: np.ndarray  # (T, K, D)
    gt: np.ndarray  # (T, K, D)
    counted: np.ndarray  # (T, K) bool
    bboxes: Optional[np.ndarray]  # (T, 4)


class PoseSequenceMetric(BaseMetric):
    """Compares the pose sequences of data samples with their truth.

    Subclasses define the sums of one sequence (``measure``) and the results
    of all of them (``compute_metrics``). Exactly one entry is kept per data
    sample: MMEngine then drops repetitions of a distributed sampler, and the
    result is the same for any number of processes and any batch size.

    A keypoint is counted where ``gt_instances.keypoints_visible`` is above 0
    and the frame was refined (``pred_instances.refined_mask``). Both sources
    are measured on the same frames, so that they can be compared.

    Args:
        source (str): Poses to compare with the truth: ``'pred'``, the
            refined poses, or ``'input'``, the estimate that was refined
            (``est_instances``).
        prefix (str, optional): First part of the names of the results.
            Defaults to ``'refined'`` or ``'input'``, after the source.
        **kwargs: Passed on to :class:`mmengine.evaluator.BaseMetric`
            (``collect_device``, ``collect_dir``).

    Raises:
        ValueError: If the source is unknown.
    """

    def __init__(
        self,
        source: str = 'pred',
        prefix: Optional[str] = None,
        **kwargs: Any,
    ) -> None:
        if source not in _FIELDS:
            raise ValueError(
                f'{type(self).__name__}: source must be one of '
                f'{sorted(_FIELDS)}, got {source!r}'
            )
        super().__init__(prefix=prefix or _PREFIXES[source], **kwargs)
        self.source = source

    @abstractmethod
    def measure(self, comparison: Comparison) -> Any:
        """Sums and counts of one sequence."""

    def process(self, data_batch: Any, data_samples: Sequence[dict]) -> None:
        """Measure the sequences of a batch; a ValueError names the metric, the
        sequence and the problem.
        """
        for sample in data_samples:
            try:
                result = self.measure(self._read(sample))
            except ValueError as error:
                raise ValueError(
                    f'{type(self).__name__}({self.source}), sequence '
                    f'{sample.get("seq_name", "?")}: {error}'
                ) from error
            self.results.append(result)

    def pooled_mean(self, results: Sequence[Tuple[float, int]]) -> float:
        """Mean of sums and counts of all sequences; NaN if nothing counts."""
        total = sum(result[0] for result in results)
        count = sum(result[1] for result in results)
        return total / count if count else self.nothing_to_count()

    def nothing_to_count(self) -> float:
        """Warn that there is no result, and return NaN for it."""
        print_log(
            f'{type(self).__name__}({self.source}): nothing to count, the '
            'result is nan',
            logger='current',
            level=logging.WARNING,
        )
        return float('nan')

    def _columns(
        self, keypoints: Dict[str, Tuple[str, ...]], num_keypoints: int
    ) -> Dict[str, List[int]]:
        """Keypoint numbers of each column of a table, without empty ones."""
        ids = (self.dataset_meta or {}).get('keypoint_name2id', {})
        if ids and len(ids) != num_keypoints:
            raise ValueError(
                f'{type(self).__name__}: the data set names {len(ids)} '
                f'keypoints, the poses have {num_keypoints}'
            )
        columns = {
            column: [ids[name] for name in names if name in ids]
            for column, names in keypoints.items()
        }
        return {column: found for column, found in columns.items() if found}

    def _read(self, sample: dict) -> Comparison:
        """Take the arrays to compare from a data sample."""
        gt = sample_field(sample, 'gt_instances', 'keypoints')
        pred = sample_field(sample, _FIELDS[self.source], 'keypoints')
        visible = sample['gt_instances'].get('keypoints_visible')
        bboxes = sample['gt_instances'].get('bboxes')
        refined = sample.get('pred_instances', {}).get('refined_mask')

        counted = np.ones(gt.shape[:2], bool)
        if visible is not None:
            counted &= _check_array(visible, 'keypoints_visible', counted) > 0
        if refined is not None:
            mask = _check_array(refined, 'refined_mask', counted[:, 0])
            counted &= mask.astype(bool)[:, None]
        if bboxes is not None:
            bboxes = _to_numpy(bboxes)
        return Comparison(pred, gt, counted, bboxes)


def known_mean(values: np.ndarray) -> float:
    """Mean of the values that are not NaN; NaN if there are none."""
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float('nan')


def sample_field(
    sample: Dict[str, Any], instances: str, key: str
) -> np.ndarray:
    """Required array of a data sample."""
    if key not in sample.get(instances, {}):
        raise ValueError(f'the data sample has no {instances}.{key}')
    return _to_numpy(sample[instances][key])


def _check_array(value: Any, name: str, like: np.ndarray) -> np.ndarray:
    """Array with the shape of another one."""
    array = _to_numpy(value)
    if array.shape != like.shape:
        raise ValueError(
            f'{name} must have shape {like.shape}, got {array.shape}'
        )
    return array


def _to_numpy(value: Any) -> np.ndarray:
    """Tensor of any device, or anything that numpy takes, as an array."""
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().numpy()
    return np.asarray(value)
