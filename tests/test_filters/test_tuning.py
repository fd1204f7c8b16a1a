# Copyright (c) hanet_mm contributors. All rights reserved.
"""Choice of a filter's parameters on training sequences."""

import json

import numpy as np
import pytest

from hanet_mm.core.data.sequences import PoseSequences, load_pose_sequences
from hanet_mm.filters import FILTERS, tuning
from hanet_mm.filters.tuning import tune_filter

K = 4
SMALL_GRIDS = dict(
    savgol=dict(window=(3, 7, 15), polyorder=(1, 2)),
    butterworth=dict(order=(1, 2), cutoff=(0.05, 0.15, 0.4)),
    gaussian=dict(sigma=(0.1, 1.0, 2.0, 6.0)),
    one_euro=dict(min_cutoff=(0.5, 5.0), beta=(0, 1, 20)),
    median=dict(window=(1, 5, 9)),
    kalman=dict(
        process_noise=(0.05, 0.3, 5), measurement_noise=(1,), score_power=(0,)
    ),
    median_butterworth=dict(window=(1, 5), cutoff=(0.05, 0.2)),
)


def make_sequences(dims=2, noise=4.0, scale=1.0, **fields):
    """Persons of 100 px on arcs, estimates with noise, gaps, no truth."""
    rng = np.random.default_rng(0)
    lengths = np.array([25, 1, 40, 3, 30, 2])
    total = int(lengths.sum())
    times = np.concatenate([np.arange(n) for n in lengths])[:, None, None]
    phase = rng.uniform(0, 6, (1, K, dims))
    gt = 50 * np.sin(times / 7 + phase) + times
    est = gt + rng.normal(0, noise, gt.shape)
    scores = (rng.random((total, K)) > 0.1).astype(np.float32)
    scores[0] = scores[25] = 1
    visible = (rng.random((total, K)) > 0.2).astype(np.float32)
    gt = np.where(visible[..., None] > 0, gt, np.nan)
    fields.setdefault('fps', np.full(len(lengths), 25.0))
    fields.setdefault('meta', dict(units='px'))
    return PoseSequences(
        keypoints_est=scale * est,
        scores=scores,
        seq_len=lengths,
        seq_name=[f's{i}' for i in range(len(lengths))],
        keypoints_gt=scale * gt,
        visible=visible,
        **fields,
    )


def plain_errors(seqs, smoother=None, root=None):
    """Mean errors by public calls, sequence by sequence, joint by joint."""
    errors, accels = [], []
    for start, length in zip(seqs.starts, seqs.seq_len):
        at = slice(start, start + length)
        est, gt = seqs.keypoints_est[at], seqs.keypoints_gt[at].astype(float)
        almost_none = FILTERS['gaussian'](1e-3)
        result = (smoother or almost_none).refine(est, seqs.scores[at])
        pred = result.keypoints.astype(float)
        if root is not None:
            pred = pred - pred[:, root].mean(1)[:, None]
            gt = gt - gt[:, root].mean(1)[:, None]
        for joint in range(K):
            error = pred[:, joint] - gt[:, joint]
            error[seqs.visible[at][:, joint] == 0] = np.nan
            errors += [np.linalg.norm(x) for x in error]
            for x, y, z in zip(error, error[1:], error[2:]):
                accels.append(np.linalg.norm(x - 2 * y + z))
    return np.nanmean(errors), np.nanmean(accels)


@pytest.mark.parametrize('objective', ['mean_error', 'accel_error'])
@pytest.mark.parametrize('name', list(FILTERS))
def test_takes_the_least_of_the_errors_by_hand(name, objective):
    seqs, grid = make_sequences(), SMALL_GRIDS[name]
    smoother, report = tune_filter(name, seqs, grid, objective)
    column = ['mean_error', 'accel_error'].index(objective)
    expected = []
    for point in report.points:
        arguments = dict(point.settings)
        if name == 'one_euro':
            arguments['beta'] /= report.size
            arguments['fps'] = 25
        expected.append(plain_errors(seqs, FILTERS[name](**arguments)))
    found = [(x.mean_error, x.accel_error) for x in report.points]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    best = int(np.argmin(np.array(expected)[:, column]))
    assert report.best == report.points[best]
    np.testing.assert_allclose(
        (report.input.mean_error, report.input.accel_error),
        plain_errors(seqs),
        rtol=1e-5,
    )
    assert type(smoother) is FILTERS[name]
    assert smoother.settings == {
        key: report.arguments[key] for key in smoother.GRID
    }
    # Every combination once.
    count = int(np.prod([len(values) for values in grid.values()]))
    assert len({str(x.settings) for x in report.points}) == count


