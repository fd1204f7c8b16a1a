"""The data sets of the tables, and the configs that describe them."""

import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from mmengine.config import Config, ConfigDict
from mmpose.registry import DATASETS

from hanet_mm.apis.configs import config_root
from hanet_mm.core.data.files import PathLike
from hanet_mm.datasets.pose_sequence_dataset import PoseSequenceDataset


@dataclass(frozen=True)
class DataSetEntry:
    """A data set of the tables.

    Attributes:
        title: Name in the tables; the file tells the estimator.
        table: Key of its table, see :data:`.columns.TABLES`.
        config: Below ``configs/hanet``: its classes, files and metrics, and
            the N and T of the published protocol.
        step: Published stride, in sampling intervals.
        estimator: Where the estimates are not from the file.
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
    """A data set of the catalogue below the user's data directory.

    Args:
        name (str): Key of the catalogue.
        entry (DataSetEntry): What is known of it.
        data_root (PathLike): Stands for ``data/`` of the configs.
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
        return self._moved(self.config.test_dataloader.dataset)

    @property
    def train_cfg(self) -> Dict[str, Any]:
        """Config of the sequences that training sees, one item each."""
        dataset = self._moved(self.config.train_dataloader.dataset)
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

    def _moved(self, dataset: ConfigDict) -> Dict[str, Any]:
        parts = Path(dataset['data_root']).parts
        below = parts[1:] if parts[0] == 'data' else parts
        moved = dataset.to_dict()
        return dict(moved, data_root=str(self._data_root.joinpath(*below)))


def read_config(path: PathLike) -> Config:
    """Read a config.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: One line, if it is none of MMEngine.
    """
    try:
        with warnings.catch_warnings():
            # MMEngine reads MMPose's bases through it, once for each config.
            warnings.filterwarnings('ignore', 'pkg_resources is deprecated')
            return Config.fromfile(path)
    except FileNotFoundError:
        raise FileNotFoundError(f'{path}: no such config') from None
    except Exception as error:  # a config is code: it can raise anything
        reason = ' '.join(str(error).split())
        raise ValueError(
            f'{path}: not a config of MMEngine '
            f'({type(error).__name__}: {reason})'
        ) from None


def build_dataset(cfg: Mapping[str, Any]) -> PoseSequenceDataset:
    """Load a data set; call it in the scope of MMPose."""
    with warnings.catch_warnings():
        # MMPose says where it found the metainfo.
        warnings.filterwarnings('ignore', 'The metainfo config file')
        return DATASETS.build(dict(cfg))


def match_config(
    config: Config, where: PathLike, sources: Mapping[str, DataSource]
) -> str:
    """Find the data set that the test data of a config belong to.

    Args:
        config (Config): Of a checkpoint.
        where (PathLike): Its file, for messages.
        sources (Mapping): The data sets by name.

    Returns:
        str: Name of the data set: of the same class and, where several are,
        of the same file name.

    Raises:
        ValueError: If there is none, or more than one.
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
