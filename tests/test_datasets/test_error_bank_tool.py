# Copyright (c) hanet_mm contributors. All rights reserved.
"""A bank of errors, made of estimates whose errors are known."""

import sys

import numpy as np
import pytest
from error_bank import convert, main, make_bank, read_estimates
from scipy.stats import spearmanr

from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.core.poses.boxes import box_sizes, boxes_around, person_size
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.robust_path import smooth_evenly
from hanet_mm.core.refine.swap_chains import swap_chains
from hanet_mm.datasets.simulation import (
    clip_errors,
    definition_biases,
    load_error_bank,
    noise_source,
    procedural_motion,
    replay_errors,
    simulate_estimator_noise,
)
from hanet_mm.datasets.simulation.cameras import pictures
from hanet_mm.datasets.simulation.estimator_errors import runs_of
from hanet_mm.datasets.simulation.motion_bank import cut_windows

pytestmark = pytest.mark.mm

COCO = SKELETONS['coco17'].keypoint_names
CHAINS = swap_chains(COCO)
FLIP = CHAINS.flip_indices
LIMBS = slice(5, 17)
FRAMES = 45


def clean(num=12, frames=FRAMES, seed=0):
    """People in pictures, 30 frames per second, (S, T, 17, 2)."""
    rng = np.random.default_rng(seed)
    motion = procedural_motion(rng, 'coco17', 16)
    joints, _, fps = cut_windows(rng, motion, num, frames, (30, 30), (1, 1))
    return pictures(rng, joints, fps)[0].astype(np.float64)


def sizes(truth):
    return np.array([person_size(x) for x in truth])[:, None, None, None]


def noise(truth, sigma, seed):
    rng = np.random.default_rng(seed)
    return sigma * sizes(truth) * rng.standard_normal(truth.shape)


def sequences(keypoints, scores=None, name='one'):
    num, frames = keypoints.shape[:2]
    flat = keypoints.reshape(-1, 17, 2)
    if scores is None:
        scores = np.where(np.isnan(flat).any(-1), 0, 0.9)
    return PoseSequences(
        keypoints_est=flat,
        scores=np.reshape(scores, flat.shape[:2]),
        seq_len=np.full(num, frames),
        seq_name=[f'clip {i}' for i in range(num)],
        fps=np.full(num, 30.0),
        meta=dict(keypoint_names=list(COCO), estimator=name),
    )


def save_all(folder, *estimates):
    paths = []
    for name, keypoints in zip(('a_1', 'a_2', 'b_1'), estimates):
        paths.append(folder / f'{name}.npz')
        save_pose_sequences(paths[-1], sequences(keypoints, name=name))
    return paths


@pytest.mark.parametrize('sigma', [0.005, 0.02])
def test_fast_errors_have_their_size(tmp_path, sigma):
    truth = clean()
    paths = save_all(
        tmp_path, *(truth + noise(truth, sigma, i) for i in range(3))
    )
    bank = make_bank(read_estimates(paths))
    # The noise of each is a third of the mean's, of which the path keeps
    # what is slow.
    for name in ('a_1', 'a_2', 'b_1'):
        own = np.repeat(bank.estimator == name, bank.seq_len)
        assert 0.85 * sigma < bank.errors[own].std() < 1.1 * sigma
    assert bank.swapped.mean() < 0.01
    # Whittaker's gain is 1/2 at 6 Hz: of white noise this much is left, and
    # less where there is less noise than 1 % of the body.
    cycles = np.arange(0, 0.5, 0.001)
    ratio = np.sin(np.pi * cycles) / np.sin(np.pi * 6 / 30)
    left = np.sqrt(np.mean((1 - 1 / (1 + ratio**4)) ** 2))
    alone = make_bank(read_estimates(paths[:1]))
    if sigma > 0.01:
        assert alone.errors.std() == pytest.approx(left * sigma, rel=0.1)
    else:
        assert 0.5 * left * sigma < alone.errors.std() < left * sigma
    assert not len(alone.biases)


