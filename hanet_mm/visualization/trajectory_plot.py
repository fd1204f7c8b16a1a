# Copyright (c) hanet_mm contributors. All rights reserved.
"""Joint positions over time: truth, input and refined."""

from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from hanet_mm.core.data.files import PathLike, atomic_path
from hanet_mm.core.metrics.errors import position_errors

_STYLES = dict(
    # As wide as the line: frames between others without a truth show, too.
    truth=dict(
        color='#b5bbc7',
        linewidth=4,
        marker='.',
        markersize=8,
        markeredgewidth=0,
    ),
    input=dict(
        color='#e8833a', linewidth=1.0, marker='o', markersize=2.4, alpha=0.85
    ),
    refined=dict(color='#1f78c8', linewidth=2.0),
)
_MISSING = dict(color='#e8833a', alpha=0.13, linewidth=0)
_DPI = 150


def plot_trajectories(
    path: PathLike,
    truth: Optional[ArrayLike],
    inputs: ArrayLike,
    refined: ArrayLike,
    keypoint_names: Sequence[str],
    **options: Any,
) -> None:
    """Save the figure of ``trajectory_figure`` as a picture.

    Args:
        path (path): The picture, e.g. ``.png`` or ``.pdf``. It appears once
            it is complete. Missing folders are made.
        truth (array, optional): True poses, (T, K, D), NaN where unknown.
        inputs (array): Estimated poses, (T, K, D), NaN where missing.
        refined (array): Refined poses, (T, K, D).
        keypoint_names (Sequence[str]): The K names.
        **options: ``joints``, ``fps``, ``unit`` and ``title``, see
            ``trajectory_figure``.

    Raises:
        ValueError: If the suffix is no picture format, shapes disagree or a
            joint has no such name.
    """
    suffix = Path(path).suffix[1:].lower()
    if suffix not in FigureCanvasAgg.filetypes:
        raise ValueError(
            f'{path}: the suffix must be a picture format, got {suffix!r}'
        )
    figure = trajectory_figure(
        truth, inputs, refined, keypoint_names, **options
    )
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=suffix, dpi=_DPI)


def trajectory_figure(
    truth: Optional[ArrayLike],
    inputs: ArrayLike,
    refined: Optional[ArrayLike],
    keypoint_names: Sequence[str],
    joints: Sequence[str] = ('right_wrist', 'left_ankle'),
    fps: float = 25.0,
    unit: str = 'px',
    title: str = '',
) -> Figure:
    """Draw some joints over time, a row for each, a column per coordinate.

    Missing points are gaps, and frames in which the input has none are
    shaded. The mean errors over each row are those of the points that are
    there. Matplotlib's own state (pyplot, backend) is left alone.

    Letters: T frames, K keypoints, D coordinates.

    Args:
        truth (array, optional): True poses, (T, K, D), NaN where unknown.
        inputs (array): Estimated poses, (T, K, D), NaN where missing.
        refined (array, optional): Refined poses, (T, K, D).
        keypoint_names (Sequence[str]): The K names.
        joints (Sequence[str]): Names of the joints to draw. Defaults to a
            wrist and an ankle.
        fps (float): Frames per second. Defaults to 25.
        unit (str): Unit of the poses. Defaults to ``'px'``.
        title (str): Stands over the figure. Defaults to nothing.

    Returns:
        matplotlib.figure.Figure: The figure.

    Raises:
        ValueError: If shapes disagree or a joint has no such name.
    """
    poses = dict(truth=truth, input=inputs, refined=refined)
    poses = {
        name: np.asarray(pose, np.float64)
        for name, pose in poses.items()
        if pose is not None
    }
    ids = _check(poses, keypoint_names, joints)
    num_frames, _, dims = poses['input'].shape
    time = np.arange(num_frames) / fps

    figure = Figure(figsize=(5.4 * dims, 2.4 * len(ids) + 0.8))
    FigureCanvasAgg(figure)
    axes = figure.subplots(len(ids), dims, sharex=True, squeeze=False)
    for row, joint, name in zip(axes, ids, joints):
        lines = {key: pose[:, joint] for key, pose in poses.items()}
        row[0].set_title(_caption(name, lines, unit), loc='left', fontsize=10)
        for d, axis in enumerate(row):
            _plot(axis, time, {key: xy[:, d] for key, xy in lines.items()})
            axis.set_ylabel(f'{"xyz"[d]} ({unit})')
    for axis in axes[-1]:
        axis.set_xlabel('time (s)')
    _add_legend(figure, axes.flat, title)
    return figure


def _check(
    poses: Dict[str, np.ndarray],
    keypoint_names: Sequence[str],
    joints: Sequence[str],
) -> List[int]:
    """Indices of the joints, once all is found to fit."""
    shape = poses['input'].shape
    if len(shape) != 3 or shape[2] not in (2, 3):
        raise ValueError(
            f'input must have shape (T, K, 2) or (T, K, 3), got {shape}'
        )
    for name, pose in poses.items():
        if pose.shape != shape:
            raise ValueError(
                f'{name} must have the shape of the input {shape}, '
                f'got {pose.shape}'
            )
    names = list(keypoint_names)
    if len(names) != shape[1]:
        raise ValueError(
            f'keypoint_names must have {shape[1]} names, got {len(names)}'
        )
    unknown = [joint for joint in joints if joint not in names]
    if unknown or not joints:
        raise ValueError(f'joints must be some of {names}, got {joints}')
    return [names.index(joint) for joint in joints]


def _plot(axis: Axes, time: np.ndarray, lines: Dict[str, np.ndarray]) -> None:
    """Plot one coordinate of one joint."""
    missing = np.isnan(lines['input'])
    if missing.any():
        # A frame's worth of time each, so that a single one shows.
        step = time[1] - time[0] if len(time) > 1 else 1.0
        spans = [(start, step) for start in time[missing] - step / 2]
        axis.broken_barh(
            spans,
            (0, 1),
            transform=axis.get_xaxis_transform(),
            label='input missing',
            **_MISSING,
        )
    for key, values in lines.items():
        axis.plot(time, values, label=key, **_STYLES[key])
    axis.grid(color='#e4e7ec', linewidth=0.8)
    axis.set_axisbelow(True)
    axis.spines[['top', 'right']].set_visible(False)
    axis.margins(x=0.01)


def _caption(name: str, lines: Dict[str, np.ndarray], unit: str) -> str:
    """Name of a joint, and its mean errors where the truth is known."""
    caption = name.replace('_', ' ')
    if 'truth' not in lines:
        return caption
    if np.isnan(lines['truth']).all():
        return f'{caption}    truth unknown'
    means = []
    for key in ('input', 'refined'):
        if key not in lines:
            continue
        errors = position_errors(lines[key], lines['truth'])
        known = errors[np.isfinite(errors)]
        mean = f'{known.mean():.1f}' if known.size else 'n/a'
        means.append(f'{key} {mean}')
    return f'{caption}    mean error ({unit}): {", ".join(means)}'


def _add_legend(figure: Figure, axes: Sequence[Axes], title: str) -> None:
    """Put title and legend in one line over all axes."""
    # "input missing" is in the legend of those axes only where it happens.
    entries = {}
    for axis in axes:
        handles, labels = axis.get_legend_handles_labels()
        entries.update(zip(labels, handles))
    height = figure.get_figheight()
    line = 1 - 0.22 / height
    figure.text(0.012, line, title, va='center', fontsize=12, weight='bold')
    figure.legend(
        entries.values(),
        entries.keys(),
        loc='center right',
        bbox_to_anchor=(0.995, line),
        ncols=len(entries),
        frameon=False,
    )
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.4 / height))
