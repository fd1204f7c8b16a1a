# Copyright (c) hanet_mm contributors. All rights reserved.
"""How pose files are read: options that commands have in common."""

import argparse
from typing import Any, Dict

from hanet_mm.apis.formats import FORMATS
from hanet_mm.core.nn.settings import ENGINES
from hanet_mm.core.poses.skeleton_data import SKELETONS


def add_engine(parser: Any) -> None:
    """Add the option that says what runs the refiner's network."""
    parser.add_argument(
        '--engine',
        choices=ENGINES,
        default='torch',
        help='what runs the network of the refiner, the latter two on the '
        'CPU and with the extras [onnx] and [openvino] (default: torch)',
    )


def add_reading(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    group = parser.add_argument_group('input')
    group.add_argument(
        '--format', choices=FORMATS, help='input format. Default: by content'
    )
    group.add_argument(
        '--skeleton',
        metavar='NAME|FILE.json',
        help='skeleton of the input, if it has no keypoint names: '
        f'{", ".join(SKELETONS)}, or a file {{"name": ..., '
        '"keypoint_names": [...], "links": [[a, b], ...]}',
    )
    group.add_argument(
        '--track',
        action='store_true',
        help='track persons if the input has no ids',
    )
    group.add_argument(
        '--image-size',
        type=int,
        nargs=2,
        metavar=('W', 'H'),
        help='pixels, if the file does not contain it; for coordinates that '
        "are fractions of the image and for refiners with 'image' "
        'normalisation',
    )
    group.add_argument(
        '--dims',
        type=int,
        choices=(2, 3),
        help='what three numbers of a keypoint are: 2 for x, y and a score, '
        '3 for x, y, z. Default: by their values',
    )
    group.add_argument(
        '--trust-pickle',
        action='store_true',
        help='load pickles, which can run any code: only of files that you '
        'trust',
    )


def reading_options(args: argparse.Namespace) -> Dict[str, Any]:
    """Arguments of :func:`hanet_mm.apis.formats.open_poses`."""
    return dict(
        format=args.format,
        image_size=args.image_size,
        tracker=_make_tracker() if args.track else None,
        dims=args.dims,
        trust_pickle=args.trust_pickle,
    )


def _make_tracker() -> Any:
    from hanet_mm.apis.tracking import PoseTracker

    return PoseTracker()
