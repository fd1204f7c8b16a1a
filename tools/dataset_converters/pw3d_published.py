"""Convert the published 3DPW pose files to the flat layout.

python tools/dataset_converters/pw3d_published.py \
    pw3d_gt_test.npz pw3d_pare_test.npz data/pw3d/pw3d_pare_test.npz \
    --trust-pickle
"""

import argparse
from functools import partial

from hanet_mm.datasets.converters.command import (
    add_arguments,
    add_smpl,
    add_units,
    run,
)
from hanet_mm.datasets.converters.published_3d import convert_published_3d
from hanet_mm.datasets.converters.published_smpl import convert_published_smpl


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('gt', help='ground truth, pw3d_gt_{train,test}.npz')
    parser.add_argument('det', help='pw3d_<estimator>_{train,test}.npz')
    add_arguments(parser, fps=30.0)
    add_units(parser)
    add_smpl(parser)
    parser.add_argument(
        '--right-leg-first',
        action='store_true',
        help='joints 1 to 3 are the right leg, not the left one; without '
        '--smpl',
    )
    args = parser.parse_args()
    if args.smpl and args.right_leg_first:
        parser.error('--right-leg-first: not with --smpl')
    convert, more = convert_published_smpl, {}
    if not args.smpl:
        convert = convert_published_3d
        more = dict(right_leg_first=args.right_leg_first)
    run(
        args,
        partial(convert, 'pw3d'),
        gt_path=args.gt,
        det_path=args.det,
        units=args.units,
        progress=True,
        **more,
    )


if __name__ == '__main__':
    main()
