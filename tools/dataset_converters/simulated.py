"""Write simulated people and estimators as a file, to measure refiners on.

python tools/dataset_converters/simulated.py \
    configs/hanet/portable/hanet-plus_simulated-49frm_1xb64-9k_coco17-2d.py \
    data/simulated/coco17_test.npz --split test
"""

import argparse
import sys

from mmengine.config import Config

from hanet_mm.datasets.converters.simulated import write_simulated


def main() -> None:
    """Run the converter on the command line's arguments."""
    args = _parser().parse_args()
    try:
        loader = Config.fromfile(args.config)[f'{args.split}_dataloader']
        options = dict(loader.dataset)
        for key in ('type', 'pipeline', 'test_mode'):
            options.pop(key, None)
        for key in ('ann_file', 'num_windows', 'window_size', 'part'):
            value = getattr(args, key)
            if value is not None:
                options[key] = value
        sequences = write_simulated(args.out, options, progress=True)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {error}')
    print(f'{args.out}: {sequences}')


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='with SimulatedPoseSequenceDataset')
    parser.add_argument('out', help='the .npz to write')
    parser.add_argument(
        '--split', default='test', choices=('train', 'val', 'test')
    )
    # In place of what the config says.
    parser.add_argument('--ann-file', help='file of captured motion')
    parser.add_argument('--part', help='recordings: train, val or test')
    parser.add_argument('--num-windows', type=int, help='sequences')
    parser.add_argument('--window-size', type=int, help='frames of each')
    return parser


if __name__ == '__main__':
    main()
