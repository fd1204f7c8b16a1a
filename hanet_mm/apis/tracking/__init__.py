"""Who is who: ids for the persons of a video, and where a track is torn.

:class:`PoseTracker` needs MMDet and scipy, which are imported when it runs;
:func:`split_jumps` needs neither.
"""

from .assign_track_ids import assign_track_ids
from .pose_tracker import PoseTracker, TrackedFrame
from .split_jumps import split_jumps

__all__ = ['PoseTracker', 'TrackedFrame', 'assign_track_ids', 'split_jumps']
