# Copyright (c) hanet_mm contributors. All rights reserved.
"""The files of a folder; a folder of files, written whole or not at all."""

from pathlib import Path
from typing import Callable, List, Mapping

from hanet_mm.core.data.atomic import PathLike, atomic_folder

from .frame_names import natural_order


def list_files(folder: Path, ending: str) -> List[str]:
    """Names of the files with an ending, such as '.json', in natural order."""
    found = [x.name for x in folder.glob(f'*{ending}') if not x.is_dir()]
    return natural_order(found)


def write_folder(
    out: PathLike, files: Mapping[str, Callable[[Path], None]]
) -> None:
    """Write files by name, each by a function that takes its path.

    The folder must not exist or be empty; otherwise a FileExistsError.
    """
    with atomic_folder(out) as folder:
        for name, write in files.items():
            write(folder / name)
