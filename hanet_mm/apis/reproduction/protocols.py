"""Which windows are refined, and which frames are scored."""

from dataclasses import dataclass
from typing import Dict, NamedTuple, Optional

import numpy as np

from hanet_mm.core.refine.windows import window_table


class Windows(NamedTuple):
    """How sequences are read.

    Attributes:
        interval: Sampling interval N, in frames.
        window: Frames of a window, T.
        stride: Frames from one window to the next.
        distance: From a sampled frame to the neighbours it brings.
    """

    interval: int
    window: int
    stride: int
    distance: int = 1

    @property
    def share_read(self) -> float:
        """Distinct frames read of a window, neighbours included, over T."""
        sampled = np.arange(0, self.window, self.interval)
        around = sampled[:, None] + np.array([-1, 0, 1]) * self.distance
        # What would lie outside is a border frame again.
        read = np.unique(np.clip(around, 0, self.window - 1))
        return len(read) / self.window


@dataclass(frozen=True)
class Protocol:
    """How figures are taken.

    Attributes:
        tail: 'cover' or 'drop', see
            :func:`hanet_mm.core.refine.windows.window_starts`.
        average: Of PCK, see
            :class:`hanet_mm.evaluation.PoseSequencePCK`.
        text: What it is, in a sentence.
    """

    tail: str
    average: str
    text: str


PROTOCOLS: Dict[str, Protocol] = {
    'published': Protocol(
        'drop',
        'sequence',
        'the file as it is; windows at the stride of the authors, a multiple '
        'of N; frames after the last whole window are not scored; PCK is the '
        'mean over sequences, whatever their lengths, errors are means over '
        'frames',
    ),
    'ours': Protocol(
        'cover',
        'frames',
        'every frame is refined and scored: one more window ends at the last '
        'frame; all figures are means over frames. Clean splits are up to '
        'the file, see its own protocol',
    ),
}


def choose_stride(protocol: str, interval: int, step: int, own: int) -> int:
    """Stride of a protocol.

    Args:
        protocol (str): A key of :data:`PROTOCOLS`.
        interval (int): N.
        step (int): Published stride of the data set, in intervals.
        own (int): Stride of the model's ``test_cfg``.
    """
    return interval * step if protocol == 'published' else own


def scored_frames(length: int, windows: Optional[Windows]) -> np.ndarray:
    """Frames of a sequence that count when the tail is dropped.

    Args:
        length (int): Frames of the sequence.
        windows (Windows, optional): None: all frames count.

    Returns:
        np.ndarray: bool, (length,).
    """
    if windows is None:
        return np.ones(length, bool)
    table = window_table([length], windows.window, windows.stride, 'drop')
    counts = np.zeros(length, bool)
    counts[table.frames[table.inside]] = True
    return counts
