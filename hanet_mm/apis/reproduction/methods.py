"""What stands in a row: the input, a filter, or a network."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from torch import nn

from hanet_mm.core.refine.inference import refine_sequences
from hanet_mm.core.refine.refiner import Refiner
from hanet_mm.filters.base import SequenceFilter

from .protocols import PROTOCOLS, Windows, choose_stride, scored_frames


@dataclass
class Method(ABC):
    """Gives sequences their ``pred_instances``.

    Attributes:
        name: In the tables.
        published: Windows of the published protocol of the data set.
        step: Published stride in sampling intervals.
        details: What else there is to say of it, for the JSON.
    """

    name: str
    published: Windows
    step: int = 1
    details: Dict[str, Any] = field(default_factory=dict)

    # Which of the poses of a data sample its metrics compare.
    source = 'pred'

    @abstractmethod
    def windows(self, protocol: str) -> Optional[Windows]:
        """The windows it reads; None if it reads whole sequences."""

    @abstractmethod
    def predict(
        self,
        inputs: Sequence[np.ndarray],
        samples: Sequence[PoseDataSample],
        protocol: str,
    ) -> None:
        """Add ``pred_instances`` to data samples.

        Args:
            inputs: Estimates without gaps, (T_i, K, D) each.
            samples: Their data samples, changed in place.
            protocol: A key of :data:`.protocols.PROTOCOLS`.
        """


class WholeSequences(Method):
    """Reads every frame; the protocol only says which frames count."""

    def windows(self, protocol: str) -> Optional[Windows]:
        """None: there are no windows."""
        return None

    def mask(self, length: int, protocol: str) -> np.ndarray:
        """Frames that count, those which a network would refine, (T,)."""
        dropped = PROTOCOLS[protocol].tail == 'drop'
        return scored_frames(length, self.published if dropped else None)


class InputMethod(WholeSequences):
    """The estimates as they are, gaps filled."""

    source = 'input'

    def predict(
        self,
        inputs: Sequence[np.ndarray],
        samples: Sequence[PoseDataSample],
        protocol: str,
    ) -> None:
        """Take the estimates, see :meth:`Method.predict`."""
        for points, sample in zip(inputs, samples):
            _set_prediction(sample, points, self.mask(len(points), protocol))


@dataclass
class FilterMethod(WholeSequences):
    """A classical filter.

    Attributes:
        filter: Tuned.
    """

    filter: Optional[SequenceFilter] = None

    def predict(
        self,
        inputs: Sequence[np.ndarray],
        samples: Sequence[PoseDataSample],
        protocol: str,
    ) -> None:
        """Filter, see :meth:`Method.predict`.

        A person who was never found has nothing to filter: NaN, as from the
        network.
        """
        seen = [
            i
            for i, sample in enumerate(samples)
            if np.any(sample.est_instances.keypoints_valid)
        ]
        results = self.filter.refine(
            [inputs[i] for i in seen], [_scores(samples[i]) for i in seen]
        )
        filtered = dict(zip(seen, results))
        for i, (points, sample) in enumerate(zip(inputs, samples)):
            if i in filtered:
                points = filtered[i].keypoints
            else:
                points = np.full_like(points, np.nan)
            _set_prediction(sample, points, self.mask(len(points), protocol))


@dataclass
class CheckpointMethod(Method):
    """A trained ``HANet``.

    Attributes:
        model: In evaluation mode, on its device.
    """

    model: Optional[nn.Module] = None

    def __post_init__(self) -> None:
        self._own = dict(self.model.test_cfg or {})

    def windows(self, protocol: str) -> Windows:
        """Its own windows, at the stride of the protocol."""
        interval = self.model.sample_interval
        stride = choose_stride(
            protocol, interval, self.step, self._own.get('stride', 1)
        )
        return Windows(
            interval, self.model.window_size, stride, self.model.distance
        )

    @torch.no_grad()
    def predict(
        self,
        inputs: Sequence[np.ndarray],
        samples: Sequence[PoseDataSample],
        protocol: str,
    ) -> None:
        """Refine, see :meth:`Method.predict`."""
        self.model.test_cfg = dict(
            self._own,
            stride=self.windows(protocol).stride,
            tail=PROTOCOLS[protocol].tail,
        )
        batch = dict(inputs=list(inputs), data_samples=list(samples))
        self.model.test_step(batch)


@dataclass
class RefinerMethod(Method):
    """A portable refiner.

    Attributes:
        refiner: On its device.
    """

    refiner: Optional[Refiner] = None

    def windows(self, protocol: str) -> Windows:
        """Its own windows, at the stride of the protocol."""
        network = self.refiner.network
        stride = choose_stride(
            protocol, network.sample_interval, self.step, self.refiner.stride
        )
        return Windows(
            network.sample_interval,
            self.refiner.window_size,
            stride,
            network.distance,
        )

    def predict(
        self,
        inputs: Sequence[np.ndarray],
        samples: Sequence[PoseDataSample],
        protocol: str,
    ) -> None:
        """Refine, see :meth:`Method.predict`."""
        refiner = self.refiner
        device = next(refiner.network.parameters()).device
        refined = refine_sequences(
            refiner.guarded,
            [torch.as_tensor(x, device=device) for x in inputs],
            [torch.as_tensor(_scores(x), device=device) for x in samples],
            window=refiner.window_size,
            stride=self.windows(protocol).stride,
            normalization=refiner.normalization,
            root=refiner.root,
            image_size=_image_sizes(samples),
            tail=PROTOCOLS[protocol].tail,
        )
        for sample, sequence in zip(samples, refined):
            _set_prediction(
                sample,
                sequence.keypoints.cpu().numpy(),
                sequence.covered.cpu().numpy(),
            )


def _scores(sample: PoseDataSample) -> np.ndarray:
    """Confidences of the estimates, 0 where a gap was filled, (T, K)."""
    estimates = sample.est_instances
    scores = np.asarray(estimates.keypoint_scores, np.float32)
    return np.where(estimates.keypoints_valid, scores, np.float32(0))


def _set_prediction(
    sample: PoseDataSample, keypoints: np.ndarray, mask: np.ndarray
) -> None:
    sample.pred_instances = InstanceData(
        keypoints=keypoints,
        keypoint_scores=sample.est_instances.keypoint_scores,
        refined_mask=mask,
    )


def _image_sizes(
    samples: Sequence[PoseDataSample],
) -> Optional[torch.Tensor]:
    if not all('image_size' in sample for sample in samples):
        return None
    sizes: List[Any] = [list(sample.image_size) for sample in samples]
    return torch.as_tensor(sizes, dtype=torch.float32)
