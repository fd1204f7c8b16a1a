"""Networks from the files that the user gives."""

from pathlib import Path
from typing import Any, Mapping, NamedTuple, Sequence

from mmpose.registry import MODELS

from hanet_mm.apis.checkpoints import read_checkpoint
from hanet_mm.core.refine.refiner import load_refiner
from hanet_mm.core.refine.weights_file import load_weights

from .catalog import DataSource, match_config, read_config
from .methods import CheckpointMethod, Method, RefinerMethod
from .protocols import Windows


class NetworkFile(NamedTuple):
    """A network that the user gave.

    Attributes:
        data_set: Name of the data set it is for.
        weights: Checkpoint, or portable refiner.
        config: Config of the checkpoint; None for a refiner.
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


def find_networks(
    checkpoints: Sequence[Sequence[str]],
    refiners: Sequence[str],
    sources: Mapping[str, DataSource],
) -> Sequence[NetworkFile]:
    """Read configs and find the data sets of checkpoints and refiners.

    Args:
        checkpoints (Sequence): Pairs of config and checkpoint.
        refiners (Sequence[str]): ``DATASET=FILE`` each.
        sources (Mapping): All data sets by name.

    Returns:
        list[NetworkFile]: In the order given, checkpoints first.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: One line: not a config, or of an unknown data set.
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


def build_network(
    network: NetworkFile,
    metainfo: Mapping[str, Any],
    published: Windows,
    step: int,
    device: str,
) -> Method:
    """Build a network and load its weights; call it in MMPose's scope.

    Args:
        network (NetworkFile): What to load.
        metainfo (Mapping): Of the data set that it shall refine.
        published (Windows): See :class:`Method`.
        step (int): See :class:`Method`.
        device (str): Where it shall run.

    Raises:
        ValueError: One line: a file that cannot be read, or a network that
            does not fit the config or the data set.
    """
    given = dict(
        name=network.name,
        published=published,
        step=step,
        details=dict(weights=str(network.weights)),
    )
    if network.config is None:
        refiner = load_refiner(network.weights, device)
        _check_keypoints(network.weights, refiner, metainfo)
        return RefinerMethod(**given, refiner=refiner)
    given['details']['config'] = str(network.config.filename)
    model = MODELS.build(network.config.model)
    content = read_checkpoint(network.weights)
    load_weights(model, content['state_dict'], network.weights)
    return CheckpointMethod(**given, model=model.to(device).eval())


def _check_keypoints(
    path: Path, refiner: Any, metainfo: Mapping[str, Any]
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
