# Copyright (c) hanet_mm contributors. All rights reserved.
"""Use the core where no OpenMMLab package is installed; exit 1 if it fails.

Makes a small untrained refiner, writes its portable file, loads it again and
refines a random sequence with gaps. CI runs this in an environment that holds
nothing but ``pip install .``.
"""

import sys
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

import hanet_mm

OPENMMLAB = ('mmengine', 'mmcv', 'mmdet', 'mmpose')
FRAMES, KEYPOINTS, COORDINATES = 23, 15, 2


def is_installed(name: str) -> bool:
    """Whether a package can be found."""
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def build_refiner() -> hanet_mm.Refiner:
    """Return a small refiner with random weights."""
    torch.manual_seed(0)
    shape = dict(
        num_keypoints=KEYPOINTS, coord_dims=COORDINATES, embed_dims=16
    )
    network = dict(
        backbone=dict(**shape, num_levels=2),
        head=dict(**shape, num_layers=1),
        sample_interval=5,
    )
    return hanet_mm.Refiner(network, window_size=11, normalization='box')


def main() -> str:
    """Return what failed, or ''."""
    present = [name for name in OPENMMLAB if is_installed(name)]
    if present:
        return f'expected no OpenMMLab package, found {", ".join(present)}'
    refiner = build_refiner()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / 'refiner.safetensors'
        refiner.save(path)
        loaded = hanet_mm.load_refiner(path)
    shape = (FRAMES, KEYPOINTS, COORDINATES)
    keypoints = np.random.default_rng(0).normal(100, 20, shape)
    keypoints[4:7, 3] = np.nan
    result = loaded.refine(keypoints)
    if result.keypoints.shape != shape or result.filled.sum() != 3:
        return f'expected shape {shape} and 3 filled keypoints, got {result}'
    if not np.isfinite(result.keypoints).all():
        return 'the refined keypoints are not finite'
    expected = refiner.refine(keypoints).keypoints
    if not np.array_equal(result.keypoints, expected):
        return 'the loaded refiner differs from the one that was saved'
    for name in hanet_mm.list_refiners():
        shipped = hanet_mm.load_refiner(name)
        head = shipped.network.head
        person = np.zeros((FRAMES, head.num_keypoints, head.coord_dims))
        person[:] = np.arange(head.num_keypoints)[:, None] / 20
        with warnings.catch_warnings():
            # Points on a line are no person, as the gate says.
            warnings.simplefilter('ignore')
            if not np.isfinite(shipped.refine(person).keypoints).all():
                return f'{name}: the refined keypoints are not finite'
    print(
        f'core works: hanet_mm {hanet_mm.__version__} at '
        f'{Path(hanet_mm.__file__).parent}, torch {torch.__version__}, '
        f'numpy {np.__version__}: {result}'
    )
    return ''


if __name__ == '__main__':
    sys.exit(main() or None)
