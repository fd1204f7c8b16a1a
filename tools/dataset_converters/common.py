# Copyright (c) hanet_mm contributors. All rights reserved.
"""What the converters share: options, pickled input, output."""

import argparse
import logging
import pickle
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np

from hanet_mm.apis.errors import one_line_interrupts
from hanet_mm.core.data.atomic import (
    check_new_folder,
    check_output,
    check_writable,
    scratch_folder,
)
from hanet_mm.core.data.checks import PER_FRAME
from hanet_mm.core.data.files import ObjectArrayError, PathLike, read_npz
from hanet_mm.core.data.mapped import frame_blocks
from hanet_mm.core.data.sequences import (
    PoseSequences,
    save_pose_sequences,
)


def make_parser(description: Optional[str]) -> argparse.ArgumentParser:
    """Make a parser whose help is the docstring of a script."""
    return argparse.ArgumentParser(
        description=description,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def add_arguments(
    parser: argparse.ArgumentParser,
    fps: Optional[float],
    trust_pickle: bool = True,
) -> None:
    """Add the output and the options that all converters understand."""
    parser.add_argument(
        'out', help='flat .npz to write, or, without an ending, a folder'
    )
    if trust_pickle:
        parser.add_argument(
            '--trust-pickle',
            action='store_true',
            help='unpickle the input: only for files from a source you trust, '
            'since unpickling runs any code that their author put there',
        )
    parser.add_argument('--estimator', help='what to call the estimator')
    parser.add_argument(
        '--fps',
        type=float,
        default=fps,
        help=f'frame rate, default: {fps or "that of the data set"}',
    )


def add_units(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the option that declares the unit of the input."""
    parser.add_argument(
        '--units',
        choices=('m', 'cm', 'mm'),
        default=default,
        help='unit of the input; metres are written. Default: %(default)s',
    )


def add_smpl(parser: argparse.ArgumentParser) -> None:
    """Add the option that asks for SMPL parameters instead of joints."""
    parser.add_argument(
        '--smpl',
        action='store_true',
        help='write the 24 SMPL rotations, with shape, translation and scale '
        'where they are known, instead of joints',
    )


def run(
    convert: Callable[..., List[str]], parser: argparse.ArgumentParser
) -> None:
    """Convert with the parsed arguments and log the notes it returns."""
    arguments = vars(parser.parse_args())
    logging.basicConfig(level=logging.INFO, format='%(message)s')
    logger = logging.getLogger(__name__)
    try:
        _check_output(**arguments)
        with one_line_interrupts():
            notes = convert(**arguments)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    for note in notes:
        warn = note.startswith('WARNING')
        logger.log(logging.WARNING if warn else logging.INFO, note)


def _check_output(out: str, **others: Any) -> None:
    """Raise a ValueError if ``out`` is an input, or may be one of a folder."""
    if Path(out).suffix:
        check_writable(out)
    else:
        check_new_folder(out)
    for value in others.values():
        paths = value if isinstance(value, list) else [value]
        inputs = [x for x in paths if isinstance(x, str) and Path(x).exists()]
        check_output(out, inputs)
        # Inputs in folders have other endings than outputs.
        folders = [Path(x).resolve() for x in inputs if Path(x).is_dir()]
        place = Path(out).resolve()
        if {*place.parents} & {*folders} and place.suffix != '.npz':
            raise ValueError(
                f'{out}: expected an output ending in .npz in a folder of '
                'inputs'
            )


def join_tracks(
    names: Sequence[str],
    tracks: Sequence[Dict[str, np.ndarray]],
    fps: float,
    meta: Dict[str, Any],
    image_size: Optional[Any] = None,
) -> PoseSequences:
    """Concatenate tracks, dicts of (T, ...) arrays with ``keypoints_gt``.

    Arrays that the flat layout does not name become extras; those that only
    some of the tracks have are left out.
    """
    shared = set(tracks[0]).intersection(*tracks)
    arrays = {
        key: np.concatenate([item[key] for item in tracks])
        for key in sorted(shared)
    }
    known = {key: arrays.pop(key) for key in PER_FRAME if key in arrays}
    return PoseSequences(
        **known,
        visible=~np.isnan(known['keypoints_gt']).any(-1),
        seq_len=np.array([len(item['keypoints_gt']) for item in tracks]),
        seq_name=np.array(names),
        image_size=image_size,
        fps=np.full(len(tracks), fps),
        meta=meta,
        extras=arrays,
    )


@contextmanager
def arrays_on_disk(
    out: PathLike,
) -> Iterator[Callable[[str, Tuple[int, ...], float], np.ndarray]]:
    """Give a function that makes float32 arrays in files beside an output.

    It takes name, shape and value. The files are removed at the end; what is
    written to the arrays need not fit into memory.
    """
    with scratch_folder(out) as folder:

        def make(
            name: str, shape: Tuple[int, ...], value: float
        ) -> np.ndarray:
            array = np.lib.format.open_memmap(
                folder / f'{name}.npy', 'w+', np.float32, shape
            )
            for rows in frame_blocks(array):
                array[rows] = value
            return array

        yield make


def save(out: PathLike, seqs: PoseSequences) -> str:
    """Write the flat file and return a note that says so."""
    save_pose_sequences(out, seqs)
    return f'{len(seqs)} sequences, {len(seqs.scores)} frames -> {out}'


def examples(names: Sequence[str]) -> str:
    """Name the first three of many."""
    return ', '.join(names[:3]) + (', ..' if len(names) > 3 else '')


def numbers(
    entry: Any,
    where: str,
    shape: Optional[Tuple[int, ...]] = None,
    dtype: type = np.float64,
) -> np.ndarray:
    """Convert an entry of a file to numbers, of some shape if it is given."""
    try:
        value = np.asarray(entry, dtype=dtype)
        return value if shape is None else value.reshape(shape)
    except (TypeError, ValueError):
        expected = f'numbers of shape {shape}' if shape else 'numbers'
        found = f'{type(entry).__name__} {getattr(entry, "shape", "")}'
        raise ValueError(
            f'{where}: expected {expected}, found {found.rstrip()}'
        ) from None


def load_object_npz(
    path: PathLike,
    need: Sequence[str],
    optional: Sequence[str] = (),
    trust_pickle: bool = False,
) -> Dict[str, np.ndarray]:
    """Read keys of an archive; unpickle object arrays only if trusted."""
    wanted = (*need, *optional)
    try:
        return read_npz(path, need, wanted)
    except ObjectArrayError as error:
        if not trust_pickle:
            raise ValueError(_refusal(str(error))) from None
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
    path: PathLike, trust_pickle: bool, encoding: str = 'ASCII'
) -> Any:
    """Unpickle a whole file if trusted; Python 2's arrays need 'latin1'."""
    if not trust_pickle:
        raise ValueError(_refusal(f'{path} is a pickle'))
    try:
        with open(path, 'rb') as file:
            return pickle.load(file, encoding=encoding)
    except OSError:
        raise
    except Exception as error:  # a pickle can raise anything
        raise ValueError(_broken(path, error)) from None


def _refusal(found: str) -> str:
    return (
        f'{found.split(";")[0]}; unpickling runs any code that the author of '
        'the file put there: expected --trust-pickle (trust_pickle=True) for '
        'a file from a source you trust'
    )


def _broken(path: PathLike, error: Exception) -> str:
    reason = ' '.join(str(error).split()) or 'no data'
    return f'{path}: cannot be unpickled ({type(error).__name__}: {reason})'
