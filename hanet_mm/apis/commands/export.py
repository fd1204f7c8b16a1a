# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm export``: make the file of a refiner."""

import argparse
from typing import Any


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'export',
        description='Make the portable file of a refiner from a checkpoint '
        'of a training run. The file needs neither OpenMMLab nor the config. '
        'Or, with --onnx, write the network of a refiner for other programs.',
    )
    parser.add_argument(
        'checkpoint',
        nargs='+',
        metavar='CHECKPOINT',
        help='several of one training: the mean of their weights; with '
        '--onnx and without -o a bundled refiner or a portable file',
    )
    parser.add_argument('-o', '--out', metavar='OUT.safetensors')
    parser.add_argument(
        '--onnx',
        metavar='OUT.onnx',
        help='write the network too, as an ONNX graph for any number of '
        'windows, and compare onnxruntime with torch; needs the extra [onnx]',
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
    """Export the refiner; returns the lines to print."""
    if args.out is None and args.onnx is None:
        raise ValueError('expected -o OUT.safetensors or --onnx OUT.onnx')
    if args.out is None:
        refiner, lines = _load(args), []
    else:
        refiner = _export(args)
        lines = [f'{args.out}: {refiner}']
    if args.onnx is not None:
        from hanet_mm.apis.onnx_file import write_onnx
        from hanet_mm.core.nn.engines import OPSET

        error = write_onnx(refiner, args.onnx)
        lines.append(
            f'{args.onnx}: opset {OPSET}, windows of {refiner.window_size} '
            f'frames in batches of any size; onnxruntime differs from torch '
            f'by {error:.0e} of the largest value'
        )
    return '\n'.join(lines)


def _load(args: argparse.Namespace) -> Any:
    from hanet_mm.core.refine.refiner import load_refiner

    if len(args.checkpoint) > 1 or args.gate or args.trust or args.fps:
        raise ValueError(
            'several checkpoints, --fps, --gate and --trust make a refiner: '
            'expected -o OUT.safetensors'
        )
    return load_refiner(args.checkpoint[0])


def _export(args: argparse.Namespace) -> Any:
    from hanet_mm.apis.export import export_refiner

    return export_refiner(
        args.checkpoint[0],
        args.out,
        args.config,
        args.trust_pickle,
        args.fps,
        args.gate,
        args.trust,
        args.checkpoint[1:],
    )
