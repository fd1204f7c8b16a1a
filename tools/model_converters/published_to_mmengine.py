# Copyright (c) hanet_mm contributors. All rights reserved.
"""Convert a published HANet checkpoint to MMEngine.

python tools/model_converters/published_to_mmengine.py \
    EP68_checkpoint.pth.tar config_jhmdb_simplebaseline_2D.yaml \
    -o checkpoints
"""

import argparse
import sys

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    from hanet_mm.apis.convert_published import convert_published


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('checkpoint', help='published .pth.tar')
    parser.add_argument('config', help='the .yaml that it was trained with')
    parser.add_argument(
        '-o',
        '--out-dir',
        required=True,
        help='folder for the checkpoint (.pth) and its config (.py)',
    )
    args = parser.parse_args()
    try:
        paths = convert_published(args.checkpoint, args.config, args.out_dir)
    except (OSError, ValueError) as error:
        sys.exit(f'error: {" ".join(str(error).split())}')
    sys.stdout.write('wrote {} and {}\n'.format(*paths))


if __name__ == '__main__':
    with one_line_interrupts():
        main()
