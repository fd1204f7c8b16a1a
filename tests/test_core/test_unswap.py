# Copyright (c) hanet_mm contributors. All rights reserved.
"""Swaps of left and right over a whole sequence."""

import numpy as np
import pytest
from moving_body import CHAINS, MOTIONS, NAMES, PARTS, body, swap

from hanet_mm.core.refine.swap_chains import swap_chains
from hanet_mm.core.refine.swap_decoder import NewFrames, push_frames
from hanet_mm.core.refine.unswap import (
    SwapDecoder,
    measure_motion,
    unswap,
)

# Legs or arms pass each other in the image.
CROSSING = ['walking at an angle', 'running']
CLEAR = ['walking to the camera', 'walking at an angle', 'running', 'lying']


def decide(poses):
    return unswap(poses, CHAINS).swapped


@pytest.mark.parametrize('dims', [2, 3])
@pytest.mark.parametrize('noise', [0.0, 1.0, 3.0])
@pytest.mark.parametrize('motion', MOTIONS)
def test_nothing_is_swapped_in_right_motion(motion, noise, dims):
    poses = MOTIONS[motion]()[..., :dims]
    poses = poses + np.random.default_rng(0).normal(0, noise, poses.shape)
    result = unswap(poses, CHAINS)
    # From the side both lie on each other: then noise may decide, but it
    # moves nothing by more than noise.
    moved = np.linalg.norm(result.keypoints - poses, axis=-1)
    assert moved.max() <= 5 * noise
    assert result.swapped.mean() <= 0.01


@pytest.mark.parametrize('dims', [2, 3])
@pytest.mark.parametrize('length', [1, 3, 10, 30])
@pytest.mark.parametrize('part', PARTS)
@pytest.mark.parametrize('motion', CLEAR)
def test_swaps_are_found_exactly(motion, part, length, dims):
    if dims == 2 and length == 30 and motion in CROSSING:
        pytest.skip('a crossing within the swap may be its end as well')
    right = MOTIONS[motion]()[..., :dims]
    right = right + np.random.default_rng(0).normal(0, 0.5, right.shape)
    poses, swapped = swap(right, part, 40, length)
    result = unswap(poses, CHAINS)
    # Where both sides lie on each other it does not matter.
    apart = np.linalg.norm(poses - poses[:, CHAINS.flip_indices], axis=-1)
    assert (result.swapped == swapped)[apart > 0.1 * 330].all()
    error = np.linalg.norm(result.keypoints - right, axis=-1)
    assert error.max() < 0.1 * 330
    assert error.mean() < 0.1


def test_scores_change_places_with_the_keypoints():
    right = body(60, 0.35, turn=0.8)[..., :2]
    given = np.random.default_rng(0).uniform(0.1, 1, right.shape[:2])
    poses, swapped = swap(right, 'body', 20, 10)
    scores = np.where(swapped, given[:, CHAINS.flip_indices], given)
    assert np.array_equal(unswap(poses, CHAINS, scores).scores, given)


def test_two_parts_swapped_at_different_times():
    right = body(120, 0.35, turn=np.pi / 2)[..., :2]
    poses, arms = swap(right, 'arms', 20, 25)
    poses, legs = swap(poses, 'legs', 35, 25)
    assert np.array_equal(decide(poses), arms | legs)


# Running legs pass each other within the gap.
@pytest.mark.parametrize('motion', sorted({*CLEAR} - {'running'}))
def test_a_swap_that_begins_or_ends_in_a_gap(motion):
    right = MOTIONS[motion]()[..., :2]
    poses, swapped = swap(right, 'body', 40, 20)
    poses[35:43] = np.nan
    poses[58:62] = np.nan
    found = decide(poses)
    seen = np.isfinite(poses).all(-1)
    assert np.array_equal(found[seen], swapped[seen])
    assert not found[~seen].any()


def test_scores_of_zero_are_gaps():
    right = body(60, 0.35, turn=0.8)[..., :2]
    poses, swapped = swap(right, 'body', 20, 10)
    scores = np.ones(swapped.shape)
    scores[18:22] = 0
    poses[18:22] = 1e6  # whatever stands there
    found = unswap(poses, CHAINS, scores).swapped
    assert np.array_equal(found, swapped & (scores > 0))


