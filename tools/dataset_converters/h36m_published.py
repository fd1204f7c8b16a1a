"""Convert the published Human3.6M pose files to the flat layout.

python tools/dataset_converters/h36m_published.py \
    h36m_gt_test.npz h36m_fcn_test.npz data/h36m/h36m_fcn_test.npz \
    --trust-pickle
"""

import argparse
from functools import partial

from hanet_mm.datasets.converters.command import (
    add_arguments,
    add_units,
    run,
)
from hanet_mm.datasets.converters.published_3d import convert_published_3d


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('gt', help='ground truth, h36m_gt_{train,test}.npz')
    parser.add_argument('det', help='h36m_<estimator>_{train,test}.npz')
    add_arguments(parser, fps=50.0)
    add_units(parser)
    parser.add_argument(
        '--right-leg-first',
        action='store_true',
        help='joints 1 to 3 are the right leg, not the left one',
    )
    args = parser.parse_args()
    run(
        args,
        partial(convert_published_3d, 'h36m'),
        gt_path=args.gt,
        det_path=args.det,
        units=args.units,
        right_leg_first=args.right_leg_first,
        progress=True,
    )


if __name__ == '__main__':
    main()
