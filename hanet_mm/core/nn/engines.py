# Copyright (c) hanet_mm contributors. All rights reserved.
"""The network in other forms, faster or for other programs.

All take windows and scores and give :class:`RefinedPoses` as the network does,
of any number of windows, with the weights that it had when they were made.
"""

import copy
import io
import warnings
from typing import Any, Callable, Dict, List, Optional, Tuple, Union
from weakref import WeakKeyDictionary, ref

import torch
from torch import Tensor, nn

from hanet_mm.core.data.extras import pip_install

from .decoder import RefinedPoses
from .layers import Attention
from .network import HANetNetwork
from .settings import ENGINES

OPSET = 17
INPUTS = ('keypoints', 'scores')

Engine = Callable[[Tensor, Optional[Tensor]], RefinedPoses]


class _NetworkEngine:
    """An engine that is made anew where it is copied or pickled.

    ``make`` makes it of the network and further arguments. The network is
    that of a refiner, which keeps it.
    """

    def __init__(
        self,
        run: Engine,
        make: Callable[..., Engine],
        network: HANetNetwork,
        *arguments: Any,
    ):
        self.run = run
        self._make = make
        self._network = ref(network)
        self._arguments = arguments

    def __call__(
        self, poses: Tensor, scores: Optional[Tensor] = None
    ) -> RefinedPoses:
        """Refine windows."""
        return self.run(poses, scores)

    def __reduce__(self) -> Tuple[Callable[..., Engine], tuple]:
        return self._make, (self._network(), *self._arguments)


class _Outputs(nn.Module):
    """A network whose outputs are a tuple of those that it has."""

    def __init__(self, network: HANetNetwork):
        super().__init__()
        self.network = network

    def forward(self, poses: Tensor, scores: Tensor) -> Tuple[Tensor, ...]:
        outputs = self.network(poses, scores)
        return tuple(x for x in outputs if x is not None)


def _sample(
    network: HANetNetwork, window: int
) -> Tuple[Tuple[Tensor, Tensor], List[str]]:
    """Inputs of a graph and the names of its outputs."""
    head, first = network.head, next(network.parameters())
    shape = (2, window, head.num_keypoints, head.coord_dims)
    # Not drawn by torch: the random numbers of others stay what they are.
    poses = torch.linspace(0, 1, int(torch.Size(shape).numel())).view(shape)
    poses = poses.to(first)
    scores = torch.full_like(poses[..., 0], 0.5)
    # Tables that are made once must not become part of the graph.
    outputs = network(poses, scores)
    names = [x for x in outputs._fields if getattr(outputs, x) is not None]
    return (poses, scores), names


def engine_of_streams(engine: Engine, window: int) -> Engine:
    """The fastest form for few windows at a time: traced, on the CPU.

    It has the weights of now. Networks with hooks, which a graph would leave
    out, and engines that are no network stay what they are.
    """
    if not isinstance(engine, HANetNetwork):
        return engine
    parameters = list(engine.parameters())
    hooks = [
        (x._forward_hooks, x._forward_pre_hooks) for x in engine.modules()
    ]
    # Tensors of inference mode do not tell whether they were changed.
    plain = not any(x.is_inference() for x in parameters)
    plain = plain and parameters[0].device.type == 'cpu'
    if not plain or any(map(any, hooks)):
        return engine
    weights = [(x.data_ptr(), x._version) for x in parameters]
    known = _traced.get(engine)
    if known is None or known[0] != weights:
        known = _traced[engine] = weights, trace_network(engine, window)
    return known[1]


def _with_constants(network: HANetNetwork) -> HANetNetwork:
    """A copy for windows of one length, which keeps what is the same in all.

    Its first call finds the projected positions.
    """
    network = copy.deepcopy(network).eval()
    for module in network.modules():
        if isinstance(module, Attention):
            module.shifts = {}
    return network


# Traced networks and the weights that they have.
_traced: 'WeakKeyDictionary[HANetNetwork, Tuple[list, Engine]]' = (
    WeakKeyDictionary()
)


@torch.no_grad()
def trace_network(network: HANetNetwork, window: int) -> Engine:
    """The network as a graph of torch, without the cost of modules.

    It pays where few windows come at a time.
    """
    constant = _with_constants(network)
    sample, names = _sample(constant, window)
    with warnings.catch_warnings():
        # Lengths of windows are constants, as they should be.
        warnings.simplefilter('ignore')
        graph = torch.jit.trace(
            _Outputs(constant).eval(), sample, check_trace=False
        )
        graph = torch.jit.freeze(graph)
        for _ in range(2):  # the first calls optimise it
            graph(*sample)

    def run(poses: Tensor, scores: Optional[Tensor] = None) -> RefinedPoses:
        with torch.inference_mode():
            return _named(names, graph(poses, scores))

    return _NetworkEngine(run, trace_network, network, window)


