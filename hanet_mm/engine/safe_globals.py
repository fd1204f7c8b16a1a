# Copyright (c) hanet_mm contributors. All rights reserved.
"""Let weights-only loading read the checkpoints that MMEngine writes.

``torch.load`` of torch >= 2.6 unpickles only what is on its list of safe
names. MMEngine's checkpoints hold more than weights: the log history
(``HistoryBuffer``), numpy arrays of the dataset's meta information and numpy
scalars such as the best score. All of it is plain data, named here one by
one, so that MMEngine's own ``load_checkpoint`` works and anything else in a
file is still refused.
"""

from contextlib import nullcontext
from pickle import UnpicklingError
from typing import Any, Callable, ContextManager, List, Tuple, Union

import numpy as np
import torch
from mmengine.config import ConfigDict
from mmengine.logging import HistoryBuffer

# Numbers, booleans and text. No 'O': arrays of objects are not plain data.
_DTYPE_CODES = '?bhilqBHILQefdgFDGSU'
_STATISTICS = ('current', 'max', 'mean', 'min')


def register_safe_globals() -> None:
    """Add the names in MMEngine's checkpoints to torch's safe list for good.

    Importing the package does not. Who builds a :class:`HANet` needs it: the
    checkpoint is loaded next, in MMEngine's ``Runner`` or MMPose's
    ``init_model``, and neither has a place in between where a list for this
    file alone could be set and taken back.

    Before torch 2.6 loading is not weights-only and nothing is needed.
    """
    if _loads_weights_only():
        torch.serialization.add_safe_globals(list_safe_globals())


def safe_checkpoints() -> ContextManager[None]:
    """Let checkpoints of MMEngine be read inside a ``with`` statement."""
    if _loads_weights_only():
        return torch.serialization.safe_globals(list_safe_globals())
    return nullcontext()


def _loads_weights_only() -> bool:
    return torch.torch_version.TorchVersion(torch.__version__) >= (2, 6)


def list_safe_globals() -> List[Union[Callable, Tuple[Callable, str]]]:
    """List what MMEngine's checkpoints refer to: objects, or (object, name).

    numpy 2 renamed ``numpy.core``: both names are listed, so that files
    written under either load under either.
    """
    # Asked of numpy itself: where it keeps them depends on its release.
    rebuild_array = np.empty(0).__reduce__()[0]
    rebuild_scalar = np.float64(0).__reduce__()[0]
    named = [
        (rebuild, f'numpy.{core}.multiarray.{name}')
        for core in ('core', '_core')
        for rebuild, name in (
            (rebuild_array, '_reconstruct'),
            (rebuild_scalar, 'scalar'),
        )
    ]
    # The class of a dtype is a name of its own since numpy 1.20.
    dtypes = {type(np.dtype(code)) for code in _DTYPE_CODES}
    return [
        *named,
        *sorted(dtypes, key=repr),
        (np.dtype, 'numpy.dtype'),
        (np.ndarray, 'numpy.ndarray'),
        HistoryBuffer,
        ConfigDict,  # in meta information that a config overrides
        (history_statistic, 'builtins.getattr'),
        (empty_bytes, 'builtins.bytes'),
    ]


def empty_bytes() -> bytes:
    """Stand in for ``bytes``, as which pickle writes the data of no numbers.

    The meta information of Human3.6M has an empty array of sigmas.
    """
    return b''


def history_statistic(owner: Any, name: str) -> Callable:
    """Stand in for ``getattr`` while a checkpoint is read.

    A ``HistoryBuffer`` stores its statistics, methods of its own class, which
    pickle writes as ``getattr(HistoryBuffer, 'mean')``. The true ``getattr``
    on the safe list would let a file reach any function of any module;
    anything but a statistic raises an UnpicklingError.
    """
    if owner is HistoryBuffer and name in _STATISTICS:
        return getattr(HistoryBuffer, name)
    raise UnpicklingError(
        f'checkpoint asks for attribute {name!r} of {owner!r}: expected one '
        f'of {", ".join(_STATISTICS)} of HistoryBuffer'
    )
