"""The video with the poses before and after refinement."""

import queue
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    Optional,
    Tuple,
)

import cv2
import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.visualization.video_writer import open_video

from .json_output import partial_path
from .pose_painter import PosePainter
from .sources import FrameSource

# Results that wait to be drawn.
_QUEUE = 8
_DEFAULT_FPS = 25.0


class VideoOutput:
    """Draws and writes a video in a thread of its own.

    The thread reads the pictures a second time where the source allows it,
    so that none has to wait in memory until its poses are refined. Frames go
    to ``NAME.partial.mp4``; :meth:`finish` gives the file its name.

    Args:
        path (PathLike): The ``.mp4`` file.
        source (FrameSource): Where the frames come from. If it cannot be
            read again, results must have the picture as ``image``.
        make_painter (Callable): Gives the :class:`PosePainter` for the size
            (W, H) of the first frame.

    Raises:
        ValueError: If the path does not end in .mp4.
    """

    def __init__(
        self,
        path: PathLike,
        source: FrameSource,
        make_painter: Callable[[Tuple[int, int]], PosePainter],
    ) -> None:
        self.path, self.source = Path(path), source
        if self.path.suffix.lower() != '.mp4':
            raise ValueError(
                f'{path}: a video must be .mp4, got {self.path.suffix!r}'
            )
        self.partial_path = partial_path(self.path)
        self.make_painter = make_painter
        self._results: queue.Queue = queue.Queue(_QUEUE)
        self._thread: Optional[threading.Thread] = None
        self._error: Optional[BaseException] = None
        self._written = 0
        self._ended = False

    def write(self, result: Dict[str, Any]) -> None:
        """Add a frame.

        Raises:
            OSError: If the video cannot be written.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()
        self._raise()
        self._results.put(result)

    def finish(self) -> None:
        """Give the complete file its name.

        Raises:
            OSError: If not all frames are in the file: the disk is full.
        """
        self._close()
        if not self._written:
            raise ValueError(f'{self.path}: there is no frame to write')
        # OpenCV does not tell when it could not write.
        found = _count_frames(self.partial_path)
        if found < self._written:
            raise OSError(
                f'{self.path}: only {found} of {self._written} frames could '
                'be written; is the disk full?'
            )
        self.partial_path = self.partial_path.replace(self.path)

    def stop(self) -> Optional[Path]:
        """End, whether or not it was the last frame.

        Returns:
            Path: Where the frames are; None: there are none.
        """
        self._close()
        return self.partial_path if self._written else None

    def _close(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            self._results.put(None)
            self._thread.join()
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        """Draw and write what is put into the queue, up to None."""
        try:
            with ExitStack() as stack:
                self._draw_all(stack)
        except BaseException as error:  # handed to the main thread
            self._error = error
            # Whoever puts a result shall not wait for ever.
            while not self._ended:
                self._ended = self._results.get() is None

    def _draw_all(self, stack: ExitStack) -> None:
        pictures = self._pictures()
        painter, write = None, None
        for result in iter(self._results.get, None):
            image = result.get('image')
            if image is None:
                image = next(pictures)
            if painter is None:
                painter = self.make_painter(result['image_size'])
                fps = self.source.fps or _DEFAULT_FPS
                write = stack.enter_context(
                    open_video(self.partial_path, painter.size, fps)
                )
            write(painter.draw(result, image))
            self._written += 1
        self._ended = True

    def _pictures(self) -> Iterator[np.ndarray]:
        for frame in self.source:
            yield frame.image
        raise OSError(f'{self.source.name}: fewer frames when read again')


def _count_frames(path: Path) -> int:
    capture = cv2.VideoCapture(str(path))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    capture.release()
    return count
