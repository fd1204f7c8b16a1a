"""Pictures and videos of pose sequences before and after refinement."""

from .pose_sequence_visualizer import PoseSequenceVisualizer
from .trajectory_plot import plot_trajectories, trajectory_figure

__all__ = ['PoseSequenceVisualizer', 'plot_trajectories', 'trajectory_figure']
