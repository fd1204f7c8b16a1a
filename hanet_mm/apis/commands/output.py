# Copyright (c) hanet_mm contributors. All rights reserved.
"""Where commands write: what they have in common.

A file that is named with ``-o`` is replaced, whole or not at all; one whose
name the user did not give is not, unless told so.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Iterable, Optional

from hanet_mm.core.data.atomic import check_output


def add_output(
    parser: argparse.ArgumentParser, metavar: str, default: str
) -> None:
    """Add the options of an output that need not be named."""
    parser.add_argument(
        '-o',
        '--out',
        metavar=metavar,
        help='replaced if it is there. Default: ' + default,
    )
    add_overwrite(parser, 'replace an output of the default name too')


def add_overwrite(parser: argparse.ArgumentParser, text: str) -> None:
    """Add the option to replace what is replaced only if told so."""
    parser.add_argument('--overwrite', action='store_true', help=text)


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option to print JSON."""
    parser.add_argument(
        '--json', action='store_true', help='print JSON, not text'
    )


def render(args: argparse.Namespace, summary: Any) -> str:
    """A summary of an output as the user wants it: for everybody, for experts
    (-v), or as JSON.
    """
    if args.json:
        return json.dumps(dict(out=str(args.out), **summary.to_dict()))
    text = str(summary) if args.verbose else summary.brief
    return f'{args.out}: {text}'


def choose_output(
    args: argparse.Namespace, default: str, sources: Iterable[Optional[str]]
) -> Path:
    """The path to write to.

    Raises:
        ValueError: If it is an input.
        FileExistsError: If the file of the default name is there.
    """
    out = Path(args.out or default)
    check_output(out, [x for x in sources if x])
    check_unnamed(args, [out])
    return out


def check_unnamed(
    args: argparse.Namespace, files: Iterable[Path], more: str = ''
) -> None:
    """Refuse to replace files whose names the user did not give; ``more``
    names another way out.

    Raises:
        FileExistsError: If one is there.
    """
    if args.out is not None or args.overwrite:
        return
    for path in files:
        if path.exists():
            raise FileExistsError(
                f'{path}: is there already: expected -o, or --overwrite to '
                f'replace it{more}'
            )
