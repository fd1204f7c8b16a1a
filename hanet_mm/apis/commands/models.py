# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm models``: list the bundled refiners."""

import argparse
import json

from hanet_mm.core.refine.weights_file import (
    list_refiners,
    refiner_card,
    summarize_refiner,
)

from .output import add_json


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'models',
        description='List the bundled refiners, or print the model card of '
        'one: training data, results, limits and licence.',
    )
    parser.add_argument(
        'name', metavar='NAME', nargs='?', help='name of a refiner'
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> str:
    """A line for each refiner, or the card of one."""
    if args.name is not None:
        card = refiner_card(args.name).rstrip()
        return (
            json.dumps(dict(name=args.name, card=card)) if args.json else card
        )
    names = list_refiners()
    if args.json:
        return json.dumps(
            [dict(name=x, summary=summarize_refiner(x)) for x in names]
        )
    if not names:
        return 'no bundled refiners'
    width = max(map(len, names))
    return '\n'.join(f'{x:{width}}  {summarize_refiner(x)}' for x in names)
