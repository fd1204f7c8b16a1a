# Copyright (c) hanet_mm contributors. All rights reserved.
"""JHMDB's clips: their names, splits and repetitions.

A clip is called ``action/clip``. JHMDB has three ways to split its clips into
train and test, one text file per action and split, called
``<action>_test_split<k>.txt``, with lines ``<clip>.avi 1`` (train) or
``<clip>.avi 2`` (test).
"""

import argparse
import re
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    FrozenSet,
    List,
    NamedTuple,
    Optional,
    Sequence,
)

from common import add_arguments, examples

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.sequences import load_pose_sequences

_SUBSETS = {'train': '1', 'test': '2'}


class ClipChoice(NamedTuple):
    """Clips to convert."""

    names: FrozenSet[str]  # action/clip, or clip alone, which fits any action
    protocol: str  # how the choice is named beside a figure

    def mask(self, clips: Sequence[str]) -> List[bool]:
        """Tell for each clip, with or without action, if it is chosen."""
        tails = {_tail(name) for name in self.names}
        return [
            clip in self.names
            or _tail(clip) in self.names
            or ('/' not in clip and clip in tails)
            for clip in clips
        ]

    def count(self, found: Sequence[str]) -> str:
        """Say how many of the chosen clips were found."""
        return (
            f'{self.protocol}: {len({*found})} of {len(self.names)} clips '
            'are in the source'
        )


def read_clip_choice(
    splits: PathLike, split: int = 1, subset: Optional[str] = None
) -> ClipChoice:
    """Read which clips belong to the train or test subset of a split.

    ``splits`` is JHMDB's folder of split files, or one text file: a plain
    list with a clip name a line, or a split file.
    """
    splits = Path(splits)
    if splits.is_dir():
        listed = _read_split_folder(splits, split)
        protocol = f'split {split} {subset}, chosen by clip name'
    else:
        listed = _read_list(splits, '')
        protocol = f'clips listed in {splits.name}'
        if any(listed.values()):
            protocol += f', {subset}'
    if any(listed.values()) and subset not in _SUBSETS:
        raise ValueError(
            f'{splits}: has train and test clips: expected subset '
            f"'train' or 'test', found {subset!r}"
        )
    wanted = _SUBSETS.get(subset or '')
    names = frozenset(
        name for name, label in listed.items() if label in ('', wanted)
    )
    if not names:
        raise ValueError(f'{splits}: expected clip names, found none')
    return ClipChoice(names, protocol)


def add_clip_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that both converters of JHMDB understand."""
    add_arguments(parser, fps=25.0)
    parser.add_argument(
        '--splits',
        help="JHMDB's folder of <action>_test_split<k>.txt, or one text "
        'file with a clip name a line: take these clips only',
    )
    parser.add_argument(
        '--split', type=int, default=1, help='number of the split: 1, 2, 3'
    )
    parser.add_argument('--subset', choices=('train', 'test'))
    parser.add_argument(
        '--compare-with',
        metavar='NPZ',
        help='a converted file, such as the train set: report which clips '
        'are in both',
    )


def with_clip_arguments(
    convert: Callable[..., List[str]],
) -> Callable[..., List[str]]:
    """Wrap a converter so that it takes those options."""

    def convert_clips(
        splits: Optional[str],
        split: int,
        subset: Optional[str],
        compare_with: Optional[str],
        **more: Any,
    ) -> List[str]:
        clips = read_clip_choice(splits, split, subset) if splits else None
        notes = convert(clips=clips, **more)
        if compare_with:
            notes.append(compare_clips(more['out'], compare_with))
        return notes

    return convert_clips


def compare_clips(first: PathLike, second: PathLike) -> str:
    """Report which clips are in both files, such as train and test."""
    names = [load_pose_sequences(x).seq_name.tolist() for x in (first, second)]
    shared = sorted({*names[0]} & {*names[1]})
    if not shared:
        return f'no clip is in both {first} and {second}'
    return (
        f'WARNING: {len(shared)} clips are in both {first} and {second}: '
        + examples(shared)
    )


def _read_split_folder(folder: Path, split: int) -> Dict[str, str]:
    ending = f'_test_split{split}.txt'
    listed: Dict[str, str] = {}
    for path in sorted(folder.glob(f'*{ending}')):
        listed.update(_read_list(path, path.name[: -len(ending)] + '/'))
    if not listed:
        raise ValueError(
            f'{folder}: expected files <action>{ending}, found none'
        )
    return listed


def _read_list(path: Path, prefix: str) -> Dict[str, str]:
    """Read clip name -> '1', '2' or, in a plain list, ''."""
    listed: Dict[str, str] = {}
    lines = path.read_text(encoding='utf-8').splitlines()
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        match = re.fullmatch(r'\s*(\S+?)(\.avi)?(?:\s+([12]))?\s*', line)
        if match is None or (prefix and not match[3]):
            expected = '<clip>.avi 1|2' + ('' if prefix else ' or <clip>')
            raise ValueError(
                f'{path}: line {number}: expected {expected!r}, '
                f'found {line.strip()!r}'
            )
        name, label = prefix + match[1], match[3] or ''
        if listed.setdefault(name, label) != label:
            raise ValueError(
                f'{path}: line {number}: {name!r} is listed twice: expected '
                f'{listed[name]!r} as before, found {label!r}'
            )
    return listed


def _tail(clip: str) -> str:
    return clip.rsplit('/', 1)[-1]
