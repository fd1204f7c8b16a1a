# Copyright (c) hanet_mm contributors. All rights reserved.
"""The pose files that the authors of DeciWatch and HANet publish.

The ground truth and the estimates are an ``.npz`` each. Their keys hold
object arrays with one entry a sequence, in the same order in both files; the
number of frames of a sequence is the length of its ``imgname``. Neither file
has scores or visibility: all are 1, and 0 where a coordinate is NaN.
"""

import re
from typing import (
    Any,
    Collection,
    Dict,
    List,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Set,
    Tuple,
)

import numpy as np
from common import load_object_npz, numbers

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.progress import track

JHMDB_KEYPOINTS = SKELETONS['jhmdb15'].keypoint_names
H36M_KEYPOINTS = SKELETONS['h36m17'].keypoint_names
LSP_KEYPOINTS = SKELETONS['lsp14'].keypoint_names

# The last number of an image's name, before its ending.
_NUMBER = re.compile(r'\d+(?=\D*$)')
_H36M_SUBJECTS = {
    'train': {'S1', 'S5', 'S6', 'S7', 'S8'},
    'test': {'S9', 'S11'},
}


class PublishedDataset(NamedTuple):
    """What is known about the published files of a data set."""

    form: str  # of the names of images
    keypoints: Tuple[str, ...]  # that are written, in order
    joints: Tuple[int, ...]  # numbers of joints that the files may have
    fps: float  # of the videos, 1/s; the files have none
    counts: Dict[str, Tuple[int, int]]  # sequences and frames by subset
    protocol: str  # what the files leave open


PUBLISHED_DATASETS = {
    'jhmdb': PublishedDataset(
        'clip/image',
        JHMDB_KEYPOINTS,
        (15,),
        25.0,
        {'test': (261, 9228), 'train': (687, 24372)},
        'clips of several splits repeat',
    ),
    'h36m': PublishedDataset(
        'subject/action/camera/image',
        H36M_KEYPOINTS,
        (17,),
        50.0,
        {'test': (236, 543344), 'train': (600, 1559752)},
        'a sequence is one video of one camera',
    ),
    'pw3d': PublishedDataset(
        'sequence/image',
        LSP_KEYPOINTS,
        (17, 14),
        30.0,
        {'test': (37, 35515), 'train': (34, 22735)},
        'a sequence is one person; frames without a valid camera pose are '
        'left out, so that rows need not be consecutive in time',
    ),
    'aist': PublishedDataset(
        'sequence/image',
        LSP_KEYPOINTS,
        (14,),
        60.0,
        {'test': (3840, 2882640), 'train': (7292, 5916474)},
        'a sequence is one video of one camera',
    ),
}


