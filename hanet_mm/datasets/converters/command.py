"""What the command lines of the JHMDB converters have in common."""

import argparse
import logging
import sys
from typing import Any, Callable, List

from hanet_mm.core.sequences import load_pose_sequences
from hanet_mm.datasets.converters.jhmdb_clips import (
    read_clip_choice,
    shared_clips,
)


def add_jhmdb_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options that both converters understand."""
    parser.add_argument('out', help='flat .npz to write')
    parser.add_argument(
        '--trust-pickle',
        action='store_true',
        help='unpickle the input: only for files from a source you trust, '
        'since unpickling runs any code that their author put there',
    )
    parser.add_argument(
        '--splits',
        help="JHMDB's folder of <action>_test_split<k>.txt, or one text "
        'file with a clip name a line: take these clips only',
    )
    parser.add_argument(
        '--split', type=int, default=1, help='number of the split: 1, 2, 3'
    )
    parser.add_argument('--subset', choices=('train', 'test'))
    parser.add_argument('--estimator', help='what to call the estimator')
    parser.add_argument('--fps', type=float, default=25.0)
    parser.add_argument(
        '--compare-with',
        metavar='NPZ',
        help='a converted file, such as the train set: say which clips '
        'are in both',
    )


def run_jhmdb(
    args: argparse.Namespace, convert: Callable[..., List[str]], **more: Any
) -> None:
    """Convert, report on stderr, and exit with a one-line error if it fails.

    Args:
        args: Parsed arguments with those of :func:`add_jhmdb_arguments`.
        convert: Converter that returns its notes.
        more: Further arguments of it.
    """
    logging.basicConfig(level=logging.INFO, format='%(message)s')
    logger = logging.getLogger(__name__)
    try:
        clips = None
        if args.splits:
            clips = read_clip_choice(args.splits, args.split, args.subset)
        notes = convert(
            out=args.out,
            trust_pickle=args.trust_pickle,
            clips=clips,
            estimator=args.estimator,
            fps=args.fps,
            **more,
        )
        for note in notes:
            logger.info(note)
        if args.compare_with:
            _compare(logger, args.out, args.compare_with)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')


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
