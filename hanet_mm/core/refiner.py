"""Refine keypoints of any estimator, without OpenMMLab."""

from dataclasses import dataclass
from typing import List, Optional, Sequence, Union

import numpy as np
import torch
from torch import Tensor

from .files import PathLike
from .gaps import fill_missing, missing_keypoints
from .inference import refine_sequences
from .kinematics import sampled_frames
from .network import HANetNetwork
from .normalization import check_normalization
from .portable import load_weights, read_portable, write_portable

Array = Union[np.ndarray, Tensor]


@dataclass(repr=False)
class RefineResult:
    """A refined sequence, of the kind that was given (numpy or torch).

    Attributes:
        keypoints: Refined keypoints in the coordinates given, (T, K, D).
        filled: Keypoints that the estimator had not found, bool, (T, K).
    """

    keypoints: Array
    filled: Array

    def __repr__(self) -> str:
        return (
            f'RefineResult(keypoints={tuple(self.keypoints.shape)}, '
            f'filled={tuple(self.filled.shape)} with '
            f'{int(self.filled.sum())} True)'
        )


class Refiner:
    """A trained network with all that is needed to use it.

    Example:
        >>> refiner = load_refiner('refiner.safetensors')
        >>> better = refiner.refine(keypoints, scores).keypoints

    Args:
        network (dict): Arguments of :class:`HANetNetwork`.
        window_size (int): Frames of a window, T.
        normalization (str): Coordinates that the network was trained on, see
            :func:`fit_normalization`.
        stride (int): Frames from one window to the next. Defaults to 1.
        keypoint_names (Sequence[str], optional): In the order of the
            keypoints. Defaults to None: not known.

    Raises:
        ValueError: If T does not fit the network's N, or a number, the
            normalisation or the number of names is wrong.
    """

    def __init__(
        self,
        network: dict,
        window_size: int,
        normalization: str,
        stride: int = 1,
        keypoint_names: Optional[Sequence[str]] = None,
    ):
        check_normalization(normalization)
        sampled_frames(window_size, network['sample_interval'])
        if stride < 1:
            raise ValueError(f'stride has to be at least 1, got {stride}')
        self.config = dict(
            network=network,
            window_size=window_size,
            normalization=normalization,
            stride=stride,
            keypoint_names=keypoint_names and list(keypoint_names),
        )
        self.network = HANetNetwork(**network).eval()
        num_keypoints = self.network.head.num_keypoints
        if keypoint_names and len(keypoint_names) != num_keypoints:
            raise ValueError(
                f'expected {num_keypoints} keypoint_names, got '
                f'{len(keypoint_names)}'
            )
        self.window_size = window_size
        self.normalization = normalization
        self.stride = stride
        self.keypoint_names = self.config['keypoint_names']

    def __repr__(self) -> str:
        head = self.network.head
        return (
            f'Refiner(keypoints={head.num_keypoints}, '
            f'coordinates={head.coord_dims}, window={self.window_size}, '
            f'interval={self.network.sample_interval}, '
            f'stride={self.stride}, normalization={self.normalization!r})'
        )

    def to(self, device: Union[str, torch.device]) -> 'Refiner':
        """Move the network to a device."""
        self.network.to(device)
        return self

    def save(self, path: PathLike) -> None:
        """Write the portable file that :func:`load_refiner` reads."""
        write_portable(path, self.network.state_dict(), self.config)

    def refine(
        self,
        keypoints: Union[Array, Sequence[Array]],
        scores: Union[Array, Sequence[Array], None] = None,
        image_size: Union[Sequence[int], Sequence[Sequence[int]], None] = None,
    ) -> Union[RefineResult, List[RefineResult]]:
        """Refine one sequence or several.

        Args:
            keypoints: (T, K, D), any T >= 1, or a list of such. NaN marks a
                keypoint that was not found.
            scores: Confidences, (T, K) or a list of such; 0 marks a keypoint
                that was not found. Defaults to None: all were found that are
                not NaN.
            image_size: W, H in pixels, of all sequences or of each. Needed
                by refiners with 'image' normalisation.

        Returns:
            RefineResult, or a list of them for a list.

        Raises:
            ValueError: If shapes do not fit the refiner or each other, a
                value is infinite, a sequence is empty or has no keypoint at
                all; the message names the sequence.
        """
        several = isinstance(keypoints, (list, tuple))
        sequences = list(keypoints) if several else [keypoints]
        if scores is None:
            all_scores = [None] * len(sequences)
        else:
            all_scores = list(scores) if several else [scores]
        if len(all_scores) != len(sequences):
            raise ValueError(
                f'{len(sequences)} sequences of keypoints but '
                f'{len(all_scores)} of scores'
            )
        prepared = [
            self._prepare(x, y, f'sequence {i}' if several else 'keypoints')
            for i, (x, y) in enumerate(zip(sequences, all_scores))
        ]
        device = next(self.network.parameters()).device
        refined = refine_sequences(
            self.network,
            [torch.from_numpy(filled).to(device) for filled, _ in prepared],
            [torch.from_numpy(~missing).to(device) for _, missing in prepared],
            window=self.window_size,
            stride=self.stride,
            normalization=self.normalization,
            image_size=self._image_sizes(image_size, len(sequences)),
        )
        results = [
            RefineResult(
                _as_given(given, result.keypoints),
                _as_given(given, torch.from_numpy(missing), cast=False),
            )
            for given, result, (_, missing) in zip(
                sequences, refined, prepared
            )
        ]
        return results if several else results[0]

    def _prepare(self, keypoints: Array, scores: Optional[Array], name: str):
        points = _to_numpy(keypoints).astype(np.float32)
        head = self.network.head
        expected = (head.num_keypoints, head.coord_dims)
        if points.ndim != 3 or points.shape[1:] != expected:
            raise ValueError(
                f'{name}: expected shape (T, K, D) = (T, {expected[0]}, '
                f'{expected[1]}), found {points.shape}'
            )
        if not len(points):
            raise ValueError(f'{name}: expected at least 1 frame, found 0')
        if np.isinf(points).any():
            frame = int(np.isinf(points).any((1, 2)).argmax())
            raise ValueError(f'{name}: infinite coordinate in frame {frame}')
        if scores is None:
            scores = np.ones(points.shape[:2], dtype=np.float32)
        scores = _to_numpy(scores)
        if scores.shape != points.shape[:2]:
            raise ValueError(
                f'{name}: expected scores of shape {points.shape[:2]}, found '
                f'{scores.shape}'
            )
        missing = missing_keypoints(points, scores)
        if missing.all():
            raise ValueError(
                f'{name}: no keypoint in any of its {len(points)} frames'
            )
        return fill_missing(points, missing, np.array([len(points)])), missing

    def _image_sizes(
        self, image_size: Optional[Sequence], count: int
    ) -> Optional[Tensor]:
        if image_size is None:
            return None
        sizes = torch.as_tensor(np.asarray(image_size, dtype=np.float32))
        if sizes.shape not in ((2,), (count, 2)):
            raise ValueError(
                'expected image_size (W, H), once or for each of '
                f'{count} sequences, found shape {tuple(sizes.shape)}'
            )
        return sizes.expand(count, 2)


