"""What the command lines of the converters have in common."""

import argparse
import logging
import sys
from typing import Any, Callable, List

from hanet_mm.core.data.sequences import load_pose_sequences
from hanet_mm.datasets.converters.jhmdb_clips import (
    read_clip_choice,
    shared_clips,
)


def add_arguments(parser: argparse.ArgumentParser, fps: float) -> None:
    """Add the options that all converters understand.

    Args:
        parser: Gets them after its own arguments.
        fps: Frame rate of the data set, 1/s.
    """
    parser.add_argument('out', help='flat .npz to write')
    parser.add_argument(
        '--trust-pickle',
        action='store_true',
        help='unpickle the input: only for files from a source you trust, '
        'since unpickling runs any code that their author put there',
    )
    parser.add_argument('--estimator', help='what to call the estimator')
    parser.add_argument(
        '--fps', type=float, default=fps, help='default: %(default)s'
    )


def add_jhmdb_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that both converters of JHMDB understand."""
    add_arguments(parser, fps=25.0)
    parser.add_argument(
        '--splits',
        help="JHMDB's folder of <action>_test_split<k>.txt, or one text "
        'file with a clip name a line: take these clips only',
    )
    parser.add_argument(
        '--split', type=int, default=1, help='number of the split: 1, 2, 3'
    )
    parser.add_argument('--subset', choices=('train', 'test'))
    parser.add_argument(
        '--compare-with',
        metavar='NPZ',
        help='a converted file, such as the train set: say which clips '
        'are in both',
    )


def add_units(parser: argparse.ArgumentParser, default: str = 'm') -> None:
    """Add the option that declares the unit of a source."""
    parser.add_argument(
        '--units',
        choices=('m', 'cm', 'mm'),
        default=default,
        help='unit of the source; metres are written. Default: %(default)s',
    )


def add_smpl(parser: argparse.ArgumentParser) -> None:
    """Add the option that asks for SMPL parameters instead of joints."""
    parser.add_argument(
        '--smpl',
        action='store_true',
        help='write 24 SMPL rotations and what belongs to them, not joints',
    )


def run(
    args: argparse.Namespace,
    convert: Callable[..., List[str]],
    after: Callable[[logging.Logger], None] = lambda logger: None,
    **more: Any,
) -> None:
    """Convert, report on stderr, and exit with a one-line error if it fails.

    Args:
        args: Parsed arguments with those of :func:`add_arguments`.
        convert: Converter that returns its notes.
        after: What to do with the written file.
        more: Further arguments of the converter.
    """
    logging.basicConfig(level=logging.INFO, format='%(message)s')
    logger = logging.getLogger(__name__)
    try:
        notes = convert(
            out=args.out,
            trust_pickle=args.trust_pickle,
            estimator=args.estimator,
            fps=args.fps,
            **more,
        )
        for note in notes:
            warn = note.startswith('WARNING')
            logger.log(logging.WARNING if warn else logging.INFO, note)
        after(logger)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')


def run_jhmdb(
    args: argparse.Namespace, convert: Callable[..., List[str]], **more: Any
) -> None:
    """As :func:`run`, with the clips that JHMDB's options choose.

    Args:
        args: Parsed arguments with those of :func:`add_jhmdb_arguments`.
        convert: Converter that returns its notes.
        more: Further arguments of it.
    """

    def convert_clips(**given: Any) -> List[str]:
        clips = None
        if args.splits:
            clips = read_clip_choice(args.splits, args.split, args.subset)
        return convert(clips=clips, **given)

    def compare(logger: logging.Logger) -> None:
        if args.compare_with:
            _compare(logger, args.out, args.compare_with)

    run(args, convert_clips, after=compare, **more)


def _compare(logger: logging.Logger, out: str, other: str) -> None:
    clips = shared_clips(load_pose_sequences(out), load_pose_sequences(other))
    if clips:
        logger.warning(
            'WARNING: %d clips are in both %s and %s: %s',
            len(clips),
            out,
            other,
            ', '.join(clips[:3]) + (', ..' if len(clips) > 3 else ''),
        )
    else:
        logger.info('no clip is in both %s and %s', out, other)
