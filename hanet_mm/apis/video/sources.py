# Copyright (c) hanet_mm contributors. All rights reserved.
"""Where frames come from, one at a time: files, cameras and programs."""

import os
import re
import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Optional, Tuple, Union

import cv2
import numpy as np

from hanet_mm.core.refine.frame_rate import check_fps

from .containers import is_whole_matroska
from .frames import Frame

IMAGE_SUFFIXES = tuple(
    '.jpg .jpeg .png .bmp .ppm .pgm .tif .tiff .webp'.split()
)
VIDEO_SUFFIXES = tuple(
    '.mp4 .avi .mov .mkv .webm .m4v .mpg .mpeg .wmv .flv'.split()
)
_URL = re.compile(r'(https?|rtsps?|rtmps?|udp|tcp)://', re.IGNORECASE)
# Milliseconds that an address in the network may take to answer.
_TIMEOUT = 20_000
# Containers say rates such as 0 or 90000 where they know none.
_MAX_FPS = 1000
# From whose times a rate is measured where there is none.
_MEASURED_FRAMES = 100
# Share of the frames that a container may announce in excess: the number is
# an estimate in some formats.
_COUNT_TOLERANCE = 0.01
# A time stamp this near to its place at a constant rate, in frames, differs
# by rounding only.
_ROUNDING = 0.1

SourceLike = Union[str, 'os.PathLike[str]', int, np.ndarray, Iterable[Any]]


class SourceStopped(OSError):
    """A source gave frames and then failed."""


class FrameSource(ABC):
    """Gives the frames of a video in order.

    Attributes:
        name: What to call it in messages.
        fps: Frames per second; None: unknown.
        num_frames: How many there are, as far as the source says.
        live: Whether frames come as they happen.
        warning: What was wrong with it, '' for nothing; set when it ends.
    """

    name: str
    fps: Optional[float] = None
    num_frames: Optional[int] = None
    live: bool = False
    warning: str = ''

    @abstractmethod
    def __iter__(self) -> Iterator[Frame]:
        """Iterate over the frames.

        Raises:
            ValueError: If there is no frame at all, or a frame is not a
                picture.
            SourceStopped: If the source fails after some frames.
        """


def open_source(
    inputs: SourceLike, fps: Optional[float] = None
) -> FrameSource:
    """Open whatever frames can be read from.

    Args:
        inputs: A :class:`FrameSource`, path of a video, a picture or a
            folder of pictures (in natural order: 2 before 10), number of a
            camera (also as ``'0'`` or ``'webcam:0'``), address of a video or
            stream (``http://``, ``rtsp://``), or frames as
            :class:`IteratorSource` takes them.
        fps: Frames per second, in place of what the source says.

    Returns:
        FrameSource: Frames are read when it is iterated over.

    Raises:
        ValueError: No picture or video, or a rate not above 0.
        OSError: If there is no such file or camera.
    """
    if fps is not None:
        fps = check_fps(fps)
    if isinstance(inputs, FrameSource):
        return inputs
    if isinstance(inputs, int):
        return WebcamSource(inputs)
    if isinstance(inputs, np.ndarray) and inputs.ndim == 3:
        return IteratorSource([inputs], fps)
    if not isinstance(inputs, (str, os.PathLike)):
        return IteratorSource(inputs, fps)
    if is_url(inputs):
        return UrlSource(str(inputs), fps)
    if '://' in str(inputs):
        raise ValueError(
            f'{inputs}: expected a file or an address of http, https, rtsp, '
            'rtmp, udp or tcp'
        )
    path = Path(inputs)
    camera = re.fullmatch(r'(?:webcam:?)?(\d*)', str(inputs))
    if camera and not path.exists():
        return WebcamSource(int(camera.group(1) or 0))
    if path.is_dir():
        images = list_files(path, IMAGE_SUFFIXES)
        if not images:
            raise ValueError(f'{path}: the folder has no picture')
        return ImageSource(images, str(path), fps)
    if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file():
        return ImageSource([path], str(path), fps)
    return VideoSource(path, fps)


def list_files(folder: Path, suffixes: Tuple[str, ...]) -> List[Path]:
    """Files of a folder with one of the endings, in natural order."""
    found = [
        path
        for path in folder.iterdir()
        if path.suffix.lower() in suffixes
        and path.is_file()
        and not path.name.startswith('.')
    ]
    return sorted(found, key=_natural)


