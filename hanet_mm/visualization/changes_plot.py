# Copyright (c) hanet_mm contributors. All rights reserved.
"""The joints that a refinement changes most, over frames."""

from typing import Any, List, Optional, Sequence, Tuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike

from .trajectory_plot import trajectory_figure

# More do not show on a page.
MAX_FRAMES = 250
_JOINTS = 3


def changes_figure(
    truth: Optional[ArrayLike],
    before: ArrayLike,
    after: Optional[ArrayLike],
    change: np.ndarray,
    keypoint_names: Sequence[str],
    first_frame: int = 0,
    **options: Any,
) -> Figure:
    """Draw those 250 frames and three joints with the largest mean change.

    Letters: T frames, K keypoints, D coordinates.

    Args:
        truth (array, optional): True poses, (T, K, D), NaN where unknown.
        before (array): Estimated poses, (T, K, D), NaN where missing.
        after (array, optional): Refined poses, (T, K, D).
        change (np.ndarray): By how much each keypoint was changed, (T, K);
            NaN counts as 0.
        keypoint_names (Sequence[str]): The K names; some may be equal.
        first_frame (int): Number of the first frame in its recording.
        **options: ``unit`` and ``title``, see
            :func:`hanet_mm.visualization.trajectory_plot.trajectory_figure`.

    Returns:
        matplotlib.figure.Figure: The figure, its axis in frames.
    """
    start, joints = most_changed(change)
    names = list(keypoint_names)
    # The plot finds joints by their names.
    names = [
        name if names.count(name) == 1 else f'{name} {i}'
        for i, name in enumerate(names)
    ]
    part = slice(start, start + MAX_FRAMES)
    figure = trajectory_figure(
        *(
            None if poses is None else np.asarray(poses)[part]
            for poses in (truth, before, after)
        ),
        names,
        joints=[names[i] for i in joints],
        fps=1,
        **options,
    )
    first = first_frame + start
    for axis in figure.axes:
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.xaxis.set_major_formatter(
            FuncFormatter(lambda x, _: f'{first + x:g}')
        )
        if axis.get_xlabel():
            axis.set_xlabel('frame')
    return figure


def most_changed(change: np.ndarray) -> Tuple[int, List[int]]:
    """First frame and joints of the largest mean change, (T, K)."""
    change = np.nan_to_num(change)
    # Sums over all windows by differences of the cumulated sum.
    total = np.concatenate([[0], change.sum(1).cumsum()])
    window = min(MAX_FRAMES, len(change))
    start = int((total[window:] - total[:-window]).argmax())
    joints = change[start : start + window].mean(0)
    return start, np.argsort(-joints, kind='stable')[:_JOINTS].tolist()
