# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refiners of 3D joints that keep to the evidence, and streams of them."""

import numpy as np
import pytest
import torch
from moving_body import CHAINS, NAMES, body, swap
from small_refiners import close, run_stream, stack

from hanet_mm import Refiner, StreamingRefiner, load_refiner
from hanet_mm.core.refine.root_path import root_path
from hanet_mm.core.refine.trust import OUTLIER, SWAPPED

T = 9
ROOT = NAMES.index('left_hip'), NAMES.index('right_hip')


def make_refiner(root=ROOT, trust=True, predict_error=True, **options):
    torch.manual_seed(0)
    shape = dict(num_keypoints=len(NAMES), coord_dims=3, embed_dims=16)
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=1, use_scores=True),
            head=dict(
                shape,
                num_layers=1,
                use_scores=True,
                predict_error=predict_error,
            ),
            sample_interval=1,
        ),
        window_size=T,
        normalization='root',
        root=root,
        keypoint_names=NAMES,
        trust=trust,
        **options,
    )


def walk(frames=90, noise=0.0, seed=0):
    """A person of 1.7 m, root at 0, metres."""
    poses = body(frames, 0.35, turn=0.8) / 200
    poses -= poses[:, list(ROOT)].mean(1, keepdims=True)
    poses += np.random.default_rng(seed).normal(0, noise, poses.shape)
    return poses.astype(np.float32)


def root_of(poses):
    return poses[:, list(ROOT)].mean(1, dtype=float)


def line(frames=90):
    """The root walks 1 m a second in front of a camera."""
    seconds = np.arange(frames)[:, None] / 30
    return seconds * [0.6, 0.0, 0.8] + [-1.0, 0.2, 4.0]


def test_the_file_says_so(tmp_path):
    path = tmp_path / 'refiner.safetensors'
    make_refiner(fps=30).save(path)
    assert len(load_refiner(path).body.bones) == 8
    make_refiner(trust=False).save(path)
    assert load_refiner(path).body is None


def test_clean_motion_is_left_alone_whatever_the_network_says():
    poses = walk()
    plain = make_refiner(trust=False).refine(poses)
    moved = np.linalg.norm(plain.keypoints - poses, axis=-1)
    assert moved.mean() > 0.02
    result = make_refiner().refine(poses)
    moved = np.linalg.norm(result.keypoints - poses, axis=-1)
    assert moved.mean() < 0.003
    assert not result.swapped.any()


@pytest.mark.parametrize('part', ['body', 'legs'])
def test_swaps_are_undone_and_named(part):
    poses, swapped = swap(walk(90, 0.003), part, 30, 8)
    poses = (poses + line()[:, None]).astype(np.float32)
    result = make_refiner().refine(poses)
    np.testing.assert_array_equal(result.swapped, swapped)
    assert (result.reason[swapped] == SWAPPED).all()
    error = result.keypoints - walk() - line()[:, None]
    assert np.linalg.norm(error, axis=-1).max() < 0.06


def test_the_root_of_root_space_stays_at_0():
    result = make_refiner().refine(walk(90, 0.01))
    np.testing.assert_allclose(
        root_of(result.keypoints), root_of(walk(90, 0.01)), atol=0.03
    )
    poses = walk(90, 0.01) - root_of(walk(90, 0.01))[:, None]
    result = make_refiner().refine(poses.astype(np.float32))
    np.testing.assert_allclose(root_of(result.keypoints), 0, atol=0.02)


def test_the_path_of_the_root_is_smooth_and_straight_on_a_noisy_line():
    # All joints shake with the root.
    rng = np.random.default_rng(0)
    shake = rng.normal(0, [0.02, 0.02, 0.05], (90, 3))
    shake[50] = [0.0, 0.0, 1.0]
    poses = walk() + (line() + shake)[:, None]
    result = make_refiner().refine(poses.astype(np.float32))
    error = root_of(result.keypoints) - line()
    within = np.r_[10:47, 54:80]
    for axis, noise in enumerate((0.02, 0.02, 0.05)):
        assert np.abs(error[within, axis]).mean() < 0.55 * noise
    assert np.abs(error[50]).max() < 0.15
    assert (result.reason[50, list(ROOT)] == OUTLIER).all()
    # The pose is as without a path.
    still = make_refiner().refine(walk())
    relative = result.keypoints - root_of(result.keypoints)[:, None]
    other = still.keypoints - root_of(still.keypoints)[:, None]
    np.testing.assert_allclose(relative, other, atol=5e-4)
    assert not result.swapped.any()


def test_the_path_of_a_single_root_is_that_of_a_point():
    # Anything will do as the root.
    place = NAMES.index('nose')
    poses = (walk(90, 0.02) + line()[:, None]).astype(np.float32)
    result = make_refiner(root=[place]).refine(poses)
    alone = root_path(poses[:, place], np.zeros(90, bool), 30.0, 1.7)
    np.testing.assert_allclose(
        result.keypoints[:, place], alone.keypoints, atol=0.003
    )


