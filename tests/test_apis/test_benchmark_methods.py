# Copyright (c) hanet_mm contributors. All rights reserved.
"""What is measured: filters as tuned, refiners as they are used."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from benchmark_data import (
    NAMES,
    make_coco_refiner,
    make_refiner,
    make_sequences,
    split,
)

import hanet_mm.apis.benchmark.filter_bank as filter_bank
from hanet_mm.apis.benchmark.curves import CurveMaker
from hanet_mm.apis.benchmark.filter_bank import (
    BANK,
    REFERENCE,
    FilterBank,
    known_chains,
    reference_methods,
)
from hanet_mm.apis.benchmark.methods import unswap_sequences
from hanet_mm.apis.benchmark.perturbations import resample_sequences
from hanet_mm.apis.benchmark.request import Request, read_refiners
from hanet_mm.apis.refine import refine_file
from hanet_mm.core.data.sequences import (
    load_pose_sequences,
    save_pose_sequences,
)
from hanet_mm.core.stream.refiner import StreamingRefiner
from hanet_mm.filters import GaussianFilter, KalmanFilter, tune_filter


def with_gaps(sequences):
    """Some keypoints are missing, the first frames of clip1 altogether."""
    scores = sequences.scores.copy()
    scores[5:8, 2] = scores[30:33] = scores[60, :3] = 0
    return replace(sequences, scores=scores)


def load(tmp_path, sequences, *refiners):
    """The methods of refiners on a file, and the sequences as read."""
    save_pose_sequences(tmp_path / 'data.npz', sequences)
    paths = []
    for number, refiner in enumerate(refiners):
        paths.append(tmp_path / f'refiner{number}.safetensors')
        refiner.save(paths[-1])
    request = Request(paths, tmp_path / 'data.npz')
    data = load_pose_sequences(request.data)
    return read_refiners(request, data), data


@pytest.fixture
def small_grids(monkeypatch):
    """Filters tuned quickly."""
    grids = dict(
        savgol=dict(window=(5, 9), polyorder=(1,)),
        butterworth=dict(order=(2,), cutoff=(0.1, 0.2)),
        gaussian=dict(sigma=(1, 3)),
        one_euro=dict(min_cutoff=(1, 3), beta=(1,)),
        kalman=dict(
            process_noise=(0.03, 0.1, 1),
            measurement_noise=(1.0,),
            score_power=(0, 0.5),
        ),
        median_butterworth=dict(window=(1, 3), cutoff=(0.2,)),
    )
    for name, kind in filter_bank.FILTERS.items():
        if name in grids:
            monkeypatch.setattr(kind, 'GRID', grids[name])


def test_filters_are_tuned_on_training_data(small_grids):
    tune, data = with_gaps(make_sequences(seed=1)), make_sequences(seed=2)
    # What is far off has low scores, so that they are of use.
    off = np.linalg.norm(tune.keypoints_est - tune.keypoints_gt, axis=-1)
    scores = np.where(tune.scores > 0, np.exp(-off / 5), 0)
    tune = replace(tune, scores=scores)
    methods = FilterBank(tune, data).methods()
    assert [x.name for x in methods] == [x.title for x in BANK.values()]
    for method, entry in zip(methods, BANK.values()):
        if entry.fixed:
            continue
        expected, _ = tune_filter(entry.name, tune)
        assert method.tool.settings == expected.settings
    without = methods[list(BANK).index('kalman_without_scores')]
    assert without.tool.score_power == 0
    assert methods[list(BANK).index('kalman')].tool.score_power == 0.5
    assert [x.name for x in methods if x.online] == ['One-Euro']
    assert methods[2].settings == f'sigma {methods[2].tool.sigma:g}'


def test_filters_are_tuned_once_for_each_rate(small_grids, monkeypatch):
    calls = []

    def tune(name, sequences, *args, **options):
        calls.append((name, round(float(sequences.fps[0]), 3)))
        return tune_filter(name, sequences, *args, **options)

    monkeypatch.setattr(filter_bank, 'tune_filter', tune)
    sequences = make_sequences()
    bank = FilterBank(sequences, sequences)
    for fps in (30.0, 15.0, 30.0):
        bank.methods(fps)
    assert len(calls) == len(set(calls)) + 2 == 2 * len(BANK)
    assert {rate for _, rate in calls} == {15, 30}
    slow, _ = resample_sequences(sequences, 15)
    expected, _ = tune_filter('gaussian', slow)
    assert bank.find('gaussian', 15.0).tool.sigma == expected.sigma
    one_euro = bank.find('one_euro', 15.0).tool
    assert one_euro.fps == 15


def test_filters_without_training_data():
    sequences = make_sequences(fps=50)
    bank = FilterBank(None, sequences)
    assert bank.find('gaussian').tool.sigma == 1.5
    assert bank.find('one_euro').tool.fps == 50
    assert bank.find('one_euro', 20.0).tool.fps == 20
    kalman = bank.find('kalman').tool
    assert kalman.score_power == 0.5
    without = bank.find('kalman_without_scores').tool
    assert (without.score_power, without.process_noise) == (
        0,
        kalman.process_noise,
    )


def test_filters_get_scores_and_gaps(small_grids):
    sequences = with_gaps(make_sequences())
    method = FilterBank(None, sequences).find('kalman')
    expected = KalmanFilter(0.15).refine(
        split(sequences.keypoints_est, sequences),
        split(sequences.scores, sequences),
    )
    expected = np.concatenate([x.keypoints for x in expected])
    found = method.run(sequences)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    known = replace(sequences, scores=(sequences.scores > 0) * 0.5)
    assert np.abs(method.run(known) - found).max() > 0.1


@pytest.mark.parametrize('coco', [False, True])
def test_refiners_do_what_the_command_does(tmp_path, coco):
    refiner = (make_coco_refiner if coco else make_refiner)(fps=25.0)
    (method,), data = load(tmp_path, with_gaps(make_sequences()), refiner)
    refine_file(
        tmp_path / 'data.npz',
        tmp_path / 'out.npz',
        tmp_path / 'refiner0.safetensors',
    )
    expected = load_pose_sequences(tmp_path / 'out.npz').keypoints_est
    np.testing.assert_allclose(method.run(data), expected, atol=1e-3)
    assert method.refined_keypoints(5).all()
    slow = replace(data, fps=data.fps / 2)
    assert np.abs(method.run(slow) - expected).max() > 0.01


def test_keypoints_that_a_refiner_does_not_know(tmp_path):
    sequences = with_gaps(make_sequences())
    names = ['tail', *NAMES[1:]]
    sequences.meta['keypoint_names'] = names
    (method,), data = load(tmp_path, sequences, make_coco_refiner())
    assert method.refined_keypoints(5).tolist() == [False, *[True] * 4]
    raw = method.run(data)
    np.testing.assert_array_equal(raw[:, 0], data.keypoints_est[:, 0])
    found = replace(method, others=GaussianFilter(2)).run(data)
    np.testing.assert_array_equal(found[:, 1:], raw[:, 1:])
    tail = split(data.keypoints_est[:, :1], data)[0]
    expected = GaussianFilter(2).refine(tail).keypoints
    np.testing.assert_allclose(found[:30, :1], expected, atol=1e-3)


def test_a_stream_that_waits_for_all_is_offline(tmp_path):
    (method,), data = load(tmp_path, make_sequences(), make_refiner(fps=30.0))
    stream = replace(method, lookahead=6)
    expected = method.run(data)
    np.testing.assert_allclose(stream.run(data), expected, atol=1e-2)
    hasty = replace(stream, lookahead=0).run(data)
    assert np.abs(hasty - expected).max() > 0.1
    # The future does not reach back.
    later = data.keypoints_est.copy()
    later[20:30] += 99
    changed = replace(data, keypoints_est=later)
    for lookahead in (0, 2):
        one, other = (
            replace(stream, lookahead=lookahead).run(x)
            for x in (data, changed)
        )
        last = 20 - lookahead
        np.testing.assert_allclose(one[:last], other[:last], atol=1e-3)
        assert np.abs(one[last:30] - other[last:30]).max() > 1


def test_streams_of_gaps_rates_and_sizes(tmp_path):
    sequences = with_gaps(make_sequences((30, 12, 41, 9)))
    scores = sequences.scores.copy()
    scores[83:] = 0
    sizes = [[320, 240]] * 2 + [[640, 480]] * 2
    sequences = replace(
        sequences, scores=scores, fps=[30.0, 15, 30, 30], image_size=sizes
    )
    (method,), data = load(
        tmp_path, sequences.select([0, 1, 2]), make_refiner(fps=30.0)
    )
    data = sequences
    stream = replace(method, lookahead=2)
    found = stream.run(data)
    # Nobody was there in the first frames of clip1.
    assert np.isnan(found[30:33]).all()
    assert np.isfinite(found[33:42]).all()
    # Nothing to go by: as it came.
    np.testing.assert_array_equal(found[83:], data.keypoints_est[83:])
    single = StreamingRefiner(method.tool, 2, fps=15.0)
    frames = []
    for points, weights in zip(data.keypoints_est[33:42], scores[33:42]):
        frames += single.push(points, weights)
    frames += single.flush(0)
    expected = np.stack([x.keypoints for x in frames])
    np.testing.assert_allclose(found[33:42], expected, atol=1e-2)


def test_points_of_the_curves(tmp_path, small_grids):
    sequences = make_sequences(fps=25.0)
    refiners, data = load(tmp_path, sequences, make_refiner(), make_refiner())
    assert [x.name for x in refiners] == ['refiner0', 'refiner1']
    maker = CurveMaker(data, refiners, FilterBank(None, data))
    names = ['input', *[x.title for x in BANK.values()]]
    names += [REFERENCE, 'refiner0', 'refiner1']
    values = {}
    for curve in ('missing', 'fps', 'lookahead', 'swaps'):
        points = list(maker.points(curve))
        assert len(points) == maker.num_points(curve)
        assert maker.why_not(curve) == ''
        values[curve] = [x.value for x in points]
        for point in points:
            found = [x.name for x in point.methods]
            if curve == 'lookahead' and point.value is not None:
                assert found == ['input', 'One-Euro', *names[-2:]]
                assert point.methods[-1].lookahead == point.value
            else:
                assert found == names
            rates = [x.tool.fps for x in point.methods if x.name == 'One-Euro']
            assert rates == [point.value if curve == 'fps' else 25]
    assert values['missing'] == [0, 10, 20, 30, 40, 50]
    assert values['fps'] == [15, 20, 25, 30, 60]
    assert values['lookahead'] == [0, 2, 4, 8, None]
    assert values['swaps'] == [0, 10, 20, 30, 40]
    first, *others = maker.points('missing')
    assert first.sequences is data
    assert [round(1 - x.sequences.valid.mean(), 1) for x in others] == [
        *(0.1, 0.2, 0.3, 0.4, 0.5)
    ]


def test_rate_of_the_data_is_not_drawn_twice(tmp_path):
    for fps, count in ((29.97, 4), (50.0, 5)):
        data = make_sequences(fps=fps)
        maker = CurveMaker(data, [], FilterBank(None, data))
        assert maker.num_points('fps') == count


@pytest.mark.parametrize('lookahead', [None, 2])
def test_lengths_go_to_refiners_in_metres(tmp_path, lookahead):
    sequences = make_sequences()
    solid = {
        key: np.pad(getattr(sequences, key), [(0, 0), (0, 0), (0, 1)]) / 100
        for key in ('keypoints_gt', 'keypoints_est')
    }
    refiner = make_refiner(dims=3, normalization='root', root=[3, 4])
    found = {}
    for unit, scale in (('m', 1), ('mm', 1000)):
        data = replace(
            sequences,
            bboxes=None,
            meta=dict(sequences.meta, units=unit),
            **{key: scale * value for key, value in solid.items()},
        )
        (method,), data = load(tmp_path, data, refiner)
        found[unit] = replace(method, lookahead=lookahead).run(data)
    np.testing.assert_allclose(found['mm'], 1000 * found['m'], atol=0.05)
    assert np.abs(found['m'] - solid['keypoints_est']).max() > 0.01


def test_filters_are_those_of_the_command(tmp_path):
    sequences = with_gaps(make_sequences())
    save_pose_sequences(tmp_path / 'data.npz', sequences)
    data = load_pose_sequences(tmp_path / 'data.npz')
    for name in ('kalman', 'gaussian', 'one_euro'):
        refine_file(
            tmp_path / 'data.npz', tmp_path / 'out.npz', f'filter:{name}'
        )
        expected = load_pose_sequences(tmp_path / 'out.npz').keypoints_est
        found = FilterBank(None, data).find(name).run(data)
        np.testing.assert_array_equal(found, expected)


def one_person_swapped():
    """A person who walks past, left taken for right in nine frames."""
    data = make_sequences((40, 30), fps=25.0, noise=0.5)
    apart = np.array([0, -60, 60, -60, 60])[:, None] * [1.0, 0]
    times = np.concatenate([np.arange(40), np.arange(30)])[:, None, None]
    truth = 200 + apart + [0, 1] * np.arange(5)[:, None] * 30 + times
    clean = truth + np.random.default_rng(0).normal(0, 0.5, truth.shape)
    given = clean.copy()
    given[12:21] = clean[12:21][:, [0, 2, 1, 4, 3]]
    make = partial(replace, data, keypoints_gt=truth, bboxes=None)
    return make(keypoints_est=given), make(keypoints_est=clean)


def test_filters_behind_unswap_see_no_swap():
    swapped, clean = one_person_swapped()
    chains = known_chains(swapped)
    undone = unswap_sequences(swapped, chains)
    np.testing.assert_array_equal(undone.keypoints_est, clean.keypoints_est)
    # Scores go with the keypoints.
    expected = swapped.scores[12:21][:, [0, 2, 1, 4, 3]]
    np.testing.assert_array_equal(undone.scores[12:21], expected)
    plain = FilterBank(None, swapped).find('gaussian')
    behind = FilterBank(None, swapped, chains=chains).find('gaussian')
    assert behind.name == 'Un-swap + Gaussian'
    np.testing.assert_array_equal(behind.run(swapped), plain.run(clean))
    assert np.abs(plain.run(swapped) - plain.run(clean)).max() > 60
    assert not FilterBank(None, swapped, chains=chains).find('one_euro').online


def test_filters_behind_unswap_are_those_of_the_command(tmp_path):
    swapped, _ = one_person_swapped()
    save_pose_sequences(tmp_path / 'data.npz', swapped)
    data = load_pose_sequences(tmp_path / 'data.npz')
    for name in ('kalman', 'median_butterworth'):
        refine_file(
            tmp_path / 'data.npz',
            tmp_path / 'out.npz',
            f'filter:{name}',
            unswap=True,
        )
        expected = load_pose_sequences(tmp_path / 'out.npz').keypoints_est
        chains = known_chains(data)
        found = FilterBank(None, data, chains=chains).find(name).run(data)
        np.testing.assert_array_equal(found, expected)


def test_filters_behind_unswap_are_tuned_behind_it(small_grids):
    swapped, clean = one_person_swapped()
    chains = known_chains(swapped)
    for key in ('gaussian', 'median_butterworth'):
        found = FilterBank(swapped, clean, chains=chains).find(key)
        expected = FilterBank(clean, clean).find(key)
        assert found.tool.settings == expected.tool.settings


def test_reference_is_a_median_of_five_and_six_hertz_behind_unswap():
    data = make_sequences(fps=25.0)
    (found,) = reference_methods(data)
    assert found.tool.settings == dict(window=5, cutoff=6 / 25)
    assert found.chains is not None
    assert reference_methods(data, 50.0)[0].tool.cutoff == 6 / 50
    # Below half of the rate, whatever the rate.
    assert reference_methods(data, 10.0)[0].tool.cutoff == 0.45
    for names in (None, ['nose', 'neck', 'pelvis', 'head_top', 'spine']):
        meta = dict(data.meta, keypoint_names=names)
        assert reference_methods(replace(data, meta=meta)) == []
