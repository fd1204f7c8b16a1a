# Copyright (c) hanet_mm contributors. All rights reserved.
"""Common to all kinds of results in memory.

N: people in a result, K: keypoints, D: coordinates.
"""

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import (
    Any,
    Dict,
    Hashable,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np
import torch

from hanet_mm.core.data.gaps import missing_keypoints, scores_or_default
from hanet_mm.core.refine.refiner import RefineResult

from ..formats.base import DetectionFile, Detections, Source
from ..tracking import PoseTracker

Skeletons = Mapping[int, Sequence[str]]


@dataclass
class People:
    """The people of a result.

    Attributes:
        keypoints: (N, K, D), NaN = missing.
        scores: (N, K), 0 = missing; None: unknown.
        ids: Who they are, N; None: unknown.
        names: Of the keypoints, K; None: by their number.
        image_size: W, H in pixels; None: unknown.
        is_visibility: See :class:`hanet_mm.apis.formats.base.PersonTrack`.
        is_fraction: Whether keypoints are fractions of the image size.
        frames: Frame of each person, (N,) from 0, of a result of several
            frames; None: all are in one.
        num_frames: Of the result.
    """

    keypoints: np.ndarray
    scores: Optional[np.ndarray] = None
    ids: Optional[Sequence[Optional[Hashable]]] = None
    names: Optional[Sequence[str]] = None
    image_size: Optional[Sequence[float]] = None
    is_visibility: bool = False
    is_fraction: bool = False
    frames: Optional[np.ndarray] = None
    num_frames: int = 1

    def __len__(self) -> int:
        return len(self.keypoints)

    @property
    def scores_or_default(self) -> np.ndarray:
        """Scores (N, K), of unknown ones the usual."""
        return scores_or_default(self.scores, self.keypoints.shape[:2])

    @property
    def missing(self) -> np.ndarray:
        """Keypoints that are NaN or have score 0, bool (N, K)."""
        return missing_keypoints(self.keypoints, self.scores_or_default)

    @property
    def known_ids(self) -> List[Optional[Hashable]]:
        """Who they are, None where that is not known."""
        return [None] * len(self) if self.ids is None else list(self.ids)


NO_PEOPLE = People(np.zeros((0, 0, 2)))


class Read(NamedTuple):
    """A result and its people in pixels; W, H to go back, if it has others."""

    result: Any
    people: People
    size: Optional[np.ndarray]


@dataclass
class ResultReader:
    """Reads results of one kind, and puts keypoints back into them.

    ``image_size`` replaces what the results say.
    """

    kind: ModuleType
    image_size: Optional[Sequence[float]] = None
    num_keypoints: Optional[int] = field(default=None, init=False)

    def __getstate__(self) -> Dict[str, Any]:
        # A module cannot be copied or pickled.
        return dict(self.__dict__, kind=self.kind.__name__)

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state, kind=import_module(state['kind']))

    def read(self, result: Any, number: int) -> Read:
        """Read a result and check it; ``number`` is its place."""
        where = f'{self.kind.TITLE}: result {number}'
        if is_empty(result):
            return Read(result, NO_PEOPLE, None)
        if not self.kind.matches(result):
            raise ValueError(
                f'{where}: expected the same kind as before it, found '
                f'{type(result).__name__}'
            )
        try:
            people = self.kind.read(result)
        except ValueError as error:
            raise ValueError(f'{where}: {error}') from None
        if not len(people):
            return Read(result, people, None)
        count = people.keypoints.shape[1]
        if self.num_keypoints not in (None, count):
            raise ValueError(
                f'{where}: expected {self.num_keypoints} keypoints as before '
                f'it, found {count}'
            )
        self.num_keypoints = count
        if self.image_size is not None:
            people.image_size = self.image_size
        if people.names is None:
            people.names = self.kind.SKELETONS.get(count)
        if not people.is_fraction:
            return Read(result, people, None)
        if people.image_size is None:
            raise ValueError(
                f'{where}: its coordinates are fractions of the image size, '
                'which it does not say: give image_size=(W, H)'
            )
        size = np.asarray(people.image_size, np.float64)
        people.keypoints = people.keypoints * size
        return Read(result, people, size)

    def write(self, read: Read, keypoints: np.ndarray) -> Any:
        """A copy of a result with keypoints (N, K, D) in pixels."""
        if is_empty(read.result):
            return read.result
        if read.size is not None:
            keypoints = keypoints / read.size
        return self.kind.write(read.result, keypoints)


