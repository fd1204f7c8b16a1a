"""Refine all files of a folder, again where a run was cut off."""

import errno
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterator, List, Tuple

from hanet_mm.core.data.files import PathLike
from hanet_mm.progress import track

from .formats import KINDS
from .formats.people import is_openpose_folder
from .refine_files import RefineOptions, refine_poses

# A disk that is full, or a quota: the files that follow would fail alike.
_FATAL = (errno.ENOSPC, errno.EDQUOT)


@dataclass
class FolderSummary:
    """What became of the files of a folder.

    Attributes:
        num_refined: Files that were refined.
        num_skipped: Files whose output was there already.
        num_frames: Frames of all persons of the refined files.
        failed: Files that were not, with the reason.
    """

    num_refined: int = 0
    num_skipped: int = 0
    num_frames: int = 0
    failed: List[Tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        parts = [
            f'{self.num_refined} files refined, {self.num_frames} frames',
            f'{self.num_skipped} were finished already',
        ]
        if self.failed:
            reasons = ' | '.join(reason for _, reason in self.failed)
            parts.append(f'{len(self.failed)} failed: {reasons}')
        return '; '.join(parts)


def refine_folder(
    source: PathLike,
    out: PathLike,
    options: RefineOptions,
    progress: bool = False,
) -> FolderSummary:
    """Refine all pose files below a folder into another folder.

    Outputs have the names and places of their inputs and are written whole
    or not at all; those that are there, and not older than their input, are
    not made again: a run that was cut off can be started again. (For other
    settings give another folder.) A file that cannot be refined does not
    keep the others from it.

    Args:
        source: Any file in one of the formats is an input, and any folder
            of OpenPose.
        out: Outside of ``source``.
        options: How to refine.
        progress: Whether to show a bar on stderr, if that is a terminal.

    Returns:
        FolderSummary: With the files that failed.

    Raises:
        OSError: If the disk is full.
        ValueError: If there is nothing to refine, or an option is wrong.
    """
    source, out = Path(source), Path(out)
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
    options = options.load()
    summary = FolderSummary()
    shown = progress and sys.stderr.isatty()
    for item in track(items, unit='file', shown=shown):
        target = out / item.relative_to(source)
        if _is_finished(item, target):
            summary.num_skipped += 1
            continue
        try:
            done = refine_poses(item, target, options)
        except (OSError, ValueError) as error:
            if getattr(error, 'errno', None) in _FATAL:
                raise
            reason = ' '.join(str(error).split())
            summary.failed.append((str(item), reason))
        else:
            summary.num_refined += 1
            summary.num_frames += done.num_frames
    return summary


def _find_items(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith('.'):
            continue
        if path.is_dir():
            if is_openpose_folder(path):
                yield path
            else:
                yield from _find_items(path)
        elif path.suffix.lower() in KINDS:
            yield path


def _is_finished(item: Path, target: Path) -> bool:
    if item.is_dir():
        # Moved to its place when it was whole.
        return target.is_dir() and any(target.iterdir())
    if not target.is_file():
        return False
    return target.stat().st_mtime_ns >= item.stat().st_mtime_ns
