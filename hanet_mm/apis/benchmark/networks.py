# Copyright (c) hanet_mm contributors. All rights reserved.
"""Networks of the paper's tables from the files that the user gives."""

from pathlib import Path
from typing import Any, List, Mapping, NamedTuple, Sequence

from hanet_mm.apis.export import checkpoint_refiner
from hanet_mm.core.data.files import PathLike
from hanet_mm.core.refine.refiner import Refiner, load_refiner

from .catalog import DataSource, match_config, read_config
from .methods import Method


class NetworkFile(NamedTuple):
    """A checkpoint with its config, or a portable refiner (config None), and
    the name of the data set that it is for.
    """

    data_set: str
    weights: Path
    config: Any = None

    @property
    def stem(self) -> str:
        """Name of the config without its ending, '' for a refiner."""
        return Path(self.config.filename).stem if self.config else ''

    @property
    def name(self) -> str:
        """Name in the tables."""
        if self.config is None:
            return f'HANet ({self.weights.name})'
        return f'HANet ({self.stem}: {self.weights.name})'

    def load(self, metainfo: Mapping[str, Any], device: str) -> Method:
        """Load it for the keypoints of a data set."""
        details = dict(weights=str(self.weights))
        if self.config is None:
            refiner = load_refiner(self.weights, device)
            _check_keypoints(self.weights, refiner, metainfo)
        else:
            details['config'] = str(self.config.filename)
            refiner = checkpoint_refiner(
                self.weights, self.config.filename, dataset_meta=metainfo
            ).to(device)
        return Method(self.name, refiner, details=details)


def find_networks(
    checkpoints: Sequence[Sequence[PathLike]],
    refiners: Sequence[str],
    sources: Mapping[str, DataSource],
) -> List[NetworkFile]:
    """Find the data sets of checkpoints (config, weights) and refiners
    (``DATASET=FILE``).
    """
    found = []
    for config_file, weights in checkpoints:
        config = read_config(config_file)
        name = match_config(config, config_file, sources)
        found.append(NetworkFile(name, Path(weights), config))
    for text in refiners:
        name, _, weights = text.partition('=')
        if name not in sources or not weights:
            raise ValueError(
                f'--refiner {text}: expected DATASET=FILE with one of '
                f'{", ".join(sources)}'
            )
        found.append(NetworkFile(name, Path(weights)))
    for network in found:
        if not network.weights.is_file():
            raise FileNotFoundError(f'{network.weights}: no such file')
    return found


def _check_keypoints(
    path: Path, refiner: Refiner, metainfo: Mapping[str, Any]
) -> None:
    ids = metainfo['keypoint_id2name']
    names = [ids[i] for i in range(len(ids))]
    found = refiner.keypoint_names
    if found is not None and found != names:
        raise ValueError(
            f'{path}: a refiner of the keypoints {found}, the data set has '
            f'{names}'
        )
    if refiner.network.head.num_keypoints != len(names):
        raise ValueError(
            f'{path}: expected a refiner of {len(names)} keypoints, found '
            f'one of {refiner.network.head.num_keypoints}'
        )
