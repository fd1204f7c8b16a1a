# Copyright (c) hanet_mm contributors. All rights reserved.
"""hanet_mm: a pose sequence comes in, a better pose sequence goes out.

Importing the package imports next to nothing. Where MMPose is installed, its
registries find our models, datasets, transforms, codecs, metrics, hooks and
visualizers when they are first asked, so that a config needs only
``custom_imports = dict(imports=['hanet_mm'])``. Without MMPose the core
(:mod:`hanet_mm.core`, torch and numpy) is all there is.
"""

from typing import TYPE_CHECKING

from ._lazy import lazy_names
from ._registration import register_openmmlab_floor
from .version import __version__

if TYPE_CHECKING:
    from .apis.config_files import config_path
    from .apis.objects.live import StreamingRefiner
    from .apis.objects.offline import refine
    from .core.refine.refiner import Refiner, load_refiner
    from .core.refine.weights_file import list_refiners, refiner_card

__all__ = [
    'Refiner',
    'StreamingRefiner',
    '__version__',
    'config_path',
    'list_refiners',
    'load_refiner',
    'refine',
    'refiner_card',
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        'Refiner': 'core.refine.refiner',
        'StreamingRefiner': 'apis.objects.live',
        'config_path': 'apis.config_files',
        'list_refiners': 'core.refine.weights_file',
        'load_refiner': 'core.refine.refiner',
        'refine': 'apis.objects.offline',
        'refiner_card': 'core.refine.weights_file',
    },
)

register_openmmlab_floor()
