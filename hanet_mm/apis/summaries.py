# Copyright (c) hanet_mm contributors. All rights reserved.
"""What was done to pose files, in a line each."""

from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Sequence, Tuple

from hanet_mm.core.refine.refiner import Refiner, RefineResult

from .errors import count_errors
from .formats.base import DetectionFile, PoseFile


@dataclass
class RefineSummary:
    """Summary of a refinement; its text is one line. Sequences without any
    keypoint known to the refiner (``num_left``) are unchanged, ``keypoints``
    tells how keypoints were mapped ('' if they are the refiner's), ``default``
    names the refiner if it is the default. ``num_swapped`` frames had left
    and right swapped; None: nobody looked. ``assumed_fps`` is the frame rate
    where nobody said one. ``num_ignored`` counts given placeholders and
    outliers that counted as missing. ``num_video_frames`` is the number of
    frames of the video that the sequences, which are people then, are in;
    None: they are of several videos. ``translation`` tells what became of one
    beside rotations; None: there is none. ``num_cuts`` counts cuts of the
    video, at which tracks were divided.
    """

    num_sequences: int
    num_frames: int
    num_keypoints: int
    num_filled: int
    refiner: Any
    keypoints: str = ''
    num_left: int = 0
    default: str = ''
    num_swapped: Optional[int] = None
    assumed_fps: Optional[float] = None
    num_ignored: Tuple[int, int] = (0, 0)
    num_video_frames: Optional[int] = None
    translation: Optional[str] = None
    num_cuts: int = 0

    def __str__(self) -> str:
        default = f'by {self.default}: ' if self.default else ''
        names = f'; {self.keypoints}' if self.keypoints else ''
        return (
            f'{self.num_frames} frames of {self.num_sequences} sequences '
            f'refined, {self._changes()}; '
            f'{self._unknown()}{default}'
            f'{_describe(self.refiner)}{names}'
        )

    @property
    def brief(self) -> str:
        """The same without settings of the refiner, for everybody."""
        count = self.num_sequences
        if self.num_video_frames is None:
            noun = 'sequence' if count == 1 else 'sequences'
            what = f'{self.num_frames} frames of {count} {noun}'
        else:
            noun = 'person' if count == 1 else 'people'
            what = f'{count} {noun} in {self.num_video_frames} frames'
        name = self.default or 'the given refiner'
        if not isinstance(self.refiner, Refiner):
            name = str(self.refiner)
        mapping = f'; {self.keypoints}' if self.keypoints else ''
        return (
            f'{what} refined, {self._changes()}; {self._unknown()}by {name}'
            f'{mapping}'
        )

    def to_dict(self) -> Dict[str, Any]:
        """For JSON; None where something is not known."""
        placeholders, outliers = self.num_ignored
        return dict(
            sequences=self.num_sequences,
            frames=self.num_frames,
            video_frames=self.num_video_frames,
            keypoints=self.num_keypoints,
            filled=self.num_filled,
            swapped_frames=self.num_swapped,
            ignored_placeholders=placeholders,
            ignored_outliers=outliers,
            unchanged_sequences=self.num_left,
            assumed_fps=self.assumed_fps,
            cuts=self.num_cuts,
            translation=self.translation,
            refiner=self.default or _describe(self.refiner),
            mapping=self.keypoints,
        )

    def _changes(self) -> str:
        swapped = swapped_text(self.num_swapped, self.num_frames)
        return (
            f'{self.num_filled} of {self.num_keypoints} keypoints filled'
            f'{swapped}{ignored_text(*self.num_ignored)}'
            f'{translation_text(self.translation)}'
        )

    def _unknown(self) -> str:
        """What was left or taken for granted, with a semicolon after each."""
        text = ''
        if self.num_left:
            text = (
                f'{self.num_left} sequences without a known keypoint are '
                'unchanged; '
            )
        if self.assumed_fps is not None:
            text += f'frame rate not known, taken for {self.assumed_fps:g}; '
        if self.num_cuts:
            noun = 'cut' if self.num_cuts == 1 else 'cuts'
            text += f'divided at {self.num_cuts} {noun} of the video; '
        return text


@dataclass
class FolderSummary:
    """Counts of files and frames, and why files failed; text of one line."""

    num_refined: int = 0
    num_skipped: int = 0
    num_frames: int = 0
    failed: List[Tuple[str, str]] = field(default_factory=list)
    num_swapped: Optional[int] = None

    def add(self, done: 'FolderSummary') -> None:
        """Add what was done beside this."""
        self.num_refined += done.num_refined
        self.num_skipped += done.num_skipped
        self.num_frames += done.num_frames
        self.failed += done.failed
        if done.num_swapped is not None:
            self.num_swapped = (self.num_swapped or 0) + done.num_swapped

    @property
    def brief(self) -> str:
        """The same: nothing in it is for experts only."""
        return str(self)

    def to_dict(self) -> Dict[str, Any]:
        """For JSON."""
        return dict(
            refined=self.num_refined,
            skipped=self.num_skipped,
            frames=self.num_frames,
            swapped_frames=self.num_swapped,
            failed=[dict(file=x, reason=why) for x, why in self.failed],
        )

    def __str__(self) -> str:
        swapped = swapped_text(self.num_swapped, self.num_frames)
        parts = [
            f'{self.num_refined} files refined, {self.num_frames} frames'
            f'{swapped}',
            f'{self.num_skipped} were finished already',
        ]
        if self.failed:
            reasons = count_errors(self.failed)
            parts.append(f'{len(self.failed)} failed: {reasons}')
        return '; '.join(parts)


def count_swapped(results: Sequence[RefineResult]) -> Optional[int]:
    """Frames with left and right swapped; None: nobody looked."""
    flags = [x.swapped for x in results if x.swapped is not None]
    return sum(int(x.any(1).sum()) for x in flags) if flags else None


def swapped_text(num_swapped: Optional[int], num_frames: int) -> str:
    """How many frames had left and right swapped; '' if nobody looked."""
    if num_swapped is None:
        return ''
    return (
        f', left and right corrected in {num_swapped} of {num_frames} frames'
    )


def ignored_text(placeholders: int, outliers: int) -> str:
    """How many given keypoints counted as missing; '' if none."""
    kinds = []
    if placeholders:
        kinds.append(f'{placeholders} placeholders such as (0, 0)')
    if outliers:
        kinds.append(f'{outliers} outliers far from the person')
    return f', {" and ".join(kinds)} counted as missing' if kinds else ''


def translation_text(translation: Optional[str]) -> str:
    """What became of the translation of a body; '' if there is none."""
    if translation is None:
        return ''
    if translation == 'copied':
        return ', all but the rotations copied (a translation is not smoothed)'
    return f', translation {translation}'


def _describe(refiner: Any) -> str:
    if not isinstance(refiner, Refiner):
        return str(refiner)
    return (
        f'window T = {refiner.window_size}, sampling interval '
        f'N = {refiner.network.sample_interval} (a sampled frame reads '
        f'its two neighbours too), stride {refiner.stride}, '
        f'normalization {refiner.normalization!r}'
    )


def count_video_frames(poses: PoseFile) -> Optional[int]:
    """Frames from the first to the last of people in one video."""
    if not isinstance(poses, DetectionFile):
        return None
    first = min(x.first_frame for x in poses.tracks)
    return max(x.first_frame + len(x.keypoints) for x in poses.tracks) - first
