# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm refine``: refine pose files."""

import argparse
import sys
from pathlib import Path

from hanet_mm.apis.errors import SeveralErrors
from hanet_mm.apis.formats import check_no_address, is_pose_folder
from hanet_mm.apis.refine import RefineOptions, refine_file, refine_folder
from hanet_mm.core.refine.weights_file import DEFAULT_WITH_FEET, DEFAULTS
from hanet_mm.progress import inner_progress

from .output import add_json, add_overwrite, render
from .reading import add_engine, add_reading, reading_options


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'refine',
        description='Refine the keypoints of any pose estimator. The output '
        'has the layout of the input; the input keypoints are kept beside '
        'the refined ones, and filled marks those that were missing.',
    )
    parser.add_argument(
        'source',
        metavar='IN',
        help='predictions of MMPose, results and annotations of COCO, '
        'AlphaPose, MediaPipe, ultralytics (.json); OpenPose, MMPose, labels '
        'of ultralytics (a folder); arrays, SMPL (.npz, .npy); tables, '
        'DeepLabCut, SLEAP (.csv); markers (.trc); or a folder of such files',
    )
    parser.add_argument(
        '-o',
        '--out',
        required=True,
        metavar='OUT',
        help='file, or folder for a folder; an interrupted run over a folder '
        'is resumed',
    )
    _add_method(parser)
    add_reading(parser)
    parser.add_argument(
        '--max-gap',
        type=int,
        metavar='FRAMES',
        help='longest gap of a keypoint that is filled; in longer ones it '
        'stays unchanged. Default: fill all',
    )
    parser.add_argument(
        '--ignore-scores',
        action='store_true',
        help='take from the scores only which keypoints are missing (0)',
    )
    parser.add_argument(
        '--fps',
        type=float,
        help='frames per second, if the file does not contain it; for '
        'refiners with a known training rate, and for filters',
    )
    add_engine(parser)
    parser.add_argument('--device', default='cpu', help='default: cpu')
    parser.add_argument(
        '--workers',
        type=int,
        default=1,
        metavar='N',
        help='processes that work on a folder, each with its share of the '
        'cores; other machines may run the same command. Default: 1',
    )
    add_overwrite(parser, 'in a folder, refine finished files anew')
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> str:
    """Refine a file or a folder; returns a line to print."""
    options = dict(
        refiner=f'filter:{args.filter}' if args.filter else args.refiner,
        device=args.device,
        engine=args.engine,
        skeleton=args.skeleton,
        others=args.others,
        max_gap=args.max_gap,
        fps=args.fps,
        ignore_scores=args.ignore_scores,
        unswap=args.unswap,
        **reading_options(args),
    )
    check_no_address(args.source)
    source = Path(args.source)
    if not source.is_dir() or is_pose_folder(source):
        with inner_progress(source.name):
            summary = refine_file(source, args.out, **options)
        return render(args, summary)
    total = refine_folder(
        source,
        args.out,
        RefineOptions(**options),
        progress=True,
        workers=args.workers,
        overwrite=args.overwrite,
    )
    if total.failed:
        if args.json:
            sys.stdout.write(f'{render(args, total)}\n')
        raise SeveralErrors(f'{args.out}: {total}')
    return render(args, total)


def _add_method(parser: argparse.ArgumentParser) -> None:
    method = parser.add_mutually_exclusive_group()
    method.add_argument(
        '--refiner',
        metavar='NAME|FILE.safetensors',
        help='name of a bundled refiner, see hanet-mm models, or a file made '
        f'with hanet-mm export. Default: {DEFAULTS[2]}, with feet '
        f'{DEFAULT_WITH_FEET}, for 3D {DEFAULTS[3]}; rotations are '
        'smoothed by their noise',
    )
    method.add_argument(
        '--filter',
        metavar='NAME[:ARGUMENT=NUMBER,...]',
        help='a classical filter instead: savgol, butterworth, gaussian, '
        'one_euro, median, kalman, median_butterworth',
    )
    parser.add_argument(
        '--unswap',
        action='store_true',
        help='undo swaps of left and right before the filter; needs known '
        'keypoint names, see --skeleton',
    )
    parser.add_argument(
        '--others',
        metavar='NAME[:ARGUMENT=NUMBER,...]',
        help='filter for keypoints unknown to the refiner, which otherwise '
        'stay unchanged',
    )
