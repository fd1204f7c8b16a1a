# Copyright (c) hanet_mm contributors. All rights reserved.
"""The kinds of results by name, and the kind of a result."""

from importlib import import_module
from types import ModuleType
from typing import Any, Iterable, Optional

from .base import is_empty

# Modules of this package. The first that matches a result is taken.
KINDS = (
    'ultralytics',
    'mediapipe',
    'mmpose',
    'supervision',
    'rtmlib',
    'detectron',
)


def find_kind(result: Any) -> Optional[ModuleType]:
    """The kind of the result of a frame; None if it is of none."""
    if is_empty(result):
        return None
    for name in KINDS:
        module = import_module(f'{__package__}.{name}')
        if module.matches(result):
            return module
    return None


def find_common_kind(results: Iterable[Any]) -> ModuleType:
    """The kind of the first result that is not empty.

    Raises:
        ValueError: If it is of none.
    """
    for number, result in enumerate(results):
        if is_empty(result):
            continue
        kind = find_kind(result)
        if kind is None:
            raise ValueError(
                f'result {number}: expected a result of {", ".join(KINDS)}, '
                f'found {type(result).__name__}; arrays (T, K, D) of one '
                'person are for load_refiner(NAME).refine'
            )
        return kind
    raise ValueError('expected results of some frames, found nobody in any')
