"""``hanet-mm models``: the refiners that come with the package."""

import argparse

from hanet_mm.core.refine.weights_file import (
    list_refiners,
    refiner_card,
    summarize_refiner,
)


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'models',
        help='list the refiners that come with the package',
        description='List the refiners that come with the package, or print '
        'the model card of one: what it was trained on and how, its figures, '
        'limits and licence.',
    )
    parser.add_argument(
        'name', metavar='NAME', nargs='?', help='of the refiner'
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> str:
    """Run the subcommand.

    Returns:
        str: A line for each refiner, or the card of one.

    Raises:
        ValueError: If there is none of that name.
    """
    if args.name is not None:
        return refiner_card(args.name).rstrip()
    names = list_refiners()
    if not names:
        return 'this package has no refiners'
    width = max(map(len, names))
    return '\n'.join(f'{x:{width}}  {summarize_refiner(x)}' for x in names)
