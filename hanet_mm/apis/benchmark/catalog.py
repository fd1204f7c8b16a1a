# Copyright (c) hanet_mm contributors. All rights reserved.
"""The data sets of the tables, and the configs that describe them."""

import json
import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence

import numpy as np
from mmengine.config import Config, ConfigDict
from mmpose.registry import DATASETS

from hanet_mm.apis.config_files import config_root, read_config
from hanet_mm.core.data.files import PathLike, read_npz
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.datasets.pose_sequence_dataset import PoseSequenceDataset

# Enough for one or two parameters; Human3.6M has 1.6 million to train on.
MAX_TUNING_FRAMES = 200_000


@dataclass(frozen=True)
class DataSetEntry:
    """A data set of the tables: its title (the file tells the estimator unless
    ``estimator`` does), the key of its table in :data:`.paper_tables.TABLES`,
    its config below ``configs/hanet`` (classes, files, metrics, published N
    and T) and the published stride in sampling intervals.
    """

    title: str
    table: str
    config: str
    step: int = 1
    estimator: Optional[str] = None


CATALOG: Dict[str, DataSetEntry] = {
    'jhmdb': DataSetEntry(
        'Sub-JHMDB',
        'table1',
        'jhmdb/hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py',
    ),
    'h36m-fcn': DataSetEntry(
        'Human3.6M', 'table2', 'h36m/hanet_fcn-101frm_1xb96-70e_h36m.py'
    ),
    'h36m-mhformer': DataSetEntry(
        'Human3.6M',
        'table2',
        'h36m/hanet_mhformer-101frm_1xb576-70e_h36m.py',
    ),
    'pw3d': DataSetEntry(
        '3DPW', 'table2', 'pw3d/hanet_pare-101frm_1xb64-70e_pw3d.py'
    ),
    'aist': DataSetEntry(
        'AIST++', 'table2', 'aist/hanet_spin-101frm_1xb256-70e_aist.py'
    ),
    'pw3d-smpl': DataSetEntry(
        '3DPW',
        'smpl',
        'pw3d/hanet_pare-101frm_1xb128-70e_pw3d-smpl.py',
    ),
    'aist-smpl': DataSetEntry(
        'AIST++',
        'smpl',
        'aist/hanet_spin-101frm_1xb512-70e_aist-smpl.py',
        step=10,
    ),
    'posetrack17': DataSetEntry(
        'PoseTrack17 validation',
        'table3',
        'posetrack/hanet_dcpose-5frm_1xb16-70e_posetrack17.py',
    ),
    'posetrack18': DataSetEntry(
        'PoseTrack18 validation',
        'table3',
        'posetrack/hanet_dcpose-5frm_1xb16-70e_posetrack18.py',
    ),
    'cmu-mocap': DataSetEntry(
        'CMU motion capture',
        'cmu',
        'cmu_mocap/hanet-small_simulated-51frm_1xb64-15e_cmu-mocap.py',
        estimator='simulated',
    ),
    'cmu-mocap-smpl': DataSetEntry(
        'CMU motion capture',
        'cmu-smpl',
        'cmu_mocap/hanet-small_simulated-41frm_1xb64-10e_cmu-mocap-smpl.py',
        estimator='simulated',
    ),
}


class DataSource:
    """A data set of the catalogue below the user's ``data_root``, which
    stands for ``data/`` of the configs.
    """

    def __init__(
        self, name: str, entry: DataSetEntry, data_root: PathLike
    ) -> None:
        self.name = name
        self.entry = entry
        self._data_root = Path(data_root)

    @cached_property
    def config(self) -> Config:
        """The entry's config, read when it is needed."""
        return read_config(config_root() / 'hanet' / self.entry.config)

    @property
    def test_cfg(self) -> Dict[str, Any]:
        """Config of the test data, at their place."""
        return self._relocate(self.config.test_dataloader.dataset)

    @property
    def train_cfg(self) -> Dict[str, Any]:
        """Config of the sequences that training sees, one item each."""
        dataset = self._relocate(self.config.train_dataloader.dataset)
        # To be read as they are: no windows, no augmentation.
        return dict(dataset, pipeline=[], test_mode=True)

    @property
    def test_file(self) -> Path:
        """File with the test data."""
        return _file_of(self.test_cfg)

    @property
    def train_file(self) -> Path:
        """File with the training data."""
        return _file_of(self.train_cfg)

    def _relocate(self, dataset: ConfigDict) -> Dict[str, Any]:
        parts = Path(dataset['data_root']).parts
        below = parts[1:] if parts[0] == 'data' else parts
        moved = dataset.to_dict()
        return dict(moved, data_root=str(self._data_root.joinpath(*below)))


