"""The portable file of a refiner: safetensors with a JSON header."""

import json
from pathlib import Path
from typing import Dict, Tuple

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

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
        save_file(weights, str(temporary), metadata={HEADER: text})


def read_portable(path: PathLike) -> Tuple[Dict[str, Tensor], dict]:
    """Read a portable file.

    Args:
        path (PathLike): The file.

    Returns:
        tuple[dict[str, Tensor], dict]: Weights and header.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: One line naming the file and what is wrong with it.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path}: no such refiner file')
    try:
        with safe_open(str(path), framework='pt') as file:
            text = (file.metadata() or {}).get(HEADER)
            weights = {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise ValueError(
            f'{path}: not a refiner file, or truncated ({error}); make one '
            'from a checkpoint with: hanet-mm export'
        ) from None
    if text is None:
        raise ValueError(f'{path}: a safetensors file of another program')
    header = json.loads(text)
    if header['version'] != VERSION:
        raise ValueError(
            f'{path}: expected a refiner file of version {VERSION}, found '
            f'{header["version"]}'
        )
    return weights, header