def _natural(path: Path) -> list:
    """Sort key in which numbers count as numbers."""
    parts = re.split(r'(\d+)', path.name)
    return [(int(x), '') if x.isdecimal() else (-1, x) for x in parts]


class VideoClock:
    """Time stamps of a video, without the rounding of its container.

    They are those of a constant rate, up to the first that is not. Without a
    rate there are no times; with ``timed`` False, or from where time stamps
    stop rising, frames are counted instead.
    """

    def __init__(self, fps: Optional[float], timed: bool) -> None:
        self.fps, self.timed = fps, timed
        self.even = True  # so far
        self.first = self.elapsed = self.given = 0.0

    def read(self, index: int, seconds: float) -> Optional[float]:
        """The time of a frame in seconds since the first one."""
        if not self.fps:
            return None
        if not index:
            self.first = seconds
            return 0.0
        elapsed = seconds - self.first
        if elapsed <= self.elapsed:
            self.timed = False
        self.elapsed = elapsed
        if not self.timed:
            self.given += 1 / self.fps
            return self.given
        even = index / self.fps
        near = abs(elapsed - even) * self.fps < _ROUNDING
        self.even = self.even and near and even > self.given
        self.given = even if self.even else elapsed
        return self.given


class VideoSource(FrameSource):
    """A video file, read by OpenCV; ``fps`` overrides that of the file.

    Pictures are upright, as players show them. A file that ends before the
    length that it announces is a :class:`SourceStopped` after its frames.
    """

    def __init__(
        self, path: 'os.PathLike[str]', fps: Optional[float] = None
    ) -> None:
        self.name = str(path)
        if not Path(path).is_file():
            raise FileNotFoundError(f'{path}: no such video')
        self._probe(fps)

    def _probe(self, fps: Optional[float]) -> None:
        """Set the rate and the number of frames."""
        capture = self._open()
        found = capture.get(cv2.CAP_PROP_FPS)
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
        self._timed = fps is None
        self._seconds = 0.0  # that the file announces; 0: nothing
        self.num_frames = None
        if 0 < count < 2**31 and found > 0:
            self._seconds = count / found
            self.num_frames = int(count)
        if not 0 < found < _MAX_FPS:
            # Such as a rate of 1000 in recordings of browsers.
            found = _measure_rate(capture)
            self.num_frames = None
        capture.release()
        self.fps = fps or found

    def __iter__(self) -> Iterator[Frame]:
        """See :meth:`FrameSource.__iter__`."""
        capture = self._open()
        capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        clock = VideoClock(self.fps, self._timed)
        index = 0
        try:
            while True:
                there, image = capture.read()
                if not there:
                    break
                seconds = capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
                yield Frame(index, image, clock.read(index, seconds))
                index += 1
        finally:
            capture.release()
        if not index:
            raise ValueError(f'{self.name}: the video has no readable frame')
        self._check_end(index, seconds)

    def _check_end(self, count: int, seconds: float) -> None:
        """Compare what was read with what the file announces."""
        announced = self.num_frames or 0
        if announced - count <= max(2, _COUNT_TOLERANCE * announced):
            return
        path = Path(self.name)  # or an address
        if path.is_file() and is_whole_matroska(path):
            return  # the number was OpenCV's guess
        text = (
            f'{self.name}: only {count} of {announced} frames could be read, '
            'the file is damaged or cut off'
        )
        # Containers of uneven frames may only guess how many there are.
        missing = 1 - seconds / self._seconds
        if missing * announced > max(2, _COUNT_TOLERANCE * announced):
            raise SourceStopped(text)
        self.warning = text

    def _open(self) -> cv2.VideoCapture:
        capture = cv2.VideoCapture(self.name)
        if not capture.isOpened():
            raise ValueError(
                f'{self.name}: not a video that OpenCV can read (damaged, '
                'empty or of another format)'
            )
        return capture


