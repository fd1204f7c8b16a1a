# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refiners that keep to the evidence, on sequences and streams."""

import numpy as np
import pytest
import torch
from moving_body import CHAINS, NAMES, body, swap
from small_refiners import close, run_stream, stack, stack_filled

from hanet_mm import Refiner, StreamingRefiner, load_refiner
from hanet_mm.core.refine.trust import REASONS

T = 9
MISSING, SWAPPED = REASONS.index('missing'), REASONS.index('swapped')


def make_refiner(
    trust=True,
    names=NAMES,
    normalization='box',
    window=T,
    joint_definitions=False,
    **options,
):
    torch.manual_seed(0)
    shape = dict(num_keypoints=len(NAMES), coord_dims=2, embed_dims=16)
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=1, use_scores=True),
            head=dict(
                shape,
                num_layers=1,
                use_scores=True,
                predict_error=True,
                joint_definitions=joint_definitions,
            ),
            sample_interval=1,
        ),
        window_size=window,
        normalization=normalization,
        keypoint_names=names,
        trust=trust,
        **options,
    )


def walk(frames=60, noise=0.0, seed=0):
    poses = body(frames, 0.35, turn=np.pi / 2)[..., :2]
    rng = np.random.default_rng(seed)
    poses = poses + rng.normal(0, noise, poses.shape)
    return poses.astype(np.float32)


def harsh(frames=60):
    """Noise, swaps, gaps of keypoints and of frames; and scores."""
    poses, swapped = swap(walk(frames, 1.0), 'body', 20, 8)
    poses, legs = swap(poses, 'legs', 40, 3)
    poses = poses.astype(np.float32)
    scores = np.random.default_rng(1).uniform(0.2, 1, poses.shape[:2])
    scores[10:13, 9] = 0
    scores[30:33] = 0
    poses[50:52, 15:] = np.nan
    return poses, scores.astype(np.float32), swapped | legs


def test_the_file_says_so(tmp_path):
    path = tmp_path / 'refiner.safetensors'
    make_refiner(fps=30).save(path)
    assert load_refiner(path).chains is not None
    make_refiner(trust=False).save(path)
    assert load_refiner(path).chains is None


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(names=None), 'keypoint_names'),
        (dict(normalization='rot6d'), 'rotations'),
    ],
)
def test_what_cannot_be_trusted(options, message):
    with pytest.raises(ValueError, match=message):
        make_refiner(**options)


def test_clean_motion_is_left_alone_whatever_the_network_says():
    poses = walk(90)
    plain = make_refiner(trust=False).refine(poses)
    # Random weights move keypoints far.
    size = np.ptp(poses, axis=1).max(-1, keepdims=True)
    moved = np.linalg.norm(plain.keypoints - poses, axis=-1) / size
    assert moved.mean() > 0.02
    result = make_refiner().refine(poses)
    moved = np.linalg.norm(result.keypoints - poses, axis=-1) / size
    assert moved.mean() < 0.004
    assert not result.swapped.any()


@pytest.mark.parametrize(('part', 'start'), [('body', 25), ('legs', 30)])
def test_swaps_are_undone_and_named(part, start):
    poses, swapped = swap(walk(90, 0.5), part, start, 8)
    result = make_refiner().refine(poses.astype(np.float32))
    np.testing.assert_array_equal(result.swapped, swapped)
    assert (result.reason[swapped] == SWAPPED).all()
    size = np.ptp(walk(90), axis=1).max()
    error = np.linalg.norm(result.keypoints - walk(90), axis=-1)
    assert error.max() < 0.03 * size
    assert 'swapped' in repr(result)


def test_a_missing_keypoint_of_a_swapped_frame_is_that_of_the_other_side():
    poses, _ = swap(walk(90, 0.5), 'body', 25, 8)
    left, right = NAMES.index('left_wrist'), NAMES.index('right_wrist')
    poses[28, left] = np.nan
    result = make_refiner().refine(poses.astype(np.float32))
    assert result.filled[28, right]
    assert not result.filled[28, left]
    assert result.reason[28, right] == MISSING
    assert result.swapped[28, left]


def test_batches_and_several_sequences_change_nothing():
    poses, scores, _ = harsh()
    refiner = make_refiner()
    alone = refiner.refine(poses, scores)
    both = refiner.refine([walk(30), poses], [None, scores])
    close(both[1].keypoints, alone.keypoints)
    np.testing.assert_array_equal(both[1].swapped, alone.swapped)
    np.testing.assert_array_equal(both[1].reason, alone.reason)


