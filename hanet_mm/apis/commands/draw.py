# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm draw``: poses on their video."""

import argparse
from pathlib import Path
from typing import Optional

from .output import add_output, choose_output
from .reading import reading_options
from .view import add_recording


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'draw',
        description='Draw the poses in a file on their video; of a refined '
        'file the poses before and after refinement, side by side.',
    )
    parser.add_argument(
        'video',
        metavar='VIDEO',
        help='video, its address (http, rtsp), or folder of pictures',
    )
    parser.add_argument(
        'source', metavar='POSES', help='2D, in any format that refine reads'
    )
    add_output(
        parser,
        'OUT.mp4',
        'VIDEO_poses.mp4 in the working directory; with --show none',
    )
    parser.add_argument(
        '--show', action='store_true', help='show it in a window; q ends it'
    )
    add_recording(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> str:
    """Draw; returns a line to print."""
    from hanet_mm.apis.look.overlay import draw_poses
    from hanet_mm.visualization.window import check_screen

    if args.show:
        check_screen()
    out: Optional[Path] = None
    if args.out is not None or not args.show:
        stem = Path(args.video.partition('?')[0]).stem
        name = f'{stem}_poses.mp4'
        given = args.video, args.source, args.before
        out = choose_output(args, name, given)
    summary = draw_poses(
        args.video,
        args.source,
        out,
        args.before,
        args.skeleton,
        args.fps,
        args.show,
        progress=True,
        **reading_options(args),
    )
    return str(summary)
