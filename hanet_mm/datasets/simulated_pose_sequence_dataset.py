# Copyright (c) hanet_mm contributors. All rights reserved.
"""Simulated people: sequences made when loaded, windows made on demand."""

from typing import (
    Callable,
    ClassVar,
    Dict,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np
from mmengine.dataset import Compose, force_full_init
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS

from hanet_mm.codecs import EVIDENCE
from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.core.data.sequences import PoseSequences

from .cmu_mocap import check_recording_part
from .cmu_mocap_sequence_dataset import SKELETONS
from .kept_items import KeptItems
from .metainfo import body23
from .pose_sequence_dataset import PoseSequenceDataset, keypoint_names
from .simulation import (
    DIMS,
    FPS_RANGE,
    Chunk,
    ChunkGenerator,
    EstimatorNoise,
    SimulatedEstimators,
    captured_motion,
    generate_synthetic_sequences,
    join,
    made_motion,
)
from .stacked_windows import StackedWindows
from .transforms.pack_pose_sequence_inputs import (
    LABELS,
    PackPoseSequenceInputs,
)

# The procedural motion has a stream of random numbers of its own.
_MOTION_STREAM = 2**32 - 1
_METAINFO = {
    **{name: dict(from_file=file) for name, (file, _) in SKELETONS.items()},
    'coco_wholebody_body': body23,
}


@DATASETS.register_module()
class SyntheticPoseSequenceDataset(PoseSequenceDataset):
    """People who walk, turn, reach, jump and squat in front of a camera.

    Generated when the dataset is initialised, from the seed alone, at tens of
    thousands of frames per second. Two seeds share neither people nor
    movements, cameras and errors: give train, val and test their own.
    Keypoints and skeleton are those of JHMDB.

    Args:
        num_sequences (int): Number of sequences.
        seq_len_range (Tuple[int, int]): Shortest and longest sequence in
            frames.
        seed (int): Seed >= 0.
        noise (dict, optional): Arguments of :class:`EstimatorNoise`.
            Defaults to None: its defaults.
        **kwargs: Of :class:`PoseSequenceDataset`.
    """

    METAINFO: ClassVar[dict] = dict(
        from_file='configs/_base_/datasets/jhmdb.py'
    )

    def __init__(
        self,
        num_sequences: int = 256,
        seq_len_range: Tuple[int, int] = (40, 80),
        seed: int = 0,
        noise: Optional[dict] = None,
        **kwargs,
    ):
        self.num_sequences = num_sequences
        self.seq_len_range = seq_len_range
        self.seed = seed
        self.noise = EstimatorNoise(**(noise or {}))
        super().__init__(**kwargs)

    def load_sequences(self, path: str) -> PoseSequences:
        """Generate the sequences; there is no file."""
        return generate_synthetic_sequences(
            self.num_sequences,
            self.seq_len_range,
            self.seed,
            noise=self.noise,
        )


@DATASETS.register_module()
class SimulatedPoseSequenceDataset(KeptItems):
    """Windows of simulated people seen by simulated estimators.

    T: frames of a window, K: keypoints, D: coordinates.

    Every window has its own motion, build, frame rate, view and estimator.
    They are made in chunks, many times faster than one by one: window i is
    number i % chunk_size of chunk i // chunk_size, which depends on seed and
    number alone and is made when one of its windows is requested. Only the
    last chunk is kept: read the windows in order (``shuffle=False``; they are
    random anyway) and let ``batch_size`` be ``chunk_size``;
    ``collate_fn=dict(type='collate_windows')`` keeps such a batch in one piece
    then. With some hundred thousand windows an epoch no window is seen twice.

    The captured motion was obtained from mocap.cs.cmu.edu; the database was
    created with funding from NSF EIA-0196217.

    Args:
        ann_file (str): Captured motion, see
            :func:`hanet_mm.datasets.cmu_mocap.load_recordings`. Defaults to
            '': procedural motion only.
        skeleton (str): 'coco17' or, with toes and heels,
            'coco_wholebody_body': pictures, keypoints in px. 'h36m17': 3D
            poses in camera coordinates, in metres.
        part (str, optional): 'train', 'val' or 'test': disjoint sets of
            recordings, see
            :func:`hanet_mm.datasets.cmu_mocap.recording_parts`, and of kinds
            of procedural motion, see
            :func:`hanet_mm.datasets.simulation.kinds_of_part`. Defaults to
            None: all.
        procedural_share (float): Share of the windows of procedural motion
            where there is captured motion.
        num_windows (int): Length of the data set.
        window_size (int): T.
        chunk_size (int): Windows made at once.
        short_share (float): Share of windows shorter than T, padded at either
            end or both with estimates of score 0.
        fps_range (Tuple[float, float]): Lowest and highest frame rate.
            Defaults to 15 to 60.
        noise (str or dict or list): Errors of the estimators: a preset or
            amounts, or ranges, or several of them, see
            :func:`hanet_mm.datasets.simulation.noise_source`.
        bank (str or dict, optional): Errors of real estimators: a file, or
            arguments of
            :func:`hanet_mm.datasets.simulation.load_error_bank`. None: all
            errors are simulated.
        bank_share (float): Share of the windows with errors of the bank.
        chunk_pipeline (Sequence[dict]): Transforms that take all S windows
            of a chunk at once, arrays (S, T, ...), before ``pipeline`` takes
            them one by one: :class:`MeasureEvidence`, ``GenerateTarget``.
        seed (int): Seed >= 0 of everything. Parts and runs that are to share
            nothing need different seeds.
        metainfo (dict, optional): Defaults to that of the skeleton.
        **kwargs: Of :class:`KeptItems`, such as ``keep``.

    Raises:
        ValueError: If a number, a name or the file is wrong.
    """

    METAINFO: ClassVar[dict] = _METAINFO['coco17']

    def __init__(
        self,
        ann_file: str = '',
        skeleton: str = 'coco17',
        part: Optional[str] = None,
        procedural_share: float = 0.3,
        num_windows: int = 64000,
        window_size: int = 41,
        chunk_size: int = 64,
        short_share: float = 0.1,
        fps_range: Tuple[float, float] = FPS_RANGE,
        noise: Union[str, dict, list] = 'any',
        bank: Union[str, dict, None] = None,
        bank_share: float = 0.5,
        chunk_pipeline: Sequence[Union[dict, Callable]] = (),
        seed: int = 0,
        metainfo: Optional[dict] = None,
        **kwargs,
    ):
        if skeleton not in DIMS:
            raise ValueError(
                f'skeleton: expected one of {tuple(DIMS)}, found {skeleton!r}'
            )
        self.skeleton = skeleton
        self.part = check_recording_part(part)
        self.procedural_share = procedural_share
        self.num_windows = num_windows
        self.window_size = window_size
        self.chunk_size = chunk_size
        self.short_share = short_share
        for name in ('num_windows', 'window_size', 'chunk_size'):
            value = getattr(self, name)
            if value < 1:
                raise ValueError(f'{name}: expected >= 1, found {value}')
        for name in ('procedural_share', 'short_share'):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f'{name}: expected in [0, 1], found {value}')
        self.estimators = SimulatedEstimators(noise, bank, bank_share)
        low, high = fps_range
        if not 0 < low <= high:
            raise ValueError(
                f'fps_range: expected 0 < min <= max, found {fps_range}'
            )
        self.fps_range = fps_range
        self.chunk_pipeline = Compose(chunk_pipeline)
        self.seed = seed
        self._chunk: Tuple[int, dict] = (-1, {})
        self._kept_stacks: Dict[int, Dict[str, np.ndarray]] = {}
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo or _METAINFO[skeleton],
            serialize_data=False,
            **kwargs,
        )
        if DIMS[skeleton] == 3:
            self._metainfo['root_indices'] = list(SKELETONS[skeleton][1])

    @classmethod
    def _load_metainfo(cls, metainfo: Optional[dict] = None) -> dict:
        return parse_pose_metainfo(metainfo or dict(cls.METAINFO))

    def full_init(self) -> None:
        """Load the motion; windows are made on demand."""
        if self._fully_initialized:
            return
        bank = None
        if self.ann_file:
            bank = captured_motion(self.ann_file, self.skeleton, self.part)
        if bank is None or self.procedural_share > 0:
            rng = np.random.default_rng((self.seed, _MOTION_STREAM))
            made = made_motion(rng, self.skeleton, self.part)
            share = self.procedural_share
            bank = made if bank is None else join(bank, made, share)
        self._generate = ChunkGenerator(
            bank,
            self.skeleton,
            self.estimators,
            self.window_size,
            self.short_share,
            self.fps_range,
        )
        self._fully_initialized = True

    def __len__(self) -> int:
        return self.num_windows

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Get window ``idx``; arrays may be views: do not write to them.

        Its keys are those of :meth:`PoseSequenceDataset.get_data_info`;
        ``bboxes`` and ``image_size`` in pictures only.
        """
        idx = range(self.num_windows)[idx]
        number, row = divmod(idx, self.chunk_size)
        info = {
            key: value[row] if isinstance(value, np.ndarray) else value
            for key, value in self._chunk_of(number).items()
        }
        return dict(
            info,
            fps=float(info['fps']),
            frame_ids=np.arange(self.window_size),
            extras={},
            seq_id=idx,
            seq_name=f'simulated-{self.seed}-{idx:08d}',
            sample_idx=idx,
        )

    def __getitems__(self, indices: Sequence[int]) -> StackedWindows:
        """Items of a batch, which :func:`collate_windows` does not take apart.

        The loader asks for it; other functions that collate see a sequence.
        """
        return StackedWindows(self, indices)

    @force_full_init
    def stack_windows(
        self, indices: Sequence[int]
    ) -> Optional[Dict[str, np.ndarray]]:
        """Get training windows of one chunk stacked, (B, T, ...) each.

        ``inputs`` and the labels that :class:`PackPoseSequenceInputs` packs.
        None if these windows are in several chunks or not encoded by
        ``chunk_pipeline``, or ``pipeline`` does more than to pack them.
        """
        numbers, rows = np.divmod(indices, self.chunk_size)
        last = (self.num_windows - 1) // self.chunk_size
        number = int(numbers[0])
        if (numbers != number).any() or not 0 <= number <= last:
            return None
        if self.test_mode or not _only_packs(self.pipeline):
            return None
        if _makes_own_items(type(self)):
            return None
        stacks = self._stacks_of(number)
        if stacks is None:
            return None
        return {name: values[rows] for name, values in stacks.items()}

    def _stacks_of(self, number: int) -> Optional[Dict[str, np.ndarray]]:
        """``inputs`` and labels of a chunk, if its pipeline makes them."""
        if number in self._kept_stacks:
            return self._kept_stacks[number]
        chunk = self._chunk_of(number)
        if 'keypoint_inputs' not in chunk:
            return None
        labels = (*LABELS, *(x for x in EVIDENCE if x in chunk))
        stacks = {name: chunk[name] for name in labels}
        stacks['inputs'] = chunk['keypoint_inputs']
        if self.keep:
            self._kept_stacks[number] = stacks
        return stacks

    def _chunk_of(self, number: int) -> dict:
        """Arrays of a chunk after ``chunk_pipeline``; the last one is kept."""
        if self._chunk[0] != number:
            rng = np.random.default_rng((self.seed, number))
            chunk = self._generate(rng, self.chunk_size)
            self._chunk = (number, self._prepare_chunk(chunk))
        return self._chunk[1]

    def _prepare_chunk(self, chunk: Chunk) -> dict:
        arrays = _pipeline_arrays(chunk)
        return self.chunk_pipeline(
            dict(
                arrays,
                flip_indices=self._metainfo['flip_indices'],
                keypoint_names=keypoint_names(self._metainfo),
            )
        )


def _makes_own_items(kind: type) -> bool:
    """Whether a subclass says in its own way what a window is."""
    names = '__getitem__', 'prepare_data', 'get_data_info'
    ours = SimulatedPoseSequenceDataset
    return any(getattr(kind, x) is not getattr(ours, x) for x in names)


def _only_packs(pipeline: Compose) -> bool:
    """Whether a pipeline makes of an encoded window what stacks hold."""
    steps = pipeline.transforms
    # A subclass may pack something else.
    if len(steps) != 1 or type(steps[0]) is not PackPoseSequenceInputs:
        return False
    return steps[0].meta_keys is None and not steps[0].pack_transformed


def _pipeline_arrays(chunk: Chunk) -> dict:
    """Arrays that the pipeline needs, missing keypoints filled, (S, ...)."""
    valid = chunk.scores > 0
    num, frames, count = valid.shape
    filled = fill_missing(
        chunk.estimates.reshape(num * frames, count, -1),
        ~valid.reshape(num * frames, count),
        np.full(num, frames),
    )
    arrays = dict(
        keypoints=filled.reshape(chunk.estimates.shape),
        keypoint_scores=chunk.scores,
        keypoints_valid=valid,
        keypoints_gt=chunk.truth,
        keypoints_visible=chunk.weights,
        fps=chunk.fps,
    )
    if chunk.image_size is not None:
        arrays['image_size'] = chunk.image_size
        arrays['bboxes'] = chunk.boxes
    return arrays
