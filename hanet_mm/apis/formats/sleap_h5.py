# Copyright (c) hanet_mm contributors. All rights reserved.
"""Analysis files ``.h5`` of SLEAP, through h5py.

``tracks`` (P, 2, K, T), NaN: missing, ``point_scores`` (P, K, T),
``node_names``, ``track_names``. The HDF5 files of DeepLabCut hold pickles and
are refused: it writes the same as CSV.
"""

from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np

from hanet_mm.core.data.extras import import_extra
from hanet_mm.core.data.files import LARGEST_ARRAY, PathLike, atomic_path
from hanet_mm.core.refine.refiner import RefineResult

from .base import PersonTrack, PoseFile, Source

# What packing may save, more than of any poses.
_PACKED = 1000


def matches(source: Source) -> bool:
    """Any such file: :func:`read` says what was expected of it."""
    return source.kind == '.h5'


class SleapAnalysis(PoseFile):
    """The tracks of a file. Refined coordinates replace the given ones; all
    other data sets stay.
    """

    keeps_input = False

    def __init__(self, source: Source):
        self.path: Path = source.path
        path = source.path
        found = _read(path)
        self.given = tracks = found['tracks']
        if tracks.ndim != 4 or tracks.shape[1] != 2:
            raise ValueError(
                f'{path}: tracks: expected shape (P, 2, K, T), found '
                f'{tracks.shape}'
            )
        scores = found.get('point_scores')
        if scores is not None and scores.shape != _without_axes(tracks):
            raise ValueError(
                f'{path}: point_scores: expected shape '
                f'{_without_axes(tracks)}, found {scores.shape}'
            )
        count = tracks.shape[2]
        names = _texts(found.get('node_names'))
        self.keypoint_names = names if len(names) == count else None
        persons = _texts(found.get('track_names'))
        self.tracks: List[PersonTrack] = []
        # Their number in the file and the frames from first to last.
        self.places: List[Any] = []
        for p, person in enumerate(tracks.astype(np.float64)):
            points = person.transpose(2, 1, 0)
            seen = np.flatnonzero(np.isfinite(points).all(-1).any(-1))
            if not len(seen):
                continue
            span = slice(int(seen[0]), int(seen[-1]) + 1)
            self.places.append((p, span))
            self.tracks.append(
                PersonTrack(
                    f'track {persons[p] if p < len(persons) else p}',
                    points[span],
                    None if scores is None else scores[p].T[span],
                    span.start,
                    source.image_size,
                )
            )

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        package = _package(self.path)
        with atomic_path(out) as path:
            path.write_bytes(self.path.read_bytes())
            try:
                with package.File(path, 'r+') as file:
                    file['tracks'][()] = self._refined(refined)
            except (RuntimeError, TypeError) as error:
                raise ValueError(
                    f'{self.path}: damaged, new values cannot be written to '
                    f'a copy ({error})'
                ) from None

    def _refined(self, refined: Sequence[RefineResult]) -> np.ndarray:
        tracks = self.given.copy()
        for (p, span), result in zip(self.places, refined):
            points = np.asarray(result.keypoints).transpose(2, 1, 0)
            known = np.isfinite(points).all(0)
            part = tracks[p][..., span]
            part[:, known] = points[:, known]
        return tracks


read = SleapAnalysis


def _without_axes(tracks: np.ndarray) -> Any:
    return (tracks.shape[0], *tracks.shape[2:])


def _read(path: Path) -> Dict[str, np.ndarray]:
    """The data sets of a file that are wanted."""
    package = _package(path)
    wanted = ('tracks', 'point_scores', 'node_names', 'track_names')
    try:
        with package.File(path, 'r') as file:
            most = min(LARGEST_ARRAY, _PACKED * path.stat().st_size)
            large = [x for x in wanted if x in file and file[x].nbytes > most]
            if not large:
                found = {x: file[x][()] for x in wanted if x in file}
            others = ', '.join(map(str, file))
    except Exception as error:  # whatever a damaged file makes of it
        raise ValueError(
            f'{path}: expected an HDF5 file, found a damaged one ({error})'
        ) from None
    if large:
        raise ValueError(
            f'{path}: {large[0]}: expected at most {most} bytes, found more'
        )
    if 'df_with_missing' in others:
        raise ValueError(
            f'{path}: is of DeepLabCut and holds pickles, which can run any '
            'code: expected the .csv that it writes of the same'
        )
    if 'tracks' not in found:
        raise ValueError(
            f'{path}: expected tracks (an analysis file of SLEAP), found '
            f'{others or "nothing"}'
        )
    return found


def _texts(values: Any) -> List[str]:
    if values is None:
        return []
    return [
        x.decode('utf-8', 'replace') if isinstance(x, bytes) else str(x)
        for x in np.ravel(values).tolist()
    ]


def _package(path: PathLike) -> Any:
    return import_extra('h5py', f'{path}: reading HDF5 files')
