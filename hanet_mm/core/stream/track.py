# Copyright (c) hanet_mm contributors. All rights reserved.
"""One person in a stream: frames still needed, due windows, results."""

from collections import deque
from typing import Deque, List, NamedTuple, Optional, Tuple

import numpy as np
import torch
from torch import Tensor

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
    ends: List[np.ndarray]
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
        self._fits = FitMemory()
        self._bones = BoneMemory()
        self._settled = 0  # frames of the buffer that are decided
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
        if frame is not None:
            self._shape = frame.shape

    def must_decide(self) -> bool:
        """Whether a frame is due of which nothing is decided yet."""
        if self._settled == len(self.buffer):
            return False
        first = self.buffer.first_new(self._settled)
        return self._count_due([first]) > 0

    def due_windows(self, last: bool = False) -> Optional[DueWindows]:
        """Windows that the frames so far ask for; ``last``: none follows.

        None if there is no such window, or nothing was seen.
        """
        self._decide()
        if not np.isfinite(self.buffer.last_seen):
            return None
        positions = self.buffer.snapped
        newest = float(positions[-1])
        due = positions[self._block_rows(positions, last)]
        inside = phase_coverage(due, self._starts, newest)
        delay, ahead = self.settings.delay, self._ahead
        if last:
            delay, ahead = 0, self.settings.window
        ahead = min(ahead, self.settings.stride)
        wanted = [
            phase.due_ends(newest, due[own], delay, ahead)
            for phase, own in zip(self.phases, inside)
        ]
        ends = [x for x, _ in wanted]
        places = np.concatenate(
            [phase.start + own for phase, own in zip(self.phases, ends)]
        )
        if not len(places):
            return None
        back = np.arange(1 - self.settings.window, 1)
        times = snap(places[:, None] + back)
        # Windows that reach beyond are filled up as those of offline.
        limits = self._starts + last_frames(positions, self._starts)
        limits = np.repeat(limits, [len(x) for x in ends])[:, None]
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
        last: bool = False,
    ) -> Optional[DueFrames]:
        """Take refined windows (W, T, K, C); what is due by them.

        The last coordinate is the expected error. None if nothing is due or
        nothing is known.
        """
        if windows is not None and refined is not None:
            counts = np.cumsum([len(x) for x in windows.ends])[:-1]
            parts = np.split(refined, counts)
            for phase, own, ends, passing in zip(
                self.phases, parts, windows.ends, windows.passing
            ):
                phase.add(own, ends, passing)
        positions = self.buffer.snapped
        due = self._block_rows(positions, last)
        if due.start == due.stop or not np.isfinite(self.buffer.last_seen):
            return None
        values = self._mean(positions[due], float(positions[-1]))
        evidence = None
        if self.settings.chains is not None:
            evidence = self._evidence()
        return DueFrames(values, due, evidence)

    def settle(self, due: Optional[DueFrames], last: bool = False) -> None:
        """Keep the frames of a block, limited, until they are due."""
        positions = self.buffer.snapped
        rows = self._block_rows(positions, last)
        frames = self._results(rows, due)
        self._ready.extend(zip(positions[rows].tolist(), frames))
        self._settled = rows.stop
        if frames:
            self._block = self.settings.block
        self._forget(positions)

    def hand_out(self, last: bool = False) -> List[StreamedFrame]:
        """Hand out the frames that are due, or all that are decided."""
        count = len(self._ready)
        if count and not last:
            count = self._count_due([x for x, _ in self._ready])
        return [self._ready.popleft()[1] for _ in range(count)]

    def _count_due(self, positions: List[float]) -> int:
        """How many of the next frames are due."""
        # All but the newest are snapped already.
        every = snap(np.array([*positions, self.buffer.newest.position]))
        ahead = self.settings.lookahead
        return min(self._due(every, ahead), len(positions))

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

    def _block_rows(self, positions: np.ndarray, last: bool) -> slice:
        """Frames of the buffer that are decided next."""
        if last:
            return slice(self._settled, len(positions))
        return slice(self._settled, self._due(positions, self._ahead))

    def _due(self, positions: np.ndarray, ahead: int) -> int:
        """Frames, from the first, after which so many have come."""
        if ahead == 0:
            return len(positions)
        local = snap(positions - self._starts[:, None])
        newest = np.floor(snap(positions[-1] - self._starts))[:, None]
        waits = np.ceil(local) + ahead > newest
        waits = (waits & (local >= 0)).any(0)
        return int(waits.argmax()) if waits.any() else len(positions)

    def _results(
        self, rows: slice, due: Optional[DueFrames]
    ) -> List[StreamedFrame]:
        """Frames in the form in which they came; all NaN if not known."""
        settings = self.settings
        missing = self.buffer.missing[rows]
        empty = self.buffer.empty(settings.max_gap)[rows]
        shape = (*missing.shape, settings.coord_dims)
        poses = torch.from_numpy(np.full(shape, np.nan, np.float32))
        reason = None
        if due is not None:
            reason = due.reason
            poses = torch.from_numpy(due.values[..., : settings.coord_dims])
            poses = finish_poses(settings.normalization, poses)
            poses = settings.redefine(poses)
        unknown = poses.isnan().any(-1).numpy()
        filled = missing & ~(unknown | empty)
        results = []
        for row, frame in enumerate(range(rows.start, rows.stop)):
            given = self._as_given(poses[row])
            joints = given.reshape(len(missing[row]), -1).numpy().copy()
            joints[empty[row]] = np.nan
            seconds = float(self.buffer.timestamp[frame])
            results.append(
                StreamedFrame(
                    int(self.buffer.index[frame]),
                    joints.reshape(given.shape),
                    filled[row],
                    None if np.isnan(seconds) else seconds,
                    None
                    if settings.chains is None
                    else self.buffer.swapped[frame].copy(),
                    None if reason is None else reason[row],
                )
            )
        return results

    def _mean(self, positions: np.ndarray, newest: float) -> np.ndarray:
        """Mean of the refined windows at positions (n, ), (n, K, C)."""
        settings = self.settings
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

    def _as_given(self, poses: Tensor) -> Tensor:
        """Poses (K, D) in the shape in which they came."""
        if self.settings.normalization != 'rot6d':
            return poses
        if np.prod(self._shape) == poses.numel():
            return poses.reshape(self._shape)
        if poses.isnan().any():
            return poses[:, :3].reshape(self._shape)
        self._vectors = follow_axis_angle(poses, self._vectors)
        return self._vectors.reshape(self._shape)

    def _forget(self, positions: np.ndarray) -> None:
        """Drop what neither windows nor results need any more."""
        window = self.settings.window
        oldest = positions[min(self._settled, len(positions) - 1)]
        start = oldest
        for phase in self.phases:
            phase.forget(float(oldest))
            # The next window that is kept, or one that is the last.
            newest = np.floor(phase.local(positions[-1:])[0])
            end = min(phase.next_end, newest)
            start = min(start, phase.start + end - (window - 1))
        if self.settings.chains is not None:
            # The noise around the next result, and windows taken back.
            start = min(start, oldest - (window - 1))
        needed = int(np.searchsorted(positions, start, side='right')) - 1
        count = min(self._settled, max(needed, 0))
        self.buffer.drop(count)
        self._settled -= count
