# Copyright (c) hanet_mm contributors. All rights reserved.
"""Constant errors of a bank have no direction."""

import numpy as np

from hanet_mm.datasets.simulation import ErrorBank

NAMES = np.array(['left_hip', 'right_hip'])


def test_either_of_two_networks_may_be_right():
    bank = ErrorBank(
        errors=np.zeros((4, 2, 2)),
        scores=np.ones((4, 2)),
        swapped=np.zeros((4, 2), bool),
        seq_len=np.array([4]),
        estimator=np.array(['one']),
        film=np.array(['film']),
        fps=np.array([30.0]),
        biases=np.full((1, 2, 2), [0.0, 0.02]),
        keypoint_names=NAMES,
    )
    drawn = bank.draw(np.random.default_rng(0), 2000, 3, 30.0, NAMES).bias
    np.testing.assert_allclose(np.linalg.norm(drawn, axis=-1), 0.02, rtol=1e-5)
    # The mean of 2000 signs is within 5 standard errors of 0.
    assert np.abs(drawn.mean(0)).max() < 5 * 0.02 / np.sqrt(2000)
