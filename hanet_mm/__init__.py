# Copyright (c) hanet_mm contributors. All rights reserved.
"""hanet_mm: a pose sequence comes in, a better pose sequence goes out.

Where MMPose is installed, importing the package registers its models,
datasets, transforms, codecs, metrics and visualizers, so that a config needs
only ``custom_imports = dict(imports=['hanet_mm'])``. Without MMPose the core
(:mod:`hanet_mm.core`, torch and numpy) is all there is.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, List

from ._registration import register_openmmlab_floor
from .version import __version__

if TYPE_CHECKING:
    from .apis.objects.live import StreamingRefiner
    from .apis.objects.offline import refine
    from .core.refine.refiner import Refiner, load_refiner
    from .core.refine.weights_file import list_refiners, refiner_card

__all__ = [
    'Refiner',
    'StreamingRefiner',
    '__version__',
    'list_refiners',
    'load_refiner',
    'refine',
    'refiner_card',
]

_LAZY = {
    'Refiner': 'hanet_mm.core.refine.refiner',
    'StreamingRefiner': 'hanet_mm.apis.objects.live',
    'list_refiners': 'hanet_mm.core.refine.weights_file',
    'load_refiner': 'hanet_mm.core.refine.refiner',
    'refine': 'hanet_mm.apis.objects.offline',
    'refiner_card': 'hanet_mm.core.refine.weights_file',
}


def __getattr__(name: str) -> Any:
    """Import the names of the core when they are first used (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> List[str]:
    """List the lazy names too."""
    return sorted({*globals(), *__all__})


register_openmmlab_floor()
