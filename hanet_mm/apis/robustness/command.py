"""The command line of ``tools/evaluate_refiner.py``."""

import argparse
import sys
from typing import Any, Dict, List, Optional

from .curves import CURVES
from .evaluation import evaluate
from .filter_bank import BANK
from .report import new_report, write_report
from .request import NO_FILTER, Request
from .tables import render_tables

_INTERRUPTED = 130


def main(argv: Optional[List[str]] = None) -> int:
    """Measure refiners, write the report and print the main tables.

    Args:
        argv: Arguments without the name of the program. Defaults to None:
            those of the process.

    Returns:
        0; 1 if the arguments or a file are wrong; 130 if interrupted.
    """
    args = _build_parser().parse_args(argv)
    report: Dict[str, Any] = new_report()
    try:
        for report in evaluate(_request(args)):
            write_report(args.out, report)
    except (OSError, ValueError) as error:
        sys.stderr.write(f'error: {" ".join(str(error).split())}\n')
        return 1
    except KeyboardInterrupt:
        sys.stderr.write('interrupted: what was finished is written\n')
        return _INTERRUPTED
    sys.stdout.write(render_tables(report))
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description='Measure refiners on data with truth, beside the input '
        'and tuned classical filters: errors, smoothness and lag, and how '
        'they fare with missing frames, other frame rates, few frames to '
        'come and swapped sides.',
    )
    parser.add_argument(
        'refiners',
        nargs='+',
        metavar='REFINER',
        help='portable file (.safetensors) or name of a shipped refiner',
    )
    parser.add_argument(
        '--data', required=True, metavar='FILE', help='flat .npz with truth'
    )
    parser.add_argument(
        '--tune',
        metavar='FILE',
        help='the same of the training split, to tune the filters on. '
        'Default: they have their usual settings',
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
        help='for keypoints that a refiner does not know: '
        f'{", ".join(BANK)}, or {NO_FILTER}: as they are. Default: '
        '%(default)s',
    )
    parser.add_argument(
        '--root',
        nargs='+',
        default=[],
        metavar='KEYPOINT',
        help='compare poses relative to the mean of these keypoints',
    )
    parser.add_argument('--device', default='cpu', help='default: cpu')
    parser.add_argument(
        '-o', '--out', required=True, metavar='FOLDER', help='for the report'
    )
    return parser


def _request(args: argparse.Namespace) -> Request:
    return Request(
        refiners=args.refiners,
        data=args.data,
        tune=args.tune,
        curves=args.curves,
        others=args.others,
        root=args.root,
        device=args.device,
        progress=True,
    )
