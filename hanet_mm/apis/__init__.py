# Copyright (c) hanet_mm contributors. All rights reserved.
"""The Python API of the command ``hanet-mm``, imported when used.

Needs torch and numpy only; OpenMMLab is imported when it is needed.
"""

from typing import TYPE_CHECKING

from hanet_mm._lazy import lazy_names

if TYPE_CHECKING:
    from .export import export_refiner
    from .refine import RefineSummary, refine_file
    from .video.refined_video import make_inferencer

__all__ = [
    'RefineSummary',
    'export_refiner',
    'make_inferencer',
    'refine_file',
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        'RefineSummary': 'refine',
        'export_refiner': 'export',
        'make_inferencer': 'video.refined_video',
        'refine_file': 'refine',
    },
)
