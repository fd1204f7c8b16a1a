# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refiners with a gate: sequences, streams and files."""

import warnings

import numpy as np
import pytest
import torch
from scored_refiners import D, K, T, make_scored_refiner, make_track, normalise
from small_refiners import close, run_stream, stack

from hanet_mm import StreamingRefiner, load_refiner
from hanet_mm.core.nn.smoother import ScoreSmoother

MESSAGE = r"{} windows are outside the refiner's training distribution"


def gated_refiner(limit, **options):
    refiner = make_scored_refiner(**options)
    refiner.add_gate().limit.fill_(limit)
    return refiner


def smoothed(poses, scores):
    """A sequence as long as the window by the filter that is fallen back to.

    The smoother is linear and keeps translations, so that normalisation does
    not matter to it.
    """
    smoother = ScoreSmoother(K, stiffness=200.0)
    origin = poses[0]
    series, weights = torch.from_numpy(poses - origin), torch.tensor(scores)
    return smoother(series[None], weights[None])[0].detach().numpy() + origin


def test_a_far_sequence_is_smoothed_and_said_to_be():
    poses, scores = make_track(T)
    refiner = gated_refiner(limit=-1.0)
    with pytest.warns(UserWarning, match=MESSAGE.format(1)) as caught:
        result = refiner.refine(poses, scores)
    close(result.keypoints, smoothed(poses, scores), 1e-5)
    (warning,) = caught
    assert warning.filename == __file__  # points to the call


def test_one_warning_for_all_sequences_of_a_call():
    refiner = gated_refiner(limit=-1.0)
    tracks = [make_track(n, seed=n) for n in (T, T + 3, 2)]
    for _ in range(2):  # does not go on counting
        # 1 + 4 + 1 windows.
        with pytest.warns(UserWarning, match=MESSAGE.format(6)) as caught:
            refiner.refine(*map(list, zip(*tracks)))
        assert len(caught) == 1


def test_mirrored_windows_do_not_count_twice():
    poses, scores = make_track(T)
    refiner = gated_refiner(limit=-1.0, flip_indices=list(range(K)))
    with pytest.warns(UserWarning, match=MESSAGE.format(1)):
        result = refiner.refine(poses, scores)
    close(result.keypoints, smoothed(poses, scores), 1e-5)


def test_nothing_is_foretold_of_what_the_filter_did():
    network = dict(head=dict(predict_error=True))
    poses, scores = make_track(T)
    far = gated_refiner(limit=-1.0, network=network)
    with pytest.warns(UserWarning, match='outside the refiner'):
        assert np.isnan(far.refine(poses, scores).expected_error).all()
    near = gated_refiner(limit=1e9, network=network)
    assert np.isfinite(near.refine(poses, scores).expected_error).all()


def test_windows_too_short_for_a_gate():
    refiner = make_scored_refiner(window_size=2)
    with pytest.raises(ValueError, match='at least 3 frames, got 2'):
        refiner.add_gate()


def test_no_word_where_nothing_is_far():
    poses, scores = make_track(20)
    expected = make_scored_refiner().refine(poses, scores).keypoints
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        for limit in (float('inf'), 1e9):
            refiner = gated_refiner(limit)
            result = refiner.refine(poses, scores)
            np.testing.assert_array_equal(result.keypoints, expected)


def test_far_or_not_does_not_depend_on_place_and_size():
    poses, scores = make_track(T)
    refiner = make_scored_refiner()
    gate = refiner.add_gate()
    windows = torch.from_numpy(poses)[None], torch.from_numpy(scores)[None]
    distance = gate.distance(gate.features(normalise(*windows), windows[1]))
    for limit, far in ((0.99, True), (1.01, False)):
        gate.limit.fill_(limit * distance.item())
        for scale, shift in ((1, 0), (7, -300)):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter('always')
                refiner.refine(scale * poses + shift, scores)
            assert bool(caught) == far


@pytest.mark.parametrize('motion', [False, True])
def test_saved_and_loaded_with_its_refiner(tmp_path, motion):
    refiner = make_scored_refiner()
    gate = refiner.add_gate(motion)
    torch.manual_seed(0)
    gate.fit(torch.randn(200, K * (D + motion) + 1), share=0.99)
    refiner.save(tmp_path / 'a.safetensors')
    loaded = load_refiner(tmp_path / 'a.safetensors')
    assert loaded.config == refiner.config
    assert loaded.config['gate'] == ('motion' if motion else True)
    for name in ('center', 'whitening', 'limit'):
        torch.testing.assert_close(
            getattr(loaded.gate, name), getattr(gate, name), rtol=0, atol=0
        )
    poses, scores = make_track(12)
    loaded.gate.limit.fill_(-1.0)
    with pytest.warns(UserWarning, match=MESSAGE.format(8)):
        loaded.refine(poses, scores)


def test_files_without_gate_stay_without(tmp_path):
    refiner = make_scored_refiner()
    refiner.save(tmp_path / 'a.safetensors')
    assert 'gate' not in refiner.config
    assert load_refiner(tmp_path / 'a.safetensors').gate is None


def test_streams_fall_back_too():
    poses, scores = make_track(16)
    far = gated_refiner(limit=-1.0)
    with pytest.warns(UserWarning, match='outside the refiner'):
        expected = far.refine(poses, scores).keypoints
    with pytest.warns(UserWarning, match=MESSAGE.format(1)):
        refined = run_stream(StreamingRefiner(far, T - 1), poses, scores)
    close(stack(refined), expected)
    free = make_scored_refiner()
    refined = stack(run_stream(StreamingRefiner(free, T - 1), poses, scores))
    assert np.abs(refined - expected).max() > 0.1