class UrlSource(VideoSource):
    """A video or stream in the network, read by OpenCV.

    What has no end that is known is ``live``: Ctrl-C ends it.
    """

    def __init__(self, url: str, fps: Optional[float] = None) -> None:
        self.name = url
        self._probe(fps)
        self.live = self.num_frames is None

    def _check_end(self, count: int, seconds: float) -> None:
        if self.live:
            raise SourceStopped(f'{self.name}: stopped after {count} frames')
        super()._check_end(count, seconds)

    def _open(self) -> cv2.VideoCapture:
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, _TIMEOUT]
        limits += [cv2.CAP_PROP_READ_TIMEOUT_MSEC, _TIMEOUT]
        capture = cv2.VideoCapture(self.name, cv2.CAP_FFMPEG, limits)
        if not capture.isOpened():
            raise OSError(
                f'{self.name}: cannot be opened; is the address right, and '
                'is it a video that OpenCV can read?'
            )
        return capture


def is_url(source: Any) -> bool:
    """Whether a text is an address in the network."""
    return isinstance(source, str) and bool(_URL.match(source))


def _measure_rate(capture: cv2.VideoCapture) -> Optional[float]:
    """Rate of the first frames by their times; None: they have none."""
    times = []
    while len(times) < _MEASURED_FRAMES and capture.grab():
        times.append(capture.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    intervals = np.diff(times)
    if not len(intervals) or (intervals <= 1 / _MAX_FPS).any():
        return None
    return float(1 / np.median(intervals))


class ImageSource(FrameSource):
    """Pictures as files, in their order."""

    def __init__(
        self, paths: List[Path], name: str, fps: Optional[float] = None
    ) -> None:
        self.paths, self.name, self.fps = paths, name, fps
        self.num_frames = len(paths)

    def __iter__(self) -> Iterator[Frame]:
        """See :meth:`FrameSource.__iter__`."""
        for index, path in enumerate(self.paths):
            image = cv2.imread(str(path), cv2.IMREAD_COLOR)
            if image is None:
                raise ValueError(
                    f'{path}: not a picture that OpenCV can read (damaged, '
                    'empty or of another format)'
                )
            yield Frame(index, image, self.fps and index / self.fps)


class WebcamSource(FrameSource):
    """A camera, by its number, until it stops."""

    live = True

    def __init__(self, index: int) -> None:
        self.name = f'webcam {index}'
        self._capture = cv2.VideoCapture(index)
        if not self._capture.isOpened():
            raise OSError(
                f'{self.name}: cannot be opened; is it connected, and in use '
                'by no other program?'
            )
        found = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = found if 0 < found < _MAX_FPS else None

    def __iter__(self) -> Iterator[Frame]:
        """See :meth:`FrameSource.__iter__`."""
        index, start = 0, None
        try:
            while True:
                there, image = self._capture.read()
                now = time.monotonic()
                if not there:
                    raise SourceStopped(
                        f'{self.name}: stopped after {index} frames'
                    )
                start = now if start is None else start
                yield Frame(index, image, now - start)
                index += 1
        finally:
            self._capture.release()


class IteratorSource(FrameSource):
    """Frames of a program.

    Args:
        frames: Pictures (H, W, 3) uint8 BGR, or pairs of a picture and its
            time in seconds.
        fps: Frames per second. Defaults to None: unknown.
    """

    name = 'frames'

    def __init__(
        self, frames: Iterable[Any], fps: Optional[float] = None
    ) -> None:
        self._frames, self.fps = frames, fps
        if hasattr(frames, '__len__'):
            self.num_frames = len(frames)

    def __iter__(self) -> Iterator[Frame]:
        """See :meth:`FrameSource.__iter__`."""
        index = -1
        for index, item in enumerate(self._frames):
            image, seconds = item if isinstance(item, tuple) else (item, None)
            shape = getattr(image, 'shape', ())
            if len(shape) != 3 or shape[2] != 3 or image.dtype != np.uint8:
                kind = getattr(image, 'dtype', type(image).__name__)
                raise ValueError(
                    f'frame {index}: expected a picture (H, W, 3) uint8, '
                    f'found {kind} {shape}'
                )
            if seconds is None and self.fps:
                seconds = index / self.fps
            yield Frame(index, image, seconds)
            del image, item  # not kept while the caller works
        if index < 0:
            raise ValueError(f'{self.name}: expected at least 1, found 0')
