# Copyright (c) hanet_mm contributors. All rights reserved.
"""Videos written frame by frame, whole or not at all."""

from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator, Tuple

import cv2
import numpy as np

from hanet_mm.core.data.atomic import PathLike, atomic_path


@contextmanager
def open_video(
    path: PathLike, size: Tuple[int, int], fps: float
) -> Iterator[Callable[[np.ndarray], None]]:
    """Open an MP4 video (MPEG-4 part 2) to write frames to.

    OpenCV writes it: no ffmpeg program is needed. The file appears at its
    place when the block ends; if the block raises, nothing is left behind and
    a file that was there before stays.

    Args:
        path (path): The video, ``.mp4``. Missing folders are made.
        size (tuple): Width and height of the frames, both even.
        fps (float): Frames per second, above 0.

    Yields:
        Callable: Writes one frame, (H, W, 3) uint8 RGB.

    Raises:
        ValueError: If the suffix, size or rate cannot be written, or a frame
            has another size.
        OSError: If OpenCV cannot write the video, or not all of it.
    """
    path = Path(path)
    if path.suffix.lower() != '.mp4':
        raise ValueError(f'{path}: a video must be .mp4, got {path.suffix!r}')
    if size[0] % 2 or size[1] % 2 or min(size) < 2:
        raise ValueError(
            f'{path}: width and height must be even and above 0, got {size}'
        )
    if not (np.isfinite(fps) and fps > 0):
        raise ValueError(f'{path}: fps must be above 0, got {fps}')

    # The container follows from the suffix, which the temporary file has too.
    with atomic_path(path) as temporary:
        writer = cv2.VideoWriter(
            str(temporary), cv2.VideoWriter_fourcc(*'mp4v'), fps, size
        )
        if not writer.isOpened():
            raise OSError(f'{path}: OpenCV cannot write an MPEG-4 video')

        written = 0

        def write(frame: np.ndarray) -> None:
            nonlocal written
            # OpenCV drops a frame of another size without a word.
            if frame.shape != (size[1], size[0], 3):
                raise ValueError(
                    f'{path}: frames must have shape '
                    f'{(size[1], size[0], 3)}, got {frame.shape}'
                )
            writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
            written += 1

        try:
            yield write
        finally:
            writer.release()
        # OpenCV does not tell when it could not write.
        found = _count_frames(temporary)
        if found < written:
            raise OSError(
                f'{path}: only {found} of {written} frames could be written; '
                'is the disk full?'
            )


def _count_frames(path: Path) -> int:
    capture = cv2.VideoCapture(str(path))
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    capture.release()
    return count
