# Copyright (c) hanet_mm contributors. All rights reserved.
"""The picture of a comparison."""

from pathlib import Path
from typing import Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, atomic_path

from .comparison import Comparison, displacements
from .reading import TrackPair

_DPI = 150


def plot_comparison(path: PathLike, comparison: Comparison) -> None:
    """Draw the joints over time where the changes are largest, the person
    changed most, in those frames and at those joints with the largest mean
    change, to ``.png``, ``.pdf`` or another picture format; needs matplotlib
    and MMPose.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from hanet_mm.visualization.changes_plot import changes_figure

    suffix = Path(path).suffix[1:].lower()
    if suffix not in FigureCanvasAgg.filetypes:
        raise ValueError(
            f'{path}: expected a picture format such as .png, found '
            f'{suffix or "no ending"}'
        )
    pair, change = person_most_changed(comparison)
    jitter = comparison.figures()['jitter']
    figure = changes_figure(
        pair.truth,
        pair.before,
        pair.after,
        change,
        comparison.keypoint_names,
        pair.first_frame,
        unit=comparison.about['unit'],
        title=f'{pair.name}; jitter of all {jitter.before:.3g} -> '
        f'{jitter.after:.3g} {jitter.unit}',
    )
    with atomic_path(path) as temporary:
        figure.savefig(temporary, format=suffix, dpi=_DPI)


def person_most_changed(
    comparison: Comparison,
) -> Tuple[TrackPair, np.ndarray]:
    """The person with the largest mean change, and the changes (T, K)."""
    changes = displacements(comparison.pairs)
    means = [np.nan_to_num(change).mean() for change in changes]
    index = int(np.argmax(means))
    return comparison.pairs[index], changes[index]
