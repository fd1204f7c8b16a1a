"""How to refine the poses in files."""

from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Sequence, Union

import torch

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.gaps import check_max_gap
from hanet_mm.core.refine.frame_rate import check_fps
from hanet_mm.core.refine.refiner import Refiner, load_refiner
from hanet_mm.core.refine.weights_file import default_refiner

from .filter_choice import choose_filter
from .pose_files import PoseFile


@dataclass
class RefineOptions:
    """How to refine files.

    Attributes:
        refiner: Name of a refiner of the package, or a portable file, see
            :func:`load_refiner`; or what was loaded, or a filter; or the
            name of a filter as ``filter:NAME``, see :func:`choose_filter`;
            None: the default refiner for the poses, see
            :func:`default_refiner`.
        image_size: W, H in pixels, in place of what a file says. Needed by
            refiners with 'image' normalisation and for MediaPipe where the
            file says nothing.
        device: Where the network runs.
        format: See :func:`open_poses`.
        skeleton: See :func:`plan_keypoints`.
        others: Filter for keypoints that the refiner does not know, see
            :func:`choose_filter`; None: they stay as they are.
        tracker: See :func:`open_poses`.
        max_gap: Longest gap of a keypoint that is filled, in frames; those
            in longer ones stay as they came. None: all are filled.
        fps: Frames per second, in place of what a file says; for refiners
            that know theirs, and for filters that count in seconds.
    """

    refiner: Union[PathLike, Any, None] = None
    image_size: Optional[Sequence[int]] = None
    device: str = 'cpu'
    format: Optional[str] = None
    skeleton: Optional[PathLike] = None
    others: Optional[str] = None
    tracker: Optional[Any] = None
    max_gap: Optional[int] = None
    fps: Optional[float] = None
    # The default refiners that were loaded, by name.
    _defaults: Dict[str, Refiner] = field(default_factory=dict, init=False)

    def load(self) -> 'RefineOptions':
        """Check what does not depend on a file; load the refiner once."""
        _check_device(self.device)
        check_max_gap(self.max_gap)
        if self.image_size is not None and min(self.image_size) <= 0:
            raise ValueError(
                f'image size: expected W, H > 0, found {list(self.image_size)}'
            )
        if self.fps is not None:
            check_fps(self.fps)
        is_loaded = self.refiner is None or hasattr(self.refiner, 'refine')
        if not is_loaded and not self.filter_name:
            self.refiner = load_refiner(self.refiner)
        if isinstance(self.refiner, Refiner):
            self.refiner.to(self.device)
        return self

    @property
    def filter_name(self) -> Optional[str]:
        """Name of the filter that refines, if it is one by name."""
        is_name = isinstance(self.refiner, str)
        if is_name and self.refiner.startswith('filter:'):
            return self.refiner[len('filter:') :]
        return None

    def default_name(self, poses: PoseFile) -> str:
        """Name of the refiner of a file where nobody named one, else ''.

        Raises:
            ValueError: If none is the default for such poses.
        """
        if self.refiner is not None:
            return ''
        if poses.has_rotations:
            raise ValueError('no refiner is the default for rotations')
        return default_refiner(poses.tracks[0].keypoints.shape[2])

    def choose(self, poses: PoseFile) -> Any:
        """What refines the poses of a file.

        Raises:
            ValueError: If nobody named it, and there is no default refiner
                for such poses.
        """
        if self.filter_name:
            return choose_filter(self.filter_name, poses.tracks, self.fps)
        if self.refiner is not None:
            return self.refiner
        try:
            name = self.default_name(poses)
            if name not in self._defaults:
                self._defaults[name] = load_refiner(name, self.device)
        except ValueError as error:
            raise ValueError(
                f'{poses.path}: {error}; name one with --refiner, or a '
                'filter with --filter'
            ) from None
        return self._defaults[name]


def _check_device(device: str) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).split('\n', 1)[0]
        raise ValueError(f'device {device!r}: {reason}') from None
