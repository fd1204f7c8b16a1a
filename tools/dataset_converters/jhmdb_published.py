"""Convert the published JHMDB pose files to the flat layout.

python tools/dataset_converters/jhmdb_published.py \
    jhmdb_gt_test.npz jhmdb_simplebaseline_test.npz data/jhmdb_test.npz \
    --trust-pickle --splits splits --split 1 --subset test
"""

import argparse

from hanet_mm.datasets.converters.command import add_jhmdb_arguments, run_jhmdb
from hanet_mm.datasets.converters.jhmdb_published import (
    convert_published_jhmdb,
)


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('gt', help='ground truth, jhmdb_gt_{train,test}.npz')
    parser.add_argument('det', help='jhmdb_<estimator>_{train,test}.npz')
    add_jhmdb_arguments(parser)
    parser.add_argument(
        '--keep-repeated',
        action='store_true',
        help='keep sequences that repeat a clip, as the published figures do',
    )
    args = parser.parse_args()
    run_jhmdb(
        args,
        convert_published_jhmdb,
        gt_path=args.gt,
        det_path=args.det,
        keep_repeated=args.keep_repeated,
    )


if __name__ == '__main__':
    main()
