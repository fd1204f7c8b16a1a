# Copyright (c) hanet_mm contributors. All rights reserved.
"""Sequences of poses from an estimator, with their ground truth."""

from typing import List, Optional, Tuple, Union

import numpy as np
import torch
from mmengine.dataset import BaseDataset, force_full_init
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS

from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.core.data.sequences import PoseSequences, load_pose_sequences
from hanet_mm.core.poses.units import fill_rotations, to_metres, to_rot6d

from .kept_items import KeptItems

PARTS = ('train', 'val')


@DATASETS.register_module()
class PoseSequenceDataset(KeptItems):
    """Windows for training, whole sequences for testing.

    T: frames of a window, K: keypoints, D: coordinates.

    A training item is a window of T frames; every start of every sequence is
    an item, and sequences shorter than T are padded by repeating the last
    frame, with weight 0 (SPEC section 5). A test item is a whole sequence.
    Keypoints that the estimator did not find are filled and marked.

    The frames of all sequences are held once, as tensors, which worker
    processes share.

    Args:
        ann_file (str): File in the flat layout, see
            :func:`hanet_mm.core.data.sequences.load_pose_sequences`.
        window_size (int): T. Not used for test items.
        part (str, optional): 'train' or 'val': one of two disjoint sets of
            sequences. Defaults to None: all sequences.
        val_fraction (float): Share of the sequences in 'val', spread evenly
            over the file; sequences of one name, such as the people in a
            video, stay together.
        sparse (bool): Whether only some frames are annotated: training windows
            without any are left out.
        metainfo (dict, optional): Of the keypoints, as in MMPose. Defaults
            to that of the class.
        **kwargs: Of :class:`KeptItems`, such as ``keep``.

    Raises:
        ValueError: If the data do not fit the metainfo, or a required field
            is missing.
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
        ann_file: str = '',
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

    def load_sequences(self) -> PoseSequences:
        """Read all sequences. Children with another source override this."""
        return load_pose_sequences(self.ann_file, require=('keypoints_gt',))

    def load_data_list(self) -> List[dict]:
        """Load the frames and list the sequences of the part."""
        sequences = self._convert(self.load_sequences())
        self._check(sequences)
        missing = ~sequences.valid
        # A person who was annotated but never found: there is nothing to
        # fill from. Such a sequence counts in tests only.
        seen = np.logical_or.reduceat((~missing).any(1), sequences.starts)
        unseen = np.repeat(~seen, sequences.seq_len)[:, None]
        estimates = np.where(
            unseen[..., None], np.float32(0), sequences.keypoints_est
        )
        visible = sequences.visible
        if visible is None:
            visible = np.ones(missing.shape, dtype=np.float32)
        arrays = dict(
            keypoints=self._fill(
                estimates, missing & ~unseen, sequences.seq_len
            ),
            keypoint_scores=np.where(missing, np.float32(0), sequences.scores),
            keypoints_valid=~missing,
            keypoints_gt=sequences.keypoints_gt,
            keypoints_visible=visible,
            bboxes=sequences.bboxes,
        )
        # Tensors: worker processes share them, however they are started.
        self._frames = {
            key: torch.from_numpy(value)
            for key, value in arrays.items()
            if value is not None
        }
        self._extras = {
            key: torch.from_numpy(value)
            for key, value in sequences.extras.items()
            if value.dtype.kind != 'U'
        }
        infos = []
        for i in self._sequences_of_part(sequences.seq_name):
            info = dict(
                seq_id=int(i),
                seq_name=str(sequences.seq_name[i]),
                start=int(sequences.starts[i]),
                length=int(sequences.seq_len[i]),
                seen=bool(seen[i]),
            )
            if sequences.image_size is not None:
                info['image_size'] = sequences.image_size[i]
            if sequences.fps is not None:
                info['fps'] = float(sequences.fps[i])
            infos.append(info)
        return infos

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
        """Make the table of items: sequence and first frame of each."""
        infos = [
            BaseDataset.get_data_info(self, i)
            for i in range(BaseDataset.__len__(self))
        ]
        start, length, seen = (
            np.array([info[key] for info in infos], dtype=np.int64)
            for key in ('start', 'length', 'seen')
        )
        items = np.maximum(length - self.window_size + 1, 1)
        if self.test_mode:
            items = np.ones_like(length)
        sequence = np.repeat(np.arange(len(infos)), items)
        first = np.arange(len(sequence))
        first -= np.repeat(np.cumsum(items) - items, items)
        if not self.test_mode:
            keep = seen[sequence] > 0
            if self.sparse:
                begin = start[sequence] + first
                end = np.minimum(
                    begin + self.window_size, (start + length)[sequence]
                )
                before = self._annotated_frames_before()
                keep &= before[end] > before[begin]
            sequence, first = sequence[keep], first[keep]
        self._items = sequence.astype(np.int32), first.astype(np.int32)
        self._kept.clear()

    def _annotated_frames_before(self) -> np.ndarray:
        """Number of annotated frames before each flat frame, (N + 1, )."""
        annotated = (self._frames['keypoints_visible'] > 0).any(1).numpy()
        return np.concatenate([[0], np.cumsum(annotated)])

    @force_full_init
    def __len__(self) -> int:
        return len(self._items[0])

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
        sequence, first = (int(column[idx]) for column in self._items)
        info = super().get_data_info(sequence)
        start, length = info.pop('start'), info.pop('length')
        frames = length if self.test_mode else self.window_size
        pad = max(first + frames - length, 0)
        span = slice(start + first, start + first + frames - pad)
        info['extras'] = {}
        for into, columns in (
            (info, self._frames),
            (info['extras'], self._extras),
        ):
            for key, values in columns.items():
                value = values[span].numpy()
                into[key] = _repeat_last(value, pad) if pad else value
        if pad:
            # Repetitions of the last frame: no estimates, no truth.
            info['keypoints_visible'][-pad:] = 0
            info['keypoint_scores'][-pad:] = 0
            info['keypoints_valid'][-pad:] = False
        del info['seen']
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
        held = (np.diff(steps) > 0)[order[name]]
        return np.flatnonzero(held if self.part == 'val' else ~held)

    def _convert(self, sequences: PoseSequences) -> PoseSequences:
        where = self.ann_file or type(self).__name__
        if self.UNITS == 'm':
            return to_metres(sequences, where)
        if self.UNITS == 'rot6d':
            return to_rot6d(sequences, where)
        return sequences

    def _fill(
        self, keypoints: np.ndarray, missing: np.ndarray, seq_len: np.ndarray
    ) -> np.ndarray:
        fill = fill_rotations if self.UNITS == 'rot6d' else fill_missing
        return fill(keypoints, missing, seq_len)

    def _check(self, sequences: PoseSequences) -> None:
        where = self.ann_file or type(self).__name__
        expected = list(keypoint_names(self._metainfo))
        if sequences.keypoints_est.shape[1] != len(expected):
            raise ValueError(
                f'{where}: expected {len(expected)} keypoints '
                f'({self._metainfo["dataset_name"]}), found '
                f'{sequences.keypoints_est.shape[1]} in keypoints_est'
            )
        found = sequences.meta.get('keypoint_names')
        if found is not None and list(found) != expected:
            raise ValueError(
                f"{where}: field 'meta' names the keypoints {list(found)}, "
                f'expected {expected}'
            )
        try:
            # Only checked: networks limit scores, rankings need them all.
            sequences.limit_scores()
        except ValueError as error:
            raise ValueError(f'{where}: {error}') from None


def keypoint_names(metainfo: dict) -> Tuple[str, ...]:
    """Names of the keypoints in their order, from MMPose's metainfo."""
    names = metainfo['keypoint_id2name']
    return tuple(names[i] for i in range(metainfo['num_keypoints']))


def _repeat_last(value: np.ndarray, times: int) -> np.ndarray:
    return np.concatenate([value, np.repeat(value[-1:], times, axis=0)])
