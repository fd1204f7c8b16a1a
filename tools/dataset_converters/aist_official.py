"""Convert AIST++'s own annotation to the flat layout.

python tools/dataset_converters/aist_official.py \
    AIST++/annotations pose_test data/aist/aist_spin_test.npz \
    --trust-pickle --views c01 --estimates spin
"""

import argparse

from hanet_mm.datasets.converters.aist_official import (
    KEYPOINTS,
    VIEWS,
    convert_official_aist,
)
from hanet_mm.datasets.converters.command import (
    add_arguments,
    add_smpl,
    add_units,
    run,
)


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'annotations', help='folder of splits, keypoints3d, motions, cameras'
    )
    parser.add_argument('split', help='a list in splits, such as pose_test')
    add_arguments(parser, fps=60.0)
    add_units(parser, default='cm')
    add_smpl(parser)
    parser.add_argument(
        '--views',
        nargs='+',
        choices=VIEWS,
        default=(),
        help='cameras, each gives a sequence; without them one sequence in '
        "the studio's coordinates",
    )
    parser.add_argument('--keypoints', choices=KEYPOINTS, default=KEYPOINTS[0])
    parser.add_argument(
        '--estimates',
        help='folder of <sequence>.npz; without it the truth is written as '
        'the estimate',
    )
    args = parser.parse_args()
    run(
        args,
        convert_official_aist,
        annotations=args.annotations,
        split=args.split,
        estimates=args.estimates,
        smpl=args.smpl,
        views=args.views,
        keypoints=args.keypoints,
        units=args.units,
        progress=True,
    )


if __name__ == '__main__':
    main()