@pytest.mark.parametrize('hidden', ['left', 'right'])
def test_one_side_missing(hidden):
    right = body(90, 0.35, turn=0.8)[..., :2]
    poses, swapped = swap(right, 'body', 40, 10)
    poses[30:37, [n.startswith(hidden) for n in NAMES]] = np.nan
    found = decide(poses)
    assert np.array_equal(found, swapped)


@pytest.mark.parametrize('motion', CLEAR)
def test_runs_backward_in_time_and_mirrored(motion):
    right = MOTIONS[motion]()[..., :2]
    for part in PARTS:
        poses, _ = swap(right, part, 50, 12)
        found = decide(poses)
        assert found.any()
        assert np.array_equal(decide(poses[::-1])[::-1], found)
        mirrored = (poses * (-1, 1))[:, CHAINS.flip_indices]
        assert np.array_equal(decide(mirrored), found)


def test_place_and_unit_do_not_matter():
    poses, _ = swap(body(90, 0.35, turn=0.8)[..., :2], 'legs', 40, 12)
    found = decide(poses)
    assert found.any()
    assert np.array_equal(decide(0.001 * poses + (5, -3)), found)


def test_the_majority_is_right_unless_odds_say_otherwise():
    right = body(60, 0.35, turn=0.8)[..., :2]
    poses, swapped = swap(right, 'body', 0, 35)
    minority = ~swapped & (CHAINS.chains >= 0)
    assert np.array_equal(decide(poses), minority)
    odds = np.where(np.arange(60)[:, None] < 35, 1.0, -1.0)
    odds = np.broadcast_to(odds, swapped.shape)
    found = unswap(poses, CHAINS, odds=odds).swapped
    assert np.array_equal(found, swapped)
    few = np.where(np.arange(60)[:, None] == 7, 30.0, np.nan)
    few = np.broadcast_to(few, swapped.shape)
    found = unswap(poses, CHAINS, odds=few).swapped
    assert np.array_equal(found, swapped)


@pytest.mark.parametrize('cuts', [[1] * 90, [7, 1, 40, 42], [90]])
def test_frames_may_come_bit_by_bit(cuts):
    poses, _ = swap(body(90, 0.35, turn=0.8)[..., :2], 'body', 30, 12)
    poses, _ = swap(poses, 'legs', 60, 12)
    poses[20:24] = np.nan
    poses[50:53, 13:] = np.nan
    seen = np.isfinite(poses).all(-1)
    decoder = SwapDecoder(CHAINS, measure_motion(poses, seen, CHAINS))
    start = 0
    for count in cuts:
        rows = slice(start, start + count)
        decoder.push(poses[rows], seen[rows])
        start += count
    assert np.array_equal(decoder.swapped() & seen, decide(poses) & seen)
    whole = decoder.swapped()
    assert np.array_equal(decoder.swapped(55), whole[55:])


@pytest.mark.parametrize('count', [1, 4])
def test_people_may_be_pushed_together(count):
    poses, _ = swap(body(60, 0.35, turn=0.8)[..., :2], 'body', 30, 12)
    other, _ = swap(3 * body(60, 0.35, turn=0.5)[..., :2], 'legs', 20, 8)
    other[15:24, 9:11] = np.nan
    other[:3] = np.nan
    decoders, alone = [], []
    for person, fps in ((poses, 30.0), (other, 25.0)):
        seen = np.isfinite(person).all(-1)
        scale = measure_motion(person, seen, CHAINS)
        decoders.append(SwapDecoder(CHAINS, scale, fps))
        whole = SwapDecoder(CHAINS, scale, fps)
        whole.push(person, seen)
        alone.append(whole.swapped())
    for first in range(0, 60, count):
        frames = [x[first : first + count] for x in (poses, other)]
        push_frames(
            [
                NewFrames(decoder, own, np.isfinite(own).all(-1))
                for decoder, own in zip(decoders, frames)
            ]
        )
    assert all(swapped.any() for swapped in alone)
    for decoder, expected in zip(decoders, alone):
        assert np.array_equal(decoder.swapped(), expected)


