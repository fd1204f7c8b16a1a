"""What shall be measured."""

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Sequence

from hanet_mm.core.data.files import PathLike

from .catalog import CATALOG, DataSetEntry


@dataclass
class Request:
    """What shall be measured.

    Attributes:
        data_root: Folder of the data sets, ``data`` of the configs.
        data_sets: Names of those to measure; None: all that are there.
        checkpoints: Pairs of config and checkpoint.
        refiners: ``DATASET=FILE`` of portable refiners.
        smpl_model: Config of the body model for SMPL data sets; None: that
            of their configs.
        device: Where networks run.
        progress: Whether to show progress bars on stderr.
        catalog: The data sets that are known.
    """

    data_root: PathLike
    data_sets: Optional[Sequence[str]] = None
    checkpoints: Sequence[Sequence[str]] = ()
    refiners: Sequence[str] = ()
    smpl_model: Optional[Mapping[str, Any]] = None
    device: str = 'cpu'
    progress: bool = False
    catalog: Mapping[str, DataSetEntry] = field(
        default_factory=lambda: dict(CATALOG)
    )
