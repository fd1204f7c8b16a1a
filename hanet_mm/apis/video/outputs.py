# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files of a video: MMPose's JSON, flat npz, and the before/after video.

Every output grows in ``NAME.partial.SUFFIX`` or in memory; ``finish`` gives
the complete file its name, ``stop`` leaves what is there as a valid part.
"""

import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any, BinaryIO, Callable, Dict, List, Optional, Sequence

import cv2
import numpy as np

from hanet_mm.apis.formats.marks import TYPES as MARKS
from hanet_mm.core.data.atomic import (
    PathLike,
    move_file,
    name_file,
    open_locked,
    shorten_stem,
)
from hanet_mm.core.data.files import write_npz
from hanet_mm.visualization.people_scene import PeopleScene
from hanet_mm.visualization.video_writer import open_video
from hanet_mm.visualization.window import Window, WindowClosed

from .frames import Frame

_END = b'\n]\n'
_DEFAULT_FPS = 25.0
# Values where a person is away, if not NaN.
_AWAY = dict(scores=0, filled=False, **dict.fromkeys(MARKS, 0))


class JsonOutput:
    """A list of ``{frame_id, instances}``, one line for each frame.

    Instances have MMPose's ``keypoints``, ``keypoint_scores``, ``bbox`` and
    ``bbox_score``, and ``track_id``, ``segment``, ``keypoints_input`` (as
    the estimator gave them) and ``filled``; ``swapped`` and ``reason`` as in
    the files of ``hanet-mm refine``, where they are known. null: missing.

    Frames go to ``NAME.partial.json``, which is valid JSON after each of
    them, whatever happens. A frame that could not be written whole is taken
    out again.
    """

    def __init__(self, path: PathLike) -> None:
        self.path = Path(path)
        self.partial_path = partial_path(self.path)
        self._file: Optional[BinaryIO] = None
        self._end = 0  # where the list ends in the file

    def write(self, frame: Frame) -> None:
        """Add a frame; if that fails, the frames before it stay valid."""
        lead = b',\n'
        if self._file is None:
            lead = b'[\n'
            self.partial_path.parent.mkdir(parents=True, exist_ok=True)
            # Not buffered: what was written is in the file.
            self._file = open_locked(self.partial_path)
        text = json.dumps(_frame_content(frame), allow_nan=False)
        content = lead + text.encode() + _END
        try:
            self._file.seek(self._end)
            with name_file(self.path):
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
        move_file(self.partial_path, self.path)
        self.partial_path = self.path

    def stop(self) -> Optional[Path]:
        """End early; return the path of the frames, None without frames."""
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
    """Path of an unfinished file: ``a.json -> a.partial.json``."""
    return path.with_name(f'{shorten_stem(path.stem)}.partial{path.suffix}')


def _frame_content(frame: Frame) -> Dict[str, Any]:
    result = frame.result()
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
        **{key: instance[key].tolist() for key in MARKS if key in instance},
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


class NpzOutput:
    """The flat layout, one sequence a segment, written at the end.

    The file has the keys of
    :class:`hanet_mm.core.data.sequences.PoseSequences`; ``keypoints_est`` are
    the refined keypoints, ``keypoints_input`` (N, K, 2) those of the estimator
    and ``filled`` (N, K) tells which were missing, as in the files of
    ``hanet-mm refine``, of which it has ``swapped`` and ``reason`` too, where
    they are known. A sequence is called ``<track>_<segment>``; frames in
    which its person is not there are NaN. Extras: ``frame_number`` (N,),
    ``time_est`` (N,) in seconds. About 500 bytes for each person of a frame
    are in memory.

    Args:
        path (PathLike): The ``.npz`` file.
        keypoint_names (Sequence[str], optional): For ``meta``.
        fps (float, optional): Frame rate, if it is known.
    """

    def __init__(
        self,
        path: PathLike,
        keypoint_names: Optional[Sequence[str]] = None,
        fps: Optional[float] = None,
    ) -> None:
        self.path, self.fps = Path(path), fps
        self.meta: Dict[str, Any] = dict(units='px')
        if keypoint_names:
            self.meta['keypoint_names'] = list(keypoint_names)
        self._rows: List[Dict[str, np.ndarray]] = []
        self._finished = False

    def write(self, frame: Frame) -> None:
        """Add a frame."""
        count = len(frame)
        if not count:
            return
        time = np.nan if frame.timestamp is None else frame.timestamp
        self._rows.append(
            {
                'keypoints_est': frame.refined,
                'keypoints_input': frame.keypoints,
                'scores': frame.keypoint_scores,
                'filled': frame.filled,
                'bboxes': frame.bboxes.astype(np.float32),
                'extras/time_est': np.full(count, time),
                'image_size': np.full((count, 2), frame.size, np.float32),
                'order': np.stack(
                    [
                        frame.track_ids,
                        frame.segments,
                        np.full(count, frame.index),
                    ]
                ).T,
                **frame.marks(),
            }
        )

    def finish(self) -> None:
        """Write the file; a ValueError if there is no keypoint at all."""
        self._save(self.path)
        self._finished = True
        # Of an earlier run that was interrupted.
        partial_path(self.path).unlink(missing_ok=True)

    def stop(self) -> Optional[Path]:
        """Write a part and return its path, None if there are no people."""
        if self._finished:
            return self.path
        if not self._rows:
            return None
        self._save(partial_path(self.path))
        return partial_path(self.path)

    def _save(self, path: Path) -> None:
        columns = self._columns()
        segments = _segments(columns)
        if not segments:
            raise ValueError(
                f'{path}: expected at least one person with a keypoint in '
                'the video, found none'
            )
        order, sizes = columns.pop('order'), columns.pop('image_size')
        firsts = [rows[0] for rows in segments]
        rows = np.concatenate(segments)
        arrays = {
            key: _pick(x, rows, _AWAY.get(key, np.nan))
            for key, x in columns.items()
        }
        arrays['seq_len'] = np.array([len(x) for x in segments])
        arrays['seq_name'] = np.array(
            [f'{track}_{number}' for track, number, _ in order[firsts]]
        )
        arrays['image_size'] = sizes[firsts]
        arrays['extras/frame_number'] = np.concatenate(
            [order[x[0], 2] + np.arange(len(x)) for x in segments]
        )
        arrays['meta'] = np.asarray(json.dumps(self.meta))
        if self.fps:
            arrays['fps'] = np.full(len(segments), self.fps, np.float32)
        write_npz(path, arrays)

    def _columns(self) -> Dict[str, np.ndarray]:
        """The rows of all frames; marks are 0 in frames without them."""
        keys = dict.fromkeys(key for row in self._rows for key in row)
        return {
            key: np.concatenate(
                [
                    row[key]
                    if key in row
                    else np.zeros(row['filled'].shape, MARKS[key])
                    for row in self._rows
                ]
            )
            for key in keys
        }


def _pick(values: np.ndarray, rows: np.ndarray, away: float) -> np.ndarray:
    """Rows of an array; ``away`` where the row is -1."""
    chosen = values[rows]
    chosen[rows < 0] = away
    return chosen


def _segments(columns: Dict[str, np.ndarray]) -> List[np.ndarray]:
    """Rows of each segment, frame by frame, -1 where its person is away.

    Segments without a single keypoint are left out.
    """
    if not columns:
        return []
    order, seen = columns['order'], (columns['scores'] > 0).any(1)
    ranks = np.lexsort(order.T[::-1])
    tracks = order[ranks, :2]
    starts = np.flatnonzero((tracks[1:] != tracks[:-1]).any(1)) + 1
    segments = []
    for rows in np.split(ranks, starts):
        if not seen[rows].any():
            continue
        places = order[rows, 2] - order[rows[0], 2]
        spread = np.full(places[-1] + 1, -1)
        spread[places] = rows
        segments.append(spread)
    return segments


class VideoOutput:
    """A video with the poses before and after refinement, side by side.

    Args:
        path (PathLike, optional): The ``.mp4`` file; None: only shown.
        fps (float, optional): Frame rate. Defaults to None: 25.
        make_scene (Callable): Gives the :class:`PeopleScene` for the size
            (W, H) of the first frame.
        window (Window, optional): Shows the frames too. ``closed`` tells
            that the user has ended it.

    Raises:
        ValueError: If the path does not end in .mp4.
    """

    def __init__(
        self,
        path: Optional[PathLike],
        fps: Optional[float],
        make_scene: Callable[[Any], PeopleScene],
        window: Optional[Window] = None,
    ) -> None:
        self.path = None if path is None else Path(path)
        self.fps, self.window = fps or _DEFAULT_FPS, window
        self.closed = False
        if self.path is not None and self.path.suffix.lower() != '.mp4':
            raise ValueError(
                f'{path}: a video must be .mp4, got {self.path.suffix!r}'
            )
        self.make_scene = make_scene
        self._scene: Optional[PeopleScene] = None
        self._stack, self._write = ExitStack(), None

    def keep(self, image: np.ndarray) -> np.ndarray:
        """Reduce a picture (BGR) to what drawing needs, until it is drawn.

        That is the picture in the size in which it is drawn, so a waiting
        frame takes 1.5 MB at most and no video has to be read twice.
        """
        if self._scene is None:
            self._scene = self.make_scene(image.shape[1::-1])
        return self._scene.background(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))

    def write(self, frame: Frame) -> None:
        """Add a frame."""
        picture = self._scene.draw(frame)
        if self.path is not None:
            if self._write is None:
                part = partial_path(self.path)
                self._write = self._stack.enter_context(
                    open_video(part, self._scene.size, self.fps)
                )
            self._write(picture)
        if self.window is not None:
            try:
                self.window.show(picture)
            except WindowClosed:
                self.closed = True

    def finish(self) -> None:
        """Give the complete file its name."""
        self._close_window()
        if self.path is None:
            return
        if self._write is None:
            raise ValueError(f'{self.path}: there is no frame to write')
        self._stack.close()
        move_file(partial_path(self.path), self.path)

    def stop(self) -> Optional[Path]:
        """End early; return the path of the frames, None without frames."""
        self._close_window()
        if self._write is None or self.path is None:
            return None
        # Raises if a frame is lacking; nothing is left of the file then.
        self._stack.close()
        part = partial_path(self.path)
        return part if part.exists() else None

    def _close_window(self) -> None:
        if self.window is not None:
            self.window.close()
