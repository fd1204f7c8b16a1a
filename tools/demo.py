# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refine a noisy clip with the bundled refiner.

Two synthetic people for ten seconds, seen by a simulated estimator; made by
tools/demo_data/make_clip.py. Writes to demo_out/: results.md and results.json
(input, classical filters and refiner against the truth), trajectories.png and
comparison.mp4 (before and after, the truth in grey). Needs no OpenMMLab.

With --video: that video by MediaPipe, refined, to demo_out/ as hanet-mm video
writes it.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np

    from hanet_mm import load_refiner
    from hanet_mm.apis.cli import main as run_command
    from hanet_mm.core.data.files import atomic_path
    from hanet_mm.core.data.gaps import fill_missing
    from hanet_mm.core.data.sequences import PoseSequences, load_pose_sequences
    from hanet_mm.core.metrics.errors import (
        accel_error,
        pck_hits,
        position_errors,
    )
    from hanet_mm.core.poses.skeleton_data import SKELETONS
    from hanet_mm.core.refine.weights_file import default_refiner
    from hanet_mm.filters import FILTERS
    from hanet_mm.visualization import plot_trajectories
    from hanet_mm.visualization.comparison_scene import (
        ComparisonScene,
        SceneStyle,
    )
    from hanet_mm.visualization.video_writer import open_video

CLIP = Path(__file__).parent / 'demo_data' / 'noisy_clip.npz'
COLUMNS = {
    'mean_error': 'mean error px',
    'pck_0.05': 'PCK@0.05',
    'error_95': '95th percentile px',
    'accel_error': 'Accel error px/frame^2',
}
# Left, right and middle of the body.
COLORS = dict(left=(81, 207, 102), right=(255, 146, 43))
MIDDLE = (77, 171, 247)
TRAILS = ('left_wrist', 'right_wrist', 'left_ankle', 'right_ankle')


def refine_all(
    clip: PoseSequences, refiner: Any, name: str
) -> Dict[str, List[np.ndarray]]:
    """Poses of each method by sequence, (T, K, 2), without gaps."""
    estimates = split(clip, clip.keypoints_est)
    scores = split(clip, clip.scores)
    filled = fill_missing(clip.keypoints_est, ~clip.valid, clip.seq_len)
    poses = {'input, gaps interpolated': split(clip, filled)}
    for kind, arguments in clip.meta['filters'].items():
        smooth = FILTERS[kind](**arguments)
        poses[str(smooth)] = split(
            clip, smooth.smooth(filled, clip.seq_len, clip.scores)
        )
    results = refiner.refine(estimates, scores, fps=clip.fps.tolist())
    poses[f'**refiner {name}**'] = [x.keypoints for x in results]
    return poses


def measure(poses: List[np.ndarray], clip: PoseSequences) -> Dict[str, float]:
    """Measure all frames and keypoints, by the keys of COLUMNS."""
    truths, boxes = (split(clip, x) for x in (clip.keypoints_gt, clip.bboxes))
    errors = np.concatenate(
        [position_errors(*pair).ravel() for pair in zip(poses, truths)]
    )
    accel = np.sum([accel_error(*x) for x in zip(poses, truths)], axis=0)
    pck = np.sum(
        [pck_hits(*x, thr=0.05) for x in zip(poses, truths, boxes)],
        axis=(0, 2),
    )
    return {
        'mean_error': float(errors.mean()),
        'pck_0.05': float(100 * pck[0] / pck[1]),
        'error_95': float(np.percentile(errors, 95)),
        'accel_error': float(accel[0] / accel[1]),
    }


def split(clip: PoseSequences, values: np.ndarray) -> List[np.ndarray]:
    """Split flat frames (N, ...) into sequences."""
    return np.split(values, clip.starts[1:])


