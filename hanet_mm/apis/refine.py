# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refine the poses in files and folders, as ``hanet-mm refine`` does."""

import errno
import os
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import (
    Any,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from hanet_mm.core.data import claims
from hanet_mm.core.data.atomic import check_output
from hanet_mm.core.data.files import PathLike
from hanet_mm.core.refine.frame_rate import USUAL_RATE
from hanet_mm.core.refine.refiner import Refiner
from hanet_mm.filters.rotations import RotationPath
from hanet_mm.progress import progress_bar

from .errors import describe_error
from .filter_choice import choose_filter
from .formats import KINDS, PoseFile, is_pose_folder, open_poses
from .keypoint_plan import plan_keypoints
from .refine_options import RefineOptions
from .refine_tracks import refine_tracks
from .summaries import (
    FolderSummary,
    RefineSummary,
    count_swapped,
    count_video_frames,
)
from .translation import refine_translation
from .workers import WorkerError, Workers

# Disk full or quota exceeded: all later files would fail too.
_FATAL = (errno.ENOSPC, errno.EDQUOT)
# Seconds after which files that others work on are looked at again.
_LOOK_AGAIN = 2.0


def refine_file(
    source: PathLike,
    out: PathLike,
    refiner: Union[PathLike, Any, None] = None,
    image_size: Optional[Sequence[int]] = None,
    device: str = 'cpu',
    **options: Any,
) -> RefineSummary:
    """Refine a pose file into one of the same layout.

    Args:
        source (PathLike): In one of :data:`hanet_mm.apis.formats.FORMATS`.
        out (PathLike): Written completely or not at all; an existing file is
            replaced.
        refiner (PathLike | Refiner | SequenceFilter, optional): Name or
            path, see :func:`load_refiner`; an object; or a filter by name as
            ``filter:NAME``, see :func:`choose_filter`. Defaults to None: the
            bundled refiner for such poses.
        image_size (Sequence[int], optional): W, H in pixels; replaces the
            size in the file.
        device (str): Device of the network.
        **options: ``format``, ``tracker``, ``dims`` and ``trust_pickle``,
            see :func:`open_poses`;
            ``skeleton``, see :func:`plan_keypoints`; ``others``, a filter for
            keypoints unknown to the refiner, see :func:`choose_filter`;
            ``max_gap``, the longest gap of a keypoint that is filled, in
            frames; ``fps``, which replaces the rate in the file;
            ``ignore_scores``, whether scores say no more than which
            keypoints are missing; ``unswap``, whether swaps of left and right
            are undone before a filter, in files with known names;
            ``engine``, see :func:`load_refiner`.

    Returns:
        RefineSummary: Its text reports in a line what was done.

    Raises:
        FileNotFoundError: If a file does not exist.
        ValueError: One line naming the file and the fault.
    """
    settings = RefineOptions(refiner, image_size, device, **options)
    ending = Path(source).suffix
    is_file = not Path(source).is_dir()
    if is_file and Path(out).suffix.lower() != ending.lower():
        raise ValueError(
            f'{out}: expected an output ending in {ending} as {source}: the '
            'layout does not change'
        )
    return refine_poses(source, out, settings.load())


def refine_poses(
    source: PathLike, out: PathLike, options: RefineOptions
) -> RefineSummary:
    """:func:`refine_file` with loaded options."""
    check_output(out, [source])
    poses = open_poses(
        source,
        options.format,
        options.image_size,
        options.tracker,
        options.dims,
        options.trust_pickle,
    )
    return refine_opened(poses, out, options)


def refine_opened(
    poses: PoseFile, out: Any, options: RefineOptions
) -> RefineSummary:
    """Refine poses that were read, and hand them to their ``save``."""
    if options.ignore_scores:
        poses.ignore_scores()
    poses.check()
    options.complete(poses)
    ignored = poses.ignore_impossible()
    refiner, default = options.choose(poses)
    if poses.has_rotations and options.unswap:
        raise ValueError(
            f'{poses.path}: unswap: expected keypoints, found rotations, of '
            'which left and right are not told apart by where they are'
        )
    plan = plan_keypoints(poses, refiner, options.skeleton)
    if default:
        plan.check_known(poses)
    results, cuts = refine_tracks(poses, refiner, plan, options)
    others = None
    if options.others is not None:
        others = choose_filter(options.others, poses.tracks, options.fps)
    final = [
        plan.from_refiner(track, result, options.max_gap, others, own)
        for track, result, own in zip(poses.tracks, results, cuts)
    ]
    for track, result in zip(poses.tracks, final):
        if track.translation is not None:
            result.translation = refine_translation(track, refiner)
    poses.save(out, final)
    num_keypoints, num_filled = poses.count(final)
    return RefineSummary(
        num_sequences=len(final),
        num_frames=sum(len(x.keypoints) for x in final),
        num_keypoints=num_keypoints,
        num_filled=num_filled,
        refiner=refiner,
        keypoints='; '.join(filter(None, [plan.report, poses.note])),
        num_left=results.count(None),
        default=default,
        num_swapped=count_swapped(final),
        num_ignored=ignored,
        assumed_fps=_assumed_rate(poses, refiner, options),
        num_video_frames=count_video_frames(poses),
        translation=poses.translation_is,
        num_cuts=sum(map(len, cuts)),
    )


def _assumed_rate(
    poses: PoseFile, refiner: Any, options: RefineOptions
) -> Optional[float]:
    """The rate that stands in for an unknown one, None if none does."""
    if all(track.fps for track in poses.tracks):
        return None
    if isinstance(refiner, (Refiner, RotationPath)):
        return refiner.fps
    return USUAL_RATE if options.unswap else None


def refine_folder(
    source: PathLike,
    out: PathLike,
    options: RefineOptions,
    progress: bool = False,
    workers: int = 1,
    overwrite: bool = False,
) -> FolderSummary:
    """Refine all pose files below a folder into another folder.

    An output that is not older than its input is skipped, so an interrupted
    run can be resumed, and several runs, on several machines too, can share
    a folder: each claims a file before it works on it, see
    :mod:`hanet_mm.core.data.claims`, and ends when all are finished. A file
    that fails does not stop the others, unless the disk is full.

    Args:
        source (PathLike): Searched with the folders in it.
        out (PathLike): Outside of ``source``.
        options (RefineOptions): See :func:`refine_file`.
        progress (bool): Whether to show a progress bar on a terminal.
        workers (int): Processes that share the work. Defaults to 1: only
            this one.
        overwrite (bool): Whether finished outputs are made anew. Defaults to
            False.

    Returns:
        FolderSummary: What this run did.

    Raises:
        ValueError: If a folder or an option is wrong.
        OSError: If the disk is full.
    """
    source, out = Path(source), Path(out)
    items = _folder_items(source, out)
    # Other processes load it themselves.
    task = _FolderTask(
        options.load() if workers == 1 else replace(options), overwrite
    )
    if workers > 1:
        options.load()
    summary = FolderSummary()
    todo = []
    for pair in items:
        if not overwrite and _is_finished(*pair):
            claims.remove_stale_claim(pair[1])
            summary.num_skipped += 1
        else:
            todo.append(pair)
    shown = progress and sys.stderr.isatty()
    with (
        claims.without_leftovers([target for _, target in items]),
        Workers(task, workers) as pool,
        progress_bar(
            len(items), unit='file', shown=shown, initial=summary.num_skipped
        ) as advance,
    ):
        while todo:
            taken = []
            for pair, done in pool.run(todo):
                if done is None:
                    taken.append(pair)
                    continue
                if isinstance(done, WorkerError):
                    done = _failure(pair[0], done)
                summary.add(done)
                advance()
            todo = taken
            if todo:
                time.sleep(_LOOK_AGAIN)
    summary.failed.sort()
    return summary


@dataclass
class _FolderTask:
    """Refines one file of a folder, unless it is finished or another's."""

    options: RefineOptions
    overwrite: bool = False

    def __setstate__(self, state: Dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.options.load()

    def __call__(self, pair: Tuple[Path, Path]) -> Optional[FolderSummary]:
        source, target = pair
        with claims.claim(target) as is_ours:
            if not is_ours:
                return None
            if not self.overwrite and _is_finished(source, target):
                return FolderSummary(num_skipped=1)
            try:
                done = refine_poses(source, target, self.options)
            except Exception as error:  # one bad file does not stop the others
                if getattr(error, 'errno', None) in _FATAL:
                    raise
                return _failure(source, error)
        return FolderSummary(1, 0, done.num_frames, [], done.num_swapped)


def _failure(source: Path, error: Exception) -> FolderSummary:
    reason = describe_error(error, source)
    return FolderSummary(failed=[(str(source), reason)])


def _folder_items(source: Path, out: Path) -> List[Tuple[Path, Path]]:
    """The files below a folder and the outputs of each."""
    if source.resolve() in (out.resolve(), *out.resolve().parents):
        raise ValueError(
            f'{out}: expected a folder outside of {source} for the outputs'
        )
    items = sorted(_find_items(source))
    if not items:
        raise ValueError(
            f'{source}: expected pose files ending in '
            f'{", ".join(kind for kind in KINDS if kind != "folder")}, or '
            'folders of OpenPose, found none'
        )
    # Of a folder in the output folder, one may be the input of another.
    inputs = {os.path.realpath(item) for item in items}
    targets = [out / item.relative_to(source) for item in items]
    for target in targets:
        if os.path.realpath(target) in inputs:
            check_output(target, [os.path.realpath(target)])
    return list(zip(items, targets))


def _find_items(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith('.'):
            continue
        if path.is_dir() and not is_pose_folder(path):
            yield from _find_items(path)
        elif path.is_dir() or path.suffix.lower() in KINDS:
            yield path


def _is_finished(item: Path, target: Path) -> bool:
    if item.is_dir():
        # Moved to its place when it was complete.
        return target.is_dir() and any(target.iterdir())
    if not target.is_file():
        return False
    return target.stat().st_mtime_ns >= item.stat().st_mtime_ns
