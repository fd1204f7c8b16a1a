# Copyright (c) hanet_mm contributors. All rights reserved.
"""Packages that only an extra brings: the message where one is missing."""

from importlib import import_module
from types import ModuleType
from typing import Optional

# The smallest extra of setup.py that brings a package.
EXTRAS = {
    'c3d': 'formats',
    'cv2': 'video',
    'h5py': 'formats',
    'matplotlib': 'plot',
    'mediapipe': 'mediapipe',
    'mmcv': 'mm',
    'mmdet': 'mm',
    'mmengine': 'mm',
    'mmpose': 'mm',
    'onnx': 'onnx',
    'onnxruntime': 'onnx',
    'openvino': 'openvino',
    'PIL': 'plot',
    'rtmlib': 'rtmlib',
    'scipy': 'filters',
    'smplx': 'smpl',
    'ultralytics': 'ultralytics',
}


def import_extra(
    module: str, purpose: str, extra: Optional[str] = None
) -> ModuleType:
    """Import a module, or raise an ImportError that names its extra.

    Args:
        module: Its name, such as ``'scipy.signal'``.
        purpose: What needs it, the subject of the message.
        extra: Defaults to None: that of :data:`EXTRAS`.
    """
    try:
        return import_module(module)
    except ImportError as error:
        message = f'{purpose} {how_to_install(module, extra)}'
        raise ImportError(f'{message} ({error})') from None


def how_to_install(module: str, extra: Optional[str] = None) -> str:
    """The predicate ``needs PACKAGE: pip install ...``.

    Examples:
        >>> how_to_install('scipy.signal')
        'needs scipy: pip install "hanet_mm[filters]", in a checkout
        ".[filters]"'
    """
    package = module.partition('.')[0]
    return f'needs {package}: {pip_install(extra or EXTRAS[package])}'


def pip_install(extra: str) -> str:
    """The command that installs an extra."""
    return f'pip install "hanet_mm[{extra}]", in a checkout ".[{extra}]"'
