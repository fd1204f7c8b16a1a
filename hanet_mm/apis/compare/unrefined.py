# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refined files with the keypoints that came put back into place.

Whatever the format, refined files keep what came beside what took its place:
``<key>_input`` beside ``<key>``, in the flat layout ``keypoints_input`` beside
``keypoints_est``.
"""

import csv
import json
from pathlib import Path
from typing import Any, Dict, List

import numpy as np

from hanet_mm.core.data.files import PathLike, read_json, read_npz

_KEPT = '_input'
_FLAT = 'keypoints_est'


def holds_input(path: PathLike) -> bool:
    """Whether a file or folder keeps the keypoints it was refined from."""
    return _is_refined(_read(Path(path)))


def restore_input(path: PathLike, out: PathLike) -> None:
    """Write the keypoints that a refined file came from, with its ending."""
    path, out = Path(path), Path(out)
    content = _read(path)
    if not _is_refined(content):
        raise ValueError(
            f'{path}: expected keypoints_input, as in files refined by '
            'hanet-mm, found none: give the file to compare with too'
        )
    content = _restore(content)
    if path.is_dir():
        out.mkdir()
        for name, frame in content.items():
            (out / name).write_text(json.dumps(frame), encoding='utf-8')
    elif path.suffix.lower() == '.npz':
        with open(out, 'wb') as file:
            np.savez(file, **content)
    elif path.suffix.lower() == '.csv':
        with open(out, 'w', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows([content, *zip(*content.values())])
    else:
        out.write_text(json.dumps(content), encoding='utf-8')


def _read(path: Path) -> Any:
    """What is in a file, by the keys that it has."""
    if path.is_dir():
        return {x.name: read_json(x) for x in sorted(path.glob('*.json'))}
    kind = path.suffix.lower()
    if kind == '.npz':
        return read_npz(path, (), (), prefix='')
    if kind == '.csv':
        return _read_table(path)
    return read_json(path) if kind == '.json' else None


def _read_table(path: Path) -> Dict[str, List[str]]:
    """Cells of each column."""
    with open(path, newline='', encoding='utf-8-sig') as file:
        header, *rows = [row for row in csv.reader(file) if row] or [[]]
    return dict(zip(header, map(list, zip(*rows))))


def _is_refined(content: Any) -> bool:
    if isinstance(content, dict):
        return any(
            _kept(key) in content or _is_refined(value)
            for key, value in content.items()
        )
    if _is_nested(content):
        return any(map(_is_refined, content))
    return False


def _restore(content: Any) -> Any:
    if isinstance(content, dict):
        kept = {key: _kept(key) for key in content if _kept(key) in content}
        return {
            key: content[kept[key]] if key in kept else _restore(value)
            for key, value in content.items()
            if key not in kept.values()
        }
    if _is_nested(content):
        return list(map(_restore, content))
    return content


def _kept(key: str) -> str:
    """Where what came is kept."""
    return ('keypoints' if key == _FLAT else key) + _KEPT


def _is_nested(content: Any) -> bool:
    """Whether it is a list that is not of numbers."""
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], (dict, list))
    )
