# Copyright (c) hanet_mm contributors. All rights reserved.
"""Whether a video file is as long as it was made, by its container."""

from pathlib import Path
from typing import BinaryIO, Optional, Tuple

# Elements of EBML (RFC 8794), on which Matroska and WebM (RFC 9559) build.
_EBML = 0x1A45DFA3
_SEGMENT = 0x18538067


def is_whole_matroska(path: Path) -> Optional[bool]:
    """Whether a file of Matroska or WebM has its whole segment.

    How many frames there are such a file does not say, and OpenCV's guess may
    be far too high. None: the length is not said, as in live recordings, or
    it is another container.
    """
    with open(path, 'rb') as file:
        end = path.stat().st_size
        kind, size = _element(file)
        if kind != _EBML or size is None:
            return None
        file.seek(size, 1)
        kind, size = _element(file)
        if kind != _SEGMENT or size is None:
            return None
        return file.tell() + size <= end


def _element(file: BinaryIO) -> Tuple[Optional[int], Optional[int]]:
    """Kind and size of the next element; None: unknown, or no element."""
    kind = _number(file, keep_marker=True)
    size = _number(file, keep_marker=False)
    return kind, size


def _number(file: BinaryIO, keep_marker: bool) -> Optional[int]:
    """A number of 1 to 8 bytes, as many as its first byte has leading zeros.

    None: all ones, which stands for unknown, or the end of the file.
    """
    first = file.read(1)
    if not first or not first[0]:
        return None
    length = 9 - first[0].bit_length()
    content = first + file.read(length - 1)
    value = int.from_bytes(content, 'big')
    marker = 1 << 7 * length
    if keep_marker:
        return value
    return None if value == 2 * marker - 1 else value - marker
