# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pictures and videos of pose sequences before and after refinement.

Only the visualizer needs MMPose; the rest needs Matplotlib and OpenCV.
"""

from typing import TYPE_CHECKING

from hanet_mm._lazy import lazy_names

if TYPE_CHECKING:
    from .pose_sequence_visualizer import PoseSequenceVisualizer
    from .trajectory_plot import plot_trajectories, trajectory_figure

__all__ = ['PoseSequenceVisualizer', 'plot_trajectories', 'trajectory_figure']

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        'PoseSequenceVisualizer': 'pose_sequence_visualizer',
        'plot_trajectories': 'trajectory_plot',
        'trajectory_figure': 'trajectory_plot',
    },
)