def build_dataset(cfg: Mapping[str, Any]) -> PoseSequenceDataset:
    """Load a data set; call it in the scope of MMPose."""
    with warnings.catch_warnings():
        # MMPose says where it found the metainfo.
        warnings.filterwarnings('ignore', 'The metainfo config file')
        return DATASETS.build(dict(cfg))


def match_config(
    config: Config, where: PathLike, sources: Mapping[str, DataSource]
) -> str:
    """Name of the data set that the test data of a config belong to: that of
    the same class and, where several are, of the same file name; ``where``
    names the config in messages.
    """
    dataset = (config.get('test_dataloader') or {}).get('dataset') or {}
    kind, file = dataset.get('type'), Path(dataset.get('ann_file', '')).name
    alike = [
        name
        for name, source in sources.items()
        if source.test_cfg['type'] == kind
    ]
    if len(alike) > 1:
        alike = [
            name for name in alike if sources[name].test_file.name == file
        ]
    if len(alike) != 1:
        raise ValueError(
            f'{where}: test_dataloader.dataset: expected one of the data sets '
            f'{", ".join(sources)}, found {kind} with file {file!r}'
        )
    return alike[0]


def _file_of(cfg: Mapping[str, Any]) -> Path:
    return Path(cfg['data_root']) / cfg['ann_file']


def describe(
    source: DataSource, metrics: Sequence[Mapping[str, Any]]
) -> Dict[str, str]:
    """Protocol and estimator of the test data, note and body model if any."""
    value = read_npz(source.test_file, (), ('meta',)).get('meta')
    meta = json.loads(str(value)) if value is not None else {}
    about = dict.fromkeys(('protocol', 'estimator'), 'the file does not say')
    for key in ('protocol', 'estimator', 'note'):
        if meta.get(key):
            about[key] = str(meta[key])
    if source.entry.estimator is not None:
        about['estimator'] = source.entry.estimator
    part = source.test_cfg.get('part')
    if part is not None:
        about['protocol'] += f'; part {part!r} of it'
    for metric in metrics:
        if 'body_model' in metric:
            about['body model'] = _body_model(metric['body_model'])
    return about


def _body_model(cfg: Mapping[str, Any]) -> str:
    if 'model_path' in cfg:
        return f'{cfg["type"]}, {cfg["model_path"]}'
    return f'{cfg["type"]}: a skeleton of mean proportions, no surface'


def training_sequences(
    dataset: PoseSequenceDataset, max_frames: int = MAX_TUNING_FRAMES
) -> PoseSequences:
    """Training sequences to tune with, spread evenly over the data set: about
    ``max_frames`` frames, or one sequence, of those with an estimate.
    """
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    items = [x for x in items if x['keypoints_valid'].any()]
    if not items:
        raise ValueError(f'{dataset.ann_file}: no estimate in any sequence')
    frames = sum(len(x['frame_ids']) for x in items)
    return as_sequences(items[:: -(-frames // max_frames)], dataset.UNITS)


def as_sequences(
    items: Sequence[Mapping[str, Any]], units: str
) -> PoseSequences:
    """Whole sequences of a data set, in the units that the network gets."""
    arrays = {
        name: np.concatenate([x[key] for x in items])
        for name, key in (
            ('keypoints_est', 'keypoints'),
            ('scores', 'keypoint_scores'),
            ('keypoints_gt', 'keypoints_gt'),
            ('visible', 'keypoints_visible'),
        )
    }
    valid = np.concatenate([x['keypoints_valid'] for x in items])
    arrays['keypoints_est'] = np.where(
        valid[..., None], arrays['keypoints_est'], np.float32(np.nan)
    )
    known = {
        key: np.array([x[key] for x in items])
        for key in ('fps', 'image_size')
        if all(x.get(key) is not None for x in items)
    }
    return PoseSequences(
        **arrays,
        **known,
        seq_len=np.array([len(x['frame_ids']) for x in items]),
        seq_name=np.array([x['seq_name'] for x in items]),
        meta=dict(units=units),
    )
