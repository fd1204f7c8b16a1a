"""Find out what frames can be read from."""

import os
import re
from pathlib import Path
from typing import Any, Iterable, List, Optional, Tuple, Union

import numpy as np

from hanet_mm.core.refine.frame_rate import check_fps

from .sources import (
    FrameSource,
    ImageSource,
    IteratorSource,
    VideoSource,
    WebcamSource,
)

IMAGE_SUFFIXES = (
    '.jpg',
    '.jpeg',
    '.png',
    '.bmp',
    '.ppm',
    '.pgm',
    '.tif',
    '.tiff',
    '.webp',
)
VIDEO_SUFFIXES = (
    '.mp4',
    '.avi',
    '.mov',
    '.mkv',
    '.webm',
    '.m4v',
    '.mpg',
    '.mpeg',
    '.wmv',
    '.flv',
)

SourceLike = Union[str, 'os.PathLike[str]', int, np.ndarray, Iterable[Any]]


def open_source(
    inputs: SourceLike, fps: Optional[float] = None
) -> FrameSource:
    """Open whatever frames can be read from.

    Args:
        inputs: A :class:`FrameSource`, path of a video, a picture or a
            folder of pictures (in natural order: 2 before 10), number of a
            camera (also as ``'0'`` or ``'webcam:0'``), or frames as
            :class:`IteratorSource` takes them.
        fps: Frames per second, in place of what the source says.

    Returns:
        FrameSource: Frames are read when it is iterated over.

    Raises:
        ValueError: One line: no picture or video, or a rate not above 0.
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
