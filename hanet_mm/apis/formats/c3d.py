# Copyright (c) hanet_mm contributors. All rights reserved.
"""Marker files ``.c3d`` of motion capture and biomechanics, through the
package of that name.

A point with a negative residual is missing. Units are those of ``POINT:UNITS``
or, without them, what the size of the person says. ``POINT:Y_SCREEN`` says
which axis points up, usually z.
"""

import io
import warnings
from typing import Any, List, Sequence

import numpy as np

from hanet_mm.core.data.extras import import_extra
from hanet_mm.core.data.files import PathLike, atomic_path
from hanet_mm.core.poses.units import LENGTHS
from hanet_mm.core.refine.refiner import RefineResult

from .base import PersonTrack, PoseFile, Source
from .evidence import metre_scale

# Rotations to axes of a camera, whose y points down, by the axis that is up.
_FROM_UP = {
    'Y': np.diag([1.0, -1.0, -1.0]),
    'Z': np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]]),
}


def matches(source: Source) -> bool:
    """Any such file: :func:`read` says what was expected of it."""
    return source.kind == '.c3d'


class C3dMarkers(PoseFile):
    """The markers of a file. Refined coordinates replace the given ones, with
    residual 0 where they were missing; analog channels, events and all other
    parameters stay.
    """

    keeps_input = False

    def __init__(self, source: Source):
        self.path = path = source.path
        package = _package(path)
        data = path.read_bytes()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter('ignore')  # of unusual parameters
                self.reader = package.Reader(io.BytesIO(data))
                frames = list(self.reader.read_frames())
                names = [x.strip() for x in self.reader.point_labels]
        except Exception as error:  # whatever a damaged file makes of it
            raise ValueError(
                f'{path}: expected a C3D file, found a damaged one ({error})'
            ) from None
        said = self.reader.last_frame - self.reader.first_frame + 1
        if len(frames) < said:
            raise ValueError(
                f'{path}: expected {said} frames, as its header says, found '
                f'{len(frames)}: truncated'
            )
        self.points = np.array([points for _, points, _ in frames])
        self.analog = [analog for *_, analog in frames]
        if not self.points.size:
            raise ValueError(f'{path}: expected markers, found none')
        self.keypoint_names = names[: self.points.shape[1]]
        places = self.points[..., :3].astype(np.float64)
        places[self.points[..., 3] < 0] = np.nan
        unit = self._text('POINT:UNITS').lower()
        if unit in LENGTHS:
            self.scale, self.unit = LENGTHS[unit], 'm'
        else:
            self.scale, self.unit = metre_scale(places)
        up = self._text('POINT:Y_SCREEN').strip('+')
        self.axes = _FROM_UP.get(up, _FROM_UP['Z'])
        rate = float(self.reader.point_rate)
        self.tracks = [
            PersonTrack(
                'markers',
                places * self.scale @ self.axes.T,
                fps=rate if 0 < rate < np.inf else None,
            )
        ]

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        places = np.asarray(refined[0].keypoints) @ self.axes / self.scale
        points = self.points.copy()
        given = np.isfinite(places).all(-1)
        points[..., :3][given] = places[given]
        points[..., 3:][given & (self.points[..., 3] < 0)] = 0
        frames: List[Any] = list(zip(points, self.analog))
        with (
            atomic_path(out) as path,
            open(path, 'wb') as file,
            warnings.catch_warnings(),
        ):
            warnings.simplefilter('ignore')  # of channels that are not there
            writer = self.reader.to_writer('copy_metadata')
            writer.add_frames(frames)
            writer.write(file)

    def _text(self, parameter: str) -> str:
        found = self.reader.get(parameter)
        return '' if found is None else found.string_value.strip()


read = C3dMarkers


def _package(path: PathLike) -> Any:
    return import_extra('c3d', f'{path}: reading C3D files')
