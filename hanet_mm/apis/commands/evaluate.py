# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm evaluate``: refiners beside tuned filters, on data with truth."""

import argparse
import json
from typing import Any, Dict

from hanet_mm.apis.errors import one_line_interrupts

from .output import add_json

CURVES = ('missing', 'fps', 'lookahead', 'swaps')


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'evaluate',
        description='Measure refiners on data with truth, beside the input '
        'and tuned classical filters: errors, smoothness and lag, and how '
        'they fare with missing frames, other frame rates, few frames to '
        'come and swapped sides.',
    )
    parser.add_argument(
        'refiners',
        nargs='*',
        metavar='REFINER',
        help='portable file (.safetensors) or name of a bundled refiner',
    )
    parser.add_argument(
        '--checkpoint',
        nargs=2,
        action='append',
        default=[],
        metavar=('CONFIG', 'CKPT'),
        help='a trained network; may be repeated',
    )
    parser.add_argument(
        '--data',
        required=True,
        nargs='+',
        metavar='FILE',
        help='flat .npz with truth; of several, such as the estimates of '
        'several estimators, the average too',
    )
    parser.add_argument(
        '--tune',
        nargs='+',
        default=[None],
        metavar='FILE',
        help='the same of the training split, to tune the filters on: one, '
        'or one for each file of --data. Default: they have their usual '
        'settings',
    )
    parser.add_argument(
        '--curves',
        nargs='*',
        default=list(CURVES),
        metavar='CURVE',
        help=f'of {", ".join(CURVES)}; none if nothing follows. Default: all',
    )
    parser.add_argument(
        '--others',
        default='kalman',
        metavar='FILTER',
        help='filter of the tables for keypoints that a refiner does not '
        'know, or none: as they are. Default: %(default)s',
    )
    parser.add_argument(
        '--root',
        nargs='+',
        default=[],
        metavar='KEYPOINT',
        help='compare poses relative to the mean of these keypoints',
    )
    parser.add_argument(
        '--ignore-scores',
        action='store_true',
        help='take from the scores only which keypoints are missing (0)',
    )
    parser.add_argument('--device', default='cpu', help='default: cpu')
    parser.add_argument(
        '-o', '--out', required=True, metavar='FOLDER', help='for the report'
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> str:
    """Measure, report after every part and return the main tables."""
    from hanet_mm.apis import benchmark

    tune = args.tune * (len(args.data) if len(args.tune) == 1 else 1)
    if len(tune) != len(args.data):
        raise ValueError(
            f'--tune: expected 1 file, or {len(args.data)} as of --data, '
            f'found {len(tune)}'
        )
    requests = [
        benchmark.Request(
            refiners=args.refiners,
            data=data,
            tune=one,
            curves=args.curves,
            others=args.others,
            root=args.root,
            device=args.device,
            progress=True,
            checkpoints=args.checkpoint,
            ignore_scores=args.ignore_scores,
        )
        for data, one in zip(args.data, tune)
    ]
    report: Dict[str, Any] = {}
    with one_line_interrupts('what was finished is written'):
        for report in benchmark.evaluate_files(requests):
            benchmark.write_report(args.out, report)
    if args.json:
        return json.dumps(report, indent=2, allow_nan=False)
    return benchmark.render_tables(report).rstrip('\n')
