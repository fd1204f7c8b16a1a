# Copyright (c) hanet_mm contributors. All rights reserved.
"""The median filter followed by the Butterworth filter."""

import numpy as np
import pytest
from scipy.ndimage import median_filter
from scipy.signal import butter, filtfilt

from hanet_mm.filters import ButterworthFilter, MedianButterworthFilter


def make_poses(frames, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 5, (frames, 3, 2)).cumsum(0)


def test_is_one_filter_after_the_other():
    poses = make_poses(60)
    steady = median_filter(poses, (5, 1, 1), mode='nearest')
    expected = filtfilt(*butter(2, 0.2), steady, axis=0, padlen=9)
    found = MedianButterworthFilter(5, 0.1).refine(poses).keypoints
    # Mirrored ends of another length fade out inside.
    np.testing.assert_allclose(found[20:-20], expected[20:-20], atol=1e-3)


def test_outliers_do_not_reach_the_low_pass():
    steady = np.full((40, 3, 2), 100.0)
    spoilt = steady.copy()
    spoilt[20:22, 1] += 80
    found = MedianButterworthFilter(5, 0.1).refine(spoilt).keypoints
    np.testing.assert_allclose(found, steady, atol=1e-4)
    smeared = ButterworthFilter(2, 0.1).refine(spoilt).keypoints
    assert np.abs(smeared - steady)[[17, 24], 1].min() > 5


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [((4, 0.1), 'window has to be odd'), ((5, 0.5), 'cutoff has to be')],
)
def test_values_out_of_range(arguments, message):
    with pytest.raises(ValueError, match=message):
        MedianButterworthFilter(*arguments)
