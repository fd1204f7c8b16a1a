# Copyright (c) hanet_mm contributors. All rights reserved.
"""The Python API of the command ``hanet-mm``.

Imports torch and numpy only; OpenMMLab is imported when it is needed.
"""

from .export import export_refiner
from .refine import RefineSummary, refine_file

__all__ = ['RefineSummary', 'export_refiner', 'refine_file']