def test_swaps_gaps_and_scores_are_kept(tmp_path):
    truth = clean(seed=1)
    first = truth + noise(truth, 0.003, 0)
    swapped = np.zeros(truth.shape[:3], bool)
    swapped[:, 12:17] = True
    first[:, 12:17] = first[:, 12:17][:, :, FLIP]
    first[:, 30:33] = np.nan
    rng = np.random.default_rng(0)
    scores = rng.uniform(0.1, 1, first.shape[:3]).astype(np.float32)
    scores[:, 30:33] = 0
    found = clip_errors(
        np.stack([first[0], (truth + noise(truth, 0.003, 1))[0]]),
        np.stack([scores[0], np.ones_like(scores[0])]),
        CHAINS,
    )
    pairs = np.arange(17) != FLIP
    np.testing.assert_array_equal(found.swapped[0], swapped[0] & pairs)
    assert not found.swapped[1].any()
    np.testing.assert_array_equal(found.scores[0], scores[0])
    np.testing.assert_array_equal(
        np.isnan(found.errors[0]).any(-1), scores[0] == 0
    )
    # A swap is no error: the rest is as large as in any other frame.
    assert np.nanstd(found.errors[0][12:17]) < 0.006


def test_a_bank_replays_what_it_was_made_of(tmp_path):
    truth = clean(24)
    first = truth + noise(truth, 0.015, 0)
    first[::3, 20:24] = first[::3, 20:24][:, :, FLIP]
    first[1::3, 8:17, 9] = np.nan
    scores = np.full(truth.shape[:3], 0.8)
    scores[::3, 20:24], scores[1::3, 8:17, 9] = 0.3, 0
    others = [truth + noise(truth, 0.001, i) for i in (1, 2)]
    save_pose_sequences(tmp_path / 'a.npz', sequences(first, scores))
    for i in (0, 1):
        other = sequences(others[i], name=f'b_{i}')
        save_pose_sequences(tmp_path / f'{i}.npz', other)
    bank = make_bank(
        read_estimates([tmp_path / f'{x}.npz' for x in ('a', '0', '1')])
    )
    bank = bank.select(bank.estimator == 'one')
    other = 3 * clean(300, 30, seed=5)
    drawn = bank.draw(np.random.default_rng(0), 300, 30, 30.0, COCO)
    assert np.nanstd(drawn.errors) == pytest.approx(0.015, rel=0.1)
    swaps = (drawn.source != np.arange(17))[..., LIMBS].all(-1)
    share = 8 * 4 / (24 * FRAMES)
    assert swaps.mean() == pytest.approx(share, rel=0.35)
    assert (drawn.scores == 0).mean() == pytest.approx(
        8 * 9 / (24 * FRAMES * 17), rel=0.35
    )
    low = np.isclose(drawn.scores, 0.3).all(-1)
    np.testing.assert_array_equal(low, swaps)
    estimates, scores = replay_errors(
        other.astype(np.float32), np.random.default_rng(0), bank, COCO, 30.0
    )
    assert np.isfinite(estimates[scores > 0]).all()


def test_constant_differences_become_biases(tmp_path):
    truth = clean()
    shift = np.zeros((17, 2))
    shift[9] = 0.04, 0.03
    moved = truth + shift * sizes(truth)
    paths = save_all(tmp_path, truth, truth, moved)
    bank = make_bank(read_estimates(paths))
    assert np.abs(bank.errors).max() < 0.03
    assert len(bank.biases) == len(truth)
    expected = np.zeros(17)
    expected[9] = 0.05 / np.sqrt(2)
    for bias in bank.biases:
        length = np.linalg.norm(bias, axis=-1)
        np.testing.assert_allclose(length, expected, atol=1e-3)
    # Two estimators of the same network tell nothing of definitions.
    assert not len(definition_biases(np.ones((2, 17, 2)), ['a', 'a']))
    assert not len(definition_biases(np.full((2, 17, 2), np.nan), 'ab'))


