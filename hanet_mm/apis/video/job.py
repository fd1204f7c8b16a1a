# Copyright (c) hanet_mm contributors. All rights reserved.
"""Videos through the inferencer into files."""

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Set, Tuple

from hanet_mm.apis.summaries import swapped_text
from hanet_mm.core.data.atomic import (
    check_output,
    check_writable,
    is_same_file,
)
from hanet_mm.progress import progress_bar
from hanet_mm.visualization.people_scene import PeopleScene
from hanet_mm.visualization.window import Window, WindowClosed

from .frames import Frame
from .outputs import JsonOutput, NpzOutput, VideoOutput, partial_path
from .pipeline import StageClock
from .sources import (
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    FrameSource,
    is_url,
    list_files,
    open_source,
)

POSE_SUFFIXES = ('.json', '.npz')


class VideoStopped(ValueError):
    """A video ended before its last frame; what was done is kept.

    Attributes:
        interrupted: Whether the user wanted it so.
    """

    interrupted: bool = False


@dataclass(frozen=True)
class OutputRequest:
    """The requested output files of a video.

    Args:
        poses: The ``.json`` or ``.npz``.
        video: Whether to write an ``.mp4`` beside it. Defaults to False.
        trajectories: Whether wrists and ankles leave a trail in it.
            Defaults to False.
        show: Whether to show the poses in a window. Defaults to False.
        sources: The inputs, which no output is written over. Where the video
            would be it is called ``NAME_refined.mp4``. Defaults to ().
    """

    poses: Path
    video: bool = False
    trajectories: bool = False
    show: bool = False
    sources: Tuple[Path, ...] = ()

    @property
    def files(self) -> List[Path]:
        """All files."""
        if not self.video:
            return [self.poses]
        video = self.poses.with_suffix('.mp4')
        if any(self._is_source(x) for x in (video, partial_path(video))):
            video = video.with_name(f'{video.stem}_refined.mp4')
        return [self.poses, video]

    def _is_source(self, path: Path) -> bool:
        return any(is_same_file(path, x) for x in self.sources)

    def check(self) -> None:
        """Raise an error unless all files can be written.

        Raises:
            ValueError: For another ending, or the file of an input.
            OSError: If one is a folder or read-only.
        """
        if self.poses.suffix.lower() not in POSE_SUFFIXES:
            raise ValueError(
                f'{self.poses}: expected an output ending in '
                f'{" or ".join(POSE_SUFFIXES)} (a video is written beside it)'
            )
        for path in self.files:
            check_output(path, self.sources)
            check_output(partial_path(path), self.sources)
            check_writable(path)

    def open(self, inferencer: Any, source: FrameSource) -> List[Any]:
        """The outputs; files appear with the first frame."""
        names = inferencer.keypoint_names
        if self.poses.suffix.lower() == '.json':
            outputs: List[Any] = [JsonOutput(self.poses)]
        else:
            outputs = [NpzOutput(self.poses, names, source.fps)]

        def make_scene(size: Any) -> PeopleScene:
            refined = inferencer.refiner is not None
            return PeopleScene(
                size, inferencer.links, names, refined, self.trajectories
            )

        window = None
        if self.show:
            # A camera sets the pace itself.
            window = Window(source.name, None if source.live else source.fps)
        path = self.files[1] if self.video else None
        if path is not None or window is not None:
            video = VideoOutput(path, source.fps, make_scene, window)
            outputs.append(video)
        return outputs


@dataclass
class VideoReport:
    """Summary of a processed video; its text is one line, for experts."""

    files: List[Path]
    num_frames: int = 0
    track_ids: Set[int] = field(default_factory=set)
    num_filled: int = 0
    num_swapped: Optional[int] = None  # frames; None: nobody looked
    seconds: float = 0.0
    clock: StageClock = field(default_factory=StageClock)
    warning: str = ''  # what was wrong with the source

    def add(self, frame: Frame) -> None:
        """Count a frame."""
        self.num_frames += 1
        self.track_ids.update(frame.track_ids.tolist())
        self.num_filled += int(frame.filled.sum())
        if frame.swapped is not None:
            self.num_swapped = (self.num_swapped or 0) + int(
                frame.swapped.any()
            )

    @property
    def brief(self) -> str:
        """The same without speed and stages, for everybody."""
        return self._text('')

    def to_dict(self) -> Dict[str, Any]:
        """For JSON; None where something is not known."""
        return dict(
            files=[str(x) for x in self.files],
            frames=self.num_frames,
            people=len(self.track_ids),
            filled=self.num_filled,
            swapped_frames=self.num_swapped,
            seconds=self.seconds,
            stage_seconds=self.clock.seconds,
            warning=self.warning,
        )

    def __str__(self) -> str:
        rate = self.num_frames / max(self.seconds, 1e-9)
        return self._text(f', {rate:.1f} fps ({self.clock.shares()})')

    def _text(self, speed: str) -> str:
        count = len(self.track_ids)
        noun = 'person' if count == 1 else 'people'
        swapped = swapped_text(self.num_swapped, self.num_frames)
        warning = f'; {self.warning}' if self.warning else ''
        return (
            f'{", ".join(map(str, self.files))}: {count} {noun} in '
            f'{self.num_frames} frames, {self.num_filled} keypoints '
            f'filled{swapped}{speed}{warning}'
        )