@pytest.mark.parametrize('scale', [0.01, 7.0])
def test_place_and_unit_do_not_matter(scale):
    poses, scores, _ = harsh()
    refiner = make_refiner()
    result = refiner.refine(poses, scores)
    shift = np.array([300.0, -120.0])
    other = refiner.refine((scale * (poses + shift)).astype('f'), scores)
    np.testing.assert_allclose(
        other.keypoints / scale - shift, result.keypoints, atol=0.05
    )
    np.testing.assert_array_equal(other.swapped, result.swapped)


def test_a_mirrored_recording_has_the_mirrored_result():
    flip = CHAINS.flip_indices
    poses, scores, _ = harsh()
    refiner = make_refiner(flip_indices=flip.tolist())
    mirrored = poses[:, flip] * np.float32([-1, 1])
    result = refiner.refine(poses, scores)
    other = refiner.refine(mirrored, scores[:, flip])
    expected = result.keypoints[:, flip] * np.float32([-1, 1])
    size = np.ptp(walk(), axis=1).max()
    np.testing.assert_allclose(other.keypoints, expected, atol=1e-4 * size)
    np.testing.assert_array_equal(other.swapped, result.swapped[:, flip])


@pytest.mark.parametrize('fps', [None, 25, 60, 120])
def test_a_stream_that_waits_for_all_is_as_offline(fps):
    poses, scores, _ = harsh()
    refiner = make_refiner(fps=30)
    stream = StreamingRefiner(refiner, 200, fps=fps)
    frames = run_stream(stream, poses, scores)
    expected = refiner.refine(poses, scores, fps=fps)
    close(stack(frames), expected.keypoints, 1e-5)
    np.testing.assert_array_equal(stack_filled(frames), expected.filled)
    for name in ('swapped', 'reason'):
        found = np.stack([getattr(x, name) for x in frames])
        np.testing.assert_array_equal(found, getattr(expected, name))


def test_a_stream_that_waits_for_its_windows_is_as_offline_too():
    # All that is looked at around a frame lasts 1.5 s.
    refiner, poses = make_refiner(window=47), walk(130, 2.0)
    frames = run_stream(StreamingRefiner(refiner, 46), poses)
    close(stack(frames), refiner.refine(poses).keypoints, 1e-5)


@pytest.mark.parametrize(
    ('lookahead', 'stride', 'track'),
    [(4, 1, 0), (10, 1, 0), (7, 8, 0), (7, 8, 2)],
)
def test_streams_undo_swaps_within_the_lookahead(lookahead, stride, track):
    poses, swapped = swap(walk(150, 0.5), 'body', 60, 8)
    stream = StreamingRefiner(make_refiner(stride=stride), lookahead)
    frames = run_stream(stream, poses.astype(np.float32), track_id=track)
    found = np.stack([x.swapped for x in frames])
    np.testing.assert_array_equal(found, swapped)
    size = np.ptp(walk(), axis=1).max()
    error = np.linalg.norm(stack(frames) - walk(150), axis=-1)
    assert error[10:].max() < 0.06 * size


def test_what_a_stream_saw_otherwise_is_shown_to_the_network_anew():
    # Which side is right at the beginning is known once most were seen.
    poses, swapped = swap(walk(60, 0.5), 'body', 0, 5)
    poses = poses.astype(np.float32)
    refiner, counts = make_refiner(), []
    refiner.network.register_forward_pre_hook(
        lambda _, inputs: counts.append(len(inputs[0]))
    )
    stream = StreamingRefiner(refiner, T - 1)
    frames = run_stream(stream, poses)
    # One call for each push, as soon as there is a window.
    assert len(counts) == len(poses) - T + 1
    # One window each time, and once those before again.
    revised = [push for push, x in enumerate(counts) if x > 1]
    assert len(revised) == 1
    assert counts[revised[0]] == revised[0] + 1
    # What was handed out before stays: frames 0 to that push.
    found = np.stack([x.swapped for x in frames])
    np.testing.assert_array_equal(found[revised[0] :], swapped[revised[0] :])
    assert swapped[revised[0]].any()


def test_the_memory_of_a_trusted_stream_does_not_grow():
    stream = StreamingRefiner(make_refiner(fps=30), 4, fps=60)
    sizes = []
    for pose in walk(200, 0.5):
        done = stream.push(pose)
        track = stream._tracks[0]
        sizes.append(len(track.buffer))
        if done:
            (decider,) = track.buffer.sides._deciders
            assert len(decider._decoder) == sizes[-1]
        assert all(len(x.outputs) <= 8 for x in track.phases)
    assert max(sizes) <= 2 * (2 * T + 4)
