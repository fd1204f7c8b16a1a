# Copyright (c) hanet_mm contributors. All rights reserved.
"""Train the refiner of the small world on the estimator's own output.

    python tests/small_world/make_refiner.py

Needs the weights that make_weights.py leaves; takes about six minutes on one
CPU thread. The figures on held-out clips go to the log.
"""

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Optional

import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook
from mmengine.logging import print_log
from mmengine.runner import Runner
from tqdm import tqdm

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from small_world import models
from small_world.estimates import (
    compare,
    estimate_clip,
    load_models,
)
from small_world.render import make_clip

from hanet_mm.apis.export import export_refiner
from hanet_mm.core.data.sequences import (
    PoseSequences,
    load_pose_sequences,
    save_pose_sequences,
)
from hanet_mm.core.refine.refiner import load_refiner
from hanet_mm.core.refine.weights_file import write_portable

# Seeds of clips: no other script uses them, and tests use small ones.
_FIRST_SEEDS = dict(train=200_000, held_out=300_000)
_CONFIG = Path(__file__).resolve().parent / 'configs/refiner.py'


def estimate_clips(part: str, count: int, path: Path) -> PoseSequences:
    """Run detector and estimator over rendered clips; write a flat file."""
    detector, estimator = load_models()
    parts = []
    for i in tqdm(range(count), desc=part, mininterval=5):
        seed = _FIRST_SEEDS[part] + i
        clip = make_clip(seed, 60, i % 3 + 1, occluders=i % 4)
        found = estimate_clip(clip, f'{part}-{seed}', detector, estimator)
        if found is not None:
            parts.append(found)
    sequences = PoseSequences.concatenate(parts)
    save_pose_sequences(path, sequences)
    return sequences


def train(folder: Path) -> None:
    """Train on ``train.npz`` in the folder, keep the best on validation."""
    config = Config.fromfile(_CONFIG)
    config.work_dir = str(folder / 'run')
    for loader in (config.train_dataloader, config.val_dataloader):
        loader.dataset.data_root = str(folder)
    runner = Runner.from_cfg(config)
    runner.train()
    (hook,) = (x for x in runner.hooks if isinstance(x, CheckpointHook))
    refiner = export_refiner(hook.best_ckpt_path, folder / 'full.safetensors')
    # Half precision is enough here, and half the size.
    weights = refiner.network.state_dict()
    write_portable(
        models.REFINER_WEIGHTS,
        {name: value.half() for name, value in weights.items()},
        refiner.config,
    )


def make(folder: Path, clips: int) -> None:
    """Estimate, train, and log figures on held-out clips."""
    for part, count in (('train', clips), ('held_out', clips // 5)):
        if not (folder / f'{part}.npz').is_file():
            estimate_clips(part, count, folder / f'{part}.npz')
    train(folder)
    held_out = load_pose_sequences(folder / 'held_out.npz')
    figures = compare(held_out, load_refiner(models.REFINER_WEIGHTS))
    for name, values in figures.items():
        text = ', '.join(f'{k} {v:.2f}' for k, v in values.items())
        print_log(f'held-out clips, {name}: {text}', 'current')


def main(arguments: Optional[list] = None) -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--clips', type=int, default=120)
    parser.add_argument(
        '--folder', type=Path, help='keep the estimates and the run here'
    )
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    if options.folder is not None:
        make(options.folder, options.clips)
        return
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), options.clips)


if __name__ == '__main__':
    main()
