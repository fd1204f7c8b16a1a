# Copyright (c) hanet_mm contributors. All rights reserved.
"""Registration of the OpenMMLab floor when the package is imported."""

import re
import sys
import warnings
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import NamedTuple, Optional, Tuple

FLOOR = (
    'codecs',
    'datasets',
    'engine',
    'evaluation',
    'models',
    'visualization.pose_sequence_visualizer',
)
# What the floor needs of MMPose. Importing these first tells a broken
# installation (a warning) from a fault of our own modules (an error).
MMPOSE_MODULES = (
    'mmpose.registry',
    'mmpose.codecs',
    'mmpose.datasets',
    'mmpose.evaluation',
    'mmpose.models',
    'mmpose.structures',
    'mmpose.visualization',
)


class Supported(NamedTuple):
    """Releases of a package that the floor works with."""

    lowest: str  # series; older ones are refused
    tested: str  # newest series that was tested; newer ones give a warning
    mend: str  # command that installs a release in between


SUPPORTED = {
    'mmengine': Supported(
        '0.10', '0.10', 'pip install "mmengine>=0.10.0,<0.11"'
    ),
    'mmcv': Supported('2.0', '2.1', 'mim install "mmcv>=2.0.0,<2.2.0"'),
    'mmpose': Supported('1.3', '1.3', 'pip install "mmpose>=1.3.0,<1.4"'),
}


def register_openmmlab_floor() -> None:
    """Import the subpackages that register classes in MMPose.

    Without MMPose nothing happens. Where OpenMMLab is installed but does not
    import, a warning names the cause and the core works all the same.

    Packages below the lowest supported release are an error in a process
    that already runs OpenMMLab (a config that is loading us, a script that
    imported MMPose before): going on would end in an unknown class. In any
    other process only the core can be wanted, and they are a warning.

    Raises:
        ImportError: OpenMMLab is running and a package is too old.
    """
    if not _is_installed('mmpose'):
        return
    too_old = find_too_old()
    if too_old:
        if 'mmengine' in sys.modules:
            raise ImportError(too_old)
        _warn_core_only(too_old)
        return
    try:
        with warnings.catch_warnings():
            # MMEngine's own affair: nothing that our users could mend.
            warnings.filterwarnings('ignore', 'pkg_resources is deprecated')
            for name in MMPOSE_MODULES:
                import_module(name)
    except Exception as error:
        _warn_core_only(f'MMPose does not import: {_describe(error)}')
        return
    _warn_untested()
    for name in FLOOR:
        import_module(f'hanet_mm.{name}')


def find_too_old() -> str:
    """Name too old packages and how to update them in one line, or ''."""
    faults = []
    for name, supported in SUPPORTED.items():
        found = _installed_version(name)
        if found and _release(found) < _release(supported.lowest):
            faults.append(
                f'hanet_mm needs {name}>={supported.lowest}, found {found}; '
                f'mend with: {supported.mend}'
            )
    return '. '.join(faults)


def _warn_untested() -> None:
    """Warn of packages newer than those that were tested."""
    for name, supported in SUPPORTED.items():
        found = _installed_version(name)
        if found and _release(found)[:2] > _release(supported.tested):
            warnings.warn(
                f'hanet_mm is tested with {name} up to {supported.tested}.x, '
                f'found {found}; if something fails: {supported.mend}',
                stacklevel=4,
            )


def _warn_core_only(cause: str) -> None:
    warnings.warn(
        f'{cause}. Nothing is registered in MMPose; hanet_mm.core works.',
        RuntimeWarning,
        stacklevel=4,
    )


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _installed_version(name: str) -> Optional[str]:
    """Return the version of a package; None if it says none."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _release(version: str) -> Tuple[int, ...]:
    """Return the numbers of a version: '2.0.0rc4' -> (2, 0, 0)."""
    numbers = re.match(r'\d+(?:\.\d+)*', version)
    return tuple(map(int, numbers.group().split('.'))) if numbers else ()


def _describe(error: BaseException) -> str:
    """Return an exception as one line."""
    text = ' '.join(str(error).split())
    return f'{type(error).__name__}: {text}'
