# Copyright (c) hanet_mm contributors. All rights reserved.
"""The translation of SMPL is smoothed with the rotations."""

import numpy as np
import pytest
from scipy.signal import savgol_filter

from hanet_mm.apis.refine import refine_file

FRAMES = 120


def save(path, translation, **more):
    """Somebody who stands still, in another place in each frame."""
    poses = np.zeros((FRAMES, 72), np.float32)
    np.savez(path, poses=poses, fps=30.0, **more, **translation)
    return path


def walk(seed=0):
    """A straight walk, 1 m/s, seen from the front: noise is in the depth."""
    truth = np.zeros((FRAMES, 3))
    truth[:, 0] = np.arange(FRAMES) / 30
    truth[:, 2] = 4
    given = truth.copy()
    given[:, 2] += np.random.default_rng(seed).normal(0, 0.05, FRAMES)
    return truth, given


def refined(source, out, *arguments, **options):
    refine_file(source, out, *arguments, **options)
    with np.load(out) as result:
        return dict(result)


@pytest.mark.parametrize('key', ['trans', 'transl', 'translation'])
def test_the_translation_is_smoothed_axis_by_axis(tmp_path, key):
    truth, given = walk()
    source = save(tmp_path / 'smpl.npz', {key: given}, betas=np.ones(10))
    result = refined(source, tmp_path / 'out.npz')
    np.testing.assert_array_equal(result[f'{key}_input'], given)
    np.testing.assert_array_equal(result['betas'], np.ones(10))
    assert result[key].dtype == given.dtype
    error = np.abs(result[key] - truth)
    # What is exact stays, whatever the depth does.
    assert error[:, :2].max() < 1e-5
    # Of white noise at 30 frames per second 6 of 15 Hz, the highest cutoff.
    assert (error[:, 2] ** 2).mean() < 6 / 15 * 0.05**2


def test_a_translation_without_noise_stays(tmp_path):
    seconds = np.arange(FRAMES) / 30
    path = np.stack(
        [np.sin(2 * np.pi * seconds), 0.1 * seconds**2, 3 + seconds], 1
    )
    source = save(tmp_path / 'smpl.npz', dict(transl=path))
    result = refined(source, tmp_path / 'out.npz')
    assert np.abs(result['transl'] - path).max() < 0.002


def test_an_outlier_does_not_bend_it(tmp_path):
    truth, given = walk()
    given[60] += [0.0, 0.0, 2.0]
    source = save(tmp_path / 'smpl.npz', dict(trans=given))
    result = refined(source, tmp_path / 'out.npz')
    assert np.abs(result['trans'] - truth)[55:66].max() < 0.1


def test_what_was_not_known_stays_unknown(tmp_path):
    truth, given = walk()
    given[40:45] = np.nan
    source = save(tmp_path / 'smpl.npz', dict(trans=given))
    result = refined(source, tmp_path / 'out.npz')
    np.testing.assert_array_equal(np.isnan(result['trans']), np.isnan(given))
    known = np.isfinite(given)
    assert np.abs(result['trans'] - truth)[known].max() < 0.1


def test_a_filter_smooths_it_as_the_rotations(tmp_path):
    _, given = walk()
    source = save(tmp_path / 'smpl.npz', dict(trans=given))
    name = 'filter:savgol:window=9,polyorder=2'
    result = refined(source, tmp_path / 'out.npz', name)
    expected = savgol_filter(given, 9, 2, axis=0, mode='interp')
    np.testing.assert_allclose(
        result['trans'][8:-8], expected[8:-8], atol=1e-5
    )


def test_no_translation_without_one_for_each_frame(tmp_path):
    source = save(tmp_path / 'smpl.npz', dict(trans=np.ones((1, 3))))
    result = refined(source, tmp_path / 'out.npz')
    np.testing.assert_array_equal(result['trans'], np.ones((1, 3)))
    assert 'trans_input' not in result


@pytest.mark.parametrize(
    ('translation', 'expected'),
    [
        (dict(trans=walk()[1]), 'smoothed'),
        (dict(trans=np.ones((1, 3))), 'copied'),
        ({}, None),
    ],
)
def test_the_summary_says_what_became_of_it(tmp_path, translation, expected):
    source = save(tmp_path / 'smpl.npz', translation)
    summary = refine_file(source, tmp_path / 'out.npz')
    assert summary.to_dict()['translation'] == expected
    words = {
        'smoothed': 'filled, left and right corrected in 0 of 120 frames, '
        'translation smoothed; ',
        'copied': 'a translation is not smoothed',
        None: '',
    }
    for text in (str(summary), summary.brief):
        assert '\n' not in text
        assert words[expected] in text
        assert ('translation' in text) == (expected is not None)
