"""Refiners that come with the package, by name.

Each is a portable file and a model card beside it, ``<name>.safetensors`` and
``<name>.md``, in the folder ``weights`` of the package.
"""

import os
import warnings
from pathlib import Path
from typing import Tuple

from .files import PathLike

WEIGHTS = Path(__file__).resolve().parents[1] / 'weights'
# What is taken where nobody names a refiner, by the number of coordinates.
DEFAULTS = {2: 'coco17-2d', 3: 'h36m17-3d'}
_SUFFIX = '.safetensors'


def list_refiners() -> Tuple[str, ...]:
    """Names of the refiners that come with the package, sorted."""
    return tuple(sorted(path.stem for path in WEIGHTS.glob(f'*{_SUFFIX}')))


def refiner_card(name: str) -> str:
    """The model card of a refiner that comes with the package.

    Args:
        name (str): See :func:`list_refiners`.

    Returns:
        str: Markdown: a heading, a paragraph that says what the refiner is
        for, and what it was trained on, how, its figures, limits and
        licence.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in list_refiners():
        raise ValueError(
            f'refiner {name!r}: not among those that come with the package '
            f'({_listed()})'
        )
    return (WEIGHTS / f'{name}.md').read_text(encoding='utf-8')


def summarize_refiner(name: str) -> str:
    """What a refiner is for, in one line: the first paragraph of its card.

    Args:
        name (str): See :func:`list_refiners`.

    Raises:
        ValueError: If there is none of that name.
    """
    blocks = refiner_card(name).split('\n\n')
    texts = [x for x in map(str.strip, blocks) if x and x[0] != '#']
    return ' '.join(texts[0].split()) if texts else ''


def default_refiner(coord_dims: int) -> str:
    """Name of the refiner for poses of which nothing else is said.

    Args:
        coord_dims (int): Coordinates of a keypoint.

    Raises:
        ValueError: If there is none for so many coordinates.
    """
    if coord_dims not in DEFAULTS:
        raise ValueError(
            'no refiner is the default for keypoints of '
            f'{coord_dims} coordinates'
        )
    return DEFAULTS[coord_dims]


def is_name(refiner: PathLike) -> bool:
    """Whether it is a name: a text without folder and suffix.

    All else is a file: ``./mine``, ``mine.safetensors``, any ``Path``.
    """
    separators = [os.sep, *filter(None, [os.altsep])]
    return (
        isinstance(refiner, str)
        and bool(refiner)
        and not any(x in refiner for x in separators)
        and not Path(refiner).suffix
    )


def find_refiner(refiner: PathLike) -> Path:
    """The portable file of a refiner.

    Args:
        refiner (PathLike): A file; or a name, see :func:`is_name`, of one
            that comes with the package. A name that is none of these is
            taken for a file of the working directory, if there is one.

    Returns:
        Path: The file, which need not be there if a file was asked for.

    Raises:
        ValueError: If there is neither a refiner nor a file of that name.

    Warns:
        UserWarning: If there are both; the refiner of the package is taken.
    """
    if not is_name(refiner):
        return Path(refiner)
    beside = Path(refiner).is_file()
    if refiner in list_refiners():
        if beside:
            warnings.warn(
                f'refiner {refiner!r}: the one that comes with the package, '
                'not the file of that name in the working directory: give '
                f'./{refiner} for that',
                stacklevel=2,
            )
        return WEIGHTS / f'{refiner}{_SUFFIX}'
    if not beside:
        raise ValueError(
            f'refiner {refiner!r}: expected a file such as '
            f'{refiner}{_SUFFIX}, or one that comes with the package '
            f'({_listed()})'
        )
    return Path(refiner)


def _listed() -> str:
    return ', '.join(list_refiners()) or 'this one has none'
