"""Poses of a video as MMPose's prediction JSON, written as they come."""

import json
from pathlib import Path
from typing import Any, BinaryIO, Dict, Optional

import numpy as np

from hanet_mm.core.data.files import PathLike

_END = b'\n]\n'


class JsonOutput:
    """A list of ``{frame_id, instances}``, one line for each frame.

    Instances have MMPose's ``keypoints``, ``keypoint_scores``, ``bbox`` and
    ``bbox_score``, and ``track_id``, ``segment``, ``keypoints_input`` (as
    the estimator gave them) and ``filled``. null: missing.

    Frames go to ``NAME.partial.json``, which is valid JSON after each of
    them, whatever happens; :meth:`finish` gives the file its name. A frame
    that could not be written whole is taken out again.

    Args:
        path (PathLike): The ``.json`` file. Missing folders are made.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self.partial_path = partial_path(self.path)
        self._file: Optional[BinaryIO] = None
        self._end = 0  # where the list ends in the file

    def write(self, result: Dict[str, Any]) -> None:
        """Add a frame.

        Raises:
            OSError: If it cannot be written; the frames before it can.
        """
        lead = b',\n'
        if self._file is None:
            lead = b'[\n'
            self.partial_path.parent.mkdir(parents=True, exist_ok=True)
            # Not buffered: what was written is in the file. Closed at the end.
            self._file = open(  # noqa: SIM115
                self.partial_path, 'wb', buffering=0
            )
        text = json.dumps(frame_content(result), allow_nan=False)
        content = lead + text.encode() + _END
        try:
            self._file.seek(self._end)
            write_all(self._file, content)
        except BaseException:  # Ctrl-C, too, may come in the middle
            self._repair()
            raise
        self._end += len(content) - len(_END)

    def finish(self) -> None:
        """Give the complete file its name."""
        if self._file is None:
            raise ValueError(f'{self.path}: there is no frame to write')
        self._file.close()
        self.partial_path = self.partial_path.replace(self.path)

    def stop(self) -> Optional[Path]:
        """End, whether or not it was the last frame.

        Returns:
            Path: Where the frames are; None: there are none.
        """
        if self._file is None:
            return None
        self._file.close()
        if self._end:
            return self.partial_path
        self.partial_path.unlink()
        return None

    def _repair(self) -> None:
        """End the list after the last whole frame."""
        self._file.truncate(self._end)
        if self._end:
            self._file.seek(self._end)
            # The bytes were there before: a full disk has room for them.
            write_all(self._file, _END)


def partial_path(path: Path) -> Path:
    """Where the finished part of a file is: ``a.json -> a.partial.json``."""
    return path.with_name(f'{path.stem}.partial{path.suffix}')


def frame_content(result: Dict[str, Any]) -> Dict[str, Any]:
    """A frame as JSON holds it.

    Args:
        result (dict): Of the pipeline.
    """
    return dict(
        frame_id=result['frame_id'],
        timestamp=result['timestamp'],
        image_size=list(result['image_size']),
        instances=[_instance_content(x) for x in result['instances']],
    )


def _instance_content(instance: Dict[str, Any]) -> Dict[str, Any]:
    return dict(
        track_id=instance['track_id'],
        segment=instance['segment'],
        # A list in a list: so MMPose writes it.
        bbox=[_numbers(instance['bbox'])],
        bbox_score=round(instance['bbox_score'], 4),
        keypoints=_numbers(instance['keypoints']),
        keypoint_scores=_numbers(instance['keypoint_scores'], 4),
        keypoints_input=_numbers(instance['keypoints_input']),
        filled=instance['filled'].tolist(),
    )


def _numbers(values: np.ndarray, digits: int = 3) -> list:
    """Nested lists, rounded (3 digits: 1/1000 px); null for NaN."""
    values = np.asarray(values, np.float64).round(digits)
    missing = np.isnan(values)
    if not missing.any():
        return values.tolist()
    values = values.astype(object)
    values[missing] = None
    return values.tolist()


def write_all(file: BinaryIO, content: bytes) -> None:
    """Write a file without buffer, which may take a part only."""
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]
