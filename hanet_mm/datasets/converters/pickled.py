"""Reading files that need pickle, and only on explicit trust.

Unpickling a file runs whatever code its author put into it. These functions
do so only when told to, as does the reader of SMPL's own files.
"""

import pickle
from typing import Any, Dict, Sequence

import numpy as np

from hanet_mm.core.data.files import ObjectArrayError, PathLike, read_npz


def load_object_npz(
    path: PathLike,
    need: Sequence[str],
    optional: Sequence[str] = (),
    trust_pickle: bool = False,
) -> Dict[str, np.ndarray]:
    """Read keys of an ``.npz`` archive that may hold object arrays.

    Args:
        path: The archive.
        need: Keys that have to be there.
        optional: Keys to read where they are there.
        trust_pickle: Whether object arrays may be unpickled. Not asked where
            plain arrays are found.

    Raises:
        ValueError: One line naming the file and the key: damaged archive,
            missing key, or an object array without trust.
    """
    wanted = (*need, *optional)
    try:
        return read_npz(path, need, wanted)
    except ObjectArrayError as error:
        if not trust_pickle:
            raise ValueError(_refusal(path, str(error))) from None
    try:
        with np.load(path, allow_pickle=True) as archive:
            found = archive.files
            arrays = {key: archive[key] for key in wanted if key in found}
    except Exception as error:  # a pickle can raise anything
        raise ValueError(_broken(path, error)) from None
    missing = [key for key in need if key not in arrays]
    if missing:
        raise ValueError(
            f'{path}: key {missing[0]!r} is missing; expected '
            f'{", ".join(need)}, found {", ".join(found)}'
        )
    return arrays


def load_pickle(
    path: PathLike, trust_pickle: bool = False, encoding: str = 'ASCII'
) -> Any:
    """Unpickle a whole file.

    Args:
        path: The file.
        trust_pickle: Whether it may be unpickled.
        encoding: Of strings that Python 2 wrote; its arrays need 'latin1'.

    Raises:
        ValueError: One line naming the file: no trust, or not a pickle.
    """
    if not trust_pickle:
        raise ValueError(_refusal(path, f'{path} is a pickle'))
    try:
        with open(path, 'rb') as file:
            return pickle.load(file, encoding=encoding)
    except OSError:
        raise
    except Exception as error:  # a pickle can raise anything
        raise ValueError(_broken(path, error)) from None


def _refusal(path: PathLike, found: str) -> str:
    return (
        f'{found.split(";")[0]}; unpickling runs any code that the author of '
        'the file put there: expected --trust-pickle (trust_pickle=True) for '
        'a file from a source you trust'
    )


def _broken(path: PathLike, error: Exception) -> str:
    reason = ' '.join(str(error).split()) or 'no data'
    return f'{path}: cannot be unpickled ({type(error).__name__}: {reason})'
