# Copyright (c) hanet_mm contributors. All rights reserved.
"""Call a function once a module of another package has been imported."""

import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, Callable, Optional, Sequence


def after_import(name: str, action: Callable[[], None]) -> None:
    """Call an action when a module has run: now, if it has already.

    Nothing is imported for it, and the module itself stays as it is.

    Args:
        name: Full name of the module, such as ``'mmpose.registry'``.
        action: Called once, with the module in ``sys.modules``. What it
            raises reaches whoever imports the module.
    """
    if name in sys.modules:
        action()
    else:
        sys.meta_path.insert(0, _Watcher(name, action))


class _Watcher(MetaPathFinder):
    """Finds one module where the other finders do, and wraps its loader."""

    def __init__(self, name: str, action: Callable[[], None]) -> None:
        self.name = name
        self.action = action

    def find_spec(
        self,
        fullname: str,
        path: Optional[Sequence[str]],
        target: Optional[ModuleType] = None,
    ) -> Optional[ModuleSpec]:
        if fullname != self.name:
            return None
        for finder in sys.meta_path:
            # None: older finders without find_spec are not asked either.
            find_spec = getattr(finder, 'find_spec', None)
            if finder is self or find_spec is None:
                continue
            spec = find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader, self)
                return spec
        return None


class _Loader(Loader):
    """The loader of a module, which calls the action afterwards."""

    def __init__(self, loader: Loader, watcher: _Watcher) -> None:
        self.loader = loader
        self.watcher = watcher

    def create_module(self, spec: ModuleSpec) -> Optional[ModuleType]:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Whoever asks the module for its loader gets its own.
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        if self.watcher in sys.meta_path:
            sys.meta_path.remove(self.watcher)
            self.watcher.action()

    def __getattr__(self, name: str) -> Any:
        # find_spec alone (inspect, pkgutil) asks loaders for their sources.
        return getattr(self.loader, name)
