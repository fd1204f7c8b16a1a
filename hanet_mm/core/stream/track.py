# Copyright (c) hanet_mm contributors. All rights reserved.
"""One person in a stream: frames still needed, due windows, results."""

import math
from collections import deque
from typing import Deque, List, NamedTuple, Optional, Tuple

import numpy as np
import torch
from torch import Tensor

from ..data.gaps import has_nan
from ..refine.evidence import BoneMemory
from ..refine.frame_rate import (
    at_positions,
    last_frames,
    native_rate,
    phase_coverage,
    snap,
)
from ..refine.inputs import follow_axis_angle
from ..refine.normalization import finish_poses
from .buffer import GivenFrame, StreamBuffer
from .clock import Elapsed
from .fit_memory import FitMemory
from .limits import DueFrames, Evidence
from .phase import PhaseWindows
from .settings import StreamedFrame, StreamSettings
from .sides import StreamSides


class DueWindows(NamedTuple):
    """Windows (W, T, K, D) that the network has to see now, and their scores.

    ``ends`` are the last frames of those of each phase; where ``passing`` the
    last of them serves only the frames due now.
    """

    poses: np.ndarray
    scores: np.ndarray
    ends: List[List[int]]
    passing: List[bool]


class StreamTrack:
    """One person: frames go in, windows come out, refined frames come out.

    Frames are added one by one and decided in blocks, as soon as one of them
    is due (:meth:`must_decide`): the sides of new ones are decided
    (``buffer.new_sides``), the windows of :meth:`due_windows` are refined by
    the network and handed to :meth:`take`; what it tells of the block, limited
    for all persons together, is handed to :meth:`settle`. What is due then
    is handed out.

    The refiner's frames are numbered from the first frame of the person. A
    window begins at every stride-th of them, as offline; where a result cannot
    wait for the next one to be complete, another one ends at the newest frame,
    as that at the end of a sequence. It is padded with the last frame while
    there are less than T. At twice the refiner's rate and more the same is
    done from frames in between on.
    """

    def __init__(self, settings: StreamSettings, turn: int = 0):
        self.settings = settings
        shape = (settings.num_keypoints, settings.coord_dims)
        sides = None
        if settings.chains is not None:
            sides = StreamSides(
                settings.chains,
                settings.rate,
                settings.fps,
                None if settings.body is None else settings.body.root,
            )
        self.buffer = StreamBuffer(*shape, sides)
        self._starts = np.arange(settings.phases) / settings.phases
        shared = settings.window, settings.stride, settings.taper
        self.phases = [PhaseWindows(x, *shared) for x in self._starts]
        # Frames of a window from its last one on.
        self._back = np.arange(1 - settings.window, 1)
        self._known: List[int] = []  # the newest frame of each phase
        self._fits = FitMemory()
        self._bones = BoneMemory()
        self._settled = 0  # frames of the buffer that are decided
        self._rows = slice(0)  # those that are being decided
        # These wait until they are due, at their positions.
        self._ready: Deque[Tuple[float, StreamedFrame]] = deque()
        # The first block is shorter: people take turns.
        self._block = 1 + turn % settings.block
        self._shape: Tuple[int, ...] = shape  # in which keypoints come
        self._vectors: Optional[Tensor] = None  # the last axis-angle

    @property
    def index(self) -> int:
        """Number of the newest frame."""
        return self.buffer.newest.index

    @property
    def timestamp(self) -> float:
        """Seconds of the newest frame, NaN if not known."""
        return self.buffer.newest.timestamp

    @property
    def ended(self) -> bool:
        """Whether no joint was seen for as long as the stream remembers."""
        since = max(self.buffer.last_seen, -1.0)
        return self.buffer.newest.position - since >= self.settings.memory

    def add(self, elapsed: Elapsed, frame: Optional[GivenFrame]) -> None:
        """Append missed frames and the newest one, None if missed too."""
        self.buffer.add(elapsed, frame)
        newest = snap(self.buffer.newest.position)
        self._known = [math.floor(x.local(newest)) for x in self.phases]
        if frame is not None:
            self._shape = frame.shape

    def must_decide(self) -> bool:
        """Whether a frame is due of which nothing is decided yet."""
        if self._settled == len(self.buffer):
            return False
        first = self.buffer.first_new(self._settled)
        return not self._waits(snap(first), self.settings.lookahead)

    def due_windows(self, last: bool = False) -> Optional[DueWindows]:
        """Windows that the frames so far ask for; ``last``: none follows.

        None if there is no such window, or nothing was seen.
        """
        self._decide()
        self._rows = self._block_rows(last)
        if not math.isfinite(self.buffer.last_seen):
            return None
        positions = self.buffer.snapped
        newest = float(positions[-1])
        served = self._last_served(positions[self._rows], newest)
        delay, ahead = self.settings.delay, self._ahead
        if last:
            delay, ahead = 0, self.settings.window
        ahead = min(ahead, self.settings.stride)
        wanted = [
            phase.due_ends(newest, due, delay, ahead)
            for phase, due in zip(self.phases, served)
        ]
        ends = [x for x, _ in wanted]
        counts = [len(x) for x in ends]
        if not any(counts):
            return None
        starts = np.repeat(self._starts, counts)[:, None]
        times = snap(starts + np.concatenate(ends)[:, None] + self._back)
        # Windows that reach beyond are filled up as those of offline.
        limits = self._starts + last_frames(positions, self._starts)
        limits = np.repeat(limits, counts)[:, None]
        poses, scores = at_positions(
            self.buffer.filled(),
            self.buffer.corrected()[1],
            positions,
            np.minimum(times, limits),
        )
        scores[times > limits + 0.5] = 0
        return DueWindows(poses, scores, ends, [x for _, x in wanted])

    def take(
        self,
        windows: Optional[DueWindows],
        refined: Optional[np.ndarray],
    ) -> Optional[DueFrames]:
        """Take refined windows (W, T, K, C); what is due by them.

        The last coordinate is the expected error. None if nothing is due or
        nothing is known.
        """
        if windows is not None and refined is not None:
            start = 0
            for phase, ends, passing in zip(
                self.phases, windows.ends, windows.passing
            ):
                own = refined[start : start + len(ends)]
                phase.add(own, ends, passing)
                start += len(ends)
        due = self._rows
        if due.start == due.stop or not math.isfinite(self.buffer.last_seen):
            return None
        positions = self.buffer.snapped
        values = self._mean(positions[due], float(positions[-1]))
        evidence = None
        if self.settings.chains is not None:
            evidence = self._evidence()
        return DueFrames(values, due, evidence)

    def settle(self, due: Optional[DueFrames]) -> None:
        """Keep the frames of a block, limited, until they are due."""
        positions, rows = self.buffer.snapped, self._rows
        frames = self._results(rows, due)
        self._ready.extend(zip(positions[rows].tolist(), frames))
        self._settled = rows.stop
        if frames:
            self._block = self.settings.block
        self._forget(positions)

    def hand_out(self, last: bool = False) -> List[StreamedFrame]:
        """Hand out the frames that are due, or all that are decided."""
        frames, ahead = [], self.settings.lookahead
        while self._ready and (
            last or not self._waits(self._ready[0][0], ahead)
        ):
            frames.append(self._ready.popleft()[1])
        return frames

    def give_up(self) -> List[StreamedFrame]:
        """Give the remaining frames, NaN where nothing was decided."""
        self.buffer.take_in()
        rest = slice(self._settled, len(self.buffer))
        return [*self.hand_out(last=True), *self._results(rest, None)]

    def _decide(self) -> None:
        """Take windows back that show what is seen otherwise now."""
        changed = self.buffer.decide()
        if changed == len(self.buffer):
            return
        before = self.buffer.position[changed - 1] if changed else -1.0
        for phase in self.phases:
            phase.revise(float(before))

    @property
    def _ahead(self) -> int:
        """Frames that have to follow the last one of a block."""
        return self.settings.lookahead - (self._block - 1)

    def _block_rows(self, last: bool) -> slice:
        """Frames of the buffer that are decided next."""
        positions, ahead = self.buffer.snapped, self._ahead
        stop = len(positions) if last else self._settled
        while stop < len(positions):
            if self._waits(float(positions[stop]), ahead):
                break
            stop += 1
        return slice(self._settled, stop)

    def _waits(self, position: float, ahead: int) -> bool:
        """Whether the frame there waits for so many more to come."""
        if ahead == 0:
            return False
        for phase, known in zip(self.phases, self._known):
            local = phase.local(position)
            if local >= 0 and math.ceil(local) + ahead > known:
                return True
        return False

    def _last_served(
        self, due: np.ndarray, newest: float
    ) -> List[Optional[float]]:
        """The last of the positions (n, ) that each phase serves, if any."""
        inside = phase_coverage(due, self._starts, newest)
        served = [due[own] for own in inside]
        return [float(x[-1]) if len(x) else None for x in served]

    def _results(
        self, rows: slice, due: Optional[DueFrames]
    ) -> List[StreamedFrame]:
        """Frames in the form in which they came; all NaN if not known."""
        buffer, settings = self.buffer, self.settings
        missing = buffer.missing[rows]
        empty = buffer.empty(settings.max_gap)[rows]
        reason = None
        if due is None:
            shape = (*missing.shape, settings.coord_dims)
            poses = torch.from_numpy(np.full(shape, np.nan, np.float32))
        else:
            reason = due.reason
            poses = torch.from_numpy(due.values[..., : settings.coord_dims])
            poses = finish_poses(settings.normalization, poses)
            poses = settings.redefine(poses)
        values = poses.numpy()
        filled = missing & ~(has_nan(values) | empty)
        hollow = bool(empty.any())
        results = []
        for row, frame in enumerate(range(rows.start, rows.stop)):
            given = self._as_given(values[row]).copy()
            if hollow:
                joints = given.reshape(len(missing[row]), -1)
                joints[empty[row]] = np.nan
            seconds = buffer.timestamp[frame]
            results.append(
                StreamedFrame(
                    buffer.index[frame],
                    given,
                    filled[row],
                    None if math.isnan(seconds) else seconds,
                    None
                    if settings.chains is None
                    else buffer.swapped[frame].copy(),
                    None if reason is None else reason[row],
                )
            )
        return results

    def _mean(self, positions: np.ndarray, newest: float) -> np.ndarray:
        """Mean of the refined windows at positions (n, ), (n, K, C)."""
        settings = self.settings
        if len(self.phases) == 1:
            return self.phases[0].at(positions, self._finish)
        inside = phase_coverage(positions, self._starts, newest)
        shape = (settings.num_keypoints, settings.coord_dims + 1)
        total = np.zeros((len(positions), *shape), np.float32)
        for phase, own in zip(self.phases, inside):
            if own.any():
                total[own] += phase.at(positions[own], self._finish)
        return total / inside.sum(0)[:, None, None].astype(np.float32)

    def _finish(self, values: np.ndarray) -> np.ndarray:
        """Poses and expected errors (n, K, C) with rotations as such."""
        if self.settings.normalization != 'rot6d':
            return values
        poses = torch.from_numpy(values[..., : self.settings.coord_dims])
        poses = finish_poses(self.settings.normalization, poses)
        return np.concatenate([poses.numpy(), values[..., -1:]], axis=-1)

    def _evidence(self) -> Evidence:
        """What the buffer tells of due frames."""
        buffer, settings = self.buffer, self.settings
        fps = settings.fps or native_rate(buffer.position, settings.rate)
        return Evidence(
            buffer.filled(),
            buffer.missing,
            buffer.swapped,
            buffer.outlying(),
            fps,
            int(buffer.index[0]),
            self._fits,
            self._bones,
            settings.body,
        )

    def _as_given(self, poses: np.ndarray) -> np.ndarray:
        """Poses (K, D) in the shape in which they came."""
        if self.settings.normalization != 'rot6d':
            return poses
        if np.prod(self._shape) == poses.size:
            return poses.reshape(self._shape)
        if np.isnan(poses).any():
            return poses[:, :3].reshape(self._shape)
        rotations = torch.from_numpy(poses)
        self._vectors = follow_axis_angle(rotations, self._vectors)
        return self._vectors.reshape(self._shape).numpy()

    def _forget(self, positions: np.ndarray) -> None:
        """Drop what neither windows nor results need any more."""
        window = self.settings.window
        oldest = float(positions[min(self._settled, len(positions) - 1)])
        start, newest = oldest, float(positions[-1])
        for phase in self.phases:
            phase.forget(oldest)
            # The next window that is kept, or one that is the last.
            end = min(phase.next_end, math.floor(phase.local(newest)))
            start = min(start, phase.start + end - (window - 1))
        if self.settings.chains is not None:
            # The noise around the next result, and windows taken back.
            start = min(start, oldest - (window - 1))
        needed = int(positions.searchsorted(start, side='right')) - 1
        count = min(self._settled, max(needed, 0))
        self.buffer.drop(count)
        self._settled -= count
