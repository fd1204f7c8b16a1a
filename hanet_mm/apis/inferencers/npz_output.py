"""Poses of a video in the flat ``.npz`` layout, one sequence a segment.

R: persons of all frames (rows), in the order of the frames.
"""

import json
import tempfile
import zipfile
from pathlib import Path
from typing import (
    Any,
    BinaryIO,
    Callable,
    Dict,
    List,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np

from hanet_mm.core.data.files import PathLike, atomic_path

from .json_output import partial_path, write_all

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