def run_video(
    inferencer: Any,
    source: FrameSource,
    request: OutputRequest,
    progress: bool = True,
) -> VideoReport:
    """Run over a video and write the files.

    Args:
        inferencer (Any): A :class:`PoseRefinementInferencer`.
        source (FrameSource): The frames.
        request (OutputRequest): The files.
        progress (bool): Whether to show a progress bar on stderr, if that is
            a terminal. Defaults to True.

    Returns:
        VideoReport: A summary whose text is one line.

    Raises:
        VideoStopped: If it ended early: the source failed, a file could not
            be written, or Ctrl-C. The frames so far are in
            ``NAME.partial.json`` and so on; no other file is left behind.
            Ctrl-C ends a camera as planned and is no error.
    """
    request.check()
    report = VideoReport(request.files)
    outputs = request.open(inferencer, source)
    start = time.perf_counter()
    try:
        try:
            _write_all(inferencer, source, outputs, report, progress)
        except KeyboardInterrupt:
            if not (source.live and report.num_frames):
                raise
        for output in outputs:
            output.finish()
    except BaseException as error:
        kept = [path for path in map(_stop, outputs) if path]
        if not isinstance(error, (Exception, KeyboardInterrupt)):
            raise
        raise _stop_error(error, source, report, kept) from error
    report.seconds = time.perf_counter() - start
    report.warning = source.warning
    return report


def _write_all(
    inferencer: Any,
    source: FrameSource,
    outputs: List[Any],
    report: VideoReport,
    progress: bool,
) -> None:
    # A video needs the pictures until their poses are refined.
    keep = getattr(outputs[-1], 'keep', None)
    frames = inferencer.run(source, report.clock, keep)
    label = Path(source.name).name
    shown = progress and sys.stderr.isatty()
    with progress_bar(source.num_frames, label, shown=shown) as advance:
        for frame in frames:
            with report.clock('writing'):
                for output in outputs:
                    output.write(frame)
            report.add(frame)
            if getattr(outputs[-1], 'closed', False):
                raise WindowClosed
            advance()


def _stop(output: Any) -> Optional[Path]:
    try:
        return output.stop()
    except Exception:  # the disk may be full; the first error is told
        return None


def _stop_error(
    error: BaseException,
    source: FrameSource,
    report: VideoReport,
    kept: List[Path],
) -> VideoStopped:
    """State the reason, the number of frames and where they are."""
    interrupted = isinstance(error, KeyboardInterrupt)
    reason = 'stopped by Ctrl-C' if interrupted else str(error)
    if isinstance(error, WindowClosed):
        reason = 'the window was closed'
    if not isinstance(error, (OSError, ValueError, KeyboardInterrupt)):
        reason = f'{type(error).__name__}: {reason}'
    reason = ' '.join(reason.split())
    if source.name not in reason:
        reason = f'{source.name}: {reason}'
    if kept:
        count = report.num_frames
        # 0: one of several outputs failed at the first frame.
        what = f'the first {count} frames are' if count else 'its part is'
        reason += f'; {what} in {", ".join(map(str, kept))}'
    stopped = VideoStopped(reason)
    stopped.interrupted = interrupted
    return stopped


def plan_jobs(
    source: str,
    out: Optional[str],
    suffix: str,
    video: bool,
    trajectories: bool,
    show: bool = False,
) -> Tuple[List[Tuple[Any, OutputRequest]], bool]:
    """Sources and what to write of each; whether it is a folder of videos."""

    def request(poses: Path) -> OutputRequest:
        wanted = OutputRequest(poses, video, trajectories, show, inputs)
        wanted.check()
        return wanted

    path = Path(source)
    videos = _videos(path)
    inputs = tuple(videos or [path])
    if videos is None:
        name = f'webcam{path.name}'
        if path.exists() or is_url(source):
            # An address may end in a query.
            name = Path(source.partition('?')[0]).stem
        return [(source, request(Path(out or f'{name}.{suffix}')))], False
    folder = Path(out or f'{path.name}_poses')
    if folder.suffix.lower() in POSE_SUFFIXES:
        raise ValueError(f'{folder}: expected a folder for a folder of videos')
    stems = [video.stem for video in videos]
    jobs: List[Tuple[Any, OutputRequest]] = []
    for found in videos:
        # Two videos that differ in their ending only keep it.
        name = found.stem if stems.count(found.stem) == 1 else found.name
        jobs.append((found, request(folder / f'{name}.{suffix}')))
    return jobs, True


def _videos(source: Path) -> Optional[List[Path]]:
    """Videos of a folder; None if it is none, or has pictures."""
    if not source.is_dir():
        return None
    videos = list_files(source, VIDEO_SUFFIXES)
    pictures = list_files(source, IMAGE_SUFFIXES)
    if videos and pictures:
        raise ValueError(
            f'{source}: the folder has {len(videos)} videos and '
            f'{len(pictures)} pictures; expected either'
        )
    return videos or None


def run_jobs(
    inferencer: Any,
    jobs: List[Tuple[Any, OutputRequest]],
    fps: Optional[float],
    folder: Optional[str] = None,
) -> List[VideoReport]:
    """Run over videos; in a folder, on after a failure."""
    reports, failures = [], []
    for source, request in jobs:
        try:
            opened = open_source(source, fps)
            reports.append(run_video(inferencer, opened, request))
        except (OSError, ValueError) as error:
            if folder is None or getattr(error, 'interrupted', False):
                raise
            failures.append(str(error))
    if failures:
        raise ValueError(
            f'{folder}: {len(reports)} of {len(jobs)} videos done; '
            + '; '.join(failures)
        )
    return reports