class ResultPoses(DetectionFile):
    """Results of consecutive frames, persons linked as those of a file."""

    def __init__(
        self,
        results: Sequence[Any],
        reader: ResultReader,
        tracker: Optional[Any] = None,
    ):
        self.reader = reader
        self.read = [reader.read(x, i) for i, x in enumerate(results)]
        some = [x.people for x in self.read if len(x.people)]
        path = Path(reader.kind.TITLE)
        if not some:
            raise ValueError(f'{path}: expected a person, found none')
        frames, ids = self._frames_and_ids()
        everybody = np.concatenate([x.keypoints for x in some])
        scores = None
        if any(x.scores is not None for x in some):
            scores = np.concatenate([x.scores_or_default for x in some])
        has_ids = any(person is not None for person in ids)
        together = len(np.unique(frames)) < len(frames)
        if tracker is None and together and not has_ids:
            tracker = PoseTracker()
        found = Detections(
            frames, everybody, scores, ids, 'id', some[0].is_visibility
        )
        super().__init__(Source(path, 'results', tracker=tracker), found)
        if some[0].names is not None:
            self.keypoint_names = list(some[0].names)
            self.names_by = 'by their number, as usual for such results'
        for track in self.tracks:
            track.image_size = some[0].image_size

    def save(  # type: ignore[override]
        self, out: List[Any], refined: Sequence[RefineResult]
    ) -> None:
        """Append a copy of each result, with refined keypoints, to a list."""
        keypoints, _ = self.collect(refined)
        ends = np.cumsum([len(x.people) for x in self.read])[:-1]
        for read, own in zip(self.read, np.split(keypoints, ends)):
            out.append(self.reader.write(read, own))

    def _frames_and_ids(self) -> Tuple[np.ndarray, List[Any]]:
        """Number of the frame, (N,) int64, and id of everybody."""
        frames, ids, first = [], [], 0
        for _, people, _ in self.read:
            within = people.frames
            if within is None:
                within = np.zeros(len(people), np.int64)
            frames.append(first + within)
            ids += people.known_ids
            first += people.num_frames
        return np.concatenate(frames).astype(np.int64), ids


def is_empty(result: Any) -> bool:
    """Whether it says that there is nobody: None or an empty list."""
    return result is None or (
        isinstance(result, (list, tuple)) and not len(result)
    )


def to_numpy(values: Any) -> np.ndarray:
    """Numbers of any library as float64."""
    if isinstance(values, torch.Tensor):
        values = values.detach().cpu().double()
    return np.asarray(values, np.float64)


def nan_at_origin(keypoints: np.ndarray) -> np.ndarray:
    """Keypoints (N, K, D), NaN where they are (0, 0), as where nothing is."""
    if keypoints.shape[-1] != 2:  # 3D joints may be relative to one of them
        return keypoints.copy()
    nothing = (keypoints == 0).all(-1, keepdims=True)
    return np.where(nothing, np.nan, keypoints)


def replace_coordinates(values: Any, keypoints: np.ndarray) -> Any:
    """A copy of values (..., D or more) with the first D replaced.

    Where keypoints are NaN a value stays if it says that it is missing, as
    (0, 0) does, and becomes 0 if it does not. Tensors, arrays and lists stay
    what they are, whole numbers become fractions.
    """
    before = to_numpy(values)
    dims = keypoints.shape[-1]
    after = np.where(np.isnan(keypoints), 0, keypoints)
    gone = np.isnan(keypoints).any(-1, keepdims=True)
    marked = np.isnan(before).any(-1, keepdims=True)
    after = np.where(gone & marked, before[..., :dims], after)
    result = np.concatenate([after, before[..., dims:]], -1)
    if isinstance(values, torch.Tensor):
        kind = values.dtype if values.is_floating_point() else torch.float32
        return torch.from_numpy(result).to(values.device, kind)
    if isinstance(values, np.ndarray):
        is_float = values.dtype.kind == 'f'
        return result.astype(values.dtype if is_float else np.float32)
    return result.tolist()
