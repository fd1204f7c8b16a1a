"""The command line, ``hanet-mm``."""

import argparse
import sys
from typing import List, Optional

from .export import export_refiner
from .refine_files import refine_file


def main(argv: Optional[List[str]] = None) -> int:
    """Run a subcommand.

    Args:
        argv: Arguments without the name of the program. Defaults to None:
            those of the process.

    Returns:
        0, or 1 after an error, which is one line on stderr.
    """
    args = _build_parser().parse_args(argv)
    try:
        summary = args.run(args)
    except (OSError, ValueError, ImportError) as error:
        # One line, whatever a library put into its message.
        reason = ' '.join(str(error).split())
        sys.stderr.write(f'hanet-mm: error: {reason}\n')
        return 1
    sys.stdout.write(f'{summary}\n')
    return 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='hanet-mm', description='Refine pose sequences with HANet.'
    )
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    _add_refine(commands)
    _add_export(commands)
    return parser


def _add_refine(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'refine',
        help='refine the keypoints in a file',
        description='Refine keypoints of any estimator. The output has the '
        'layout of the input; the keypoints that came are kept as '
        'keypoints_input, and filled marks those that were missing.',
    )
    parser.add_argument(
        'source',
        metavar='IN',
        help='.npz in the flat layout or with keypoints (T, K, D) and '
        "scores (T, K); or .json, MMPose's predictions of a video",
    )
    parser.add_argument('-o', '--out', required=True, metavar='OUT')
    parser.add_argument(
        '--refiner',
        required=True,
        metavar='FILE.safetensors',
        help='made with: hanet-mm export',
    )
    parser.add_argument(
        '--image-size',
        type=int,
        nargs=2,
        metavar=('W', 'H'),
        help="pixels; for refiners with 'image' normalisation, where the "
        'file does not say it',
    )
    parser.add_argument('--device', default='cpu', help='default: cpu')
    parser.set_defaults(run=_refine)


def _add_export(commands: argparse._SubParsersAction) -> None:
    parser = commands.add_parser(
        'export',
        help='make the portable file of a refiner from a checkpoint',
        description='Make the portable file of a refiner from a checkpoint '
        'of a training run. The file needs neither OpenMMLab nor the config.',
    )
    parser.add_argument('checkpoint', metavar='CHECKPOINT')
    parser.add_argument(
        '-o', '--out', required=True, metavar='OUT.safetensors'
    )
    parser.add_argument(
        '--config', help='for a checkpoint that does not hold its config'
    )
    parser.add_argument(
        '--trust-pickle',
        action='store_true',
        help='unpickle the checkpoint, which runs any code that its author '
        "put there; needed for MMEngine's checkpoints under torch < 2.6",
    )
    parser.set_defaults(run=_export)


def _refine(args: argparse.Namespace) -> str:
    summary = refine_file(
        args.source, args.out, args.refiner, args.image_size, args.device
    )
    return f'{args.out}: {summary}'


def _export(args: argparse.Namespace) -> str:
    refiner = export_refiner(
        args.checkpoint, args.out, args.config, args.trust_pickle
    )
    return f'{args.out}: {refiner}'


if __name__ == '__main__':
    sys.exit(main())
