# Copyright (c) hanet_mm contributors. All rights reserved.
"""Windows, scored frames and metrics of the paper's tables."""

import math
from typing import (
    Any,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np
from mmengine.evaluator import Evaluator
from mmengine.structures import InstanceData
from mmpose.registry import METRICS

from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.refine.frame_rate import frame_steps
from hanet_mm.core.refine.windows import window_table
from hanet_mm.datasets.pose_sequence_dataset import PoseSequenceDataset
from hanet_mm.progress import progress_bar

from .catalog import as_sequences
from .methods import Method, filled_input


class Windows(NamedTuple):
    """How sequences are read: sampling interval N, frames of a window T,
    frames from one window to the next, and from a sampled frame to the
    neighbours that it brings.
    """

    interval: int
    window: int
    stride: int
    distance: int = 1

    @property
    def share_read(self) -> float:
        """Distinct frames read of a window, neighbours included, over T."""
        sampled = np.arange(0, self.window, self.interval)
        around = sampled[:, None] + np.array([-1, 0, 1]) * self.distance
        # What would lie outside is a border frame again.
        read = np.unique(np.clip(around, 0, self.window - 1))
        return len(read) / self.window


class Protocol(NamedTuple):
    """How figures are taken: whether frames after the last whole window are
    dropped, the arguments of PCK, and all of it in a sentence.
    """

    drops_tail: bool
    pck: Dict[str, Any]
    text: str


PROTOCOLS: Dict[str, Protocol] = {
    'published': Protocol(
        True,
        dict(average='sequence', truncate_boxes=True),
        'the file as it is; windows at the stride of the authors, a multiple '
        'of N; frames after the last whole window are not scored; PCK is the '
        'mean over sequences, whatever their lengths, of boxes cut to whole '
        'pixels; errors are means over frames',
    ),
    'ours': Protocol(
        False,
        dict(average='frames'),
        'every frame is refined and scored: one more window ends at the last '
        'frame; all figures are means over frames. Clean splits are up to '
        'the file, see its own protocol',
    ),
}


class PaperProtocol(NamedTuple):
    """A protocol on a data set: its published windows, and their stride in
    sampling intervals.
    """

    name: str
    published: Windows
    step: int = 1

    def windows(self, method: Method) -> Optional[Windows]:
        """The windows that a method reads; None if it reads all frames."""
        if method.kind != 'refiner':
            return None
        network = method.tool.network
        interval = network.sample_interval
        own = method.tool.stride
        return Windows(
            interval,
            method.tool.window_size,
            choose_stride(self.name, interval, self.step, own),
            network.distance,
        )

    def reading(self, method: Method) -> Dict[str, Optional[float]]:
        """N, T, stride and the share of frames that are read."""
        windows = self.windows(method)
        if windows is not None:
            return dict(
                interval=windows.interval,
                window=windows.window,
                stride=windows.stride,
                share_read=windows.share_read,
            )
        found = dict(interval=1, window=None, stride=None, share_read=1.0)
        if PROTOCOLS[self.name].drops_tail:
            # These windows decide which frames count.
            found['window'] = self.published.window
            found['stride'] = self.published.stride
        return found

    def predict(
        self, method: Method, sequences: PoseSequences
    ) -> Tuple[np.ndarray, List[np.ndarray]]:
        """Poses of all frames (N, K, D), and those of each that count (T,)."""
        windows = self.windows(method)
        if not PROTOCOLS[self.name].drops_tail:
            masks = [np.ones(n, bool) for n in sequences.seq_len]
            return method.run(sequences, windows and windows.stride), masks
        if windows is None:
            masks = [
                scored_frames(n, self.published) for n in sequences.seq_len
            ]
            return method.run(sequences), masks
        masks = [
            scored_frames(n, windows, _pace(method, sequences, i))
            for i, n in enumerate(sequences.seq_len)
        ]
        # Nothing after the last whole window has a say.
        kept = [np.flatnonzero(mask).max() + 1 for mask in masks]
        place = np.concatenate(
            [start + np.arange(n) for start, n in zip(sequences.starts, kept)]
        )
        poses = filled_input(sequences).copy()
        poses[place] = method.run(
            _frames(sequences, place, np.array(kept)), windows.stride
        )
        return poses, masks


def choose_stride(protocol: str, interval: int, step: int, own: int) -> int:
    """Stride of a protocol: ``step`` intervals N as published, or its own."""
    return interval * step if protocol == 'published' else own


def scored_frames(
    length: int, windows: Optional[Windows], pace: float = 1.0
) -> np.ndarray:
    """Frames that count when the tail is dropped, bool (length,); ``pace`` is
    their distance in frames of the windows, and without windows all count.
    """
    if windows is None:
        return np.ones(length, bool)
    position = np.arange(length) * pace
    grid = int(np.ceil(position[-1])) + 1
    table = window_table([grid], windows.window, windows.stride, 'drop')
    counts = np.zeros(grid, bool)
    counts[table.frames[table.inside]] = True
    low, high = np.floor(position), np.ceil(position)
    return counts[low.astype(int)] & counts[high.astype(int)]


def _pace(method: Method, sequences: PoseSequences, index: int) -> float:
    rate = method.tool.fps
    if rate is None or sequences.fps is None:
        return 1.0
    return frame_steps(1 / float(sequences.fps[index]), rate)


def _frames(
    sequences: PoseSequences, place: np.ndarray, lengths: np.ndarray
) -> PoseSequences:
    """The estimates in some frames."""
    return PoseSequences(
        keypoints_est=sequences.keypoints_est[place],
        scores=sequences.scores[place],
        seq_len=lengths,
        seq_name=sequences.seq_name,
        image_size=sequences.image_size,
        fps=sequences.fps,
        meta=sequences.meta,
    )


_BATCH_SEQUENCES = 16


def metric_configs(
    evaluator: Any, smpl_model: Optional[Mapping[str, Any]] = None
) -> List[Dict[str, Any]]:
    """Metrics of refined poses in ``test_evaluator`` of a config, without
    source and prefix; ``smpl_model`` stands in for their body model.
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
    """Row of a method, None for figures without a value; call it in MMPose's
    scope.
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
            metric.update(PROTOCOLS[protocol].pck)
        built.append(METRICS.build(metric))
    return built
