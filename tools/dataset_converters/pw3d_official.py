"""Convert 3DPW's own annotation to the flat layout.

python tools/dataset_converters/pw3d_official.py \
    3DPW/sequenceFiles test data/pw3d/pw3d_pare_test.npz --trust-pickle \
    --estimates pare
"""

import argparse

from hanet_mm.datasets.converters.command import add_arguments, add_smpl, run
from hanet_mm.datasets.converters.pw3d_official import (
    SUBSETS,
    convert_official_pw3d,
)


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'sequence_files', help='folder of {train,validation,test}/*.pkl'
    )
    parser.add_argument('subset', choices=SUBSETS)
    add_arguments(parser, fps=30.0)
    add_smpl(parser)
    parser.add_argument(
        '--estimates',
        help='folder of <sequence>_<person>.npz; without it the truth is '
        'written as the estimate',
    )
    args = parser.parse_args()
    run(
        args,
        convert_official_pw3d,
        sequence_files=args.sequence_files,
        subset=args.subset,
        estimates=args.estimates,
        smpl=args.smpl,
        progress=True,
    )


if __name__ == '__main__':
    main()
