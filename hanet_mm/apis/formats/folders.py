# Copyright (c) hanet_mm contributors. All rights reserved.
"""Write a folder of files, completely or not at all."""

from pathlib import Path
from typing import Callable, Mapping

from hanet_mm.core.data.atomic import PathLike, atomic_folder


def write_folder(
    out: PathLike, files: Mapping[str, Callable[[Path], None]]
) -> None:
    """Write files by name, each by a function that takes its path.

    The folder must not exist or be empty; otherwise a FileExistsError.
    """
    with atomic_folder(out) as folder:
        for name, write in files.items():
            write(folder / name)
