"""``hanet-mm refine``: refine files of keypoints."""

import argparse
from pathlib import Path

from hanet_mm.apis.formats import FORMATS
from hanet_mm.apis.formats.people import is_openpose_folder
from hanet_mm.apis.refine_files import (
    RefineOptions,
    check_names,
    refine_poses,
)
from hanet_mm.apis.refine_folders import refine_folder
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.weights_file import DEFAULTS


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand.

    Args:
        commands: What ``add_subparsers`` returned.
    """
    parser = commands.add_parser(
        'refine',
        help='refine the keypoints in a file',
        description='Refine keypoints of any estimator. The output has the '
        'layout of the input; the keypoints that came are kept beside the '
        'refined ones, and filled marks those that were missing.',
    )
    parser.add_argument(
        'source',
        metavar='IN',
        help="predictions of MMPose, results in COCO's format, AlphaPose, "
        'OpenPose (a folder), MediaPipe (.json); arrays (.npz, .npy); tables '
        '(.csv); or a folder of such files',
    )
    parser.add_argument(
        '-o',
        '--out',
        required=True,
        metavar='OUT',
        help='file, or folder for a folder; a run over a folder that was '
        'cut off goes on',
    )
    method = parser.add_mutually_exclusive_group()
    method.add_argument(
        '--refiner',
        metavar='NAME|FILE.safetensors',
        help='name of a refiner of the package, see hanet-mm models, or a '
        'file, made with: hanet-mm export. Default: '
        f'{DEFAULTS[2]}, for 3D {DEFAULTS[3]}',
    )
    method.add_argument(
        '--filter',
        metavar='NAME[:ARGUMENT=NUMBER,...]',
        help='a classical filter instead: savgol, butterworth, gaussian, '
        'one_euro, median, kalman, median_butterworth',
    )
    _add_reading(parser)
    parser.add_argument(
        '--others',
        metavar='NAME[:ARGUMENT=NUMBER,...]',
        help='filter for the keypoints that the refiner does not know; '
        'without it they stay as they are',
    )
    parser.add_argument(
        '--max-gap',
        type=int,
        metavar='FRAMES',
        help='fill gaps of a keypoint up to this long; in longer ones it '
        'stays as it came. Default: fill all',
    )
    parser.add_argument(
        '--fps',
        type=float,
        help='frames per second, where the file does not say it; for a '
        'refiner that knows the rate it was trained at, and for filters',
    )
    parser.add_argument('--device', default='cpu', help='default: cpu')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> str:
    """Refine what the arguments say.

    Returns:
        str: A line to print.

    Raises:
        OSError: If a file is not there or cannot be written.
        ValueError: If a file is wrong; for a folder, after all others.
    """
    options = RefineOptions(
        refiner=f'filter:{args.filter}' if args.filter else args.refiner,
        image_size=args.image_size,
        device=args.device,
        format=args.format,
        skeleton=args.skeleton,
        others=args.others,
        tracker=_make_tracker() if args.track else None,
        max_gap=args.max_gap,
        fps=args.fps,
    )
    source = Path(args.source)
    if source.is_dir() and not is_openpose_folder(source):
        summary = refine_folder(source, args.out, options, progress=True)
        if summary.failed:
            raise ValueError(f'{args.out}: {summary}')
        return f'{args.out}: {summary}'
    check_names(source, args.out)
    done = refine_poses(source, args.out, options.load())
    return f'{args.out}: {done}'


def _add_reading(parser: argparse.ArgumentParser) -> None:
    """Add what tells how to read the input."""
    parser.add_argument(
        '--format',
        choices=FORMATS,
        help='of the input. Default: by its content',
    )
    parser.add_argument(
        '--skeleton',
        metavar='NAME|FILE.json',
        help='of the input, where it has no names of keypoints: '
        f'{", ".join(SKELETONS)}, or a file {{"name": ..., '
        '"keypoint_names": [...], "links": [[a, b], ...]}',
    )
    parser.add_argument(
        '--track',
        action='store_true',
        help='tell persons apart where the input does not; needs MMDet',
    )
    parser.add_argument(
        '--image-size',
        type=int,
        nargs=2,
        metavar=('W', 'H'),
        help="pixels; for refiners with 'image' normalisation and for "
        'MediaPipe, where the file does not say it',
    )


def _make_tracker():
    from hanet_mm.apis.tracking import PoseTracker

    return PoseTracker()
