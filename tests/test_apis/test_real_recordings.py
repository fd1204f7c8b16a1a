# Copyright (c) hanet_mm contributors. All rights reserved.
"""Figures on real recordings, where these are: against an independent script
that was written beside them.
"""

import importlib.util

import numpy as np
import pytest

from hanet_mm.apis.benchmark.evaluation import measure_output, read_truth
from hanet_mm.apis.benchmark.methods import filled_input
from hanet_mm.core.data.sequences import load_pose_sequences

# Figures of the script, ours, and the digits that it prints.
FIGURES = (
    ('mean', 'box_error', 2),
    ('p95', 'box_error_95', 2),
    ('k05', 'pck_0.05', 1),
    ('k1', 'pck_0.1', 1),
    ('k2', 'pck_0.2', 1),
    ('worse', 'worse', 1),
    ('better', 'better', 1),
)


@pytest.fixture(scope='module')
def script(shared_dir):
    path = shared_dir / 'tools/score_real.py'
    if not path.is_file():
        pytest.skip(f'needs the script beside the recordings: {path}')
    spec = importlib.util.spec_from_file_location('score_real', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('estimator', ['mediapipe_static', 'movenet_track'])
@pytest.mark.parametrize('method', ['raw', 'medbut6', 'unswap6'])
def test_figures_are_those_of_the_script(
    script, shared_dir, estimator, method
):
    path = shared_dir / f'data/real/jhmdb_{estimator}_train.npz'
    if not path.is_file():
        pytest.skip(f'needs the recordings: {path}')
    sequences = load_pose_sequences(path).select(np.arange(0, 156, 6))
    clips = script.load(path)[::6]
    poses = script.apply(method, clips, None)
    expected = script.measure(clips, poses)
    given = filled_input(sequences)
    np.testing.assert_allclose(
        given, np.concatenate([x.filled for x in clips]), atol=1e-3
    )
    found = measure_output(np.concatenate(poses), read_truth(sequences), given)
    for theirs, ours, digits in FIGURES:
        assert abs(found[ours] - expected[theirs]) <= 0.5 * 10**-digits, ours