@pytest.mark.parametrize('name', list(FILTERS))
def test_the_grid_leaves_a_good_estimate_alone_and_smooths_a_bad_one(name):
    good, report = tune_filter(name, make_sequences(noise=0.01))
    assert report.best.mean_error < 1.2 * report.input.mean_error + 0.02
    bad, report = tune_filter(name, make_sequences(noise=20))
    assert report.best.mean_error < 0.9 * report.input.mean_error
    assert good.settings != bad.settings


def test_size_of_a_person_is_the_median_of_the_larger_sides():
    seqs = make_sequences()
    sides = []
    for points, valid in zip(seqs.keypoints_est, seqs.valid):
        if valid.sum() > 1:
            sides.append(np.ptp(points[valid], axis=0).max())
    _, report = tune_filter('gaussian', seqs, dict(sigma=[1]))
    assert report.size == pytest.approx(np.median(sides), rel=1e-6)


@pytest.mark.parametrize('name', list(FILTERS))
def test_holds_for_any_unit(name):
    px, in_px = tune_filter(name, make_sequences(), SMALL_GRIDS[name])
    m, in_m = tune_filter(name, make_sequences(scale=0.001), SMALL_GRIDS[name])
    assert in_m.best.settings == in_px.best.settings
    for one, other in zip(in_m.points, in_px.points):
        assert 1000 * one.mean_error == pytest.approx(
            other.mean_error, rel=1e-4
        )
    poses = np.float64(make_sequences().keypoints_est[:25])
    np.testing.assert_allclose(
        m.refine(0.001 * poses).keypoints,
        0.001 * px.refine(poses).keypoints,
        atol=1e-6,
    )


def test_root_relative_errors():
    seqs = make_sequences(dims=3)
    # The root has to be visible: a frame without it does not count.
    known = seqs.visible[:, [1, 2]].all(1, keepdims=True)
    sigma = FILTERS['gaussian'](2)
    expected = plain_errors(seqs, sigma, root=[1, 2])
    assert not known.all()
    _, report = tune_filter('gaussian', seqs, dict(sigma=[2]), root=(1, 2))
    found = report.best.mean_error, report.best.accel_error
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    plain = tune_filter('gaussian', seqs, dict(sigma=[2]))[1].best
    assert abs(plain.mean_error - found[0]) > 0.1


def test_blocks_of_sequences_give_the_same(monkeypatch):
    grid = SMALL_GRIDS['savgol']
    whole = tune_filter('savgol', make_sequences(), grid)[1]
    for frames in (1, 30, 66):
        monkeypatch.setattr(tuning, '_BLOCK_FRAMES', frames)
        parts = tune_filter('savgol', make_sequences(), grid)[1]
        for one, other in zip(parts.points, whole.points):
            assert one.settings == other.settings
            assert one.mean_error == pytest.approx(other.mean_error)
            assert one.accel_error == pytest.approx(other.accel_error)


def test_sequences_without_any_estimate_are_left_out():
    seqs = make_sequences()
    first = seqs.scores.copy()
    first[25:66] = 0
    seqs.scores = first
    found = tune_filter('gaussian', seqs, dict(sigma=[1]))[1]
    rest = tune_filter('gaussian', seqs.select([0, 3, 4, 5]), dict(sigma=[1]))[
        1
    ]
    assert found == rest


@pytest.mark.parametrize(
    ('rates', 'expected'),
    # Most frames belong to the third sequence.
    [(None, 30), ([25] * 6, 25), ([10, 10, 50, 10, 50, 10], 50)],
)
def test_one_euro_gets_the_frame_rate(rates, expected):
    seqs = make_sequences(fps=rates)
    smoother, report = tune_filter('one_euro', seqs, SMALL_GRIDS['one_euro'])
    assert smoother.fps == report.fps == expected


def make_rotations(meta):
    """Turns of 24 joints with noise, as 6D."""
    rotation = pytest.importorskip('scipy.spatial.transform').Rotation
    rng = np.random.default_rng(0)
    lengths = [40, 30]
    axis = rng.normal(size=(1, 24, 3))
    times = np.concatenate([np.arange(n) for n in lengths])[:, None, None]
    gt = rotation.from_rotvec((axis * times / 15).reshape(-1, 3))
    noise = rng.normal(0, 0.2, (70 * 24, 3))
    est = gt * rotation.from_rotvec(noise)
    est, gt = (
        x.as_matrix()[:, :, :2].reshape(70, 24, 6).astype(np.float32)
        for x in (est, gt)
    )
    seqs = PoseSequences(
        keypoints_est=est,
        scores=np.ones((70, 24)),
        seq_len=lengths,
        seq_name=['a', 'b'],
        keypoints_gt=gt,
        meta=meta,
    )
    return seqs, noise