def test_a_stream_needs_a_few_frames_of_look_ahead():
    poses, swapped = swap(body(90, 0.35, turn=0.8)[..., :2], 'body', 30, 12)
    seen = np.ones(swapped.shape, bool)
    decoder = SwapDecoder(CHAINS, measure_motion(poses, seen, CHAINS))
    ahead, emitted = 3, []
    for t in range(len(poses)):
        decoder.push(poses[t : t + 1], seen[t : t + 1])
        if t >= ahead:
            emitted.append(decoder.swapped()[0])
            decoder.let_go(1)
    assert np.array_equal(emitted, swapped[: len(emitted)])


def test_without_names_the_body_is_swapped_as_a_whole():
    chains = swap_chains(flip_indices=CHAINS.flip_indices)
    assert sorted(set(chains.chains)) == [-1, 0]
    poses, swapped = swap(body(90, 0.35, turn=0.8)[..., :2], 'body', 40, 12)
    assert np.array_equal(unswap(poses, chains).swapped, swapped)


def test_chains_of_other_spellings():
    names = ['Pelvis', 'RHip', 'LHip', 'RBigToe', 'LBigToe', 'l_hand2']
    chains = swap_chains([*names, 'r_hand2', 'left_foot_index'])
    assert chains.chains.tolist() == [-1, 0, 0, 2, 2, 1, 1, -1]
    assert chains.flip_indices.tolist() == [0, 2, 1, 4, 3, 6, 5, 7]


def test_no_pairs_or_very_short():
    lonely = swap_chains(['nose', 'tail'])
    assert not unswap(np.zeros((5, 2, 2)), lonely).swapped.any()
    for frames in (1, 2, 3, 4):
        assert not decide(body(frames)[..., :2]).any()
    empty = np.full((4, 17, 2), np.nan)
    assert not decide(empty).any()


@pytest.mark.parametrize(
    ('names', 'flip', 'message'),
    [
        (None, None, 'expected keypoint_names or flip_indices'),
        (None, [1, 2, 0], 'expected a pairing of 3'),
        (['a'], [1, 0], 'keypoint_names: expected 2, found 1'),
    ],
)
def test_wrong_chains_are_refused(names, flip, message):
    with pytest.raises(ValueError, match=message):
        swap_chains(names, flip)


def test_many_windows_are_decided_as_each_alone():
    rng = np.random.default_rng(0)
    windows = []
    for motion in [*MOTIONS] * 3:
        right = MOTIONS[motion]()[:49, :, :2]
        poses = right + rng.normal(0, rng.uniform(0, 12), right.shape)
        for part in rng.permutation([*PARTS])[: rng.integers(3)]:
            poses, _ = swap(poses, part, rng.integers(40), rng.integers(1, 15))
        poses[rng.random(poses.shape[:2]) < 0.1] = np.nan
        begin = rng.integers(45)
        poses[begin : begin + rng.integers(6)] = np.nan
        windows.append(poses)
    # One that is seen in two frames only.
    windows[-1][2:] = np.nan
    scores = rng.uniform(0.1, 1, (49, len(windows), len(NAMES)))
    together = unswap(np.stack(windows, 1), CHAINS, scores, fps=25.0)
    assert together.swapped.any(0).any(-1).sum() > 3
    for i, poses in enumerate(windows):
        alone = unswap(poses, CHAINS, scores[:, i], fps=25.0)
        for name, one, many in zip(alone._fields, alone, together):
            np.testing.assert_array_equal(many[:, i], one, err_msg=name)


def test_windows_without_a_chain_are_never_swapped():
    poses = np.random.default_rng(0).normal(0, 100, (9, 5, len(NAMES), 2))
    poses[:, :, CHAINS.chains >= 0] = np.nan
    poses[:, 4] = np.nan
    assert not unswap(poses, CHAINS, np.ones(poses.shape[:-1])).swapped.any()
