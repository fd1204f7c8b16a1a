# Copyright (c) hanet_mm contributors. All rights reserved.
"""The command line, ``hanet-mm``."""

import sys

try:
    import argparse
    import os
    import traceback
    from importlib import import_module
    from typing import List, Optional

    from hanet_mm.apis.errors import (
        INTERRUPTED,
        describe_error,
        plain_warnings,
        silent_opencv,
    )
    from hanet_mm.progress import silent_progress
    from hanet_mm.version import __version__
except KeyboardInterrupt:
    sys.stderr.write('hanet-mm: interrupted\n')
    raise SystemExit(130) from None

# Modules of hanet_mm.apis.commands; only the one that runs is imported.
COMMANDS = {
    'refine': 'refine the keypoints in a file or folder',
    'video': 'detect, track and refine the poses in a video',
    'compare': 'compare poses before and after refinement',
    'draw': 'draw the poses in a file on their video',
    'view': 'make a page to look at the poses in a file',
    'evaluate': 'measure refiners beside filters on data with truth',
    'extract': 'make a training file for your own estimator',
    'models': 'list the bundled refiners',
    'config': 'print the path of a config of this package',
    'export': 'make the portable file of a refiner from a checkpoint',
    'completion': 'complete commands and options in a shell',
}
# Options of all commands, which may stand before or after its name.
_COMMON = {
    '-q': 'quiet',
    '--quiet': 'quiet',
    '-v': 'verbose',
    '--verbose': 'verbose',
    '--debug': 'debug',
}


def main(argv: Optional[List[str]] = None) -> int:
    """Run a subcommand.

    Args:
        argv: Arguments without the name of the program. Defaults to None:
            those of the process.

    Returns:
        0, 1 after an error, which is one line on stderr, or 130 after an
        interruption. With --debug the traceback of an error follows.
    """
    argv = sys.argv[1:] if argv is None else argv
    # Of any command, before it or after it.
    common = [x for x in argv if x in _COMMON]
    argv = [x for x in argv if x not in _COMMON]
    quiet, verbose, debug = (
        any(_COMMON[x] == name for x in common)
        for name in ('quiet', 'verbose', 'debug')
    )
    source = None
    try:
        with silent_opencv():
            args = _build_parser(argv).parse_args(argv)
            source = getattr(args, 'source', None)
            args.verbose = verbose
            with plain_warnings(shown=not quiet), silent_progress(quiet):
                summary = args.run(args)
        if not quiet or getattr(args, 'json', False):
            sys.stdout.write(f'{summary}\n')
            sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write('hanet-mm: interrupted\n')
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever reads the output has read enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:
        text = describe_error(error, source)
        sys.stderr.write(f'hanet-mm: error: {text}\n')
        if debug:
            traceback.print_exc()
        return 1
    return 0


def _build_parser(
    argv: List[str], everything: bool = False
) -> argparse.ArgumentParser:
    """The parser, with the options of the command that runs, or of all."""
    parser = argparse.ArgumentParser(
        prog='hanet-mm', description='Refine pose sequences with HANet.'
    )
    parser.add_argument(
        '--version', action='version', version=f'hanet_mm {__version__}'
    )
    group = parser.add_argument_group('with any command')
    for names, text in (
        (('-q', '--quiet'), 'say nothing but errors (and JSON)'),
        (('-v', '--verbose'), 'say more, such as settings of the refiner'),
        (('--debug',), 'show the traceback of an error'),
    ):
        group.add_argument(*names, action='store_true', help=text)
    commands = parser.add_subparsers(required=True, metavar='COMMAND')
    for name, text in COMMANDS.items():
        if everything or name in argv[:1]:
            module = import_module(f'hanet_mm.apis.commands.{name}')
            module.add_parser(commands)
        else:
            commands.add_parser(name, help=text)
    return parser


if __name__ == '__main__':
    sys.exit(main())
