# Copyright (c) hanet_mm contributors. All rights reserved.
"""Names of a package that are imported when they are first used."""

from importlib import import_module
from typing import Any, Callable, List, Mapping, Tuple


def lazy_names(
    package: str, modules: Mapping[str, str]
) -> Tuple[Callable[[str], Any], Callable[[], List[str]]]:
    """Make ``__getattr__`` and ``__dir__`` of a package (PEP 562).

    Type checkers see the names by imports under ``TYPE_CHECKING``.

    Args:
        package: ``__name__`` of the package.
        modules: The module of each name, relative to the package.

    Returns:
        The two functions.
    """

    def get(name: str) -> Any:
        if name not in modules:
            raise AttributeError(
                f'module {package!r} has no attribute {name!r}'
            )
        return getattr(import_module(f'{package}.{modules[name]}'), name)

    def names() -> List[str]:
        return sorted({*vars(import_module(package)), *modules})

    return get, names
