# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm compare``: what a refinement changed."""

import argparse

from .output import add_json
from .reading import add_reading, reading_options


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'compare',
        description='Compare the poses of the same persons in two files: how '
        'much they jitter, whether one is behind the other, what was changed '
        'or filled; and with the truth, their errors.',
    )
    parser.add_argument(
        'before',
        metavar='BEFORE',
        help='in any format that refine reads; alone, a refined file, which '
        'is compared with what it came from',
    )
    parser.add_argument('after', metavar='AFTER', nargs='?')
    parser.add_argument(
        '--gt',
        metavar='FILE',
        help='the truth: flat .npz with keypoints_gt, or any other format',
    )
    parser.add_argument(
        '-o',
        '--out',
        metavar='PLOT.png',
        help='draw the joints that were changed most',
    )
    parser.add_argument(
        '--tolerance',
        type=float,
        default=0.01,
        help='part of the size of a person up to which a keypoint counts as '
        'not changed (default: 0.01)',
    )
    add_json(parser)
    add_reading(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> str:
    """Compare, and return a table or JSON."""
    from hanet_mm.apis.compare import compare_files

    comparison = compare_files(
        args.before,
        args.after,
        args.gt,
        args.tolerance,
        args.skeleton,
        **reading_options(args),
    )
    if args.out:
        from hanet_mm.core.data.atomic import check_output

        given = (args.before, args.after, args.gt)
        check_output(args.out, [x for x in given if x])
        from hanet_mm.apis.compare.plot import plot_comparison

        plot_comparison(args.out, comparison)
    return comparison.to_json() if args.json else str(comparison)
