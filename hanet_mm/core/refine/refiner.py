# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refine keypoints of any estimator, without OpenMMLab."""

from typing import Any, Callable, Dict, List, Optional, Sequence, Union, cast

import torch
from torch import nn

from ..data.files import PathLike
from ..nn.engines import Engine, check_engine, make_engine
from ..nn.kinematics import sampled_frames
from ..nn.network import HANetNetwork
from ..nn.settings import own_settings
from .frame_rate import (
    Rates,
    Times,
    check_fps,
    check_range,
    native_rates,
    sequence_positions,
)
from .gate import GatedNetwork, NoveltyGate
from .inference import check_flip, mirrored_network
from .inputs import (
    Array,
    RefineResult,
    read_refine_inputs,
    read_rotations,
    rotations_as_given,
    spread_sizes,
)
from .normalization import check_normalization
from .pauses import warn_of_pauses
from .resampling import refine_resampled
from .rigid import RigidBody, rigid_body
from .swap_chains import SwapChains, swap_chains
from .weights_file import (
    find_refiner,
    load_weights,
    read_portable,
    write_portable,
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
        stride (int): Frames from one window to the next. Of overlapping
            windows the mean is taken.
        taper (bool): Whether the frames of a window weigh as in
            :func:`window_weights`: most in its middle. With a stride of up to
            a third of T that is as exact as a stride of 1. Defaults to
            False: all alike.
        keypoint_names (Sequence[str], optional): In the order of the
            keypoints.
        root (Sequence[int], optional): Root joints of 'root'.
        fps (float, optional): Frames per second of the training data.
        fps_range (Sequence[float], optional): Lowest and highest rate of it:
            sequences at such a rate are refined as they are, others at
            ``fps``. Defaults to None: only ``fps`` itself.
        flip_indices (Sequence[int], optional): Opposite-side joint of each
            joint: windows are refined mirrored too and both results averaged,
            in twice the time.
        gate (bool | str): Whether it has a :class:`NoveltyGate`, which leaves
            windows unlike the training data to a classical filter, with a
            warning: 'motion', or True for one that looks at poses alone.
        trust (bool): Whether swaps of left and right are undone before
            anything else, and corrections limited to what the sequence gives
            evidence of, see :mod:`hanet_mm.core.refine.trust`. Needs
            ``keypoint_names``.

    Raises:
        ValueError: If T does not fit the network's N, or a number, the
            normalization, the number of names or the rate is wrong.
    """

    def __init__(
        self,
        network: dict,
        window_size: int,
        normalization: str,
        stride: int = 1,
        keypoint_names: Optional[Sequence[str]] = None,
        root: Optional[Sequence[int]] = None,
        fps: Optional[float] = None,
        flip_indices: Optional[Sequence[int]] = None,
        gate: Union[bool, str] = False,
        trust: bool = False,
        fps_range: Optional[Sequence[float]] = None,
        taper: bool = False,
    ):
        check_normalization(normalization, root)
        check_flip(normalization, flip_indices)
        sampled_frames(window_size, network['sample_interval'])
        if stride < 1:
            raise ValueError(f'stride has to be at least 1, got {stride}')
        self.config: Dict[str, Any] = dict(
            network=network,
            window_size=window_size,
            normalization=normalization,
            stride=stride,
            keypoint_names=keypoint_names and list(keypoint_names),
        )
        # Left out where there is none: files written before have none.
        if root:
            self.config['root'] = list(root)
        if taper:
            self.config['taper'] = True
        if fps is not None:
            self.config['fps'] = check_fps(fps)
        if fps_range is not None:
            self.config['fps_range'] = check_range(fps_range, fps)
        if flip_indices is not None:
            self.config['flip_indices'] = list(flip_indices)
        self.root = self.config.get('root')
        self.flip_indices = self.config.get('flip_indices')
        self.fps = self.config.get('fps')
        self.fps_range = self.config.get('fps_range')
        with own_settings():
            self.network = HANetNetwork(**network).float().eval()
        # What windows go through: the network, or a form of it.
        self._engine: Optional[Engine] = None
        num_keypoints = self.network.head.num_keypoints
        if keypoint_names and len(keypoint_names) != num_keypoints:
            raise ValueError(
                f'expected {num_keypoints} keypoint_names, got '
                f'{len(keypoint_names)}'
            )
        self.window_size = window_size
        self.normalization = normalization
        self.stride = stride
        self.taper = bool(taper)
        self.keypoint_names = self.config['keypoint_names']
        self.chains: Optional[SwapChains] = None
        self.body: Optional[RigidBody] = None
        if trust:
            self.chains = self._find_chains()
            if keypoint_names and root:
                self.body = rigid_body(keypoint_names, root)
            self.config['trust'] = True
        self.gate: Optional[NoveltyGate] = None
        if gate not in (False, True, 'motion'):
            raise ValueError(f"gate: expected 'motion' or True, found {gate}")
        if gate:
            self.add_gate(motion=gate == 'motion')

    def __repr__(self) -> str:
        head = self.network.head
        fps = '' if self.fps is None else f', fps={self.fps:g}'
        return (
            f'Refiner(keypoints={head.num_keypoints}, '
            f'coordinates={head.coord_dims}, window={self.window_size}, '
            f'interval={self.network.sample_interval}, '
            f'stride={self.stride}, normalization={self.normalization!r}'
            f'{fps})'
        )

    def to(self, device: Union[str, torch.device]) -> 'Refiner':
        """Move the network to a device."""
        self.modules.to(device)
        return self

    def _find_chains(self) -> SwapChains:
        if self.keypoint_names is None:
            raise ValueError('trust needs keypoint_names')
        if self.normalization == 'rot6d':
            raise ValueError('trust is for keypoints, not for rotations')
        return swap_chains(self.keypoint_names)

    @property
    def modules(self) -> nn.Module:
        """All modules with weights; those of the network by its own names."""
        modules = nn.ModuleDict(dict(self.network.named_children()))
        if self.gate is not None:
            modules['gate'] = self.gate
        return modules

    @property
    def engine(self) -> Engine:
        """What runs the network: itself unless another one was set."""
        return self.network if self._engine is None else self._engine

    @engine.setter
    def engine(self, engine: Engine) -> None:
        self._engine = None if engine is self.network else engine

    def gated(self, engine: Optional[Engine] = None) -> GatedNetwork:
        """The network, mirrored and gated where configured.

        ``engine`` is a form of it. Defaults to None: the refiner's.
        """
        engine = self.engine if engine is None else engine
        network = mirrored_network(engine, self.flip_indices)
        if self.chains is None:
            return GatedNetwork(network, self.gate)
        # Its limit leaves nothing of what stands in for the network.
        return GatedNetwork(network, self.gate, 'the robust path')

    def add_gate(self, motion: bool = True) -> NoveltyGate:
        """Add a gate that passes all windows until :func:`fit_gate` is run."""
        if self.window_size < 3:
            raise ValueError(
                'a gate needs windows of at least 3 frames, got '
                f'{self.window_size}'
            )
        head = self.network.head
        self.config['gate'] = 'motion' if motion else True
        with own_settings():
            gate = NoveltyGate(head.num_keypoints, head.coord_dims, motion)
            self.gate = gate.float()
        return self.gate

    def save(self, path: PathLike) -> None:
        """Write the portable file that :func:`load_refiner` reads."""
        write_portable(path, self.modules.state_dict(), self.config)

    @own_settings()
    def refine(
        self,
        keypoints: Union[Array, Sequence[Array]],
        scores: Union[Array, Sequence[Array], None] = None,
        image_size: Union[Sequence[int], Sequence[Sequence[int]], None] = None,
        max_gap: Optional[int] = None,
        fps: Rates = None,
        timestamps: Union[Times, Sequence[Times], None] = None,
    ) -> Union[RefineResult, List[RefineResult]]:
        """Refine one sequence or several.

        Args:
            keypoints: (T, K, D), any T >= 1, or a list of such; NaN = missing.
                With 'root' normalisation 3D joints in metres. With 'rot6d'
                rotations, axis-angle (T, K, 3) or (T, 3K), or 6D (T, K, 6) or
                (T, 6K).
            scores: Confidences from 0 = missing to 1, (T, K) or a list of
                such, see :mod:`hanet_mm.core.data.scores`. None: all
                keypoints that are not NaN were found, and nothing is known.
            image_size: W, H in pixels, of all sequences or of each. Needed
                by refiners with 'image' normalisation.
            max_gap: Longest run of frames without a joint that is filled.
                In longer ones, at the ends of a sequence too, and of joints
                never found, the result is NaN and not ``filled``. None: all
                gaps are filled.
            fps: Frames per second, of all sequences or of each. Sequences at
                another rate than the refiner's are resampled, refined and
                resampled back. None: the refiner's. No effect if the refiner
                does not know its rate.
            timestamps: Seconds of each frame in place of ``fps``, (T, ) or a
                list of such, even or uneven. A refiner that does not know
                its rate takes it to be the median one of the sequence.

        Returns:
            RefineResult, or a list of them for a list. Rotations have the form
            of the input; axis-angle vectors are continuous over time, so their
            length may exceed pi.

        Raises:
            ValueError: If shapes do not fit the refiner or each other, a
                value is infinite, a score is beyond its range, a sequence
                is empty or has no keypoint at all, metres seem to be another
                unit, time stamps do not increase, or ``fps`` or ``max_gap``
                is wrong; the message names the sequence.
        """
        head = self.network.head
        original = keypoints
        if self.normalization == 'rot6d':
            keypoints = _each(
                keypoints, lambda x: read_rotations(x, head.num_keypoints)
            )
        positions = sequence_positions(
            keypoints, self.fps, fps, timestamps, self.fps_range
        )
        warn_of_pauses(positions, self.window_size, self.fps, stacklevel=3)
        rates = None
        if self.chains is not None:
            rates = native_rates(keypoints, positions, self.fps, fps)
        inputs = read_refine_inputs(
            keypoints,
            scores,
            (head.num_keypoints, head.coord_dims),
            max_gap,
            positions,
            self.chains,
            rates,
            self.root,
        )
        if self.normalization == 'root':
            inputs.check_metres()
        gated = self.gated()
        refined = refine_resampled(
            gated,
            inputs.keypoints,
            inputs.scores,
            positions,
            window=self.window_size,
            stride=self.stride,
            taper=self.taper,
            normalization=self.normalization,
            root=self.root,
            image_size=spread_sizes(image_size, len(inputs.given)),
            device=next(self.network.parameters()).device,
            rates=rates,
            swapped=inputs.swapped,
            body=self.body,
        )
        gated.warn(stacklevel=3)  # past own_settings
        redefine = self.network.head.redefine
        poses = [redefine(sequence.keypoints) for sequence in refined]
        if self.normalization == 'rot6d':
            given: Any = original
            inputs.given = list(given) if inputs.several else [given]
            poses = [
                rotations_as_given(*pair) for pair in zip(poses, inputs.given)
            ]
        return inputs.results(
            poses,
            [x.expected_error for x in refined],
            [x.reason for x in refined],
        )


def _each(
    sequences: Union[Array, Sequence[Array]],
    change: Callable[[Array], Array],
) -> Union[Array, List[Array]]:
    if isinstance(sequences, (list, tuple)):
        return [change(x) for x in sequences]
    return change(cast(Array, sequences))


def load_refiner(
    path: PathLike,
    device: Union[str, torch.device] = 'cpu',
    engine: str = 'torch',
) -> Refiner:
    """Load a refiner.

    Example:
        >>> load_refiner('coco17-2d'), load_refiner('mine.safetensors')

    Args:
        path (PathLike): Name of a bundled refiner, see
            :func:`hanet_mm.list_refiners`; or a portable file, written by
            :meth:`Refiner.save` or ``hanet-mm export``. A string without
            folder and suffix is a name.
        device (str | torch.device): Device of the network.
        engine (str): What runs the network: 'torch', 'onnx' (onnxruntime) or
            'openvino', these on the CPU. Defaults to 'torch'.

    Returns:
        Refiner: Ready to use.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If the packages of the engine are not installed.
        ValueError: If there is no refiner of that name, the file is not one
            of a refiner, its weights do not fit its header, or there is no
            such engine.
    """
    check_engine(engine, device)
    path = find_refiner(path)
    weights, header = read_portable(path)
    try:
        refiner = Refiner(**header)
    except (
        ArithmeticError,
        AssertionError,
        AttributeError,
        LookupError,
        MemoryError,
        RuntimeError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(
            f'{path}: the header is not one of a refiner: '
            f'{type(error).__name__}: {error}'
        ) from None
    load_weights(refiner.modules, weights, path)
    refiner.engine = make_engine(engine, refiner.network, refiner.window_size)
    return refiner.to(device)
