"""The portable file of a refiner: safetensors with a JSON header."""

import json
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from .files import PathLike, atomic_path

# Key of the JSON among the metadata of the safetensors file.
HEADER = 'hanet_mm'
VERSION = 1


def write_portable(
    path: PathLike, weights: Dict[str, Tensor], header: dict
) -> None:
    """Write weights and what is needed to rebuild their network.

    Args:
        path (PathLike): Written whole or not at all.
        weights (dict[str, Tensor]): State dict of the network.
        header (dict): What JSON can hold.
    """
    weights = {
        name: value.detach().cpu().contiguous()
        for name, value in weights.items()
    }
    text = json.dumps({'version': VERSION, **header}, sort_keys=True)
    with atomic_path(path) as temporary:
        # Not save_file, whose files nobody else may read.
        temporary.write_bytes(save(weights, metadata={HEADER: text}))


def read_portable(path: PathLike) -> Tuple[Dict[str, Tensor], dict]:
    """Read a portable file.

    Args:
        path (PathLike): The file.

    Returns:
        tuple[dict[str, Tensor], dict]: Weights and header, without version.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: One line naming the file and what is wrong with it.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path}: no such refiner file')
    try:
        with safe_open(str(path), framework='pt') as file:
            text = (file.metadata() or {}).get(HEADER)
            names = sorted(file.keys())
            weights = {name: file.get_tensor(name) for name in names}
    except SafetensorError as error:
        raise ValueError(
            f'{path}: not a refiner file, or truncated ({error}); make one '
            'from a checkpoint with: hanet-mm export'
        ) from None
    if text is None:
        raise ValueError(f'{path}: a safetensors file of another program')
    return weights, _parse_header(path, text)


def load_weights(
    network: nn.Module, weights: Mapping[str, Tensor], source: PathLike
) -> None:
    """Copy weights into a network that has to have exactly those.

    Args:
        network (nn.Module): Changed in place.
        weights (Mapping[str, Tensor]): By the names of its state dict.
        source (PathLike): Where they are from, for messages.

    Raises:
        ValueError: One line with the first weight that is missing, does not
            belong there or has another shape.
    """
    expected = {k: tuple(v.shape) for k, v in network.state_dict().items()}
    found = {k: tuple(v.shape) for k, v in weights.items()}
    wrong = [
        name
        for name in {**expected, **found}
        if expected.get(name) != found.get(name)
    ]
    if wrong:
        name = wrong[0]
        raise ValueError(
            f'{source}: {len(wrong)} weights do not fit the network, the '
            f'first is {name!r}: expected '
            f'{_shape(expected.get(name))}, found {_shape(found.get(name))}'
        )
    network.load_state_dict(weights)


def _shape(shape: Any) -> str:
    return 'none' if shape is None else f'shape {shape}'


def _parse_header(path: PathLike, text: str) -> dict:
    try:
        header = json.loads(text)
    except ValueError as error:
        raise ValueError(f'{path}: header is not JSON: {error}') from None
    version = header.pop('version', None) if isinstance(header, dict) else None
    if version != VERSION:
        raise ValueError(
            f'{path}: expected a refiner file of version {VERSION}, found '
            f'{version}'
        )
    return header
