# Copyright (c) hanet_mm contributors. All rights reserved.
"""Registration in OpenMMLab, which happens when it is used.

Importing hanet_mm imports nothing of OpenMMLab. When a process imports
MMPose's registries, our modules are added to the places from which they
import what they register (``Registry(locations=...)``): the first build or
look-up in a registry imports MMPose's own modules and then ours.
"""

import re
import sys
import warnings
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import NamedTuple, Optional, Tuple

from ._after_import import after_import

# Registries of MMPose, and our modules that register in them.
LOCATIONS = (
    ('MODELS', 'hanet_mm.models'),
    ('KEYPOINT_CODECS', 'hanet_mm.codecs'),
    ('DATASETS', 'hanet_mm.datasets.pose_sequence_dataset'),
    ('DATASETS', 'hanet_mm.datasets.benchmark_datasets'),
    ('DATASETS', 'hanet_mm.datasets.cmu_mocap_sequence_dataset'),
    ('DATASETS', 'hanet_mm.datasets.simulated_pose_sequence_dataset'),
    ('DATA_SAMPLERS', 'hanet_mm.datasets.window_sampler'),
    ('TRANSFORMS', 'hanet_mm.datasets.transforms'),
    ('METRICS', 'hanet_mm.evaluation'),
    ('HOOKS', 'hanet_mm.engine'),
    ('HOOKS', 'hanet_mm.engine.visualization_hooks'),
    ('HOOKS', 'hanet_mm.engine.bad_case_hook'),
    ('OPTIMIZERS', 'hanet_mm.engine'),
    ('INFERENCERS', 'hanet_mm.apis.inferencers'),
    ('VISUALIZERS', 'hanet_mm.visualization.pose_sequence_visualizer'),
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
    """Add our modules to MMPose's registries, now or when they are imported.

    A process that already runs OpenMMLab (a config that is loading us, a
    script that imported MMPose before) has them added now. There, packages
    below the lowest supported release are an error: going on would end in an
    unknown class. MMPose that does not import is a warning with its cause.

    In any other process nothing is imported, and without MMPose nothing
    happens. Too old packages are a warning when MMPose is imported.

    Raises:
        ImportError: OpenMMLab is running and a package is too old.
    """
    if not _is_installed('mmpose'):
        return
    if 'mmengine' in sys.modules:
        too_old = find_too_old()
        if too_old:
            raise ImportError(too_old)
        if not _import_registries():
            return
    after_import('mmpose.registry', _add_locations)
    after_import('mmengine.runner', _import_engine)


def _import_registries() -> bool:
    """Import MMPose's registries; a warning and False if that fails."""
    try:
        with warnings.catch_warnings():
            # MMEngine's own affair: nothing that our users could mend.
            warnings.filterwarnings('ignore', 'pkg_resources is deprecated')
            import_module('mmpose.registry')
    except Exception as error:
        _warn_core_only(f'MMPose does not import: {_describe(error)}')
        return False
    return True


def _add_locations() -> None:
    """Let registries import our modules when they are first asked."""
    cause = find_too_old() or _find_another_hanet()
    if cause:
        _warn_core_only(cause)
        return
    _warn_untested()
    registries = import_module('mmpose.registry')
    for name, location in LOCATIONS:
        registry = getattr(registries, name)
        if registry._imported:  # has been asked, and asks no location again
            import_module(location)
        else:
            # A list of its own: registries without locations share one.
            registry._locations = [*registry._locations, location]


def _import_engine() -> None:
    """Import what a runner needs before it asks a registry."""
    if find_too_old() or not _import_registries():
        return
    if not _find_another_hanet():
        import_module('hanet_mm.engine')


def _find_another_hanet() -> str:
    """Name who has registered our classes before us in one line, or ''.

    As MMPose's ``projects/hanet`` does, see tools/upstream.
    """
    models = import_module('mmpose.registry').MODELS
    found = getattr(models.module_dict.get('HANet'), '__module__', '')
    if not found or found.startswith('hanet_mm.'):
        return ''
    return f'{found} has registered HANet before hanet_mm was imported'


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
