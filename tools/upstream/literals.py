# Copyright (c) hanet_mm contributors. All rights reserved.
"""Metainfo of data sets as MMPose writes it: one literal ``dict`` each.

Ours is computed from the skeletons of the package, which a project for MMPose
does not need.
"""

import ast
import textwrap
from typing import Any

from sources import read_module

from hanet_mm.datasets import metainfo

# Of a string in a line of its own.
_WIDTH = 50


def write_metainfo(text: str) -> str:
    """Text of ``metainfo.py`` with the values of its dicts and their notes."""
    parts = ['"""Skeletons of which MMPose has no description."""\n']
    for statement in read_module(metainfo.__name__, text).statements:
        if not isinstance(statement.node, ast.Assign):
            continue
        name = ast.unparse(statement.node.targets[0])
        value = getattr(metainfo, name)
        if name.startswith('_') or not isinstance(value, dict):
            continue
        _, found, note = statement.text.partition('\n"""')
        note = found.strip() + note if found else ''
        parts.append(f'{name} = {_literal(value)}\n{note}')
    return '\n'.join(parts)


def _literal(value: Any) -> str:
    if isinstance(value, str):
        pieces = textwrap.wrap(value, _WIDTH, drop_whitespace=False)
        return ' '.join(map(repr, pieces)) if pieces else "''"
    if isinstance(value, (list, tuple)):
        items = ', '.join(map(_literal, value))
        if isinstance(value, list):
            return f'[{items}]'
        return f'({items},)' if len(value) == 1 else f'({items})'
    if isinstance(value, dict):
        if all(isinstance(key, str) for key in value):
            pairs = (f'{k}={_literal(v)}' for k, v in value.items())
            return f'dict({", ".join(pairs)})'
        pairs = (f'{k!r}: {_literal(v)}' for k, v in value.items())
        return f'{{{", ".join(pairs)}}}'
    text = repr(value)
    ast.literal_eval(text)  # numbers only
    return text