def test_frames_without_agreement_are_left_out():
    truth = clean(1)[0]
    others = truth.copy()
    others[15:20] += 0.4 * person_size(truth)
    scores = np.ones((3, FRAMES, 17))
    found = clip_errors(np.stack([truth, truth, others]), scores, CHAINS)
    expected = np.ones(FRAMES, bool)
    expected[15:20] = False
    np.testing.assert_array_equal(found.agreed, expected)
    np.testing.assert_array_equal(
        runs_of(found.agreed, 16, 12), [[20, 8], [28, 8], [36, 9]]
    )


def test_sides_follow_the_majority_of_estimators():
    truth = clean(1, seed=2)[0]
    scores = np.ones((3, FRAMES, 17))
    given = np.stack([truth[:, FLIP], truth, truth])
    found = clip_errors(given, scores, CHAINS)
    pairs = np.arange(17) != FLIP
    assert found.swapped[0][:, pairs].all()
    assert not found.swapped[1:].any()
    assert np.abs(found.errors).max() < 0.03


def test_command_makes_a_file(tmp_path, monkeypatch):
    truth = clean(3)
    paths = save_all(tmp_path, truth, truth + noise(truth, 0.01, 0))
    out = tmp_path / 'bank.npz'
    arguments = ['error_bank.py', *map(str, paths), str(out)]
    monkeypatch.setattr(sys, 'argv', [*arguments, '--note', 'mine'])
    main()
    bank = load_error_bank(out)
    assert {*bank.estimator} == {'a_1', 'a_2'}
    assert {*bank.film} == {'clip 0', 'clip 1', 'clip 2'}
    with np.load(out) as file:
        assert 'mine' in str(file['meta'])
    other = str(tmp_path / 'other.npz')
    monkeypatch.setattr(sys, 'argv', [*arguments[:1], str(out), other])
    with pytest.raises(
        SystemExit, match=r'^error: .*bank\.npz: key .seq_name'
    ):
        main()


def test_one_file_may_hold_several_estimators(tmp_path):
    truth = clean(2)
    flat = truth.reshape(-1, 17, 2)
    np.savez(
        tmp_path / 'both.npz',
        est_a=flat,
        scores_a=np.ones(flat.shape[:2]),
        est_b=flat,
        scores_b=np.ones(flat.shape[:2]),
        seq_len=np.full(2, FRAMES),
        seq_name=np.array(['x', 'y']),
        film=np.array(['f', 'f']),
        meta=np.array('{"keypoints": "coco17"}'),
    )
    bank = make_bank(read_estimates([tmp_path / 'both.npz']))
    assert {*bank.estimator} == {'a', 'b'}
    assert {*bank.film} == {'f'}
    assert tuple(bank.keypoint_names) == COCO


def test_files_have_to_fit(tmp_path):
    truth = clean(2)
    one, two = (tmp_path / f'{x}.npz' for x in 'ab')
    save_pose_sequences(one, sequences(truth))
    save_pose_sequences(two, sequences(truth[:1], name='two'))
    with pytest.raises(ValueError, match=r'b\.npz: seq_name: expected that'):
        read_estimates([one, two])
    with pytest.raises(ValueError, match=r"a\.npz: .*found 'one' again"):
        read_estimates([one, one])
    save_pose_sequences(two, sequences(truth[:, :5], name='two'))
    with pytest.raises(ValueError, match=r'b\.npz: seq_len: expected that'):
        read_estimates([one, two])
    with pytest.raises(ValueError, match=r'at least 0\.5 s'):
        convert([two], tmp_path / 'bank.npz', '')
    np.savez(two, seq_len=np.ones(1, int), seq_name=np.array(['x']))
    with pytest.raises(ValueError, match=r"b\.npz: meta\['keypoint_names'\]"):
        read_estimates([two])


