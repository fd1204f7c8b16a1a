"""What a person calls, in Python or as ``hanet-mm``.

Imports torch and numpy only; what needs OpenMMLab imports it when it runs.
"""

from .export import export_refiner
from .refine_files import RefineSummary, refine_file

__all__ = ['RefineSummary', 'export_refiner', 'refine_file']
