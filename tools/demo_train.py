# Copyright (c) hanet_mm contributors. All rights reserved.
"""Train a small HANet on synthetic people, test it and draw its results.

Writes to demo_out/: results.md and results.json (input against refined on
held-out people), refiner.safetensors, trajectories.png and comparison.mp4. An
interrupted demo resumes; delete the folder to start again.
"""

import argparse
import json
from pathlib import Path
from typing import Dict

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np
    from mmengine.config import Config, DictAction
    from mmengine.hooks import CheckpointHook
    from mmengine.logging import print_log
    from mmengine.runner import Runner
    from mmpose.registry import DATASETS

    from hanet_mm import Refiner, load_refiner
    from hanet_mm.apis.export import export_refiner
    from hanet_mm.core.data.files import atomic_path
    from hanet_mm.core.nn.kinematics import sampled_frames
    from hanet_mm.visualization import (
        PoseSequenceVisualizer,
        plot_trajectories,
    )

CONFIG = (
    Path(__file__).parents[1]
    / 'configs/hanet/synthetic'
    / 'hanet-small_simulated-21frm_1xb64-4e_synthetic.py'
)
COLUMNS = ('PCK@0.2', 'PCK@0.1', 'PCK@0.05', 'MPJPE', 'Accel')
INPUT_TITLE = 'Input (simulated estimator)'


def train_and_test(cfg: Config, refiner_file: Path) -> Dict[str, float]:
    """Train, select on validation, test once, export; return the figures."""
    runner = Runner.from_cfg(cfg)
    runner.train()
    (hook,) = (x for x in runner.hooks if isinstance(x, CheckpointHook))
    best = hook.best_ckpt_path
    print_log(f'Best on validation: {best}', 'current')
    runner.load_checkpoint(best)
    figures = runner.test()
    export_refiner(best, refiner_file)
    return figures


def write_table(
    out: Path, figures: Dict[str, float], refiner: Refiner, cfg: Config
) -> str:
    """Write the figures as Markdown and JSON."""
    interval = refiner.network.sample_interval
    window = refiner.window_size
    tokens = len(sampled_frames(window, interval))
    people = cfg.test_dataloader.dataset.num_sequences
    lines = [
        f'Synthetic people, simulated estimator: {people} held-out sequences, '
        'every frame scored.',
        f'Window T = {window}, sampling interval N = {interval} '
        f'({tokens} of {window} frames are tokens, each with its two '
        f'neighbours), stride {refiner.stride}.',
        '',
        '| poses | ' + ' | '.join(COLUMNS[:3]) + ' | mean error px '
        '| Accel error px/frame^2 |',
        '| --- ' * (len(COLUMNS) + 1) + '|',
    ]
    for name in ('input', 'refined'):
        cells = [f'{figures[f"{name}/{key}"]:.1f}' for key in COLUMNS]
        lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')
    table = '\n'.join(lines)
    for name, text in (
        ('results.md', table + '\n'),
        ('results.json', json.dumps(figures, indent=1)),
    ):
        with atomic_path(out / name) as path:
            path.write_text(text)
    return table


def draw(out: Path, refiner: Refiner, cfg: Config) -> None:
    """Refine one held-out sequence; draw its joints over time and a video."""
    dataset = DATASETS.build(cfg.test_dataloader.dataset)
    # The longest sequence shows most.
    item = max(dataset, key=lambda x: len(x['inputs']))['data_samples']
    estimate = item.est_instances
    raw = np.where(
        estimate.keypoints_valid[..., None], estimate.keypoints, np.nan
    )
    refined = refiner.refine(raw, estimate.keypoint_scores).keypoints
    truth = item.gt_instances.keypoints
    plot_trajectories(
        out / 'trajectories.png',
        truth,
        raw,
        refined,
        refiner.keypoint_names,
        fps=item.fps,
        title=f'{item.seq_name} (synthetic, simulated estimator)',
    )
    visualizer = PoseSequenceVisualizer('demo')
    visualizer.set_dataset_meta(dataset.metainfo)
    visualizer.write_comparison_video(
        out / 'comparison.mp4',
        raw,
        refined,
        truth,
        fps=item.fps,
        titles=(INPUT_TITLE, 'Refined (HANet)'),
    )


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--out', type=Path, default=Path('demo_out'))
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=DictAction,
        default={},
        help='settings of the config to change, as in tools/train.py',
    )
    return parser.parse_args()


def main() -> None:
    """Train, test, refine, draw."""
    args = parse_args()
    cfg = Config.fromfile(CONFIG)
    cfg.work_dir = str(args.out / 'training')
    cfg.resume = True
    cfg.merge_from_dict(args.cfg_options)
    refiner_file = args.out / 'refiner.safetensors'
    figures = train_and_test(cfg, refiner_file)
    refiner = load_refiner(refiner_file)
    table = write_table(args.out, figures, refiner, cfg)
    draw(args.out, refiner, cfg)
    print(f'\n{table}\n')
    for name in ('results.md', 'trajectories.png', 'comparison.mp4'):
        print(args.out / name)


if __name__ == '__main__':
    with one_line_interrupts('the same command goes on'):
        main()
