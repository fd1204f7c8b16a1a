# Copyright (c) hanet_mm contributors. All rights reserved.
"""Predictions of MMPose for a folder of pictures.

``MMPoseInferencer`` writes a JSON file for each picture, with its name: the
list of the instances found in it. The files are the frames of a video, in the
order of their names.
"""

from functools import partial
from pathlib import Path
from typing import Any, Sequence

from hanet_mm.core.data.files import PathLike, read_json, write_json
from hanet_mm.core.refine.refiner import RefineResult

from .base import Source
from .folders import list_files, write_folder
from .frame_names import frame_numbers
from .mmpose import MMPosePredictions


def matches(source: Source) -> bool:
    """Whether a folder holds such files."""
    for name in list_files(source.path, '.json'):
        try:
            content = read_json(source.path / name)
        except ValueError:
            return False
        if content != []:
            first = content[0] if isinstance(content, list) else None
            return isinstance(first, dict) and (
                {'keypoints', 'keypoint_scores'} <= {*first}
            )
    return False


class MMPoseFolder(MMPosePredictions):
    """A folder with the instances of each picture, written as
    :class:`MMPosePredictions` are.
    """

    def __init__(self, source: Source):
        folder = source.path
        self.names = list_files(folder, '.json')
        numbers = frame_numbers(self.names, folder, 'name of a picture')
        content = [
            dict(frame_id=number, instances=read_json(folder / name))
            for name, number in zip(self.names, numbers.tolist())
        ]
        super().__init__(source._replace(content=content))

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """Write a folder, which must not exist or be empty."""
        frames = self.refined_content(refined)
        write_folder(
            out,
            {
                name: partial(self._write, frame['instances'])
                for name, frame in zip(self.names, frames)
            },
        )

    def _write(self, instances: Any, path: Path) -> None:
        write_json(path, instances, Path(self.path) / path.name)


read = MMPoseFolder
