"""JHMDB's clips: their names, splits and repetitions.

A clip is called ``action/clip``. JHMDB has three ways to split its clips into
train and test, one text file per action and split, called
``<action>_test_split<k>.txt``, with lines ``<clip>.avi 1`` (train) or
``<clip>.avi 2`` (test).
"""

import re
import warnings
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Dict, FrozenSet, List, Optional, Sequence, Tuple

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.sequences import PoseSequences

_SUBSETS = {'train': '1', 'test': '2'}


@dataclass(frozen=True)
class ClipChoice:
    """Clips to convert.

    Args:
        names: ``action/clip``, or ``clip`` alone, which fits any action.
        protocol: What to call the choice beside a figure.
    """

    names: FrozenSet[str]
    protocol: str

    def mask(self, clips: Sequence[str]) -> List[bool]:
        """Tell for each clip whether it is chosen.

        Args:
            clips: ``action/clip``, or ``clip`` alone where the action is not
                known; those are compared by their last part.
        """
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
    """Read which clips belong to a subset of a split.

    Args:
        splits: JHMDB's folder of split files, or one text file: either a
            plain list with a clip name a line, or a split file.
        split: Number of the split, used with a folder.
        subset: ``'train'`` or ``'test'``; not used with a plain list.

    Raises:
        ValueError: One line naming the file and line.
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


def find_repetitions(keys: Sequence[Tuple]) -> Dict[int, int]:
    """Find entries that came before.

    Args:
        keys: What identifies each sequence.

    Returns:
        Index of each repetition -> index of the first occurrence.
    """
    first: Dict[Tuple, int] = {}
    repeated = {}
    for index, key in enumerate(keys):
        if first.setdefault(key, index) != index:
            repeated[index] = first[key]
    return repeated


def shared_clips(first: PoseSequences, second: PoseSequences) -> List[str]:
    """Clips that occur in both, such as a train and a test set, sorted."""
    return sorted({*first.seq_name.tolist()} & {*second.seq_name.tolist()})


@cache
def jhmdb_keypoint_names() -> Tuple[str, ...]:
    """JHMDB's 15 keypoint names in order, as MMPose has them."""
    from mmpose.datasets.datasets.utils import parse_pose_metainfo

    with warnings.catch_warnings():
        warnings.simplefilter('ignore')  # it says where it found the file
        meta = parse_pose_metainfo(
            dict(from_file='configs/_base_/datasets/jhmdb.py')
        )
    names = meta['keypoint_id2name']
    return tuple(names[index] for index in range(len(names)))


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
