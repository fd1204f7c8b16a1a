# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refiners whose network makes use of scores, and what they can tell."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scored_refiners import FLIP, D, K, T, make_scored_refiner, make_track
from small_refiners import close, make_refiner

from hanet_mm.core.data.gaps import UNKNOWN_SCORE
from hanet_mm.core.refine.inference import mirrored_network, refine_sequences
from hanet_mm.core.refine.windows import window_table

NETWORK = dict(head=dict(flip_indices=FLIP, predict_error=True))


def gaps_of(poses, scores, seed=0, share=0.2):
    """Some keypoints missing, their places replaced by nonsense."""
    lost = np.random.default_rng(seed).random(scores.shape) < share
    lost[len(poses) // 2] = False
    points = np.where(lost[..., None], 1e4, poses).astype(np.float32)
    return points, np.where(lost, np.float32(0), scores)


class Inputs:
    """Poses and scores that a network was called with."""

    def __init__(self, refiner):
        self.calls = []
        refiner.network.register_forward_pre_hook(
            lambda _, inputs: self.calls.append(inputs)
        )


def test_scores_change_the_result():
    refiner = make_scored_refiner()
    poses, scores = make_track(12)
    result = refiner.refine(poses, scores).keypoints
    other = scores.copy()
    other[6, 2] = 1.5 - scores[6, 2]
    changed = refiner.refine(poses, other).keypoints
    assert np.abs(changed - result)[6, 2].max() > 0.01
    # A window is as far as it can be felt.
    assert np.abs(changed - result)[: 6 - (T - 1)].max() == 0


def test_other_networks_only_ask_which_are_missing():
    refiner = make_refiner()
    poses, scores = make_track(12)
    result = refiner.refine(poses, scores).keypoints
    np.testing.assert_array_equal(refiner.refine(poses).keypoints, result)


def test_without_scores_all_are_usual_ones():
    refiner = make_scored_refiner(network=NETWORK)
    poses, _ = make_track(12)
    poses[3:5, 1] = np.nan
    scores = np.full((12, K), UNKNOWN_SCORE)
    result, same = refiner.refine(poses), refiner.refine(poses, scores)
    np.testing.assert_array_equal(same.keypoints, result.keypoints)
    np.testing.assert_array_equal(same.filled, result.filled)
    assert result.filled.sum() == 2


def test_what_stands_where_the_score_is_zero_does_not_matter():
    refiner = make_scored_refiner(network=NETWORK)
    track = make_track(15)
    poses, scores = gaps_of(*track)
    result = refiner.refine(poses, scores).keypoints
    poses[scores == 0] = np.nan
    close(refiner.refine(poses, scores).keypoints, result)
    np.testing.assert_array_equal(
        refiner.refine(poses, scores).filled, scores == 0
    )


def test_the_network_sees_scores_and_zero_beyond_the_end():
    refiner = make_scored_refiner()
    inputs = Inputs(refiner)
    poses, scores = gaps_of(*make_track(3))
    refiner.refine(poses, scores)
    ((seen, known),) = inputs.calls
    np.testing.assert_array_equal(known[0, :3], scores)
    assert (known[0, 3:] == 0).all()
    last = seen[:, 2:3].expand(-1, 2, -1, -1)
    torch.testing.assert_close(seen[:, 3:], last)


def test_at_another_rate_the_network_sees_the_nearest_scores():
    refiner = make_scored_refiner(fps=30)
    inputs = Inputs(refiner)
    poses, scores = make_track(4)
    refiner.refine(poses, scores, fps=20)
    # Frames are at 0, 1.5, 3 and 4.5 of the refiner's 0, 1, ..., 5.
    ((_, known),) = inputs.calls
    nearest = np.array([0, 1, 1, 2, 3, 3])
    np.testing.assert_array_equal(known[0], scores[nearest[:T]])
    np.testing.assert_array_equal(known[1], scores[nearest[1:]])


@settings(deadline=None, max_examples=8)
@given(frames=st.integers(1, T), seed=st.integers(0, 50))
def test_frames_that_do_not_exist_are_as_frames_of_nothing(frames, seed):
    refiner = make_scored_refiner(network=NETWORK)
    poses, scores = make_track(T, seed)
    scores[frames:] = 0
    poses[frames:] = np.nan
    whole = refiner.refine(poses, scores)
    short = refiner.refine(poses[:frames], scores[:frames])
    close(whole.keypoints[:frames], short.keypoints, 1e-5)
    close(whole.expected_error[:frames], short.expected_error, 1e-5)


def test_padding_does_not_move_the_box():
    # The person jumps in the last frame; three frames of padding repeat it.
    refiner = make_scored_refiner()
    inputs = Inputs(refiner)
    poses = np.tile(make_track(1)[0], (2, 1, 1))
    poses[1] += 500
    refiner.refine(poses)
    ((seen, _),) = inputs.calls
    # The lower of two medians is the box around the first frame.
    low, high = seen[0, 0].amin(0), seen[0, 0].amax(0)
    torch.testing.assert_close(low, -high)
    assert (high - low).amax().item() == pytest.approx(1)


def mirrored(poses, flip, width=400):
    poses = poses[:, flip].copy()
    poses[..., 0] = width - poses[..., 0]
    return poses


@settings(deadline=None, max_examples=8)
@given(frames=st.integers(T, 14), seed=st.integers(0, 50))
def test_the_mirrored_input_gives_the_mirrored_result(frames, seed):
    refiner = make_scored_refiner(flip_indices=FLIP, network=NETWORK)
    poses, scores = make_track(frames, seed)
    result = refiner.refine(poses, scores).keypoints
    other = refiner.refine(mirrored(poses, FLIP), scores[:, FLIP]).keypoints
    close(other, mirrored(result, FLIP), 1e-5)


def test_that_is_the_mean_of_both_results():
    both = make_scored_refiner(flip_indices=FLIP)
    plain = make_scored_refiner()
    poses, scores = make_track(11)
    one = plain.refine(poses, scores).keypoints
    other = plain.refine(mirrored(poses, FLIP), scores[:, FLIP]).keypoints
    other = mirrored(other, FLIP)
    assert np.abs(one - other).max() > 0.1
    result = both.refine(poses, scores).keypoints
    close(result, (one + other) / 2, 1e-5)


def test_mirrored_poses_in_three_dimensions():
    refiner = make_scored_refiner(
        'root', root=[0, 1], flip_indices=FLIP, network=dict(coords=3)
    )
    body = np.array([[0, 0, 0], [0, 0.2, 0], [0, 1, 0], [0.3, 1.5, 0.2]])
    rng = np.random.default_rng(0)
    poses = body + rng.normal(0, 0.02, (9, K, 3))
    scores = rng.uniform(0.1, 1, (9, K))
    result = refiner.refine(poses, scores).keypoints
    other = refiner.refine(mirrored(poses, FLIP, 0), scores[:, FLIP]).keypoints
    np.testing.assert_allclose(other, mirrored(result, FLIP, 0), atol=1e-5)


@pytest.mark.parametrize('name', ['none', 'image', 'rot6d'])
def test_no_mirror_for_other_coordinates(name):
    with pytest.raises(ValueError, match="need the normalization 'box'"):
        make_scored_refiner(name, flip_indices=FLIP)


def test_flip_indices_go_into_the_file(tmp_path):
    refiner = make_scored_refiner(flip_indices=FLIP, network=NETWORK)
    refiner.save(tmp_path / 'a.safetensors')
    loaded = type(refiner)(**refiner.config)
    assert loaded.flip_indices == FLIP
    assert 'flip_indices' not in make_scored_refiner().config


def expecting(size, normalization='box', **options):
    """A refiner that expects an error of one size, network units."""
    refiner = make_scored_refiner(normalization, network=NETWORK, **options)
    with torch.no_grad():
        refiner.network.head.error.weight.zero_()
        refiner.network.head.error.bias.fill_(float(np.log(size)))
    return refiner


def test_expected_error_is_in_the_unit_of_the_keypoints():
    poses, scores = make_track(T)
    median = np.median(poses, axis=0)
    box = (median.max(0) - median.min(0)).max()
    result = expecting(0.1).refine(poses, scores)
    assert result.expected_error.shape == (T, K)
    np.testing.assert_allclose(result.expected_error, 0.1 * box, rtol=1e-5)
    result = expecting(0.1, 'none').refine(poses, scores)
    np.testing.assert_allclose(result.expected_error, 0.1, rtol=1e-5)


@settings(deadline=None, max_examples=8)
@given(scale=st.sampled_from([0.5, 2, 10]), frames=st.integers(1, 12))
def test_expected_error_scales_with_the_poses(scale, frames):
    refiner = make_scored_refiner(network=NETWORK)
    poses, scores = make_track(frames)
    one = refiner.refine(poses, scores).expected_error
    other = refiner.refine(scale * poses, scores).expected_error
    np.testing.assert_allclose(other, scale * one, rtol=1e-3)
    assert (one > 0).all()
    assert frames == 1 or one.std() > 0


@pytest.mark.parametrize('size', [(640, 360), (360, 640)])
def test_expected_error_of_unequal_units_is_in_the_larger_one(size):
    refiner = expecting(0.1, 'image')
    error = refiner.refine(*make_track(T), image_size=size).expected_error
    np.testing.assert_allclose(error, 0.1 * 640, rtol=1e-5)


def test_expected_errors_of_windows_are_averaged():
    refiner = expecting(0.1)
    poses, scores = make_track(T + 1)
    poses[T] += 1000  # the box of the median pose hardly cares
    both = refiner.refine(poses, scores).expected_error
    first = refiner.refine(poses[:T], scores[:T]).expected_error
    second = refiner.refine(poses[1:], scores[1:]).expected_error
    assert abs(first[1, 0] - second[0, 0]) > 1e-3
    np.testing.assert_allclose(both[:1], first[:1], rtol=1e-5)
    np.testing.assert_allclose(both[-1:], second[-1:], rtol=1e-5)
    mean = (first[1:] + second[:-1]) / 2
    np.testing.assert_allclose(both[1:-1], mean, rtol=1e-5)


def test_expected_error_is_nan_where_keypoints_are():
    refiner = make_scored_refiner(network=NETWORK)
    poses, scores = make_track(20)
    scores[4:12, 1] = 0
    scores[15, 2] = 0
    result = refiner.refine(poses, scores, max_gap=3)
    nowhere = np.zeros((20, K), bool)
    nowhere[4:12, 1] = True
    np.testing.assert_array_equal(np.isnan(result.expected_error), nowhere)
    np.testing.assert_array_equal(np.isnan(result.keypoints).any(-1), nowhere)
    result = refiner.refine(poses, scores)
    assert np.isfinite(result.expected_error).all()


def test_expected_error_of_a_part_in_which_nothing_was_seen():
    refiner = make_scored_refiner(network=NETWORK, fps=30)
    poses, scores = make_track(10)
    scores[5:] = 0
    times = np.arange(10) / 30
    times[5:] += 2  # a pause divides the sequence
    result = refiner.refine(poses, scores, timestamps=times)
    unknown = np.isnan(result.expected_error)
    assert unknown[5:].all()
    assert not unknown[:5].any()


@pytest.mark.parametrize('fps', [None, 12, 30, 60])
def test_expected_error_at_other_frame_rates(fps):
    refiner = make_scored_refiner(network=NETWORK, fps=30)
    tracks = [make_track(n, seed=n) for n in (14, 1, 3)]
    results = refiner.refine(*map(list, zip(*tracks)), fps=fps)
    for (poses, _), result in zip(tracks, results):
        assert result.expected_error.shape == poses.shape[:2]
        assert (result.expected_error > 0).all()
    constant = expecting(0.1, 'none', fps=30).refine(*tracks[0], fps=fps)
    np.testing.assert_allclose(constant.expected_error, 0.1, rtol=1e-5)


def test_expected_error_is_of_the_kind_given():
    refiner = make_scored_refiner(network=NETWORK)
    poses, scores = make_track(8)
    error = refiner.refine(poses.astype(np.float64), scores).expected_error
    assert error.dtype == np.float64
    tensors = torch.from_numpy(poses), torch.from_numpy(scores)
    given_back = refiner.refine(*tensors).expected_error
    assert given_back.dtype == torch.float32
    np.testing.assert_allclose(given_back, error, rtol=1e-6)


@pytest.mark.parametrize('fps', [None, 15])
def test_no_expected_error_from_networks_that_do_not_tell(fps):
    refiner = make_scored_refiner(fps=30)
    assert refiner.refine(*make_track(8), fps=fps).expected_error is None


@pytest.mark.parametrize('flip', [None, FLIP])
def test_result_does_not_depend_on_how_many_windows_run_at_once(flip):
    network = make_scored_refiner(network=NETWORK).network
    tracks = [make_track(n, seed=n) for n in (11, 2, 6)]
    poses, scores = ([torch.from_numpy(x) for x in y] for y in zip(*tracks))
    windows = len(window_table([11, 2, 6], T, 1).frames)
    results = [
        refine_sequences(
            mirrored_network(network, flip),
            poses,
            scores,
            window=T,
            stride=1,
            normalization='box',
            window_batch=size,
        )
        for size in (1, 4, windows, 512)
    ]
    for other in results[1:]:
        for mine, its in zip(results[0], other):
            close(its.keypoints.numpy(), mine.keypoints.numpy(), 1e-5)
            close(
                its.expected_error.numpy(), mine.expected_error.numpy(), 1e-5
            )


def test_frames_without_a_window_have_no_expected_error():
    network = make_scored_refiner(network=NETWORK).network
    poses, scores = (torch.from_numpy(x) for x in make_track(T + 2))
    (result,) = refine_sequences(
        network, [poses], [scores], T, 3, 'none', tail='drop'
    )
    assert result.covered.tolist() == [True] * T + [False] * 2
    known = result.expected_error.isfinite().all(-1)
    assert known.tolist() == result.covered.tolist()
    assert result.keypoints.shape == (T + 2, K, D)
