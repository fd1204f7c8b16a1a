"""A classical filter by name where a refiner is expected."""

from dataclasses import dataclass, replace
from typing import Optional, Sequence

import numpy as np

from hanet_mm.apis.filter_choice import choose_filter
from hanet_mm.apis.pose_files import PoseTrack
from hanet_mm.core.refine.inputs import RefineResult


@dataclass(frozen=True)
class NamedFilter:
    """Chosen anew for each sequence, as its settings depend on that.

    Args:
        text (str): ``NAME`` or ``NAME:argument=number,...``, see
            :func:`hanet_mm.apis.filter_choice.choose_filter`.
        fps (float, optional): Frames per second. Defaults to None: 30.

    Raises:
        ImportError: If scipy is not installed.
        ValueError: If there is no such filter or argument.
    """

    text: str
    fps: Optional[float] = None

    def __post_init__(self) -> None:
        choose_filter(self.text, [], self.fps)

    def at_rate(self, fps: Optional[float]) -> 'NamedFilter':
        """The same filter for another frame rate, if that is known."""
        return replace(self, fps=fps) if fps else self

    def refine(
        self,
        keypoints: np.ndarray,
        scores: Optional[np.ndarray] = None,
        image_size: Optional[Sequence[float]] = None,
    ) -> RefineResult:
        """Filter one sequence, (T, K, 2)."""
        track = PoseTrack('sequence', keypoints, scores)
        chosen = choose_filter(self.text, [track], self.fps)
        return chosen.refine(keypoints, scores, image_size)
