# Copyright (c) hanet_mm contributors. All rights reserved.
"""Draw the poses in a file on their video."""

import sys
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple

import cv2
import numpy as np

from hanet_mm.apis.video.frames import Frame
from hanet_mm.apis.video.sources import open_source
from hanet_mm.core.data.files import PathLike
from hanet_mm.core.metrics.measures import present
from hanet_mm.progress import progress_bar
from hanet_mm.visualization.people_scene import PeopleScene
from hanet_mm.visualization.recording import Recording, ShownPerson
from hanet_mm.visualization.video_writer import open_video
from hanet_mm.visualization.window import Window, WindowClosed

from .recording import read_recording

_USUAL_FPS = 25.0


@dataclass
class DrawSummary:
    """What was drawn; its text is one line."""

    recording: Recording
    out: Optional[PathLike]
    num_frames: int = 0
    note: str = ''

    def __str__(self) -> str:
        place = '' if self.out is None else f'{self.out}: '
        note = f'; {self.note}' if self.note else ''
        return (
            f'{place}{self.num_frames} frames drawn, '
            f'{self.recording.describe()}{note}'
        )


def draw_poses(
    video: PathLike,
    poses: PathLike,
    out: Optional[PathLike],
    before: Optional[PathLike] = None,
    skeleton: Optional[PathLike] = None,
    fps: Optional[float] = None,
    show: bool = False,
    progress: bool = False,
    **reading: Any,
) -> DrawSummary:
    """Draw poses on their video, before and after refinement if both are
    known.

    Args:
        video (PathLike): What :func:`open_source` takes.
        poses (PathLike): In any format that
            :func:`hanet_mm.apis.formats.open_poses` takes, 2D.
        out (PathLike, optional): The ``.mp4`` to write, or None.
        before (PathLike, optional): See :func:`read_recording`.
        skeleton (PathLike, optional): See :func:`read_recording`.
        fps (float, optional): Frame rate, in place of that of the video.
        show (bool): Whether to open a window; q ends it. Defaults to False.
        progress (bool): Whether to show a progress bar on stderr, if that is
            a terminal. Defaults to False.
        **reading: Other arguments of :func:`open_poses`; the image size is
            that of the video where the file needs one.

    Returns:
        DrawSummary: Its text is one line.

    Raises:
        OSError: If a file is not there or cannot be written.
        ValueError: One line naming the file and what is wrong.
    """
    source = open_source(video, fps)
    images = iter(source)
    first = next(images, None)
    if first is None:
        raise ValueError(f'{source.name}: expected a frame, found none')
    size = first.size
    recording = _read(poses, before, skeleton, size, reading)
    shift = _first_number(recording, source.num_frames)
    overlay = Overlay(recording, size, shift)
    summary = DrawSummary(recording, out)
    rate = source.fps or recording.fps or _USUAL_FPS
    shown = progress and sys.stderr.isatty()
    with ExitStack() as stack:
        write = window = None
        if show:
            window = Window(source.name, rate)
            stack.callback(window.close)
        if out is not None:
            write = stack.enter_context(open_video(out, overlay.size, rate))
        bar = progress_bar(source.num_frames, Path(video).name, shown=shown)
        advance = stack.enter_context(bar)
        try:
            for frame in chain([first], images):
                picture = overlay.draw(frame)
                if write is not None:
                    write(picture)
                if window is not None:
                    window.show(picture)
                summary.num_frames += 1
                advance()
        except WindowClosed:
            summary.note = 'ended by the user'
    last = max(overlay.last, 0)
    if not summary.note and last >= summary.num_frames:
        summary.note = (
            f'the poses go on to frame {last}, the video has '
            f'{summary.num_frames}: are they of this video?'
        )
    return summary


class Overlay:
    """Draws the poses of a recording on pictures of its video.

    Args:
        recording (Recording): 2D.
        size (tuple): Width and height of the pictures.
        first_number (int): Number that the recording gives to the first
            picture.
    """

    def __init__(
        self, recording: Recording, size: Tuple[int, int], first_number: int
    ) -> None:
        self.recording, self._first_number = recording, first_number
        titles = ('Before', 'After') if recording.refined else ('Poses',)
        self._scene = PeopleScene(
            size,
            recording.links,
            recording.keypoint_names,
            recording.refined,
            titles=titles,
        )
        # Poses may be of the same video in another size.
        given = recording.image_size or size
        self._scale = np.divide(size, given)
        self._names = dict(enumerate(_short_names(recording.people)))

    @property
    def size(self) -> Tuple[int, int]:
        """Width and height of what is drawn."""
        return self._scene.size

    @property
    def last(self) -> int:
        """The last picture with a pose."""
        ends = [x.first_frame + len(x.poses) for x in self.recording.people]
        return max(ends) - 1 - self._first_number

    def draw(self, frame: Frame) -> np.ndarray:
        """Draw on a frame with picture; (h, w, 3) uint8 RGB of ``size``."""
        rows = list(self._people_in(frame.index + self._first_number))
        count = len(self.recording.keypoint_names)
        after = np.zeros((len(rows), count, 2))
        before = np.zeros((len(rows), count, 2))
        for row, (_, person, t) in enumerate(rows):
            after[row] = person.poses[t] * self._scale
            earlier = person.poses if person.before is None else person.before
            before[row] = earlier[t] * self._scale
        frame.keypoints, frame.refined = before, after
        # Both sides show what is there, whatever its score.
        frame.keypoint_scores = present(before).astype(np.float32)
        frame.filled = present(after)
        frame.track_ids = np.array([x for x, _, _ in rows], np.int64)
        frame.segments = np.zeros(len(rows), np.int64)
        picture = cv2.cvtColor(frame.image, cv2.COLOR_BGR2RGB)
        frame.image = self._scene.background(picture)
        return self._scene.draw(frame, self._names)

    def _people_in(
        self, number: int
    ) -> Iterator[Tuple[int, ShownPerson, int]]:
        """People of a frame: their number, themselves, and their frame."""
        for index, person in enumerate(self.recording.people):
            t = number - person.first_frame
            if 0 <= t < len(person.poses):
                yield index, person, t


def _read(
    poses: PathLike,
    before: Optional[PathLike],
    skeleton: Optional[PathLike],
    size: Tuple[int, int],
    reading: dict,
) -> Recording:
    """Read poses; fractions of the image become pixels of the video."""
    try:
        recording = read_recording(poses, before, skeleton, **reading)
    except ValueError:
        if reading.get('image_size') is not None:
            raise
        reading = dict(reading, image_size=size)
        recording = read_recording(poses, before, skeleton, **reading)
    if recording.dims != 2:
        raise ValueError(
            f'{poses}: expected 2D poses to draw on a video, found 3D; '
            'look at them with: hanet-mm view'
        )
    if not recording.one_clock:
        raise ValueError(
            f'{poses}: expected people of one video, found '
            f'{len(recording.people)} sequences that do not say which frames '
            'they are (extras/frame_number)'
        )
    return recording


def _first_number(recording: Recording, num_frames: Optional[int]) -> int:
    """1 if the frames of the recording seem to count from 1, else 0."""
    people = recording.people
    first = min(x.first_frame for x in people)
    last = max(x.first_frame + len(x.poses) - 1 for x in people)
    return int(first >= 1 and last == num_frames)


def _short_names(people: List[ShownPerson]) -> List[str]:
    """Labels: the last word of each name, nothing for a single person."""
    if len(people) == 1:
        return ['']
    return [x.name.split()[-1] for x in people]
