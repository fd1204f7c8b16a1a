# Copyright (c) hanet_mm contributors. All rights reserved.
"""tools/benchmark/clean_motion.py on one kind of motion."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

# Importing the data sets needs OpenMMLab.
pytestmark = pytest.mark.mm

TOOL = Path(__file__).parents[2] / 'tools/benchmark/clean_motion.py'


@pytest.fixture(scope='module')
def tool():
    spec = importlib.util.spec_from_file_location('clean_motion', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope='module')
def found(tool, tmp_path_factory):
    path = tmp_path_factory.mktemp('clean') / 'figures.json'
    methods = ['robust_path', 'gaussian:sigma=8']
    tool.main([*methods, '--kinds', 'cycling', '--json', str(path)])
    return json.loads(path.read_text())


def test_cyclists_are_left_alone_but_not_by_a_wide_filter(tool, found):
    assert list(found) == ['robust_path', 'gaussian:sigma=8']
    assert {row['period'] for row in found['robust_path']} == {15, 20, 30}
    assert not any(map(tool.failures, found['robust_path'][:4]))
    for row in found['gaussian:sigma=8']:
        assert {'kept', 'moved'} <= set(tool.failures(row))
        # Gain of a Gaussian at the period of the pedals.
        gain = np.exp(-0.5 * (2 * np.pi * 8 / row['period']) ** 2)
        assert row['kept'] < gain + 0.15


def test_clips_are_300_px_and_noise_is_what_it_says(tool):
    cases = tool.make_cases(['squats'], 0)
    assert {x.period for x in cases} == {30, 60}
    for case in cases:
        assert tool.person_size(case.truth) == pytest.approx(300, rel=1e-4)
        spread = (case.estimate - case.truth).std()
        assert spread == pytest.approx(case.noise, rel=0.05)
