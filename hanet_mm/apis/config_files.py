# Copyright (c) hanet_mm contributors. All rights reserved.
"""Find the configs that come with the package, and read any."""

import difflib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, List

import hanet_mm

if TYPE_CHECKING:
    from mmengine.config import Config

    from hanet_mm.core.data.files import PathLike


def config_root() -> Path:
    """Folder ``configs``, of the package or of the source tree."""
    package = Path(hanet_mm.__file__).parent
    # In a source tree without an installation the configs lie beside it.
    roots = [package / '.mim' / 'configs', package.parent / 'configs']
    return next((root for root in roots if root.is_dir()), roots[-1])


def list_configs() -> List[str]:
    """Names of the configs: paths below the folder ``configs``, sorted.

    Parts of configs (``_base_``) are not among them.
    """
    return [x for x in _config_files() if not x.startswith('_base_/')]


def config_path(name: str) -> str:
    """Return the path of a config of this package, to inherit from it.

    MMEngine resolves ``_base_ = ['package::...']`` for OpenMMLab's packages
    only, and evaluates ``_base_`` before anything else of a config::

        _base_ = [__import__('hanet_mm').config_path('hanet/jhmdb/NAME.py')]

    Args:
        name: Path below the folder ``configs``, or the end of one, such as
            the name of the file; with or without ``.py``.

    Returns:
        The absolute path, in an installed package as in a source tree.

    Raises:
        ValueError: No config has that name, or several have.
    """
    files = _config_files()
    wanted = str(name).replace('\\', '/')
    if not wanted.endswith('.py'):
        wanted += '.py'
    found = [x for x in files if f'/{x}'.endswith(f'/{wanted}')]
    if wanted in files:
        found = [wanted]
    if len(found) == 1:
        return str(files[found[0]])
    if found:
        raise ValueError(f'config {name!r}: one of {", ".join(found)}?')
    hint = _near(wanted, list(files))
    raise ValueError(
        f'unknown config {name!r}'
        + (f', did you mean {" or ".join(hint)}?' if hint else '')
        + '; hanet-mm config lists all'
    )


def read_config(path: 'PathLike', **options: Any) -> 'Config':
    """Read a config of MMEngine.

    Args:
        path (PathLike): Its file.
        **options: Of :meth:`mmengine.config.Config.fromfile`.

    Raises:
        OSError: If it cannot be opened.
        ValueError: One line, if it is not such a config.
    """
    from mmengine.config import Config

    try:
        with warnings.catch_warnings():
            # MMEngine reads MMPose's bases through it, once for each config.
            warnings.filterwarnings('ignore', 'pkg_resources is deprecated')
            return Config.fromfile(path, **options)
    except FileNotFoundError:
        if Path(path).is_file():  # what is missing is a base of it
            raise
        raise FileNotFoundError(f'{path}: no such config') from None
    except OSError:
        raise
    except Exception as error:  # a config is code: it can raise anything
        reason = ' '.join(str(error).split())
        raise ValueError(
            f'{path}: not a config of MMEngine '
            f'({type(error).__name__}: {reason})'
        ) from None


def _config_files() -> Dict[str, Path]:
    """Files by their path below the folder ``configs``."""
    root = config_root()
    return {
        path.relative_to(root).as_posix(): path
        for path in sorted(root.rglob('*.py'))
    }


def _near(wanted: str, files: List[str]) -> List[str]:
    """Two paths that contain a name, or else are most like it."""
    wanted = wanted[: -len('.py')]
    found = [x for x in files if wanted and wanted in x]
    if found:
        return found[:2]
    names = {x.split('/')[-1][: -len('.py')]: x for x in files}
    near = difflib.get_close_matches(wanted.split('/')[-1], names, 2)
    return [names[x] for x in near]
