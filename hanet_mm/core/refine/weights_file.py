# Copyright (c) hanet_mm contributors. All rights reserved.
"""The portable file of a refiner, and the bundled refiners by name.

A portable file is safetensors with a JSON header. Bundled refiners are
portable files with a model card beside each, ``<name>.safetensors`` and
``<name>.md``, in the folder ``weights`` of the package.
"""

import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Mapping, Sequence, Tuple

from safetensors import SafetensorError, safe_open

from ..data.files import PathLike, atomic_path
from .header_check import check_header

if TYPE_CHECKING:
    # Torch takes seconds to import; names and cards do not need it.
    from torch import Tensor, nn

WEIGHTS = Path(__file__).resolve().parents[2] / 'weights'
# What is taken where nobody names a refiner, by the number of coordinates.
DEFAULTS = {2: 'coco17-2d', 3: 'h36m17-3d'}
# And for 2D keypoints among which are heels or toes.
DEFAULT_WITH_FEET = 'body23-2d'
_FEET = ('heel', 'toe')
_SUFFIX = '.safetensors'


def list_refiners() -> Tuple[str, ...]:
    """Names of the bundled refiners, sorted."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob(f'*{_SUFFIX}')))


def refiner_card(name: str) -> str:
    """Return the model card of a bundled refiner.

    Args:
        name (str): See :func:`list_refiners`.

    Returns:
        str: Markdown: purpose, training data, figures, limits and licence.

    Raises:
        ValueError: If there is no refiner of that name.
    """
    if name not in list_refiners():
        raise ValueError(
            f'unknown refiner {name!r}; bundled refiners: {_list_names()}'
        )
    return (WEIGHTS / f'{name}.md').read_text(encoding='utf-8')


def summarize_refiner(name: str) -> str:
    """Return the purpose of a refiner: the first paragraph of its card."""
    blocks = refiner_card(name).split('\n\n')
    texts = [x for x in map(str.strip, blocks) if x and x[0] != '#']
    return ' '.join(texts[0].split()) if texts else ''


def default_refiner(
    coord_dims: int, keypoint_names: Sequence[str] = ()
) -> str:
    """Return the default refiner for poses of 2 or 3 coordinates.

    ``keypoint_names`` tell whether 2D poses have feet.
    """
    if coord_dims not in DEFAULTS:
        raise ValueError(
            'there is no default refiner for keypoints of '
            f'{coord_dims} coordinates'
        )
    names = ' '.join(keypoint_names).lower()
    if coord_dims == 2 and any(x in names for x in _FEET):
        return DEFAULT_WITH_FEET
    return DEFAULTS[coord_dims]


def is_name(refiner: PathLike) -> bool:
    """Whether a text is a name: without folder and suffix, not a file."""
    separators = [os.sep, *filter(None, [os.altsep])]
    return (
        isinstance(refiner, str)
        and bool(refiner)
        and not any(x in refiner for x in separators)
        and not Path(refiner).suffix
    )


def find_refiner(refiner: PathLike) -> Path:
    """Find the portable file of a refiner, given its name or a file.

    A bundled refiner precedes a file of the same name in the working
    directory, with a warning.
    """
    if not is_name(refiner):
        return Path(refiner)
    beside = Path(refiner).is_file()
    if refiner in list_refiners():
        if beside:
            warnings.warn(
                f'refiner {refiner!r}: using the bundled one, not the file '
                f'of that name in the working directory, which is ./{refiner}',
                stacklevel=2,
            )
        return WEIGHTS / f'{refiner}{_SUFFIX}'
    if not beside:
        raise ValueError(
            f'unknown refiner {refiner!r}; bundled refiners: {_list_names()}; '
            f'a file has a folder or a suffix, such as {refiner}{_SUFFIX}'
        )
    return Path(refiner)


def _list_names() -> str:
    return ', '.join(list_refiners()) or 'none'


# Key of the JSON among the metadata of the safetensors file.
HEADER = 'hanet_mm'
VERSION = 1


def write_portable(
    path: PathLike, weights: Dict[str, 'Tensor'], header: dict
) -> None:
    """Write weights and the header from which to rebuild their network."""
    from safetensors.torch import save

    weights = {
        name: value.detach().cpu().contiguous()
        for name, value in weights.items()
    }
    text = json.dumps({'version': VERSION, **header}, sort_keys=True)
    with atomic_path(path) as temporary:
        # Not save_file, whose files nobody else may read.
        temporary.write_bytes(save(weights, metadata={HEADER: text}))


def read_portable(path: PathLike) -> Tuple[Dict[str, 'Tensor'], dict]:
    """Read weights and header (without version) of a portable file."""
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
    header = _parse_header(path, text)
    check_header(header, weights, path)
    return weights, header


def load_weights(
    network: 'nn.Module', weights: Mapping[str, 'Tensor'], source: PathLike
) -> None:
    """Copy weights into a network that must have exactly these."""
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
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path}: header is not JSON: {error}') from None
    version = header.pop('version', None) if isinstance(header, dict) else None
    if version != VERSION:
        raise ValueError(
            f'{path}: expected a refiner file of version {VERSION}, found '
            f'{version}'
        )
    return header
