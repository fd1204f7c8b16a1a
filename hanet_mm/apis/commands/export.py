# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm export``: make the portable file of a refiner."""

import argparse

from hanet_mm.apis.export import export_refiner


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'export',
        description='Make the portable file of a refiner from a checkpoint '
        'of a training run. The file needs neither OpenMMLab nor the config.',
    )
    parser.add_argument(
        'checkpoint',
        nargs='+',
        metavar='CHECKPOINT',
        help='several of one training: the mean of their weights',
    )
    parser.add_argument(
        '-o', '--out', required=True, metavar='OUT.safetensors'
    )
    parser.add_argument(
        '--config', help='config of a checkpoint that does not contain it'
    )
    parser.add_argument(
        '--trust-pickle',
        action='store_true',
        help='unpickle the checkpoint, which runs any code in it; needed for '
        "MMEngine's checkpoints under torch < 2.6",
    )
    parser.add_argument(
        '--fps',
        type=float,
        help='frame rate of the training data; sequences of another rate are '
        'resampled to it',
    )
    parser.add_argument(
        '--gate',
        action='store_true',
        help='fit a gate to the training data: sequences unlike them are '
        'smoothed with a classical filter instead',
    )
    parser.add_argument(
        '--trust',
        action='store_true',
        help='undo swaps of left and right first, and limit corrections to '
        'what a sequence gives evidence of; for training with limited_loss',
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> str:
    """Export the refiner; returns a line to print."""
    refiner = export_refiner(
        args.checkpoint[0],
        args.out,
        args.config,
        args.trust_pickle,
        args.fps,
        args.gate,
        args.trust,
        args.checkpoint[1:],
    )
    return f'{args.out}: {refiner}'
