# Copyright (c) hanet_mm contributors. All rights reserved.
"""Words for refiners that are not good enough."""

import pytest

from hanet_mm.apis.benchmark.tables import judge

BASE = dict(mean_error=10.0, error_95=30.0, accel_error=5.0, lag=0.0)


def row(name, kind, **figures):
    return {'method': name, 'kind': kind, **BASE, 'pck_0.05': 60.0, **figures}


INPUT = row('input', 'input', accel_error=20.0)
SMOOTH = row('smooth', 'filter', mean_error=9.0, accel_error=4.0)
SHARP = row(
    'sharp', 'filter', mean_error=8.0, error_95=25.0, **{'pck_0.05': 70.0}
)
GOOD = dict(mean_error=7.0, error_95=20.0, accel_error=5.1, **{'pck_0.05': 75})


def judge_one(*rivals, **figures):
    refiner = row('mine', 'refiner', **{**GOOD, **figures})
    (found,) = judge([*(rivals or (INPUT, SMOOTH, SHARP)), refiner])
    assert found['refiner'] == 'mine'
    return found['passes'], found['text']


def test_better_than_all():
    passes, text = judge_one()
    assert passes
    assert text.startswith('beats the input and every filter on mean error, ')


@pytest.mark.parametrize(
    ('figures', 'words'),
    [
        (
            dict(mean_error=8.0),
            'does NOT beat sharp on mean error: 8 against 8',
        ),
        (
            dict(error_95=26.0),
            'does NOT beat sharp on 95th percentile: 26 against 25',
        ),
        (
            {'pck_0.05': 69.9},
            'does NOT beat sharp on PCK@0.05: 69.9 against 70',
        ),
        (
            dict(accel_error=5.3),
            'Accel 5.3 is MORE than 1.3 times that of the smoothest filter '
            '(smooth, 4)',
        ),
        (dict(lag=-0.6), 'has a LAG of -0.60 frames'),
        (dict(lag=None), 'its LAG is unknown'),
    ],
)
def test_each_fault_alone(figures, words):
    assert judge_one(**figures) == (False, words)


def test_all_faults_are_named():
    _, text = judge_one(mean_error=11.0, error_95=40.0, lag=2.0)
    assert text.count(';') == 2


def test_input_is_a_rival_but_not_a_smooth_filter():
    passes, text = judge_one(row('input', 'input', mean_error=6.0), SHARP)
    assert not passes
    assert 'does NOT beat input on mean error: 7 against 6' in text
    assert judge_one(row('input', 'input', accel_error=0.1), SHARP)[0]


def test_other_unknown_figures_are_no_fault():
    rivals = [dict(x) for x in (INPUT, SHARP)]
    for rival in rivals:
        del rival['pck_0.05']
    found, _ = judge_one(*rivals, accel_error=None)
    assert found
    refiner = {**row('mine', 'refiner', **GOOD)}
    del refiner['pck_0.05']
    (found,) = judge([*rivals, refiner])
    assert found['passes']
    assert 'PCK' not in found['text']


def test_refiners_are_no_rivals_of_each_other():
    best = row('best', 'refiner', **{**GOOD, 'mean_error': 1.0})
    mine = row('mine', 'refiner', **GOOD)
    assert [x['passes'] for x in judge([INPUT, SMOOTH, mine, best])] == [
        True,
        True,
    ]
