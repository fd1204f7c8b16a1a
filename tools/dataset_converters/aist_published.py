"""Convert the published AIST++ pose files to the flat layout.

python tools/dataset_converters/aist_published.py \
    aist_gt_test.npz aist_spin_test.npz data/aist/aist_spin_test.npz \
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
    parser.add_argument('gt', help='ground truth, aist_gt_{train,test}.npz')
    parser.add_argument('det', help='aist_<estimator>_{train,test}.npz')
    add_arguments(parser, fps=60.0)
    add_units(parser)
    add_smpl(parser)
    args = parser.parse_args()
    convert = convert_published_smpl if args.smpl else convert_published_3d
    run(
        args,
        partial(convert, 'aist'),
        gt_path=args.gt,
        det_path=args.det,
        units=args.units,
        progress=True,
    )


if __name__ == '__main__':
    main()
