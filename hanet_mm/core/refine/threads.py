# Copyright (c) hanet_mm contributors. All rights reserved.
"""Parts of a computation in as many threads as torch uses."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Callable, List, Sequence, TypeVar

import torch

_Part = TypeVar('_Part')
_Result = TypeVar('_Result')
_local = threading.local()


def map_threads(
    function: Callable[[_Part], _Result], parts: Sequence[_Part]
) -> List[_Result]:
    """Results of a function of each part, in the order of the parts.

    Worth it for large arrays, whose operations run beside each other; parts
    of parts run one after the other. What the parts are must not depend on
    the number of threads, then results do not either.
    """
    threads = min(torch.get_num_threads(), len(parts))
    if threads < 2 or getattr(_local, 'inside', False):
        return [function(part) for part in parts]

    def run(part: _Part) -> _Result:
        _local.inside = True
        return function(part)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, parts))
