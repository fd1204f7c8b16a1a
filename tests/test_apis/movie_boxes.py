# Copyright (c) hanet_mm contributors. All rights reserved.
"""MP4 files changed by their boxes (ISO/IEC 14496-12), as cameras make them.

A box has its size (4 bytes) and kind (4 bytes) before its content.
"""

import struct

# Boxes of boxes, and where the boxes within them begin.
_PARENTS = {b'moov': 8, b'trak': 8, b'mdia': 8, b'minf': 8, b'stbl': 8}
_TIMESCALE_OF_MOVIE = 1000


def _boxes(data, start, end):
    """Yield (kind, start, end) of the boxes in a part of a file."""
    while start < end:
        size, kind = struct.unpack_from('>I4s', data, start)
        yield kind, start, start + size
        start += size


def _change(data, change):
    """The boxes of a file, with ``change(kind, content)`` for each leaf."""
    parts = []
    for kind, start, end in _boxes(data, 0, len(data)):
        content = data[start + 8 : end]
        if kind in _PARENTS:
            content = _change(content, change)
        else:
            content = change(kind, content)
        parts.append(struct.pack('>I4s', 8 + len(content), kind) + content)
    return b''.join(parts)


def rotate(data, degrees):
    """Turn the pictures clockwise, by the matrix of the track header.

    A point (x, y) is shown at (a x + c y, b x + d y): x' = -y, y' = x is a
    quarter to the right, since y points down.
    """
    a, b, c, d = {
        90: (0, 1, -1, 0),
        180: (-1, 0, 0, -1),
        270: (0, -1, 1, 0),
    }[degrees]
    one = 1 << 16
    matrix = [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30]

    def change(kind, content):
        if kind != b'tkhd':
            return content
        return content[:40] + struct.pack('>9i', *matrix) + content[76:]

    return _change(data, change)


def slow_down(data, frames, factor):
    """Let the frames after the first ``frames`` last ``factor`` times."""
    timing = next(_leaf(data, b'stts'))
    count, step = struct.unpack_from('>2I', timing, 8)
    (scale,) = struct.unpack_from('>I', next(_leaf(data, b'mdhd')), 12)
    total = step * (frames + (count - frames) * factor)
    seconds = total / scale

    def change(kind, content):
        def put(place, value):
            return (
                content[:place]
                + struct.pack('>I', value)
                + content[place + 4 :]
            )

        if kind == b'stts':
            entries = frames, step, count - frames, step * factor
            return content[:4] + struct.pack('>5I', 2, *entries)
        if kind == b'mdhd':
            return put(16, total)
        if kind == b'mvhd':
            return put(16, round(seconds * _TIMESCALE_OF_MOVIE))
        if kind == b'tkhd':
            return put(20, round(seconds * _TIMESCALE_OF_MOVIE))
        # The list of edits would cut off what follows.
        return struct.pack('>2I', 0, 0) if kind == b'edts' else content

    return _change(data, change)


def _leaf(data, wanted):
    for kind, start, end in _boxes(data, 0, len(data)):
        if kind in _PARENTS:
            yield from _leaf(data[start + 8 : end], wanted)
        elif kind == wanted:
            yield data[start + 8 : end]


def cut_off(data, share):
    """The index before the pictures, of which only a share is there."""
    places = {k: slice(a, b) for k, a, b in _boxes(data, 0, len(data))}
    index, pictures = data[places[b'moov']], data[places[b'mdat']]
    head = data[: places[b'ftyp'].stop]

    def change(kind, content):
        if kind != b'stco':
            return content
        numbers = struct.unpack(f'>{len(content) // 4}I', content)
        moved = len(head) + len(index) - places[b'mdat'].start
        numbers = numbers[:2] + tuple(x + moved for x in numbers[2:])
        return struct.pack(f'>{len(numbers)}I', *numbers)

    kept = pictures[: 8 + int(share * (len(pictures) - 8))]
    return head + _change(index, change) + kept
