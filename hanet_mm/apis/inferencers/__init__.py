"""From the frames of a video to steady poses.

The class that is registered in MMPose is imported when it is first used, so
that sources, stages and outputs can be used without OpenMMLab.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .pose_refinement_inferencer import PoseRefinementInferencer

__all__ = ['PoseRefinementInferencer']


def __getattr__(name: str) -> Any:
    """Import the inferencer when it is first used (PEP 562)."""
    if name != 'PoseRefinementInferencer':
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    module = import_module(f'{__name__}.pose_refinement_inferencer')
    return module.PoseRefinementInferencer
