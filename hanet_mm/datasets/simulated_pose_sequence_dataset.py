"""People, cameras and estimators that are made up while one trains."""

from typing import ClassVar, Optional, Tuple, Union

import numpy as np
from mmengine.dataset import BaseDataset, force_full_init
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import DATASETS

from hanet_mm.core.data.gaps import fill_missing

from .cmu_mocap_sequence_dataset import SKELETONS, check_recording_part
from .pose_sequence_dataset import keypoint_names
from .simulation import (
    DIMS,
    Chunk,
    ChunkGenerator,
    captured_motion,
    join,
    procedural_motion,
)
from .synthetic import noise_source
from .synthetic.generator import joint_boxes

# The procedural motion has a stream of random numbers of its own.
_MOTION_STREAM = 2**32 - 1


@DATASETS.register_module()
class SimulatedPoseSequenceDataset(BaseDataset):
    """Windows of simulated people seen by simulated estimators.

    T: frames of a window, K: keypoints, D: coordinates.

    Every window has its own motion, build, frame rate, view and estimator.
    They are made in chunks, many times faster than one by one: window i is
    number i % chunk_size of chunk i // chunk_size, which depends on seed and
    number alone and is made when a window of it is asked for. Only the last
    chunk is kept: read the windows in order (``shuffle=False``; they are
    random anyway) and let ``batch_size`` be ``chunk_size``. With some
    hundred thousand windows an epoch no window is seen twice.

    The captured motion was obtained from mocap.cs.cmu.edu; the database was
    created with funding from NSF EIA-0196217.

    Args:
        ann_file (str): Captured motion, see
            :func:`hanet_mm.datasets.cmu_mocap.load_recordings`. Defaults to
            '': procedural motion only.
        skeleton (str): 'coco17': pictures, keypoints in px. 'h36m17': 3D
            poses in camera coordinates, in metres. Defaults to 'coco17'.
        part (str, optional): 'train', 'val' or 'test': disjoint sets of
            recordings, see
            :func:`hanet_mm.datasets.cmu_mocap.recording_parts`. Defaults to
            None: all.
        procedural_share (float): Share of the windows of procedural motion
            where there is captured motion. Defaults to 0.3.
        num_windows (int): Length of the data set. Defaults to 64000.
        window_size (int): T. Defaults to 41.
        chunk_size (int): Windows made at once. Defaults to 64.
        short_share (float): Share of windows shorter than T, padded at
            either end or both with estimates of score 0. Defaults to 0.1.
        noise (str or dict): Errors of the estimators: a preset or amounts,
            or ranges, see :func:`hanet_mm.datasets.synthetic.noise_source`.
            Defaults to 'any'.
        seed (int): Seed >= 0 of everything. Parts and runs that are to
            share nothing need different seeds. Defaults to 0.
        metainfo (dict, optional): Defaults to that of the skeleton.
        **kwargs: Of :class:`mmengine.dataset.BaseDataset`.

    Raises:
        ValueError: If a number, a name or the file is wrong.
    """

    METAINFO: ClassVar[dict] = dict(from_file=SKELETONS['coco17'][0])

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
        noise: Union[str, dict] = 'any',
        seed: int = 0,
        metainfo: Optional[dict] = None,
        **kwargs,
    ):
        if skeleton not in DIMS:
            raise ValueError(
                f'skeleton: expected one of {tuple(DIMS)}, found {skeleton!r}'
            )
        for name, value in (
            ('num_windows', num_windows),
            ('window_size', window_size),
            ('chunk_size', chunk_size),
        ):
            if value < 1:
                raise ValueError(f'{name}: expected >= 1, found {value}')
        for name, value in (
            ('procedural_share', procedural_share),
            ('short_share', short_share),
        ):
            if not 0 <= value <= 1:
                raise ValueError(f'{name}: expected in [0, 1], found {value}')
        self.skeleton = skeleton
        self.part = check_recording_part(part)
        self.procedural_share = procedural_share
        self.num_windows = num_windows
        self.window_size = window_size
        self.chunk_size = chunk_size
        self.short_share = short_share
        self.noise = noise_source(noise)
        self.seed = seed
        self._chunk: Tuple[int, dict] = (-1, {})
        source, root = SKELETONS[skeleton]
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo or dict(from_file=source),
            serialize_data=False,
            **kwargs,
        )
        if DIMS[skeleton] == 3:
            self._metainfo['root_indices'] = list(root)

    @classmethod
    def _load_metainfo(cls, metainfo: Optional[dict] = None) -> dict:
        return parse_pose_metainfo(metainfo or dict(cls.METAINFO))

    def full_init(self) -> None:
        """Load the motion; windows are made when they are asked for."""
        if self._fully_initialized:
            return
        bank = None
        if self.ann_file:
            bank = captured_motion(self.ann_file, self.skeleton, self.part)
        if bank is None or self.procedural_share > 0:
            rng = np.random.default_rng((self.seed, _MOTION_STREAM))
            made = procedural_motion(rng, self.skeleton)
            share = self.procedural_share
            bank = made if bank is None else join(bank, made, share)
        self._generate = ChunkGenerator(
            bank, self.skeleton, self.noise, self.window_size, self.short_share
        )
        self._fully_initialized = True

    def __len__(self) -> int:
        return self.num_windows

    @force_full_init
    def get_data_info(self, idx: int) -> dict:
        """Get a window.

        Args:
            idx (int): Number of the window.

        Returns:
            dict: ``keypoints`` (T, K, D), ``keypoint_scores`` and
            ``keypoints_valid`` (T, K), ``keypoints_gt`` (T, K, D),
            ``keypoints_visible`` (T, K), in pictures ``bboxes`` (T, 4) and
            ``image_size`` (2, ), ``frame_ids`` (T, ), ``seq_name``,
            ``seq_id``, ``fps``, ``flip_indices``, ``keypoint_names``. Arrays
            may be views: do not write to them.
        """
        idx = range(self.num_windows)[idx]
        number, row = divmod(idx, self.chunk_size)
        if self._chunk[0] != number:
            rng = np.random.default_rng((self.seed, number))
            chunk = self._generate(rng, self.chunk_size)
            self._chunk = (number, self._arrays(chunk))
        info = {key: values[row] for key, values in self._chunk[1].items()}
        return dict(
            info,
            fps=float(info['fps']),
            frame_ids=np.arange(self.window_size),
            extras={},
            seq_id=idx,
            seq_name=f'simulated-{self.seed}-{idx:08d}',
            sample_idx=idx,
            flip_indices=self._metainfo['flip_indices'],
            keypoint_names=keypoint_names(self._metainfo),
        )

    def _arrays(self, chunk: Chunk) -> dict:
        """What the pipeline needs, missing keypoints filled, (S, ...)."""
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
            arrays['bboxes'] = joint_boxes(chunk.truth)
        return arrays
