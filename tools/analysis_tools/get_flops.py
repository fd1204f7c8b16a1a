# Copyright (c) hanet_mm contributors. All rights reserved.
"""Count parameters and operations of a config's network for one window.

In place of MMPose's ``get_flops.py``, which makes images. A multiplication
with its addition counts as one operation, as there; attention is counted,
which MMEngine's analyzer leaves out.

    python tools/analysis_tools/get_flops.py CONFIG
"""

import argparse

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import torch
    from mmengine.config import Config, DictAction
    from mmengine.registry import init_default_scope
    from mmpose.registry import MODELS
    from torch.nn.attention import SDPBackend, sdpa_kernel
    from torch.utils.flop_counter import FlopCounterMode


def count_operations(cfg: Config, batch_size: int = 1) -> str:
    """Window, operations and parameters of a config as lines of text."""
    init_default_scope('mmpose')
    model = MODELS.build(cfg.model).eval()
    shape = (
        batch_size,
        model.window_size,
        model.head.num_keypoints,
        model.head.coord_dims,
    )
    # The fused kernels of a CPU are not counted, products of matrices are.
    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad(), sdpa_kernel(SDPBackend.MATH):
        model(torch.rand(shape), None, mode='tensor')
    count = sum(x.numel() for x in model.parameters())
    return (
        f'Input shape (windows, frames, keypoints, coordinates): {shape}\n'
        f'Flops: {counter.get_total_flops() / 2e6:.3f} M multiply-adds\n'
        f'Params: {count / 1e6:.3f} M'
    )


def main() -> None:
    """Read the command line and print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('--batch-size', '-b', type=int, default=1)
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        help='settings of the config to change, as in tools/train.py',
    )
    args = parser.parse_args()
    cfg = Config.fromfile(args.config)
    cfg.merge_from_dict(args.cfg_options)
    print(count_operations(cfg, args.batch_size))


if __name__ == '__main__':
    with one_line_interrupts():
        main()
