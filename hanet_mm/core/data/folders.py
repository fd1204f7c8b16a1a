# Copyright (c) hanet_mm contributors. All rights reserved.
"""The flat layout as a folder with an ``.npy`` file a key.

It is what unpacking an ``.npz`` gives: ``keypoints_est.npy``,
``extras/<name>.npy``, ``meta.npy``. Arrays of frames are mapped, not read, so
that splits larger than the memory can be used.
"""

import json
import os
from pathlib import Path
from typing import Any, Container, Dict, Mapping, Sequence

import numpy as np

from .archive_rows import ArchiveRows
from .atomic import atomic_folder, atomic_path, check_new_folder
from .checks import PER_FRAME
from .claims import claim
from .files import (
    PathLike,
    missing_key,
    open_archive,
    read_npy,
    read_text,
)
from .mapped import map_npy

# Before the name of an extra array of frames.
EXTRAS = 'extras/'
_SOURCE = 'source.json'


def read_folder(
    path: PathLike, need: Sequence[str], known: Container[str]
) -> Dict[str, np.ndarray]:
    """Read keys of the flat layout; arrays of frames are mapped.

    As :func:`~hanet_mm.core.data.files.read_npz`; arrays of frames have to be
    float32, as :func:`unpack_npz` writes them.
    """
    root = Path(path)
    files = {
        file.relative_to(root).as_posix()[: -len('.npy')]: file
        for file in sorted([*root.glob('*.npy'), *root.glob('extras/*.npy')])
    }
    missing = [key for key in need if key not in files]
    if missing:
        raise ValueError(missing_key(path, missing[0], need, files))
    values: Dict[str, np.ndarray] = {}
    for key, file in files.items():
        if key not in known and not key.startswith(EXTRAS):
            continue
        if not _has_frames(key):
            values[key] = read_npy(file)
            continue
        values[key] = map_npy(file)
        found = values[key]
        if key in PER_FRAME and found.dtype != np.float32:
            raise ValueError(
                f'{file}: expected float32 in a folder, found {found.dtype}'
            )
        if not found.flags.c_contiguous:
            raise ValueError(
                f"{file}: expected frame by frame (C order), found Fortran's"
            )
    return values


def write_folder(path: PathLike, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a folder with a file an array, whole or not at all."""
    with atomic_folder(path) as folder:
        for key, value in arrays.items():
            _place(folder, key).parent.mkdir(exist_ok=True)
            np.save(_place(folder, key), value)


def unpack_npz(path: PathLike, out: PathLike) -> Path:
    """Unpack an ``.npz`` of the flat layout into a folder, piece by piece.

    Arrays that are finished are kept in ``OUT.parts``, which becomes the
    folder at the end: a run that was stopped resumes where it was. What is in
    the arrays is checked when the folder is loaded.

    Args:
        path: The archive.
        out: The folder to make; there must be none, or an empty one.

    Returns:
        Path: The folder.

    Raises:
        ValueError: If the archive is damaged, has object arrays, or the parts
            are of another archive.
        FileExistsError: If there is something in the folder.
        BlockingIOError: If another run writes the folder.
    """
    out = Path(out)
    check_new_folder(out)
    parts = out.with_name(f'{out.name}.parts')
    with claim(out) as own, open_archive(path) as archive:
        if not own:
            raise BlockingIOError(f'{out}: another run writes this folder')
        _claim_parts(parts, Path(path))
        for key in archive.files:
            place = _place(parts, key)
            if not place.is_file():
                with atomic_path(place) as temporary:
                    _unpack(archive, path, key, temporary)
        if out.is_dir():
            out.rmdir()
        os.replace(parts, out)
    return out


def _has_frames(key: str) -> bool:
    return key in PER_FRAME or key.startswith(EXTRAS)


def _place(folder: Path, key: str) -> Path:
    if '..' in Path(key).parts or Path(key).is_absolute():
        raise ValueError(f'{folder}: {key!r} cannot be the name of a file')
    return folder / f'{key}.npy'


def _claim_parts(parts: Path, source: Path) -> None:
    """Record what is unpacked; refuse parts of another archive."""
    found = source.stat()
    text = json.dumps(
        dict(name=source.name, size=found.st_size, time=found.st_mtime_ns)
    )
    path = parts / _SOURCE
    if path.is_file():
        if read_text(path) != text:
            raise ValueError(
                f'{parts}: made of another archive; remove the folder to '
                'start again'
            )
        return
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def _unpack(archive: Any, path: PathLike, key: str, place: Path) -> None:
    """Copy an array of an archive to a file, float32 if it has frames."""
    rows = ArchiveRows(archive, path, key)
    wanted = np.dtype(np.float32) if key in PER_FRAME else rows.dtype
    with open(place, 'wb') as target:
        header = dict(
            descr=np.lib.format.dtype_to_descr(wanted),
            fortran_order=False,
            shape=rows.shape,
        )
        np.lib.format.write_array_header_2_0(target, header)
        for block in rows:
            target.write(block.astype(wanted, copy=False).tobytes())
