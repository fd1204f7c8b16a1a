# Copyright (c) hanet_mm contributors. All rights reserved.
"""Write a folder of files, completely or not at all."""

import os
import shutil
from pathlib import Path
from typing import Callable, Mapping

from hanet_mm.core.data.files import PathLike


def write_folder(
    out: PathLike, files: Mapping[str, Callable[[Path], None]]
) -> None:
    """Write files by name, each by a function that takes its path.

    The folder must not exist or be empty; otherwise a FileExistsError.
    """
    out = Path(out)
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise FileExistsError(
            f'{out}: expected no such folder or an empty one for the '
            'output, found something in it'
        )
    temporary = out.with_name(f'.{out.name}.{os.getpid()}.tmp')
    try:
        temporary.mkdir(parents=True, exist_ok=True)
        for name, write in files.items():
            write(temporary / name)
        if out.is_dir():  # empty; Windows replaces no folder
            out.rmdir()
        os.replace(temporary, out)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