def figures(truth, estimates, scores):
    """Figures of errors in % of the box, as README of the clips has them.

    Swapped frames are put right, errors cut at 15 % for the fast part, which
    is what is left above 3 Hz.
    """
    box = box_sizes(boxes_around(truth, margin=0.1))[..., None, None]
    far = [
        np.linalg.norm(estimates - x, axis=-1)[:, :, LIMBS]
        for x in (truth, truth[:, :, FLIP])
    ]
    swapped = np.mean(far[1] < far[0], axis=-1) > 2 / 3
    estimates = np.where(
        swapped[..., None, None], estimates[:, :, FLIP], estimates
    )
    scores = np.where(swapped[..., None], scores[:, :, FLIP], scores)
    errors = ((estimates - truth) / box)[:, :, LIMBS]
    scores = scores[:, :, LIMBS]
    length = np.linalg.norm(errors, axis=-1)
    seen = np.isfinite(length)
    errors = errors * np.minimum(1, 0.15 / np.maximum(length, 1e-9))[..., None]
    errors = np.moveaxis(errors, 2, 1).reshape(-1, errors.shape[1], 2)
    errors = errors[np.isfinite(errors).all((1, 2))]
    constant = errors.mean(1, keepdims=True)
    rest = (errors - constant).swapaxes(0, 1)
    fast = rest - smooth_evenly(rest, 3 / 30)
    ranks = [
        spearmanr(s[k], e[k])[0]
        for s, e, k in zip(scores, length, seen)
        if k.sum() > 30
    ]
    median = [np.median(s[k]) for s, k in zip(scores, seen) if k.any()]

    def rms(x):
        return 100 * np.sqrt((x**2).sum(-1).mean())

    return dict(
        median=100 * np.median(length[seen]),
        p95=100 * np.percentile(length[seen], 95),
        constant=rms(constant),
        slow=rms(rest - fast),
        fast=rms(fast),
        lag=(rest[1:] * rest[:-1]).sum() / (rest**2).sum(),
        spearman=np.nanmean(ranks),
        score=np.median(median),
        swapped=swapped.mean(),
        longest=_longest(swapped) / 30,
    )


def _longest(swapped):
    runs = [runs_of(x, 1, 1000)[:, 1].max(initial=0) for x in swapped]
    return max(runs)


# Ranges around what MediaPipe and MoveNet have on annotated clips: median 3.4
# to 4.2, p95 12.8 to 14.5, constant 3.7 to 4.2, slow 3.5 to 3.7, fast 2.3 to
# 2.6, lag-1 correlation .56 to .66, Spearman -.16 to -.31, score .63 and .98.
REAL = dict(
    median=(2.7, 4.8),
    p95=(10, 18),
    constant=(3.0, 5.2),
    slow=(2.6, 4.3),
    fast=(1.7, 3.0),
    lag=(0.45, 0.75),
    spearman=(-0.45, -0.08),
    score=(0.63, 0.99),
    swapped=(0.01, 0.06),
    longest=(0.15, 1.1),
)


def check_figures(found):
    for name, (low, high) in REAL.items():
        assert low <= found[name] <= high, f'{name}: {found}'


def test_preset_has_the_errors_of_real_estimators():
    truth = clean(400, 40, seed=3).astype(np.float32)
    rng = np.random.default_rng(0)
    box = box_sizes(boxes_around(truth, margin=0.1))
    found = simulate_estimator_noise(
        truth, box, rng, noise_source('real').draw(rng, 400, 30.0), COCO
    )
    check_figures(figures(truth, *found))


def test_bank_has_the_errors_of_real_estimators(shared_dir):
    path = shared_dir / 'data' / 'real' / 'hmdb_estimates.npz'
    if not path.exists():
        pytest.skip(f'needs {path}')
    estimates = read_estimates([path])
    chosen = np.arange(0, len(estimates.film), 10)
    bank = make_bank(
        estimates._replace(
            by_name={
                k: v.select(chosen) for k, v in estimates.by_name.items()
            },
            film=estimates.film[chosen],
        )
    )
    truth = clean(400, 40, seed=3).astype(np.float32)
    found = replay_errors(truth, np.random.default_rng(0), bank, COCO, 30.0)
    check_figures(figures(truth, *found))