@torch.no_grad()
def export_onnx(
    network: HANetNetwork, window: int, extra: str = 'onnx'
) -> bytes:
    """The network as an ONNX graph for windows of T frames.

    Inputs are ``keypoints`` (B, T, K, D), normalised, and ``scores``
    (B, T, K), outputs the fields of :class:`RefinedPoses` that it has. B is
    any number, the opset 17. ``extra`` is the one that an error names.

    Raises:
        ImportError: If onnx is not installed.
    """
    try:
        import onnx  # noqa: F401  # torch needs it
    except ImportError as error:
        raise missing_extra(extra, error) from None
    sample, names = _sample(network, window)
    graph: Any = io.BytesIO()
    # The other exporter of torch needs a further package.
    options: Any = {} if _torch_is_old() else dict(dynamo=False)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        torch.onnx.export(
            _Outputs(network).eval(),
            sample,
            graph,
            input_names=list(INPUTS),
            output_names=names,
            dynamic_axes={x: {0: 'windows'} for x in (*INPUTS, *names)},
            opset_version=OPSET,
            **options,
        )
    return graph.getvalue()


def with_metadata(graph: bytes, texts: Dict[str, str]) -> bytes:
    """An exported network with texts by name in its metadata."""
    import onnx

    model = onnx.load_from_string(graph)
    onnx.helper.set_model_props(model, texts)
    return model.SerializeToString()


def run_onnx(graph: bytes) -> Engine:
    """An exported network in onnxruntime, on the CPU.

    Raises:
        ImportError: If onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise missing_extra('onnx', error) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        graph, options, providers=['CPUExecutionProvider']
    )
    names = [x.name for x in session.get_outputs()]

    def run(feed: Dict[str, Any]) -> List[Any]:
        return session.run(names, feed)

    return _with_arrays([x.name for x in session.get_inputs()], names, run)


def run_openvino(graph: bytes) -> Engine:
    """An exported network in OpenVINO, on the CPU, in float32.

    Raises:
        ImportError: If openvino is not installed.
    """
    try:
        import openvino
    except ImportError as error:
        raise missing_extra('openvino', error) from None
    core = openvino.Core()
    model = core.read_model(io.BytesIO(graph))
    settings = {
        'INFERENCE_PRECISION_HINT': 'f32',
        'INFERENCE_NUM_THREADS': torch.get_num_threads(),
        'PERFORMANCE_HINT': 'LATENCY',
    }
    compiled = core.compile_model(model, 'CPU', settings)
    # A tensor may have several names there.
    given, names = (
        [name for x in ports for name in known if name in x.get_names()]
        for ports, known in (
            (compiled.inputs, INPUTS),
            (compiled.outputs, RefinedPoses._fields),
        )
    )

    def run(feed: Dict[str, Any]) -> List[Any]:
        return list(compiled(feed).values())

    return _with_arrays(given, names, run)


def make_engine(name: str, network: HANetNetwork, window: int) -> Engine:
    """An engine of that name, see :data:`ENGINES`; 'torch' is the network.

    Raises:
        ImportError: If the packages of the engine are not installed.
        ValueError: If there is no engine of that name.
    """
    check_engine(name)
    if name == 'torch':
        return network
    graph = export_onnx(network, window, name)
    run = run_onnx(graph) if name == 'onnx' else run_openvino(graph)
    return _NetworkEngine(run, _make_again, network, name, window)


def _make_again(network: HANetNetwork, name: str, window: int) -> Engine:
    return make_engine(name, network, window)


def check_engine(name: str, device: Union[str, torch.device] = 'cpu') -> None:
    """Raise a ValueError unless there is such an engine on that device."""
    if name not in ENGINES:
        raise ValueError(f'engine: expected one of {ENGINES}, found {name!r}')
    if name != 'torch' and torch.device(device).type != 'cpu':
        raise ValueError(
            f'engine {name!r}: expected the device cpu, found {device}'
        )


def missing_extra(extra: str, error: ImportError) -> ImportError:
    """The error that names the extra to install."""
    return ImportError(
        f'{error}: {pip_install(extra)} installs what is missing'
    )


def _with_arrays(
    given: List[str],
    names: List[str],
    run: Callable[[Dict[str, Any]], List[Any]],
) -> Engine:
    """An engine from a function of numpy arrays, ``given`` by name."""

    def refine(poses: Tensor, scores: Optional[Tensor]) -> RefinedPoses:
        if scores is None:
            raise ValueError('an exported network needs scores (B, T, K)')
        feed = {
            name: value.detach().float().cpu().contiguous().numpy()
            for name, value in zip(INPUTS, (poses, scores))
            if name in given
        }
        outputs = [torch.from_numpy(x).to(poses.device) for x in run(feed)]
        return _named(names, outputs)

    return refine


def _named(names: List[str], outputs: Any) -> RefinedPoses:
    return RefinedPoses(**dict(zip(names, outputs)))


def _torch_is_old() -> bool:
    """Whether :func:`torch.onnx.export` has no other exporter."""
    return 'dynamo' not in torch.onnx.export.__code__.co_varnames