def load_refiner(
    path: PathLike, device: Union[str, torch.device] = 'cpu'
) -> Refiner:
    """Load a portable refiner file.

    Args:
        path (PathLike): Written by :meth:`Refiner.save` or
            ``hanet-mm export``.
        device (str | torch.device): Defaults to 'cpu'.

    Returns:
        Refiner: Ready to use.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is not one of a refiner, or its weights do
            not fit its header.
    """
    weights, header = read_portable(path)
    try:
        refiner = Refiner(**header)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(
            f'{path}: the header is not one of a refiner: '
            f'{type(error).__name__}: {error}'
        ) from None
    load_weights(refiner.network, weights, path)
    return refiner.to(device)


def _to_numpy(array: Array) -> np.ndarray:
    if isinstance(array, Tensor):
        # numpy has no bfloat16.
        return array.detach().float().cpu().numpy()
    return np.asarray(array)


def _as_given(given: Array, value: Tensor, cast: bool = True) -> Array:
    """The value as numpy or torch, on the device and of the type given."""
    if isinstance(given, Tensor):
        wanted = given.dtype if cast and given.is_floating_point() else None
        return value.to(device=given.device, dtype=wanted)
    result = value.cpu().numpy()
    given = np.asarray(given)
    if cast and np.issubdtype(given.dtype, np.floating):
        return result.astype(given.dtype, copy=False)
    return result
