"""The command line, ``hanet-mm``."""

import argparse
import sys
from typing import List, Optional

from .commands import compare, extract, models, refine, video
from .export import export_refiner


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
    refine.add_parser(commands)
    video.add_parser(commands)
    compare.add_parser(commands)
    extract.add_parser(commands)
    models.add_parser(commands)
    _add_export(commands)
    return parser


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
    parser.add_argument(
        '--fps',
        type=float,
        help='frame rate of the training data: sequences of another rate are '
        'resampled to it',
    )
    parser.add_argument(
        '--gate',
        action='store_true',
        help='leave sequences unlike the training data, which are read for '
        'this, to a classical filter',
    )
    parser.set_defaults(run=_export)


def _export(args: argparse.Namespace) -> str:
    refiner = export_refiner(
        args.checkpoint,
        args.out,
        args.config,
        args.trust_pickle,
        args.fps,
        args.gate,
    )
    return f'{args.out}: {refiner}'


if __name__ == '__main__':
    sys.exit(main())