def write_table(
    out: Path, clip: PoseSequences, figures: Dict[str, Dict[str, float]]
) -> str:
    """Write the figures as Markdown and JSON."""
    lines = [
        f'{len(clip)} synthetic people, simulated estimator, '
        f'{clip.seq_len.sum()} frames at {clip.fps[0]:g} fps, '
        f'{clip.scores.shape[1]} keypoints; every frame and keypoint is '
        'scored. The classical filters have the settings of the least mean '
        'error on other people with the very same kinds of error. The refiner '
        'was trained on other people too, with simulated errors whose kinds '
        'and amounts were drawn anew for each.',
        '',
        '| poses | ' + ' | '.join(COLUMNS.values()) + ' |',
        '| --- ' * (len(COLUMNS) + 1) + '|',
    ]
    for name, values in figures.items():
        cells = [f'{values[key]:.2f}' for key in COLUMNS]
        lines.append(f'| {name} | ' + ' | '.join(cells) + ' |')
    table = '\n'.join(lines)
    for name, text in (
        ('results.md', table + '\n'),
        ('results.json', json.dumps(figures, indent=1)),
    ):
        with atomic_path(out / name) as path:
            path.write_text(text, encoding='utf-8')
    return table


def draw(out: Path, clip: PoseSequences, refined: np.ndarray) -> None:
    """Joints over time and before/after video of the first person."""
    person = clip.select([0])
    truth = person.keypoints_gt
    raw = np.where(person.valid[..., None], person.keypoints_est, np.nan)
    names, fps = person.meta['keypoint_names'], float(person.fps[0])
    plot_trajectories(
        out / 'trajectories.png',
        truth,
        raw,
        refined,
        names,
        fps=fps,
        title=f'{person.seq_name[0]} (synthetic, simulated estimator)',
    )
    scene = ComparisonScene(
        scene_style(names),
        ('Input (simulated estimator)', 'Refined'),
        raw,
        refined,
        truth,
    )
    with open_video(out / 'comparison.mp4', scene.size, fps) as write:
        for frame in range(scene.num_frames):
            write(scene.render(frame))


def scene_style(names: List[str]) -> SceneStyle:
    """COCO's skeleton, a colour for each side of the body."""
    skeleton = SKELETONS['coco17']
    colors = [
        COLORS.get(sides.pop(), MIDDLE) if len(sides) == 1 else MIDDLE
        for sides in (
            {name.partition('_')[0] for name in link}
            for link in skeleton.links
        )
    ]
    return SceneStyle(
        panel_size=(640, 480),
        links=skeleton.link_indices,
        link_colors=colors,
        line_width=4,
        radius=4,
        trail=12,
        trail_joints=[names.index(name) for name in TRAILS],
    )


def parse_args() -> argparse.Namespace:
    """Arguments of the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('--out', type=Path, default=Path('demo_out'))
    parser.add_argument(
        '--refiner',
        default=default_refiner(2),
        help='another refiner of COCO keypoints, by name or file',
    )
    parser.add_argument('--video', type=Path, help='a video of a person')
    return parser.parse_args()


def refine_video(args: argparse.Namespace) -> int:
    """Estimate and refine the poses of a video; return the exit status."""
    out = args.out / f'{args.video.stem}.json'
    return run_command(
        ['video', str(args.video), '-o', str(out), '--save-video']
        + ['--pose2d', 'mediapipe', '--refiner', args.refiner]
    )


def main() -> int:
    """Refine, measure, draw; return the exit status."""
    args = parse_args()
    if args.video is not None:
        return refine_video(args)
    start = time.monotonic()
    try:
        refiner = load_refiner(args.refiner)
    except (OSError, ValueError) as error:
        sys.stderr.write(f'demo: {error}\n')
        return 1
    clip = load_pose_sequences(CLIP, require=('keypoints_gt', 'bboxes'))
    poses = refine_all(clip, refiner, args.refiner)
    figures = {name: measure(x, clip) for name, x in poses.items()}
    table = write_table(args.out, clip, figures)
    draw(args.out, clip, list(poses.values())[-1][0])
    print(f'\n{table}\n')
    for name in ('results.md', 'trajectories.png', 'comparison.mp4'):
        print(args.out / name)
    print(f'{time.monotonic() - start:.0f} s')
    return 0


if __name__ == '__main__':
    with one_line_interrupts():
        sys.exit(main())