def test_rotations_are_measured_by_their_angle():
    rotation = pytest.importorskip('scipy.spatial.transform').Rotation
    seqs, noise = make_rotations(dict(units='rot6d'))
    smoother, report = tune_filter('gaussian', seqs, dict(sigma=[1, 20]))
    assert smoother.rotations
    assert report.size == 1
    angle = np.linalg.norm(noise, axis=-1).mean()
    assert report.input.mean_error == pytest.approx(angle, rel=1e-4)

    def matrices(six):
        first, second = six[..., ::2], six[..., 1::2]
        columns = [first, second, np.cross(first, second)]
        return rotation.from_matrix(
            np.stack(columns, axis=-1).reshape(-1, 3, 3)
        )

    parts = np.split(seqs.keypoints_est, [40])
    found = np.concatenate([x.keypoints for x in smoother.refine(parts)])
    off = matrices(found).inv() * matrices(seqs.keypoints_gt)
    assert report.best.mean_error == pytest.approx(
        off.magnitude().mean(), rel=1e-4
    )
    assert report.best.settings == dict(sigma=1)


def test_report_is_json_and_bar_is_shown_on_request(capsys):
    grid = dict(sigma=[1, 2])
    _, report = tune_filter('gaussian', make_sequences(), grid)
    assert capsys.readouterr().err == ''
    read = json.loads(json.dumps(report.to_dict()))
    assert read['name'] == 'gaussian'
    assert [x['settings'] for x in read['points']] == [
        dict(sigma=1),
        dict(sigma=2),
    ]
    assert read['arguments'] == read['best']['settings']
    pytest.importorskip('tqdm', reason='the bar is that of tqdm')
    tune_filter('gaussian', make_sequences(), grid, progress=True)
    # 101 frames, filtered twice.
    assert '202/202' in capsys.readouterr().err


def without_truth():
    seqs = make_sequences()
    seqs.keypoints_gt = seqs.visible = None
    return seqs


def with_nothing(field):
    seqs = make_sequences()
    setattr(seqs, field, np.zeros_like(seqs.scores))
    return seqs


@pytest.mark.parametrize(
    ('seqs', 'change', 'message'),
    [
        (make_sequences, dict(name='mean'), "one of savgol, .*'mean'"),
        (make_sequences, dict(objective='PCK'), "objective .* got 'PCK'"),
        (make_sequences, dict(grid=dict(width=[3])), 'expected values of'),
        (make_sequences, dict(grid=dict(sigma=[])), 'at least 1 value'),
        (make_sequences, dict(grid=dict(sigma=[-1])), 'sigma .* got -1'),
        (without_truth, {}, 'keypoints_gt: expected a truth'),
        (lambda: with_nothing('visible'), {}, 'mean_error: no frame with'),
        (lambda: with_nothing('scores'), {}, 'no estimate in any sequence'),
        (
            lambda: make_sequences().select([1, 3, 5]).select([0, 2]),
            dict(objective='accel_error'),
            'accel_error: no frame with known truth',
        ),
        (
            lambda: make_rotations(dict(units='axis-angle'))[0],
            {},
            "expected coordinates or 'rot6d', found 'axis-angle'",
        ),
    ],
)
def test_what_cannot_be_tuned_is_a_one_line_error(seqs, change, message):
    arguments = {'name': 'gaussian', 'sequences': seqs(), **change}
    with pytest.raises(ValueError, match=message) as info:
        tune_filter(**arguments)
    assert '\n' not in str(info.value)


def test_tuned_on_train_is_better_on_unseen_real_motion(shared_dir):
    folder = shared_dir / 'data'
    paths = [folder / f'jhmdb_sim_{x}.npz' for x in ('train', 'test')]
    if not all(path.is_file() for path in paths):
        pytest.skip('needs jhmdb_sim_{train,test}.npz')
    train, test = map(load_pose_sequences, paths)
    smoother, _ = tune_filter('gaussian', train, dict(sigma=[1, 2, 3, 4]))
    found = smoother.smooth(test.keypoints_est, test.seq_len)
    before, after = (
        np.linalg.norm(x - test.keypoints_gt, axis=-1).mean()
        for x in (test.keypoints_est, found)
    )
    # px; measured beforehand with another implementation.
    assert before == pytest.approx(11.83, abs=0.01)
    assert after == pytest.approx(8.00, abs=0.05)
