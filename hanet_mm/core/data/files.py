# Copyright (c) hanet_mm contributors. All rights reserved.
"""Read and write files: whole or not at all, JSON with NaN, no pickles."""

import json
import math
import os
import struct
import zipfile
import zlib
from pathlib import Path
from tokenize import TokenError
from typing import (
    IO,
    Any,
    Container,
    Dict,
    Iterable,
    Mapping,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np

from .atomic import PathLike, atomic_path

# What a damaged archive raises, depending on where it was cut or changed.
DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,
    MemoryError,
    SyntaxError,
    TokenError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
)

LARGEST_ARRAY = 2**33
"""Bytes of an array that are read: a damaged or malicious header may say any
number, and a small archive expand to any."""


class ObjectArrayError(ValueError):
    """An archive holds an object array, which only pickle can read."""


def read_npz(
    path: PathLike,
    need: Sequence[str],
    known: Container[str],
    prefix: Optional[str] = None,
) -> Dict[str, np.ndarray]:
    """Read keys of an ``.npz`` archive without unpickling anything.

    All of ``need`` are required; those in ``known`` or with ``prefix``
    ('': all) are optional, others are ignored. An object array is an
    :class:`ObjectArrayError`.
    """
    with open_archive(path) as archive:
        found = archive.files
        missing = [key for key in need if key not in found]
        if missing:
            # An object array is the more telling reason, so it comes first.
            for key in found:
                _read(archive, path, key)
            raise ValueError(missing_key(path, missing[0], need, found))
        wanted = [
            key
            for key in found
            if key in known or (prefix is not None and key.startswith(prefix))
        ]
        return {key: _read(archive, path, key) for key in wanted}


def missing_key(
    path: PathLike, key: str, need: Iterable[str], found: Iterable[str]
) -> str:
    """Say that a key of a file is missing."""
    return (
        f'{path}: key {key!r} is missing; expected {", ".join(need)}, found '
        f'{", ".join(found) or "none"}'
    )


def npz_keys(path: PathLike) -> Sequence[str]:
    """Keys of an ``.npz`` archive; nothing of it is read."""
    with open_archive(path) as archive:
        return list(archive.files)


def open_archive(path: PathLike) -> Any:
    """Open an ``.npz`` archive; nothing of it is read."""
    try:
        archive = np.load(path, allow_pickle=False)
    except (*DAMAGE, ValueError) as error:
        raise ValueError(damage_message(path, error)) from None
    if isinstance(archive, np.ndarray):
        raise ValueError(f'{path}: expected an .npz archive, found one array')
    return archive


def read_npy(path: PathLike) -> np.ndarray:
    """Read an ``.npy`` file without unpickling anything."""
    try:
        with open(path, 'rb') as file:
            _check_size(file, os.fstat(file.fileno()).st_size)
            return np.load(file, allow_pickle=False)
    except (*DAMAGE, ValueError) as error:
        reason = ' '.join(str(error).split())
        raise ValueError(
            f'{path}: cannot be read, truncated or not an .npy file of '
            f'numbers ({reason})'
        ) from None


def _check_size(file: IO[bytes], size: int) -> None:
    """Raise unless an array is as large as its header says; rewind.

    ``size`` is that of the file, uncompressed.
    """
    if size > LARGEST_ARRAY:
        raise ValueError(
            f'expected at most {LARGEST_ARRAY} bytes, found {size}'
        )
    shape, _, kind = read_header(file)
    # Python's integers do not overflow.
    wanted = math.prod(int(x) for x in shape) * kind.itemsize
    found = size - file.tell()
    file.seek(0)
    if not kind.hasobject and (min(shape, default=0) < 0 or wanted > found):
        raise ValueError(
            f'the header says {kind} {shape}, {wanted} bytes, found {found}'
        )


def read_header(file: IO[bytes]) -> Tuple[Tuple[int, ...], bool, np.dtype]:
    """Shape, order (whether Fortran's) and type of an ``.npy`` array."""
    version = np.lib.format.read_magic(file)
    reader = np.lib.format.read_array_header_2_0
    if version == (1, 0):
        reader = np.lib.format.read_array_header_1_0
    return reader(file)


def _check_member(archive: Any, key: str) -> None:
    name = key if key in archive.zip.namelist() else f'{key}.npy'
    with archive.zip.open(name) as file:
        if file.peek(6)[:6] == np.lib.format.MAGIC_PREFIX:
            _check_size(file, archive.zip.getinfo(name).file_size)


def _read(archive: Any, path: PathLike, key: str) -> np.ndarray:
    try:
        _check_member(archive, key)
        value = archive[key]
    except (*DAMAGE, ValueError, OSError) as error:
        if 'allow_pickle' not in str(error):
            raise ValueError(damage_message(path, error, key)) from None
        raise object_array_error(path, key) from None
    if not isinstance(value, np.ndarray):  # numpy hands other files out raw
        raise ValueError(f'{path}: key {key!r} is not an array')
    return value


def object_array_error(path: PathLike, key: str) -> ObjectArrayError:
    """The error of a key that only pickle can read."""
    return ObjectArrayError(
        f'{path}: key {key!r} is an object array, which needs pickle; '
        'expected plain arrays: convert files you trust with a script of '
        'tools/dataset_converters of hanet_mm and --trust-pickle'
    )


def damage_message(path: PathLike, error: Exception, key: str = '') -> str:
    """Say that a file, or a key of it, cannot be read."""
    where = f'key {key!r}' if key else 'the file'
    reason = ' '.join(str(error).split()) or 'no data'
    return (
        f'{path}: {where} cannot be read, truncated or not an .npz archive '
        f'({type(error).__name__}: {reason})'
    )


def write_npz(
    path: PathLike,
    arrays: Mapping[str, np.ndarray],
    compressed: bool = False,
) -> None:
    """Write an ``.npz`` archive, whole or not at all.

    The bytes are those of :func:`numpy.savez`, which prints a traceback where
    the disk is full.
    """
    kind = zipfile.ZIP_DEFLATED if compressed else zipfile.ZIP_STORED
    with atomic_path(path) as temporary:
        archive = zipfile.ZipFile(temporary, 'w', kind)
        with archive:
            for key, value in arrays.items():
                with archive.open(f'{key}.npy', 'w', force_zip64=True) as file:
                    np.lib.format.write_array(file, np.asanyarray(value))


# NaN is read as null; infinity is kept, to be refused where it matters.
_CONSTANTS = {
    'NaN': None,
    'Infinity': float('inf'),
    '-Infinity': -float('inf'),
}


def read_text(path: PathLike) -> str:
    """Read a text file in UTF-8, with or without a byte order mark."""
    try:
        return Path(path).read_text(encoding='utf-8-sig')
    except UnicodeDecodeError as error:
        raise ValueError(f'{path}: expected text, found {error}') from None


def read_json(path: PathLike) -> Any:
    """Read a JSON file; NaN, which is no JSON but common, is None."""
    text = read_text(path)
    try:
        return json.loads(text, parse_constant=_CONSTANTS.get)
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path}: expected JSON, found {error}') from None


def write_json(path: PathLike, content: Any, source: PathLike) -> None:
    """Write JSON content, whole or not at all; errors name its ``source``."""
    try:
        text = json.dumps(content, allow_nan=False)
    except ValueError:
        raise ValueError(
            f'{source}: has an infinite number outside the keypoints, '
            'which JSON cannot hold'
        ) from None
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def to_lists(array: np.ndarray) -> list:
    """An array as nested lists, with None for NaN."""
    missing = np.isnan(array)
    if missing.any():
        array = array.astype(object)
        array[missing] = None
    return array.tolist()
