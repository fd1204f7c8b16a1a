# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm view``: a page to look at poses."""

import argparse
from pathlib import Path

from .output import add_output, choose_output
from .reading import add_reading, reading_options


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'view',
        description='Make a page (HTML, opened in any browser, without '
        'network) to look at the poses in a file: skeletons before and after '
        'refinement with a time slider, curves of each joint, and what was '
        'filled, swapped or an outlier.',
    )
    parser.add_argument(
        'source', metavar='POSES', help='in any format that refine reads'
    )
    add_output(
        parser, 'OUT.html', 'named after POSES, in the working directory'
    )
    add_recording(parser)
    parser.set_defaults(run=run)


def add_recording(parser: argparse.ArgumentParser) -> None:
    """Add the options of what is shown of a pose file."""
    parser.add_argument(
        '--before',
        metavar='FILE',
        help='the poses before refinement. Default: those that a refined '
        'file keeps',
    )
    parser.add_argument(
        '--fps', type=float, help='frames per second, if not in the file'
    )
    add_reading(parser)


def run(args: argparse.Namespace) -> str:
    """Write the page; returns a line to print."""
    from hanet_mm.apis.look.recording import read_recording
    from hanet_mm.visualization.viewer import write_viewer

    name = f'{Path(args.source).stem}.html'
    out = choose_output(args, name, [args.source, args.before])
    recording = read_recording(
        args.source,
        args.before,
        args.skeleton,
        args.fps,
        **reading_options(args),
    )
    write_viewer(out, recording)
    return f'{out}: {recording.describe()}; open it in a browser'
