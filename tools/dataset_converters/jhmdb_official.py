"""Convert JHMDB's joint_positions tree and MMPose's predictions.

python tools/dataset_converters/jhmdb_official.py \
    JHMDB/joint_positions predictions data/jhmdb_test.npz \
    --splits JHMDB/splits --split 1 --subset test
"""

import argparse

from hanet_mm.datasets.converters.command import add_jhmdb_arguments, run_jhmdb
from hanet_mm.datasets.converters.jhmdb_official import convert_official_jhmdb


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'joint_positions', help='root of <action>/<clip>/joint_positions.mat'
    )
    parser.add_argument(
        'predictions', help="folder of MMPose's JSON files, or a .pkl dump"
    )
    add_jhmdb_arguments(parser)
    parser.add_argument(
        '--image-size',
        type=int,
        nargs=2,
        default=(320, 240),
        metavar=('W', 'H'),
    )
    args = parser.parse_args()
    run_jhmdb(
        args,
        convert_official_jhmdb,
        joint_positions=args.joint_positions,
        predictions=args.predictions,
        image_size=tuple(args.image_size),
        progress=True,
    )


if __name__ == '__main__':
    main()