class PublishedPair:
    """A ground truth and its estimates, read key by key.

    Only one key is in memory in the type of its file; what is returned is
    flat and float32. ``names`` are the S sequences, ``lengths`` (S,) their
    frames, and ``gaps`` (S,) the rows whose image is not numbered one more
    than that of the row before.
    """

    def __init__(
        self,
        dataset: str,
        gt_path: PathLike,
        det_path: PathLike,
        trust_pickle: bool,
    ) -> None:
        self.dataset, self.known = dataset, PUBLISHED_DATASETS[dataset]
        self.gt_path, self.det_path = gt_path, det_path
        self._trust = trust_pickle
        given = self._load(gt_path, 'imgname')
        found = self._load(det_path, 'imgname')
        count = given.size and len(np.atleast_1d(given))
        for path, value in ((gt_path, given), (det_path, found)):
            self._check_entries(path, 'imgname', value, count)
        self.names: List[str] = []
        rows = []
        for index in track(range(count), 'imgname'):
            images = image_names(given[index])
            name = _sequence_of(gt_path, index, images, self.known.form)
            self._compare_images(name, index, images, found[index])
            self.names.append(name)
            rows.append((len(images), _count_gaps(images)))
            given[index] = found[index] = None  # they may be millions
        self.lengths, self.gaps = np.array(rows, dtype=np.int64).T

    def has(self, path: PathLike, key: str) -> bool:
        """Whether one of the two files has a key."""
        with np.load(path, allow_pickle=False) as archive:
            return key in archive.files

    def entries(self, path: PathLike, key: str) -> np.ndarray:
        """Read one entry for each sequence, (S,) objects."""
        entries = self._load(path, key)
        self._check_entries(path, key, entries, len(self.names))
        return entries

    def where(self, path: PathLike, key: str, index: int) -> str:
        """Name an entry in a message."""
        return f'{path}: {key} of {_name(self.names[index], index)}'

    def read(
        self,
        path: PathLike,
        key: str,
        columns: Mapping[int, Sequence[int]],
        expected: str,
    ) -> np.ndarray:
        """Read numbers of all frames, stored flat or not, (N, columns).

        ``columns`` says how many numbers a frame may have and which of them
        to take; ``expected`` says that in a message.
        """
        entries = self.entries(path, key)
        ends = np.cumsum(self.lengths)
        flat, width = None, None
        for index in track(range(len(ends)), key):
            where = self.where(path, key, index)
            frames = int(self.lengths[index])
            value = numbers(entries[index], where, dtype=np.float32)
            value = _per_frame(value, frames, where)
            if flat is None and value.shape[1] in columns:
                width = value.shape[1]
                shape = ends[-1], len(columns[width])
                flat = np.empty(shape, dtype=np.float32)
            if value.shape[1] != width:
                raise ValueError(
                    f'{where}: expected {expected}, found {value.shape[1]}'
                )
            part = slice(ends[index] - frames, ends[index])
            flat[part] = value[:, columns[width]]
            entries[index] = None  # so that the file is not held twice
        return flat

    def read_scalars(self, path: PathLike, key: str) -> np.ndarray:
        """Read one number a frame, or one for the whole sequence, (N,)."""
        parts = []
        entries = self.entries(path, key)
        for index, frames in enumerate(self.lengths):
            where = self.where(path, key, index)
            value = numbers(entries[index], where, (-1,), np.float32)
            if value.size not in (1, frames):
                raise ValueError(
                    f'{where}: expected 1 number or {frames}, found '
                    f'{value.size}'
                )
            parts.append(np.broadcast_to(value, (frames,)))
        return np.concatenate(parts)

    def assemble(
        self,
        estimate: np.ndarray,
        truth: np.ndarray,
        meta: Dict[str, Any],
        fps: Optional[float],
        chosen: Optional[Sequence[int]] = None,
        **more: Any,
    ) -> PoseSequences:
        """Put flat arrays together and check them; take some sequences."""
        try:
            flat = PoseSequences(
                keypoints_est=estimate,
                scores=~np.isnan(estimate).any(-1),
                seq_len=self.lengths,
                seq_name=np.array(self.names),
                keypoints_gt=truth,
                visible=~np.isnan(truth).any(-1),
                fps=np.full(len(self.names), fps or self.known.fps),
                meta=meta,
                **more,
            )
            if chosen is not None:
                flat = flat.select(chosen)
            flat.check_estimates()
        except ValueError as error:
            raise ValueError(
                f'{self.gt_path}, {self.det_path}: {error}'
            ) from None
        return flat

    def describe(self, estimator: str) -> Dict[str, Any]:
        """Return the part of ``meta`` that joints and SMPL share."""
        protocol = self.known.protocol
        if self.dataset == 'h36m':
            protocol = f'{describe_subjects(self._subjects())[0]}; {protocol}'
        return {
            'dataset': self.dataset,
            'estimator': estimator,
            'protocol': f'all sequences of the published file; {protocol}',
            'scores': 'not in the source: 1 everywhere',
        }

    def compare_counts(self) -> str:
        """Compare numbers of sequences and frames with those published."""
        found = len(self.names), int(self.lengths.sum())
        text = f'read {found[0]} sequences, {found[1]} frames; '
        for subset, counts in self.known.counts.items():
            if found == counts:
                return text + f'as the published {subset} file'
        published = ', '.join(
            f'{subset} {counts[0]} / {counts[1]}'
            for subset, counts in self.known.counts.items()
        )
        return text + f'differs from the published files: {published}'

    def notes(self) -> List[str]:
        """Compare with what is known about the 3D data sets."""
        notes = [self.compare_counts()]
        repeated = len(self.names) - len({*self.names})
        if repeated:
            notes.append(
                f'{repeated} sequences have the name of an earlier one: '
                'several persons in a video'
            )
        if self.gaps.any():
            notes.append(
                f'{int(self.gaps.sum())} rows of {int((self.gaps > 0).sum())} '
                'sequences do not follow the row before in time (by the '
                'numbers of their images)'
            )
        if self.dataset == 'h36m':
            found, odd = describe_subjects(self._subjects())
            notes.append(f'WARNING: {found}' if odd else found)
        return notes

    def _subjects(self) -> Set[str]:
        return {name.split('/')[0] for name in self.names}

    def _load(self, path: PathLike, key: str) -> np.ndarray:
        value = load_object_npz(path, (key,), trust_pickle=self._trust)[key]
        if value.dtype == object or not value.ndim:
            return value
        entries = np.empty(len(value), dtype=object)
        for index, entry in enumerate(value):
            entries[index] = entry
        return entries

    def _check_entries(
        self, path: PathLike, key: str, value: np.ndarray, count: int
    ) -> None:
        if not count or value.shape[:1] != (count,):
            raise ValueError(
                f'{path}: {key}: expected one entry for each of the {count} '
                f'sequences of {self.gt_path}, found shape {value.shape}'
            )

    def _compare_images(
        self, name: str, index: int, images: Sequence[str], entry: Any
    ) -> None:
        """Check that the estimates are of the same images as the truth."""
        found = image_names(entry)
        where = f'{self.det_path}: imgname of {_name(name, index)}'
        if len(found) != len(images):
            raise ValueError(
                f'{where}: expected {len(images)} frames as in the ground '
                f'truth, found {len(found)}'
            )
        if found == tuple(images):
            return
        parts = self.known.form.count('/') + 1
        for frame, (image, other) in enumerate(zip(images, found)):
            if _last(image, parts) != _last(other, parts):
                raise ValueError(
                    f'{where}, frame {frame}: expected {image!r} as in the '
                    f'ground truth, found {other!r}'
                )


