"""Files of a video: MMPose's JSON, flat npz and the before/after video."""

import json
import queue
import tempfile
import threading
import zipfile
from contextlib import ExitStack
from pathlib import Path
from typing import (
    Any,
    BinaryIO,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
)

import cv2
import numpy as np

from hanet_mm.core.data.files import PathLike, atomic_path
from hanet_mm.visualization.video_writer import open_video

from ...visualization.pose_painter import PosePainter
from .sources import FrameSource

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


# Rows that are in memory at the same time.
_CHUNK = 4096


class NpzOutput:
    """Collects the persons of a video on disk and sorts them at the end.

    The file has the keys of
    :class:`hanet_mm.core.data.sequences.PoseSequences`; ``keypoints_est`` are
    the refined keypoints, ``keypoints_input`` (N, K, 2) those of the estimator
    and ``filled`` (N, K) tells which were missing, as in the files of
    ``hanet-mm refine``. A sequence is called ``<track>_<segment>``; frames in
    which its person is not there are NaN. Extras: ``frame_number`` (N,),
    ``time_est`` (N,) in seconds.

    Only a few numbers of each person and frame are in memory, however long
    the video is; the rest waits in a temporary file beside the output.

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
        self.partial_path = partial_path(self.path)
        self.meta: Dict[str, Any] = dict(units='px')
        if keypoint_names:
            self.meta['keypoint_names'] = list(keypoint_names)
        self._spool: Any = None
        self._dtype = np.dtype([])
        self._order: List[tuple] = []  # track, segment, frame, any keypoint

    def write(self, result: Dict[str, Any]) -> None:
        """Add a frame."""
        rows = [_row(result, x) for x in result['instances']]
        if not rows:
            return
        if self._spool is None:
            self._dtype = _row_type(len(rows[0]['filled']))
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._spool = tempfile.TemporaryFile(  # noqa: SIM115
                dir=self.path.parent, buffering=0
            )
        packed = np.zeros(len(rows), self._dtype)
        for place, row in enumerate(rows):
            for key, value in row.items():
                packed[place][key] = value
        self._spool.seek(len(self._order) * self._dtype.itemsize)
        write_all(self._spool, packed.tobytes())
        self._order.extend(
            (
                x['track_id'],
                x['segment'],
                result['frame_id'],
                bool((x['keypoint_scores'] > 0).any()),
            )
            for x in result['instances']
        )

    def finish(self) -> None:
        """Write the file.

        Raises:
            ValueError: If there is nobody in the whole video.
        """
        if self._spool is None:
            raise ValueError(
                f'{self.path}: there is nobody in the video, and a file of '
                'sequences cannot be empty'
            )
        self._save(self.path)
        self._spool, self.partial_path = None, self.path

    def stop(self) -> Optional[Path]:
        """End, whether or not it was the last frame.

        Returns:
            Path: Where the frames are; None: there are none.
        """
        if self._spool is not None:
            self._save(self.partial_path)
            self._spool = None
        return self.partial_path if self._order else None

    def _save(self, path: Path) -> None:
        sequences = _sequences(np.array(self._order, np.int64))
        if not sequences:
            raise ValueError(f'{path}: no person has a single keypoint')
        names, firsts, parts = zip(*sequences)
        rows = np.concatenate(parts)
        lengths = np.array([len(part) for part in parts])
        numbers = [
            first + np.arange(len(x)) for first, x in zip(firsts, parts)
        ]
        begins = self._reader(np.array([part[0] for part in parts]))
        arrays = {
            'seq_len': lengths,
            'seq_name': np.array(names),
            'image_size': begins(slice(None), 'image_size', 0),
            'extras/frame_number': np.concatenate(numbers),
            'meta': np.asarray(json.dumps(self.meta)),
        }
        if self.fps:
            arrays['fps'] = np.full(len(names), self.fps, np.float32)
        read = self._reader(rows)
        with (
            atomic_path(path) as temporary,
            zipfile.ZipFile(temporary, 'w') as archive,
        ):
            for key, column in _COLUMNS.items():
                _write_rows(archive, key, rows, read, column)
            for key, value in arrays.items():
                with archive.open(f'{key}.npy', 'w') as file:
                    np.lib.format.write_array(file, value)

    def _reader(self, rows: np.ndarray) -> Callable:
        """Reads a part of some rows; -1 is a row that is not there."""
        count = len(self._order)
        spool = np.memmap(self._spool, self._dtype, 'r', shape=(count,))

        def read(part: slice, name: str, empty: float) -> np.ndarray:
            chosen = rows[part]
            values = spool[np.maximum(chosen, 0)][name]
            values[chosen < 0] = empty
            return values

        return read


# Key in the archive: name in the rows, value where a person is away.
_COLUMNS = {
    'keypoints_est': ('keypoints', np.nan),
    'keypoints_input': ('keypoints_input', np.nan),
    'scores': ('scores', 0),
    'filled': ('filled', False),
    'bboxes': ('bbox', np.nan),
    'extras/time_est': ('time', np.nan),
}


def _row_type(num_keypoints: int) -> np.dtype:
    return np.dtype(
        [
            ('keypoints', np.float32, (num_keypoints, 2)),
            ('keypoints_input', np.float32, (num_keypoints, 2)),
            ('scores', np.float32, num_keypoints),
            ('filled', bool, num_keypoints),
            ('bbox', np.float32, 4),
            ('image_size', np.float32, 2),
            ('time', np.float64),
        ]
    )


def _row(result: Dict[str, Any], instance: Dict[str, Any]) -> Dict[str, Any]:
    time = result['timestamp']
    return dict(
        keypoints=instance['keypoints'],
        keypoints_input=instance['keypoints_input'],
        scores=instance['keypoint_scores'],
        filled=instance['filled'],
        bbox=instance['bbox'],
        image_size=result['image_size'],
        time=np.nan if time is None else time,
    )


def _sequences(columns: np.ndarray) -> List[Tuple[str, int, np.ndarray]]:
    """Sort rows into segments, frame by frame.

    Args:
        columns (np.ndarray): Track, segment, frame and whether there is a
            keypoint of each row, (R, 4).

    Returns:
        list[tuple]: Name, first frame and rows (T,) int64 of each segment,
        -1 where its person is away. Segments without a single keypoint are
        left out.
    """
    order = np.lexsort(columns.T[2::-1])
    tracks = columns[order, :2]
    starts = np.flatnonzero((tracks[1:] != tracks[:-1]).any(1)) + 1
    sequences = []
    for rows in np.split(order, starts):
        if not columns[rows, 3].any():
            continue
        track, segment, first, _ = columns[rows[0]]
        spread = np.full(columns[rows[-1], 2] - first + 1, -1)
        spread[columns[rows, 2] - first] = rows
        sequences.append((f'{track}_{segment}', int(first), spread))
    return sequences


def _write_rows(
    archive: zipfile.ZipFile,
    key: str,
    rows: np.ndarray,
    read: Callable,
    column: tuple,
) -> None:
    """Write one array of the archive, a chunk of rows at a time."""
    sample = read(slice(0, 1), *column)
    header = dict(
        descr=np.lib.format.dtype_to_descr(sample.dtype),
        fortran_order=False,
        shape=(len(rows), *sample.shape[1:]),
    )
    with archive.open(f'{key}.npy', 'w', force_zip64=True) as file:
        binary: BinaryIO = file  # type: ignore[assignment]
        np.lib.format.write_array_header_1_0(binary, header)
        for start in range(0, len(rows), _CHUNK):
            chunk = read(slice(start, start + _CHUNK), *column)
            file.write(np.ascontiguousarray(chunk).tobytes())


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
