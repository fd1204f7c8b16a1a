# Copyright (c) hanet_mm contributors. All rights reserved.
"""A refiner gives the same on every device."""

import numpy as np

from hanet_mm import StreamingRefiner, load_refiner
from hanet_mm.core.data.sequences import load_pose_sequences

# Units in the last place of float32 coordinates of some hundred pixels, after
# a network of a few layers.
TOLERANCE = 0.02
FRAMES = 60


def read_clip(repo_root):
    path = repo_root / 'tools' / 'demo_data' / 'noisy_clip.npz'
    clip = load_pose_sequences(path)
    return clip.keypoints_est[:FRAMES], clip.scores[:FRAMES]


def test_refining_gives_the_same_on_every_device(device, repo_root):
    keypoints, scores = read_clip(repo_root)
    expected = load_refiner('coco17-2d').refine(keypoints, scores)
    found = load_refiner('coco17-2d', device=device).refine(keypoints, scores)
    np.testing.assert_allclose(
        found.keypoints, expected.keypoints, atol=TOLERANCE
    )


def test_a_stream_on_any_device_ends_as_refining(device, repo_root):
    keypoints, scores = read_clip(repo_root)
    refiner = load_refiner('coco17-2d', device=device)
    stream = StreamingRefiner(refiner, lookahead=FRAMES, fps=30)
    frames = [x for pair in zip(keypoints, scores) for x in stream.push(*pair)]
    frames += stream.flush(0)
    expected = refiner.refine(keypoints, scores, fps=30)
    np.testing.assert_allclose(
        [x.keypoints for x in frames], expected.keypoints, atol=TOLERANCE
    )
