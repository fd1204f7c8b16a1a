"""Convert PoseTrack's annotation and an estimator's output.

python tools/dataset_converters/posetrack.py \
    posetrack18/annotations/val dcpose_val.json \
    data/posetrack18/posetrack18_dcpose_val.npz \
    --dataset posetrack18 --split val --images posetrack18
"""

import argparse
import logging
import sys

from hanet_mm.datasets.converters.posetrack import convert_posetrack
from hanet_mm.datasets.converters.posetrack_report import PUBLISHED_VIDEOS


def main() -> None:
    """Run the converter on the command line's arguments."""
    args = vars(_parser().parse_args())
    if args['image_size'] is not None:
        args['image_size'] = tuple(args['image_size'])
    logging.basicConfig(level=logging.INFO, format='%(message)s')
    logger = logging.getLogger(__name__)
    try:
        notes = convert_posetrack(**args, progress=True)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    for note in notes:
        warn = note.startswith('WARNING')
        logger.log(logging.WARNING if warn else logging.INFO, note)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        'annotations', help="folder of PoseTrack's JSON files, or one file"
    )
    parser.add_argument(
        'predictions', help="the estimator's JSON file, or a folder of them"
    )
    parser.add_argument('out', help='flat .npz to write')
    parser.add_argument(
        '--dataset', choices=sorted(PUBLISHED_VIDEOS), required=True
    )
    parser.add_argument(
        '--split',
        choices=('train', 'val'),
        help='compare the number of videos with the published one',
    )
    parser.add_argument(
        '--images',
        help='folder to which the names of the images are relative: read '
        'their sizes where the annotation has none',
    )
    parser.add_argument(
        '--image-size',
        type=int,
        nargs=2,
        metavar=('W', 'H'),
        help='of all videos, where neither says it',
    )
    parser.add_argument(
        '--track-ids',
        dest='use_track_ids',
        action='store_true',
        help="follow persons by the estimator's track ids; without it, by "
        'the likeness of poses from frame to frame',
    )
    parser.add_argument('--estimator', help='what to call the estimator')
    parser.add_argument('--fps', type=float, default=25.0)
    return parser


if __name__ == '__main__':
    main()
