# Copyright (c) hanet_mm contributors. All rights reserved.
"""The configs that come with the package."""

from pathlib import Path

import hanet_mm


def config_root() -> Path:
    """Folder ``configs``, of the package or of the source tree."""
    package = Path(hanet_mm.__file__).parent
    # In a source tree without an installation the configs lie beside it.
    roots = [package / '.mim' / 'configs', package.parent / 'configs']
    return next((root for root in roots if root.is_dir()), roots[-1])
