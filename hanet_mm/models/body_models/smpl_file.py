# Copyright (c) hanet_mm contributors. All rights reserved.
"""Reading a user's file of the SMPL body model."""

import pickle
from pathlib import Path
from typing import Any, Dict

import numpy as np

from hanet_mm.core.data.files import ObjectArrayError, PathLike, read_npz
from hanet_mm.core.poses.body import NUM_BETAS, NUM_JOINTS, SMPL_PARENTS

# V is the number of vertices; more than 10 shape directions are cut.
_SHAPES = dict(
    v_template=('V', 3),
    shapedirs=('V', 3, f'{NUM_BETAS} or more'),
    posedirs=('V', 3, 9 * (NUM_JOINTS - 1)),
    J_regressor=(NUM_JOINTS, 'V'),
    weights=('V', NUM_JOINTS),
    kintree_table=(2, NUM_JOINTS),
)


def load_smpl_file(
    path: PathLike, trust_pickle: bool = False
) -> Dict[str, np.ndarray]:
    """Read the arrays of a body model of SMPL's layout.

    Official ``.pkl`` files of SMPL are read without chumpy, whose arrays
    they hold and which no longer imports under a current Python.

    Args:
        path: ``.npz`` of plain arrays, or ``.pkl``.
        trust_pickle: Whether a ``.pkl`` may be unpickled, which runs
            whatever code its author put into it.

    Returns:
        dict: float32 ``v_template`` (V, 3) in metres, ``shapedirs``
        (V, 3, 10), ``posedirs`` (V, 3, 207), ``J_regressor`` (24, V),
        ``weights`` (V, 24).

    Raises:
        ValueError: One line naming the file and the key: a pickle without
            trust, a damaged file, a missing key, another shape, or joints
            that are not those of SMPL.
    """
    kind = Path(path).suffix
    if kind == '.npz':
        try:
            data = read_npz(path, tuple(_SHAPES), _SHAPES)
        except ObjectArrayError as error:
            raise ValueError(
                f'{str(error).split(";")[0]}; expected plain arrays, or the '
                '.pkl file with trust_pickle=True'
            ) from None
    elif kind == '.pkl':
        data = _unpickle(path, trust_pickle)
    else:
        raise ValueError(
            f'{path}: expected a body model as .npz or .pkl, found {kind!r}'
        )
    arrays = {key: _numbers(path, key, data) for key in _SHAPES}
    _check(path, arrays)
    del arrays['kintree_table']
    arrays['shapedirs'] = arrays['shapedirs'][..., :NUM_BETAS]
    return {key: array.astype(np.float32) for key, array in arrays.items()}


def _numbers(path: PathLike, key: str, data: Dict[str, Any]) -> np.ndarray:
    """One key as a plain array of float64."""
    if key not in data:
        raise ValueError(
            f'{path}: key {key!r} is missing; expected {", ".join(_SHAPES)}, '
            f'found {", ".join(map(str, data)) or "none"}'
        )
    value = data[key]
    if hasattr(value, 'toarray'):  # sparse, of scipy
        value = value.toarray()
    try:
        return np.asarray(value, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f'{path}: key {key!r} is not an array of numbers ({error})'
        ) from None


def _check(path: PathLike, arrays: Dict[str, np.ndarray]) -> None:
    """Raise a ValueError naming the first key that cannot be of SMPL."""
    vertices = arrays['v_template'].shape[:1]
    for key, expected in _SHAPES.items():
        shape = arrays[key].shape
        like = [vertices[0] if x == 'V' and vertices else x for x in expected]
        fits = len(shape) == len(like) and all(
            found >= NUM_BETAS if isinstance(one, str) else found == one
            for found, one in zip(shape, like)
        )
        if not fits:
            raise ValueError(
                f'{path}: key {key!r} must have shape '
                f'({", ".join(map(str, expected))}), found {shape}'
            )
        if not np.isfinite(arrays[key]).all():
            raise ValueError(f'{path}: key {key!r} holds NaN or infinity')
    # The root's entry is -1, or that number as it is without a sign.
    parents = arrays['kintree_table'][0].astype(np.int64)
    if tuple(parents[1:]) != SMPL_PARENTS[1:]:
        raise ValueError(
            f"{path}: key 'kintree_table' must hold the parents of SMPL's "
            f'joints {SMPL_PARENTS[1:]}, found {tuple(parents[1:].tolist())}'
        )


def _unpickle(path: PathLike, trust_pickle: bool) -> Dict[str, Any]:
    if not trust_pickle:
        raise ValueError(
            f'{path} is a pickle; unpickling runs any code that the author '
            'of the file put there: expected trust_pickle=True for a file '
            'from a source you trust, or an .npz'
        )
    with open(path, 'rb') as file:
        try:
            # latin1: the official files are of Python 2.
            data = _Unpickler(file, encoding='latin1').load()
        except ModuleNotFoundError as error:
            raise ValueError(
                f'{path}: needs the package {error.name!r} to be unpickled; '
                'install it, or store the arrays as .npz'
            ) from None
        except Exception as error:  # a pickle can raise anything
            reason = ' '.join(str(error).split()) or 'no data'
            raise ValueError(
                f'{path}: cannot be unpickled '
                f'({type(error).__name__}: {reason})'
            ) from None
    if not isinstance(data, dict):
        raise ValueError(
            f'{path}: expected a dictionary of arrays, '
            f'found {type(data).__name__}'
        )
    return data


class _ChumpyArray:
    """Stands in for an array of chumpy, of which it gets the attributes."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        state = vars(self)
        if 'x' in state:  # a value
            return np.array(state['x'], dtype)
        if {'a', 'idxs', 'preferred_shape'} <= set(state):  # some of one
            chosen = np.asarray(state['a'], dtype).ravel()[state['idxs']]
            return chosen.reshape(state['preferred_shape'])
        raise ValueError('an expression of chumpy: store its value instead')


class _Unpickler(pickle.Unpickler):
    """Reads chumpy's arrays without chumpy."""

    def find_class(self, module: str, name: str) -> Any:
        """The class of that name, or the stand-in for it."""
        if module.split('.')[0] == 'chumpy':
            return _ChumpyArray
        return super().find_class(module, name)
