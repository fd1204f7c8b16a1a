# Copyright (c) hanet_mm contributors. All rights reserved.
"""Sequences of poses from an estimator, with their ground truth."""

import os
from typing import Any, List, Optional, Sequence, Tuple, Union

import numpy as np
from mmengine.dataset import BaseDataset, force_full_init
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS

from hanet_mm.core.data.checks import name_frame
from hanet_mm.core.data.mapped import frame_blocks
from hanet_mm.core.data.scores import usual_scores
from hanet_mm.core.data.sequences import PoseSequences, load_pose_sequences

from .kept_items import KeptItems
from .sequence_frames import SequenceFrames

PARTS = ('train', 'val')


@DATASETS.register_module()
class PoseSequenceDataset(KeptItems):
    """Windows for training, whole sequences for testing.

    T: frames of a window, K: keypoints, D: coordinates.

    A training item is a window of T frames; every start of every sequence is
    an item, and sequences shorter than T are padded by repeating the last
    frame, with weight 0. A test item is a whole sequence.
    Keypoints that the estimator did not find are filled and marked. Where the
    frames were kept, the extra field ``img_path`` names the file of each, in
    ``data_root`` or ``data_prefix['img_path']``; test items have them.

    The frames of all sequences are held once, by all worker processes
    together. Those of a folder stay on disk and are read item by item: it may
    be larger than the memory.

    Args:
        ann_file (str or Sequence[str]): File or folder in the flat layout,
            see :func:`hanet_mm.core.data.sequences.load_pose_sequences`, or
            several, which have to have the same optional fields.
        window_size (int): T. Not used for test items.
        part (str, optional): 'train' or 'val': one of two disjoint sets of
            sequences. Defaults to None: all sequences.
        val_fraction (float): Share of the sequences in 'val', spread evenly
            over the files; sequences of one name, such as the people in a
            video or the estimates of several estimators, stay together. At
            least the last is in it.
        sparse (bool): Whether only some frames are annotated: training windows
            without any are left out.
        metainfo (dict, optional): Of the keypoints, as in MMPose. Defaults
            to that of the class.
        **kwargs: Of :class:`KeptItems`, such as ``keep``.

    Raises:
        ValueError: If the data do not fit the metainfo, a required field is
            missing, or nothing is annotated (in tests of a part, too).
    """

    METAINFO = dict(from_file='configs/_base_/datasets/jhmdb.py')
    # Joints whose mean is the root of a 3D pose; metrics find them in the
    # metainfo as root_indices.
    ROOT: Optional[Tuple[int, ...]] = None
    # Units of the items: 'px', 'm' or 'rot6d'. Files that declare another
    # unit of the same kind are converted.
    UNITS = 'px'

    def __init__(
        self,
        ann_file: Union[str, Sequence[str]] = '',
        window_size: int = 1,
        part: Optional[str] = None,
        val_fraction: float = 0.1,
        sparse: bool = False,
        metainfo: Optional[dict] = None,
        **kwargs,
    ):
        if part is not None and part not in PARTS:
            raise ValueError(f'part has to be one of {PARTS}, got {part!r}')
        self.window_size = window_size
        self.part = part
        self.val_fraction = val_fraction
        self.sparse = sparse
        super().__init__(ann_file=ann_file, metainfo=metainfo, **kwargs)

    @classmethod
    def _load_metainfo(cls, metainfo: Optional[dict] = None) -> dict:
        parsed = parse_pose_metainfo(metainfo or dict(cls.METAINFO))
        if cls.ROOT is not None:
            parsed['root_indices'] = list(cls.ROOT)
        return parsed

    def load_sequences(self, path: str) -> PoseSequences:
        """Read a file. Children with another source override this."""
        return load_pose_sequences(path, require=('keypoints_gt',))

    def load_data_list(self) -> List[dict]:
        """Load the frames and list the sequences of the part."""
        self._sources: List[SequenceFrames] = []
        infos: List[dict] = []
        for path in self._paths():
            where = path or type(self).__name__
            sequences = self.load_sequences(path)
            self._check(sequences, where)
            self._sources.append(SequenceFrames(sequences, where, self.UNITS))
            infos += _describe(sequences, len(self._sources) - 1)
            self._add_images(infos, sequences)
            self._check_alike(infos)
        names = np.array([info['seq_name'] for info in infos])
        for number, info in enumerate(infos):
            info['seq_id'] = number
        chosen = [infos[i] for i in self._sequences_of_part(names)]
        self._check_truth(chosen)
        return chosen

    def _add_images(self, infos: List[dict], sequences: PoseSequences) -> None:
        """Say where the frames of each of the last sequences lie, in tests."""
        names = sequences.extras.get('img_path')
        if names is None or not self.test_mode:
            return
        prefix = self.data_prefix.get('img_path', '')
        for info, start in zip(infos[-len(sequences) :], sequences.starts):
            stop = start + sequences.seq_len[info['number']]
            info['img_path'] = [
                os.path.join(prefix, name) for name in names[start:stop]
            ]

    def _paths(self) -> List[str]:
        found = self.ann_file
        return [found] if isinstance(found, str) else list(found)

    def _join_prefix(self) -> None:
        """Put ``data_root`` before the paths, of several files, too."""
        if isinstance(self.ann_file, str):
            super()._join_prefix()
            return
        paths = []
        for path in self._paths():
            self.ann_file = path
            super()._join_prefix()
            paths.append(self.ann_file)
        if not paths:
            raise ValueError('ann_file: expected at least 1 file, found []')
        self.ann_file = paths

    def _check_alike(self, infos: List[dict]) -> None:
        """Raise if the items of the last file have other fields."""
        first, last = (
            {*source.keys, *info} - {'seq_name'}
            for source, info in (
                (self._sources[0], infos[0]),
                (self._sources[-1], infos[-1]),
            )
        )
        if first == last:
            return
        paths = self._paths()
        raise ValueError(
            f'{paths[len(self._sources) - 1]}: '
            f'{", ".join(sorted(first ^ last))}: expected in all files or '
            f'none, found in {"the first" if first - last else "this"} only '
            f'(first: {paths[0]})'
        )

    def full_init(self) -> None:
        """Load the sequences and make the table of windows."""
        if self._fully_initialized:
            return
        super().full_init()
        self._number_items()

    def get_subset_(self, indices: Union[int, List[int]]) -> None:
        """Keep only some sequences, see the parent class."""
        super().get_subset_(indices)
        self._number_items()

    def get_subset(
        self, indices: Union[int, List[int]]
    ) -> 'PoseSequenceDataset':
        """Get a dataset of only some sequences, see the parent class."""
        subset = super().get_subset(indices)
        subset._number_items()
        return subset

    def _copy_without_annotation(
        self, memo: Optional[dict] = None
    ) -> 'PoseSequenceDataset':
        # MMEngine's default keeps its memo from call to call: objects that
        # have the address of one copied before would be taken for it.
        return super()._copy_without_annotation({} if memo is None else memo)

    def _number_items(self) -> None:
        """Number the items of the sequences, one after the other."""
        infos = [
            BaseDataset.get_data_info(self, i)
            for i in range(BaseDataset.__len__(self))
        ]
        length, seen = (
            np.concatenate([getattr(x, name) for x in self._sources])
            for name in ('seq_len', 'seen')
        )
        chosen = np.array([info['seq_id'] for info in infos], dtype=np.int64)
        items = np.ones_like(chosen)
        if not self.test_mode:
            items = np.maximum(length[chosen] - self.window_size + 1, 1)
            items[~seen[chosen]] = 0
        # First frame and first item of each sequence.
        self._starts = (np.cumsum(length) - length)[chosen]
        self._ends = np.cumsum(items)
        self._begins = self._ends - items
        self._chosen: Optional[np.ndarray] = None
        if self.sparse and not self.test_mode:
            frames = np.minimum(length[chosen], self.window_size)
            self._chosen = self._annotated_items(np.repeat(frames, items))
        self._kept.clear()

    def _annotated_items(self, frames: np.ndarray) -> np.ndarray:
        """Items, of so many frames each, that have an annotated frame."""
        annotated = np.concatenate([x.annotated() for x in self._sources])
        before = np.concatenate([[0], np.cumsum(annotated)])
        items = np.arange(len(frames))
        shift = self._starts - self._begins
        begin = items + np.repeat(shift, self._ends - self._begins)
        return items[before[begin + frames] > before[begin]]

    @force_full_init
    def __len__(self) -> int:
        if self._chosen is not None:
            return len(self._chosen)
        return int(self._ends[-1]) if len(self._ends) else 0

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Get the frames of an item.

        Args:
            idx (int): Index of the item.

        Returns:
            dict: ``keypoints`` (T, K, D), ``keypoint_scores`` and
            ``keypoints_valid`` (T, K), ``keypoints_gt`` (T, K, D),
            ``keypoints_visible`` (T, K), ``bboxes`` (T, 4), ``frame_ids``
            (T, ), ``extras`` (a dict of further arrays, (T, ...) each), and
            ``seq_name``, ``seq_id``, ``image_size`` (2, ), ``fps``,
            ``flip_indices``, ``keypoint_names``. Arrays may be views: do
            not write to them.
        """
        idx = range(len(self))[idx]
        item = idx if self._chosen is None else int(self._chosen[idx])
        place = int(np.searchsorted(self._ends, item, 'right'))
        first = item - int(self._begins[place])
        info = super().get_data_info(place)
        source = self._sources[info.pop('source')]
        sequence = info.pop('number')
        length = int(source.seq_len[sequence])
        frames = length if self.test_mode else self.window_size
        pad = max(first + frames - length, 0)
        arrays = source.read(sequence, first, first + frames - pad)
        if pad:
            arrays = _repeat_last(arrays, pad)
            # Repetitions of the last frame: no estimates, no truth.
            arrays['keypoints_visible'][-pad:] = 0
            arrays['keypoint_scores'][-pad:] = 0
            arrays['keypoints_valid'][-pad:] = False
        info.update(arrays)
        info['frame_ids'] = np.minimum(
            np.arange(first, first + frames), length - 1
        )
        info['sample_idx'] = idx
        info['flip_indices'] = self._metainfo['flip_indices']
        info['keypoint_names'] = keypoint_names(self._metainfo)
        return info

    def _sequences_of_part(self, names: np.ndarray) -> np.ndarray:
        if self.part is None:
            return np.arange(len(names))
        _, first, name = np.unique(
            names, return_index=True, return_inverse=True
        )
        order = np.argsort(np.argsort(first))
        steps = np.floor(np.arange(len(first) + 1) * self.val_fraction)
        # Of few, too, some has to select the checkpoint.
        held = np.diff(steps) > 0
        held[-1] |= not held.any() and len(held) > 1 and self.val_fraction > 0
        chosen = held[order[name]] == (self.part == 'val')
        if not chosen.any():
            raise ValueError(
                f'{self.ann_file}: part {self.part!r} with a val_fraction of '
                f'{self.val_fraction:g} has none of the {len(held)} '
                'sequences of different names'
            )
        return np.flatnonzero(chosen)

    def _check_truth(self, infos: List[dict]) -> None:
        """Raise if there is nothing to learn from, or to choose by."""
        if self.test_mode and self.part is None:
            return  # a test may be there for what is predicted
        for info in infos:
            if self._sources[info['source']].has_truth(info['number']):
                return
        part = '' if self.part is None else f'part {self.part!r}: '
        raise ValueError(
            f'{self.ann_file}: {part}keypoints_gt: expected an annotated '
            f'keypoint, found all NaN or with visible 0 in {len(infos)} '
            'sequences'
        )

    def _check(self, sequences: PoseSequences, where: str) -> None:
        expected = list(keypoint_names(self._metainfo))
        if sequences.keypoints_est.shape[1] != len(expected):
            raise ValueError(
                f'{where}: expected {len(expected)} keypoints '
                f'({self._metainfo["dataset_name"]}), found '
                f'{sequences.keypoints_est.shape[1]} in keypoints_est'
            )
        dims = sequences.keypoints_est.shape[2]
        wanted = {'px': 2, 'm': 3}.get(self.UNITS, dims)
        if dims != wanted:
            raise ValueError(
                f'{where}: keypoints_est: expected {wanted} coordinates '
                f'({type(self).__name__}), found {dims}'
            )
        found = sequences.meta.get('keypoint_names')
        if found is not None and list(found) != expected:
            raise ValueError(
                f"{where}: field 'meta' names the keypoints {list(found)}, "
                f'expected {expected}'
            )
        scores = sequences.scores
        for rows in frame_blocks(scores):
            try:
                # Only checked: networks limit scores, rankings need them all.
                usual_scores(
                    scores[rows],
                    lambda x, at=rows.start: name_frame(sequences, at + x),
                )
            except ValueError as error:
                raise ValueError(f'{where}: {error}') from None


def _describe(sequences: PoseSequences, source: int) -> List[dict]:
    """What is known of each sequence but its frames."""
    infos: List[dict] = [
        dict(seq_name=str(name), source=source, number=number)
        for number, name in enumerate(sequences.seq_name)
    ]
    for number, info in enumerate(infos):
        if sequences.image_size is not None:
            info['image_size'] = sequences.image_size[number]
        if sequences.fps is not None:
            info['fps'] = float(sequences.fps[number])
    return infos


def keypoint_names(metainfo: dict) -> Tuple[str, ...]:
    """Names of the keypoints in their order, from MMPose's metainfo."""
    names = metainfo['keypoint_id2name']
    return tuple(names[i] for i in range(metainfo['num_keypoints']))


def _repeat_last(value: Any, times: int) -> Any:
    """Repeat the last frame of an array, or of each in a dict."""
    if isinstance(value, dict):
        return {key: _repeat_last(x, times) for key, x in value.items()}
    return np.concatenate([value, np.repeat(value[-1:], times, axis=0)])
