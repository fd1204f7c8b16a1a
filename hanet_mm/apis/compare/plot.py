# Copyright (c) hanet_mm contributors. All rights reserved.
"""The picture of a comparison."""

from pathlib import Path
from typing import Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, atomic_path

from .comparison import Comparison, displacements
from .reading import TrackPair

# More do not show on a page.
MAX_FRAMES = 250
_JOINTS = 3
_DPI = 150


def plot_comparison(path: PathLike, comparison: Comparison) -> None:
    """Draw the joints over time where the changes are largest, the person
    changed most, in those 250 frames and at those three joints with the
    largest mean change, to ``.png``, ``.pdf`` or another picture format; needs
    matplotlib and MMPose.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.ticker import FuncFormatter

    from hanet_mm.visualization.trajectory_plot import trajectory_figure

    suffix = Path(path).suffix[1:].lower()
    if suffix not in FigureCanvasAgg.filetypes:
        raise ValueError(
            f'{path}: expected a picture format such as .png, found '
            f'{suffix or "no ending"}'
        )
    pair, start, joints = most_changed(comparison)
    part = slice(start, start + MAX_FRAMES)
    truth = None if pair.truth is None else pair.truth[part]
    # Names can be there twice; the plot finds joints by them.
    names = [
        name if comparison.keypoint_names.count(name) == 1 else f'{name} {i}'
        for i, name in enumerate(comparison.keypoint_names)
    ]
    jitter = comparison.figures()['jitter']
    figure = trajectory_figure(
        truth,
        pair.before[part],
        pair.after[part],
        names,
        joints=[names[i] for i in joints],
        fps=1,
        unit=comparison.about['unit'],
        title=f'{pair.name}; jitter of all {jitter.before:.3g} -> '
        f'{jitter.after:.3g} {jitter.unit}',
    )
    first = pair.first_frame + start
    for axis in figure.axes:
        axis.xaxis.set_major_formatter(
            FuncFormatter(lambda x, _: f'{first + x:g}')
        )
        if axis.get_xlabel():
            axis.set_xlabel('frame')
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=suffix, dpi=_DPI)


def most_changed(comparison: Comparison) -> Tuple[TrackPair, int, list]:
    """Find the largest changes: person, first frame and joints."""
    changes = [np.nan_to_num(x) for x in displacements(comparison.pairs)]
    index = int(np.argmax([x.mean() for x in changes]))
    change = changes[index]
    # Sums over all windows by differences of the cumulated sum.
    total = np.concatenate([[0], change.sum(1).cumsum()])
    window = min(MAX_FRAMES, len(change))
    start = int((total[window:] - total[:-window]).argmax())
    joints = change[start : start + window].mean(0)
    chosen = np.argsort(-joints, kind='stable')[:_JOINTS]
    return comparison.pairs[index], start, chosen.tolist()
