# Copyright (c) hanet_mm contributors. All rights reserved.
"""What to refine pose files with and how, checked and loaded once."""

from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Sequence, Tuple, Union, cast

import torch

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.gaps import check_max_gap
from hanet_mm.core.nn.engines import check_engine
from hanet_mm.core.refine.frame_rate import check_fps
from hanet_mm.core.refine.refiner import Refiner, load_refiner
from hanet_mm.core.refine.weights_file import default_refiner
from hanet_mm.filters.rotations import RotationPath

from .filter_choice import choose_filter, usual_rate
from .formats import PoseFile
from .keypoint_plan import guessed_names, known_names

_FILTER = 'filter:'


@dataclass
class RefineOptions:
    """Options of :func:`refine_file`, checked and loaded once."""

    refiner: Union[PathLike, Any, None] = None
    image_size: Optional[Sequence[int]] = None
    device: str = 'cpu'
    format: Optional[str] = None
    skeleton: Optional[PathLike] = None
    others: Optional[str] = None
    tracker: Optional[Any] = None
    max_gap: Optional[int] = None
    fps: Optional[float] = None
    ignore_scores: bool = False
    unswap: bool = False
    dims: Optional[int] = None
    trust_pickle: bool = False
    engine: str = 'torch'
    # Default refiners loaded so far, by name.
    _defaults: Dict[str, Refiner] = field(default_factory=dict, init=False)

    def load(self) -> 'RefineOptions':
        """Check the options and load the refiner, once for many files."""
        _check_device(self.device)
        check_engine(self.engine, self.device)
        check_max_gap(self.max_gap)
        if self.image_size is not None and min(self.image_size) <= 0:
            raise ValueError(
                f'image size: expected W, H > 0, found {list(self.image_size)}'
            )
        if self.fps is not None:
            check_fps(self.fps)
        if self.unswap and not self.filter_name:
            raise ValueError(
                'unswap: is for a filter by name (--filter NAME); refiners '
                'decide themselves about swaps'
            )
        is_loaded = self.refiner is None or hasattr(self.refiner, 'refine')
        if not is_loaded and not self.filter_name:
            self.refiner = load_refiner(
                cast(PathLike, self.refiner), engine=self.engine
            )
        if isinstance(self.refiner, Refiner):
            self.refiner.to(self.device)
        return self

    @property
    def filter_name(self) -> Optional[str]:
        """The filter, if the refiner is ``filter:NAME``."""
        name = self.refiner
        if isinstance(name, str) and name.startswith(_FILTER):
            return name[len(_FILTER) :]
        return None

    def complete(self, poses: PoseFile) -> None:
        """Let given rates and sizes take the place of the file's."""
        for track in poses.tracks:
            if self.fps is not None:
                track.fps = self.fps
            if self.image_size is not None:
                track.image_size = self.image_size

    def choose(self, poses: PoseFile) -> Tuple[Any, str]:
        """The refiner of a file, and its name if it is the default."""
        if self.filter_name:
            chosen = choose_filter(
                self.filter_name, poses.tracks, self.fps, poses.has_rotations
            )
            return chosen, ''
        if self.refiner is not None:
            return self.refiner, ''
        if poses.has_rotations:
            return RotationPath(usual_rate(poses.tracks, self.fps)), ''
        try:
            names = known_names(poses, self.skeleton) or guessed_names(poses)
            name = default_refiner(poses.tracks[0].keypoints.shape[2], names)
            if name not in self._defaults:
                self._defaults[name] = load_refiner(
                    name, self.device, self.engine
                )
        except ValueError as error:
            raise ValueError(
                f'{poses.path}: {error}; name one with --refiner, or a '
                'filter with --filter, such as savgol'
            ) from None
        return self._defaults[name], name


def _check_device(device: str) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).split('\n', 1)[0]
        raise ValueError(f'device {device!r}: {reason}') from None
