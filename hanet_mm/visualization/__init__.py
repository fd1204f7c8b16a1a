# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pictures and videos of pose sequences before and after refinement.

Only the visualizer needs MMPose; the rest needs Matplotlib and OpenCV.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any, List

if TYPE_CHECKING:
    from .pose_sequence_visualizer import PoseSequenceVisualizer
    from .trajectory_plot import plot_trajectories, trajectory_figure

__all__ = ['PoseSequenceVisualizer', 'plot_trajectories', 'trajectory_figure']

_LAZY = {
    'PoseSequenceVisualizer': 'pose_sequence_visualizer',
    'plot_trajectories': 'trajectory_plot',
    'trajectory_figure': 'trajectory_plot',
}


def __getattr__(name: str) -> Any:
    """Import the names when they are first used (PEP 562)."""
    if name not in _LAZY:
        raise AttributeError(f'module {__name__!r} has no attribute {name!r}')
    return getattr(import_module(f'{__name__}.{_LAZY[name]}'), name)


def __dir__() -> List[str]:
    """List the lazy names too."""
    return sorted({*globals(), *__all__})
