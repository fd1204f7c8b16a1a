# Copyright (c) hanet_mm contributors. All rights reserved.
"""Configs of the project: the paper's experiments on keypoints."""

import ast
from pathlib import Path
from typing import Dict, Set, Tuple

from rewriting import TARGET, format_code
from sources import texts_in

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / 'configs'
CONFIGS = (
    'jhmdb/hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py',
    'jhmdb/hanet-small_simplebaseline-11frm_1xb64-15e_jhmdb_published.py',
    'jhmdb/hanet-small_simplebaseline-11frm_1xb64-15e_jhmdb.py',
    'h36m/hanet_fcn-51frm_1xb96-70e_h36m.py',
    'h36m/hanet_fcn-101frm_1xb96-70e_h36m.py',
    'h36m/hanet_mhformer-101frm_1xb576-70e_h36m.py',
    'pw3d/hanet_pare-51frm_1xb64-70e_pw3d.py',
    'pw3d/hanet_pare-101frm_1xb64-70e_pw3d.py',
    'aist/hanet_spin-51frm_1xb256-70e_aist.py',
    'aist/hanet_spin-101frm_1xb256-70e_aist.py',
    'posetrack/hanet_dcpose-5frm_1xb16-70e_posetrack17.py',
    'posetrack/hanet_dcpose-5frm_1xb16-70e_posetrack18.py',
)
# Hooks of the package, which guard runs that are killed and resumed, stay
# there: MMPose's own do.
_RUNTIME = f"""_base_ = ['mmpose::_base_/default_runtime.py']

custom_imports = dict(imports=['{TARGET}'], allow_failed_imports=False)

randomness = dict(seed=4321)
"""


def write_configs() -> Tuple[Dict[str, str], Set[str]]:
    """Texts by their paths in the project, and all strings in them."""
    todo = {f'configs/{Path(x).name}': FOLDER / 'hanet' / x for x in CONFIGS}
    files: Dict[str, str] = {}
    strings: Set[str] = set()
    while todo:
        path, source = todo.popitem()
        if path in files:
            continue
        text = source.read_text('utf-8')
        if source == FOLDER / '_base_/runtime.py':
            text = _RUNTIME
        text = text.replace("'../../_base_/", "'_base_/")
        tree = ast.parse(text)
        # Also those that a variable holds (``dataset_type``).
        strings |= {*texts_in(tree)}
        for base in _bases(tree):
            found = (source.parent / base).resolve()
            if base.startswith('_base_/'):
                found = FOLDER / base
            if found.is_file():  # the others are MMPose's
                inside = found.relative_to(FOLDER)
                if inside.parts[0] == 'hanet':
                    inside = Path(inside.name)
                todo[f'configs/{inside.as_posix()}'] = found
        files[path] = format_code(text)
    return dict(sorted(files.items())), strings


def _bases(tree: ast.Module) -> list:
    for node in tree.body:
        targets = getattr(node, 'targets', [])
        if [ast.unparse(x) for x in targets] == ['_base_']:
            return ast.literal_eval(node.value)
    return []
