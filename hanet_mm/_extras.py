# Copyright (c) hanet_mm contributors. All rights reserved.
"""Packages that an extra of this one brings: the message where one lacks."""

from importlib import import_module
from types import ModuleType


def import_extra(module: str, extra: str, purpose: str) -> ModuleType:
    """Import a module, or raise an ImportError that names the extra.

    Args:
        module: Its name, such as ``'scipy.signal'``.
        extra: Of setup.py, that brings it.
        purpose: What needs it, the subject of the message.

    Examples:
        >>> import_extra('gone', 'x', 'a dream')
        Traceback (most recent call last):
        ImportError: a dream needs gone: pip install "hanet_mm[x]" (in a
        checkout: ".[x]"): No module named 'gone'
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            extra_message(module, extra, purpose, error)
        ) from None


def extra_message(
    module: str, extra: str, purpose: str, error: object = ''
) -> str:
    """Say which extra brings a module, in one line."""
    package = module.partition('.')[0]
    reason = f': {error}' if str(error) else ''
    return (
        f'{purpose} needs {package}: pip install "hanet_mm[{extra}]" (in a '
        f'checkout: ".[{extra}]"){reason}'
    )