def describe_subjects(found: Collection[str]) -> Tuple[str, bool]:
    """Subjects of Human3.6M, and whether they mix known splits."""
    text = ', '.join(sorted(found, key=lambda name: (len(name), name)))
    for subset, subjects in _H36M_SUBJECTS.items():
        if {*found} <= subjects:
            return f'subjects {text} ({subset} subjects)', False
    both = 'neither only train nor only test subjects'
    return f'subjects {text}: {both}', True


def image_names(entry: Any) -> Tuple[str, ...]:
    """Image names of one sequence, whatever they were stored as."""
    return tuple(
        (name.decode() if isinstance(name, bytes) else str(name))
        for name in np.asarray(entry).reshape(-1)
    )


def per_frame(count: int) -> Dict[int, Sequence[int]]:
    """Columns that take all of ``count`` numbers a frame."""
    return {count: range(count)}


def _sequence_of(
    path: PathLike, index: int, images: Sequence[str], form: str
) -> str:
    """The part that all image names of a sequence share."""
    name = images[0].rpartition('/')[0] if images else ''
    if not name:
        raise ValueError(
            f'{path}: imgname of sequence {index}: expected images '
            f'{form!r}, found {images[0] if images else "none"!r}'
        )
    for frame, image in enumerate(images):
        if image.rpartition('/')[0] != name:
            raise ValueError(
                f'{path}: imgname of {_name(name, index)}, frame {frame}: '
                f'expected an image of the same {form.split("/")[-2]}, found '
                f'{image!r}'
            )
    return name


def _name(name: str, index: int) -> str:
    return f'sequence {name!r} (index {index})'


def _last(image: str, parts: int) -> Tuple[str, ...]:
    """The last parts of an image's name, without its ending."""
    *folders, name = image.split('/')[-parts:]
    return (*folders, name.rpartition('.')[0] or name)


def _count_gaps(images: Sequence[str]) -> int:
    found = (_NUMBER.search(image) for image in images)
    number = [int(match.group()) if match else 0 for match in found]
    return int((np.diff(number) != 1).sum())


def _per_frame(value: np.ndarray, frames: int, where: str) -> np.ndarray:
    # (len, ...), or all numbers of the sequence in one row.
    fits = value.shape[:1] == (frames,) or (
        value.ndim == 1 and value.size and value.size % frames == 0
    )
    if not fits or not value.size:
        raise ValueError(
            f'{where}: expected {frames} frames as in imgname, found shape '
            f'{value.shape}'
        )
    return value.reshape(frames, -1)
