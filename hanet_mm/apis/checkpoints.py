# Copyright (c) hanet_mm contributors. All rights reserved.
"""Read checkpoints of training runs as plain data."""

import ast
import re
import warnings
from pathlib import Path
from typing import Any, Dict

import torch
from torch import Tensor

from hanet_mm.core.data.files import PathLike


def read_checkpoint(
    path: PathLike, trust_pickle: bool = False
) -> Dict[str, Any]:
    """Read a checkpoint with a ``state_dict``; trusting it runs its code.

    MMEngine has to be installed: its checkpoints contain its classes.
    """
    try:
        from hanet_mm.engine.safe_globals import safe_checkpoints
    except ImportError as error:
        raise ImportError(
            f'reading a checkpoint needs OpenMMLab ({error}); mend with: '
            'mim install mmengine "mmcv>=2.0.0,<2.2.0" "mmpose>=1.3.0,<1.4"'
        ) from None
    if not Path(path).is_file():
        raise FileNotFoundError(f'{path}: no such checkpoint file')
    version = torch.torch_version.TorchVersion(torch.__version__)
    if version < (2, 6) and not trust_pickle:
        raise ValueError(
            f'{path}: torch {torch.__version__} may run code in a checkpoint '
            'even where it loads weights only (CVE-2025-32434): install '
            'torch >= 2.6, or trust the file (--trust-pickle)'
        )
    try:
        with warnings.catch_warnings(), safe_checkpoints():
            warnings.simplefilter('ignore')
            checkpoint = torch.load(
                path, map_location='cpu', weights_only=not trust_pickle
            )
    except OSError:
        raise
    except Exception as error:  # foreign bytes make it raise almost anything
        raise ValueError(f'{path}: {_explain(error)}') from None
    _check(path, checkpoint)
    return checkpoint


def read_config_value(path: PathLike, text: str, name: str) -> Any:
    """Read a value of a config stored as text, without running it.

    Only literals and ``dict(...)``, as MMEngine writes them, are accepted: a
    downloaded checkpoint must not run code. None if there is no such value.
    """
    try:
        statements = ast.parse(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(
            f"{path}: meta['cfg'] is not the text of a config "
            f'({type(error).__name__})'
        ) from None
    value = None
    for statement in statements:
        if _is_assignment(statement, name):
            value = statement.value
    if value is None:
        return None
    try:
        return ast.literal_eval(_DictCalls().visit(value))
    except (ValueError, TypeError, RecursionError):
        raise ValueError(
            f"{path}: meta['cfg']: {name} is not plain data"
        ) from None


class _DictCalls(ast.NodeTransformer):
    """Turn ``dict(a=1)`` into ``{'a': 1}``, which is a literal."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        plain = isinstance(node.func, ast.Name) and node.func.id == 'dict'
        if not plain or node.args or any(k.arg is None for k in node.keywords):
            return node
        return ast.Dict(
            keys=[ast.Constant(k.arg) for k in node.keywords],
            values=[k.value for k in node.keywords],
        )


def _is_assignment(statement: ast.stmt, name: str) -> bool:
    return isinstance(statement, ast.Assign) and any(
        isinstance(target, ast.Name) and target.id == name
        for target in statement.targets
    )


def _explain(error: Exception) -> str:
    """Explain in one line why torch cannot read a file."""
    foreign = re.search(r'GLOBAL:? ([\w.]+)', str(error))
    if foreign is None:
        return (
            'not a checkpoint of torch, or truncated '
            f'({type(error).__name__} while reading)'
        )
    return (
        f'holds {foreign[1]}, expected weights and plain data only; what '
        'runs code is not loaded'
    )


def _check(path: PathLike, checkpoint: Any) -> None:
    if not isinstance(checkpoint, dict):
        raise ValueError(
            f"{path}: expected a checkpoint with 'state_dict', found "
            f'{type(checkpoint).__name__}'
        )
    weights = checkpoint.get('state_dict')
    if not isinstance(weights, dict):
        keys = ', '.join(map(str, list(checkpoint)[:5])) or 'nothing'
        raise ValueError(
            f"{path}: expected a checkpoint with 'state_dict', found {keys}"
        )
    for name, value in weights.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise ValueError(
                f'{path}: state_dict[{name!r}]: expected a tensor, found '
                f'{type(value).__name__}'
            )
