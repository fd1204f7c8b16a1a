# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refine live streams of several people frame by frame."""

from typing import (
    Dict,
    Hashable,
    List,
    Mapping,
    Optional,
    Sequence,
    Union,
)

from ..data.gaps import check_max_gap
from ..nn.engines import engine_of_streams
from ..nn.settings import own_settings
from ..poses.units import check_metres
from ..refine.frame_rate import (
    check_fps,
    network_rate,
)
from ..refine.inputs import Array, without_ignored
from ..refine.refiner import Refiner
from ..refine.swap_decoder import push_frames
from .arguments import (
    check_id,
    check_people,
    check_stream,
    check_types,
    turn_of,
)
from .buffer import GivenFrame
from .clock import StreamClock
from .due_windows import refine_due_windows
from .limits import limit_due_frames
from .reading import Person, read_people
from .settings import StreamedFrame, make_settings
from .track import StreamTrack
from .waiting import WaitingTrack

Results = Dict[Hashable, List[StreamedFrame]]


class StreamingRefiner:
    """Use a refiner on a live stream, for any number of persons.

    A frame of a person comes out once ``lookahead`` more have come. With a
    look-ahead of 4 up to T - 2 frames are decided in blocks of half of it (of
    the stride at most): all work is done in one push of a block, by the
    frames up to then, and people take turns, by their ids. A frame is the
    mean of the windows that cover it when it is decided: those at the
    refiner's stride, and one that ends at the newest frame where the last of
    them has less than ``min(lookahead, stride)`` frames after the block. With
    a look-ahead up to the stride this is what :meth:`Refiner.refine` makes of
    the frames up to then, also before there are T of them. With look-ahead
    T - 1 it is the result for the whole sequence; with a stride above 1 and
    no taper that takes T.

    A joint that is missing keeps its last place in the windows until it is
    found again; then its gap is filled linearly. So the result is that of
    the whole sequence only where no window ends in a gap. With look-ahead
    ``T - 1 + g`` windows wait for g more frames: then all gaps of up to g
    frames are filled as offline.

    Frames at another rate than the refiner's, or at uneven times, are
    interpolated at its frames (0, 1, 2, ... from the first of a person),
    refined, and interpolated back, as offline. With an ``fps`` of twice the
    refiner's and more that is done from each frame in between on as well. A
    frame between two of the refiner's waits for ``lookahead`` after the
    second, or with look-ahead 0 for nothing. A push takes one network call
    at most all the same. From a look-ahead of twice the stride on there is
    one every stride frames only.

    A refiner that keeps to the evidence (``trust``) does so with what the
    stream remembers: swaps of left and right are found within the
    look-ahead, and what is said of a frame may change until it is decided.
    Windows that showed it otherwise go through the network again. With a
    look-ahead of the whole sequence the result is that of offline, with
    ``T - 1`` it is so where nothing is swapped or missing and T frames last
    1.5 s or more.

    Persons begin with their first frame and may be missed in others. One not
    seen in ``max(T, lookahead + 1)`` frames, or for a pause of T, has ended:
    what is left comes out, and the next frame begins a new sequence. So work
    and memory of a push do not grow with the stream.

    Example:
        >>> stream = StreamingRefiner(refiner, lookahead=3, fps=30)
        >>> for keypoints, scores in camera:
        ...     for frame in stream.push(keypoints, scores):
        ...         show(frame.index, frame.keypoints)
        >>> rest = stream.flush(0)

    Args:
        refiner (Refiner): Classical filters do not stream.
        lookahead (int): Frames, of the refiner's rate, that a result waits
            for: the latency. Defaults to 0.
        fps (float, optional): Frames per second of the stream, for frames
            without time stamp. Defaults to None: the refiner's.
        max_gap (int, optional): Longest run of frames without a joint that
            is filled, see :meth:`Refiner.refine`. A gap counts as far as it
            is known: with a look-ahead below ``max_gap`` the beginning of
            a long one is filled. Defaults to None: all are filled.
        image_size (Sequence[int], optional): W, H in pixels. Needed by
            refiners with 'image' normalisation.

    Raises:
        TypeError: If it is not a refiner.
        ValueError: If look-ahead, rate, gap or image size is wrong.
    """

    def __init__(
        self,
        refiner: Refiner,
        lookahead: int = 0,
        fps: Optional[float] = None,
        max_gap: Optional[int] = None,
        image_size: Optional[Sequence[int]] = None,
    ):
        check_stream(refiner, lookahead, image_size)
        check_max_gap(max_gap)
        self.refiner = refiner
        with own_settings():
            self._engine = engine_of_streams(
                refiner.engine, refiner.window_size
            )
        self.lookahead = int(lookahead)
        self.fps = None if fps is None else check_fps(fps)
        self.image_size = image_size
        rate = refiner.fps
        if self.fps is not None:
            rate = network_rate(self.fps, rate, refiner.fps_range)
        self._clock = StreamClock(rate, self.fps)
        self._settings = make_settings(
            refiner, self.lookahead, self._clock.rate, self.fps, max_gap
        )
        self._tracks: Dict[Hashable, StreamTrack] = {}
        self._waiting: Dict[Hashable, WaitingTrack] = {}
        self._next_index = 0

    @property
    def latency_ms(self) -> Optional[float]:
        """Time that a frame waits for others, None if no rate is known.

        At another rate than the refiner's, frames between two of its own
        wait up to one of its frames longer, unless the look-ahead is 0.
        """
        rate = self._clock.rate
        return None if rate is None else 1000 * self.lookahead / rate

    @property
    def track_ids(self) -> List[Hashable]:
        """Persons who are being followed."""
        return list(self._followed)

    @property
    def _followed(self) -> Dict[Hashable, Union[StreamTrack, WaitingTrack]]:
        return {**self._tracks, **self._waiting}

    def push(
        self,
        keypoints: Array,
        scores: Optional[Array] = None,
        timestamp: Optional[float] = None,
        track_id: Hashable = 0,
        index: Optional[int] = None,
    ) -> List[StreamedFrame]:
        """Take the next frame of one person.

        Args:
            keypoints: (K, D), NaN where a keypoint was not found; rotations
                in any form that :meth:`Refiner.refine` takes, of one frame.
            scores: Confidences, (K, ), 0 where a keypoint was not found.
                Defaults to None: all were found that are not NaN.
            timestamp: Seconds. With every frame of a person or with none.
                Defaults to None: as ``fps`` says.
            track_id: Which person. Defaults to 0.
            index: Number of the frame in its video: those between the last
                one of this person and this one were missed. Defaults to
                None: counted for each person, from 0.

        Returns:
            list[StreamedFrame]: Frames of this person that are done, in
            order; each frame comes out once.

        Raises:
            TypeError: If something is of a wrong type.
            ValueError: If a shape, a value, the time or the number is
                wrong; nothing has changed in both cases.
        """
        check_types(index, timestamp)
        check_id(track_id)
        if index is None:
            track = self._followed.get(track_id)
            index = 0 if track is None else track.index + 1
        given = self._read({track_id: (keypoints, scores)}, index)
        results = self._step(given, index, timestamp)
        self._next_index = max(self._next_index, index + 1)
        return results[track_id]

    def push_many(
        self,
        people: Mapping[Hashable, Person],
        timestamp: Optional[float] = None,
        index: Optional[int] = None,
    ) -> Results:
        """Take the next frame of a video, with one network call.

        Args:
            people: Keypoints and scores (or None) of each person found, see
                :meth:`push`, by track id. Those followed who are not among
                them were missed in this frame.
            timestamp: Seconds of the frame, see :meth:`push`.
            index: Number of the frame. Defaults to None: the next.

        Returns:
            dict: Frames that are done of each person given or followed.

        Raises:
            ValueError: See :meth:`push`.
        """
        check_types(index, timestamp)
        check_people(people)
        index = self._next_index if index is None else index
        given: Dict[Hashable, Optional[GivenFrame]] = {
            **dict.fromkeys(self._followed),
            **self._read(people, index),
        }
        results = self._step(given, index, timestamp)
        self._next_index = index + 1
        return results

    def flush(
        self, track_id: Optional[Hashable] = None
    ) -> Union[List[StreamedFrame], Results]:
        """Hand out what is left of a person who has left, or of all.

        Args:
            track_id: Who; begins anew with the next push. Defaults to None:
                everybody.

        Returns:
            list[StreamedFrame]: Remaining frames of the person, none of one
            not followed; without ``track_id`` a dict of such lists.
        """
        check_id(track_id)
        if track_id is None:
            results = self._finish(list(self._followed))
        elif track_id in self._followed:
            results = self._finish([track_id])
        else:
            return []
        self._clock.forget(track_id)
        return results if track_id is None else results[track_id]

    def reset(self, track_id: Optional[Hashable] = None) -> None:
        """Forget a person, or (None) all and the number of the frame."""
        check_id(track_id)
        self._clock.forget(track_id)
        if track_id is not None:
            self._tracks.pop(track_id, None)
            self._waiting.pop(track_id, None)
            return
        self._tracks.clear()
        self._waiting.clear()
        self._next_index = 0

    def _read(
        self, people: Mapping[Hashable, Person], index: int
    ) -> Dict[Hashable, GivenFrame]:
        """Check what was given of people in the frame of that number."""
        frames = dict(zip(people, read_people(people, self._settings, index)))
        if self.refiner.normalization == 'root':
            followed = self._followed
            for key in [x for x in frames if x not in followed]:
                points, scores = frames[key].keypoints, frames[key].scores
                known = without_ignored(points[None], scores[None])[0]
                check_metres(points[None], f'track {key}', known > 0)
        return frames

    def _step(
        self,
        given: Mapping[Hashable, Optional[GivenFrame]],
        index: int,
        timestamp: Optional[float],
        learned: bool = False,
    ) -> Results:
        """One frame of some persons; all checks come first.

        ``learned``: the rate of the person is known from this frame already.
        """
        elapsed = {
            key: self._clock.follow(
                track.index,
                track.timestamp,
                index,
                timestamp,
                key,
                self._settings.memory,
                learned,
            )
            for key, track in self._followed.items()
            if key in given
        }
        start = self._clock.begin(index, timestamp, f'frame {index}')
        results: Results = {key: [] for key in given}
        limits = (self._settings.window, self._settings.memory)
        pauses = [key for key in elapsed if elapsed[key].is_pause(*limits)]
        self._clock.count_pause(
            [*elapsed.values()], len(pauses) == len(elapsed)
        )
        results.update(self._finish(pauses))
        for key, frame in given.items():
            if key in elapsed and not learned:
                self._clock.note(key, elapsed[key])
            if key in self._tracks:
                self._tracks[key].add(elapsed[key], frame)
            elif key in self._waiting:
                self._waiting[key].add(elapsed[key], frame)
            elif frame is None:
                continue
            elif self._clock.must_learn(key, timestamp):
                self._waiting[key] = WaitingTrack()
                self._waiting[key].add(start, frame)
            else:
                self._tracks[key] = StreamTrack(self._settings, turn_of(key))
                self._tracks[key].add(start, frame)
        keys = [key for key in given if key in self._tracks]
        self._refine(keys, results, last=False)
        for key in keys:
            if self._tracks[key].ended:
                results[key] += self._tracks.pop(key).give_up()
                self._clock.forget(key)
        for key in given:
            waiting = self._waiting.get(key)
            if waiting and waiting.is_due(self.lookahead, limits[0]):
                results[key] += self._begin(key)
        return results

    def _begin(self, key: Hashable) -> List[StreamedFrame]:
        """Take the frames of a person that waited for its rate."""
        waiting = self._waiting.pop(key)
        self._clock.learn(key, waiting.intervals)
        results: List[StreamedFrame] = []
        for frame in waiting.frames:
            given = {key: frame.given}
            results += self._step(given, frame.index, frame.timestamp, True)[
                key
            ]
        return results

    def _finish(self, keys: Sequence[Hashable]) -> Results:
        results: Results = {key: [] for key in keys}
        for key in keys:
            while key in self._waiting:
                results[key] += self._begin(key)
        begun = [key for key in keys if key in self._tracks]
        self._refine(begun, results, last=True)
        for key in begun:
            del self._tracks[key]
        return results

    def _refine(
        self, keys: Sequence[Hashable], results: Results, last: bool
    ) -> None:
        """Refine due windows of persons together and append what is done."""
        everybody = [self._tracks[key] for key in keys]
        tracks = [x for x in everybody if last or x.must_decide()]
        sides = [track.buffer.new_sides(last) for track in tracks]
        push_frames([x for own in sides for x in own])
        windows = [track.due_windows(last) for track in tracks]
        refined = refine_due_windows(
            self.refiner,
            [x for x in windows if x is not None],
            self.image_size,
            self._engine,
        )
        taken = []
        for track, due in zip(tracks, windows):
            poses = None if due is None else refined.pop(0)
            taken.append(track.take(due, poses))
        for track, frames in zip(tracks, limit_due_frames(taken)):
            track.settle(frames)
        for key, track in zip(keys, everybody):
            results[key] += track.hand_out(last)