def test_place_does_not_matter():
    poses = walk(90, 0.01)
    refiner = make_refiner()
    here = refiner.refine(poses).keypoints
    there = refiner.refine(poses + np.float32([2, -1, 5])).keypoints
    np.testing.assert_allclose(there - [2, -1, 5], here, atol=1e-4)


@pytest.mark.parametrize('depth', [0.05, 0.2])
def test_a_shaking_root_swaps_nothing(depth):
    # Up to more than left and right are apart.
    shake = np.random.default_rng(0).normal(0, [0.02, 0.02, depth], (90, 3))
    path = (line() + shake)[:, None]
    result = make_refiner().refine((walk() + path).astype(np.float32))
    assert not result.swapped.any()
    poses, swapped = swap(walk(90, 0.003), 'legs', 30, 8)
    poses = (poses + path).astype(np.float32)
    poses[33, ROOT[0]] = np.nan
    result = make_refiner().refine(poses)
    assert not (result.swapped & ~swapped).any()
    if depth < 0.1:
        np.testing.assert_array_equal(result.swapped, swapped)
    else:
        assert result.swapped.any()


def test_a_walk_that_looks_alike_from_its_root_is_left_alone(shared_dir):
    data = np.load(shared_dir / 'data/cmu_mocap_train.npz')
    number = data['seq_name'].tolist().index('csm/train/walking_49')
    ends = np.cumsum(data['seq_len'])
    poses = data['h36m17'][ends[number - 1] : ends[number]]
    poses = poses.astype(np.float32)
    refiner = load_refiner('h36m17-3d')
    # Seen from the root alone, 56 of its 154 frames look swapped.
    assert refiner.refine(poses, fps=30).swapped.any(1).sum() <= 1


def harsh(frames=70):
    shake = np.random.default_rng(2).normal(0, [0.01, 0.01, 0.1], (frames, 3))
    poses = walk(frames, 0.01) + (line(frames) + shake)[:, None]
    poses, _ = swap(poses, 'body', 20, 8)
    poses = poses.astype(np.float32)
    scores = np.random.default_rng(1).uniform(0.2, 1, poses.shape[:2])
    scores[10:13, 9] = 0
    scores[30:33] = 0
    poses[50:52, 15:] = np.nan
    poses[40, ROOT[0]] = np.nan
    return poses, scores.astype(np.float32)


@pytest.mark.parametrize('fps', [None, 25, 60])
def test_a_stream_that_waits_for_all_is_as_offline(fps):
    poses, scores = harsh()
    refiner = make_refiner(fps=30)
    stream = StreamingRefiner(refiner, 200, fps=fps)
    frames = run_stream(stream, poses, scores)
    expected = refiner.refine(poses, scores, fps=fps)
    close(stack(frames), expected.keypoints, 1e-5)
    for name in ('swapped', 'reason'):
        found = np.stack([getattr(x, name) for x in frames])
        np.testing.assert_array_equal(found, getattr(expected, name))


def test_people_of_a_stream_are_as_alone():
    people = [harsh(50), (walk(50, 0.02, seed=3), None)]
    refiner = make_refiner()
    stream = StreamingRefiner(refiner, 4)
    found = {0: [], 1: []}
    for t in range(50):
        now = {
            n: (poses[t], None if scores is None else scores[t])
            for n, (poses, scores) in enumerate(people)
        }
        for n, frames in stream.push_many(now).items():
            found[n] += frames
    for n, frames in stream.flush().items():
        found[n] += frames
    for n, (poses, scores) in enumerate(people):
        alone = run_stream(StreamingRefiner(refiner, 4), poses, scores)
        close(stack(found[n]), stack(alone), 1e-5)


def test_a_stream_keeps_bones_near_the_lengths_that_it_saw():
    poses = walk(200)
    # A lifter that is wrong by a scale that comes and goes.
    scale = 1 + 0.1 * np.sin(np.arange(200) / 9)[:, None, None]
    poses = (poses * scale).astype(np.float32)
    refiner = make_refiner()
    head = refiner.network.head
    for layer in (head.refine, head.output):  # adds nothing
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    frames = stack(run_stream(StreamingRefiner(refiner, 4), poses))
    spread = refiner.body.lengths(frames)[60:].std(0)
    given = refiner.body.lengths(poses)[60:].std(0)
    assert (spread < 0.9 * given).all()


def test_a_mirrored_recording_has_the_mirrored_result():
    flip = CHAINS.flip_indices
    poses, scores = harsh()
    # The network expects errors of windows as they are, not mirrored.
    refiner = make_refiner(flip_indices=flip.tolist(), predict_error=False)
    mirrored = poses[:, flip] * np.float32([-1, 1, 1])
    result = refiner.refine(poses, scores)
    other = refiner.refine(mirrored, scores[:, flip])
    expected = result.keypoints[:, flip] * np.float32([-1, 1, 1])
    np.testing.assert_allclose(other.keypoints, expected, atol=2e-4)
