# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm config``: where a config of this package lies."""

import argparse

from hanet_mm.apis.config_files import config_path, list_configs


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'config',
        description='Print the path of a config that comes with the package, '
        'for the tools of MMPose: mim train mmpose $(hanet-mm config NAME). '
        'Without a name, list the configs.',
    )
    parser.add_argument(
        'name',
        metavar='NAME',
        nargs='?',
        help='name of the file, with or without folder and .py',
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> str:
    """The path of one config, or a line for each."""
    if args.name is not None:
        return config_path(args.name)
    return '\n'.join(list_configs()) or 'no configs'
