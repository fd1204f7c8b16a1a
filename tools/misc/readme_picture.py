# Copyright (c) hanet_mm contributors. All rights reserved.
"""Draw docs/comparison.gif, the picture of the README, from the demo's clip.

Two and a half seconds of what `make demo` writes to comparison.mp4, in fewer
colours. Needs the extra [demo].
"""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from hanet_mm import load_refiner
from hanet_mm.core.data.sequences import load_pose_sequences
from hanet_mm.visualization.comparison_scene import ComparisonScene

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / 'tools'))
import demo  # noqa: E402

OUT = ROOT / 'docs' / 'comparison.gif'
FRAMES = slice(16, 92)
# Every second frame: 15 per second, hundredths of a second in a GIF.
STEP, DURATION = 2, 70
COLORS = 32


def main() -> None:
    """Refine the first person of the clip and draw the frames."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    clip = load_pose_sequences(demo.CLIP).select([0])
    keypoints = np.where(clip.valid[..., None], clip.keypoints_est, np.nan)
    refined = load_refiner('coco17-2d').refine(
        clip.keypoints_est, clip.scores, fps=float(clip.fps[0])
    )
    style = demo.scene_style(clip.meta['keypoint_names'])
    scene = ComparisonScene(
        replace(style, panel_size=(400, 340), line_width=3, radius=3),
        ('Input (simulated)', 'Refined'),
        keypoints[FRAMES],
        refined.keypoints[FRAMES],
        clip.keypoints_gt[FRAMES],
    )
    frames = [
        Image.fromarray(scene.render(index))
        for index in range(0, scene.num_frames, STEP)
    ]
    palette = frames[0].quantize(COLORS)
    first, *others = [
        frame.quantize(palette=palette, dither=Image.Dither.NONE)
        for frame in frames
    ]
    first.save(
        OUT,
        save_all=True,
        append_images=others,
        duration=DURATION,
        loop=0,
        optimize=True,
    )


if __name__ == '__main__':
    main()
