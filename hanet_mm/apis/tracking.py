"""Ids for the people of a video; see :mod:`hanet_mm.apis.video`."""

from .video.jumps import split_jumps
from .video.tracker import PoseTracker, TrackedFrame, assign_track_ids

__all__ = ['PoseTracker', 'TrackedFrame', 'assign_track_ids', 'split_jumps']
