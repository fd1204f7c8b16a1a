# Copyright (c) hanet_mm contributors. All rights reserved.
"""A bank of real errors: drawn, replayed and read."""

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from hanet_mm.core.poses.boxes import person_size
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.datasets.simulation import (
    ErrorBank,
    EstimatorNoise,
    SimulatedEstimators,
    error_replay,
    load_error_bank,
    replay_errors,
    save_error_bank,
)
from hanet_mm.datasets.simulation.keypoints import keypoint_parts
from hanet_mm.datasets.transforms import SimulateEstimatorNoise

pytestmark = pytest.mark.mm

COCO = SKELETONS['coco17'].keypoint_names
MIRROR = keypoint_parts(COCO, 2).mirror
LEFT, RIGHT = COCO.index('left_wrist'), COCO.index('right_wrist')
FRAMES = 20


def bank(pieces=4, films=2, dims=2, **changes):
    """Pieces of 20 frames without any error; pieces of a film in turn."""
    shape = (pieces * FRAMES, 17)
    values = dict(
        errors=np.zeros((*shape, dims), np.float32),
        scores=np.full(shape, 0.9, np.float32),
        swapped=np.zeros(shape, bool),
        seq_len=np.full(pieces, FRAMES),
        estimator=np.array(['one'] * pieces),
        film=np.array([f'film {i % films}' for i in range(pieces)]),
        fps=np.full(pieces, 30.0),
        biases=np.zeros((1, 17, dims)),
        keypoint_names=np.array(COCO),
    )
    return ErrorBank(**{**values, **changes})


def numbered(pieces=4, **changes):
    """A bank in which the score of every keypoint tells the frame."""
    scores = np.arange(1, pieces * FRAMES + 1)[:, None].repeat(17, axis=1)
    return bank(pieces, scores=scores / 1000, **changes)


def noisy(pieces=6, seed=0, **changes):
    rng = np.random.default_rng(seed)
    errors = rng.normal(0, 0.02, (pieces * FRAMES, 17, 2))
    return bank(pieces, errors=errors, **changes)


def poses(num=5, frames=30, scale=100.0, seed=0):
    rng = np.random.default_rng(seed)
    place = rng.uniform(0, scale, (num, 1, 17, 2))
    step = rng.normal(0, 0.002 * scale, (num, frames, 17, 2))
    return (place + np.cumsum(step, axis=1)).astype(np.float32)


@pytest.fixture
def _no_slow_errors(monkeypatch):
    monkeypatch.setattr(error_replay, 'SLOW_ERRORS', EstimatorNoise())


def replay(truth, source, seed=0, fps=30.0):
    rng = np.random.default_rng(seed)
    return replay_errors(truth, rng, source, COCO, fps)


@pytest.mark.parametrize('fps', [10.0, 30.0, 60.0, 90.0])
def test_windows_run_through_the_bank_in_real_time(fps):
    source = numbered(40, films=40)
    drawn = source.draw(np.random.default_rng(0), 300, 12, fps, COCO)
    place = np.rint(1000 * drawn.scores[..., 0]).astype(int) - 1
    piece, frame = np.divmod(place, FRAMES)
    # A film of one piece is repeated: the same piece again.
    assert (piece == piece[:, :1]).all()
    step = np.diff(frame, axis=1) % FRAMES
    assert step.mean() == pytest.approx(30 / fps, rel=0.02)
    low, high = np.floor(30 / fps), np.ceil(30 / fps)
    assert step.min() >= low
    assert step.max() <= high
    # Every piece and every frame of it is a start.
    assert len(np.unique(piece)) > 36
    assert len(np.unique(frame[:, 0])) == FRAMES


def test_a_window_stays_with_one_estimator_and_film():
    source = numbered(
        12, films=3, estimator=np.array(['one', 'one', 'one', 'two'] * 3)
    )
    key = np.char.add(source.film, source.estimator)
    drawn = source.draw(np.random.default_rng(0), 200, 150, 30.0, COCO)
    place = np.rint(1000 * drawn.scores[..., 0]).astype(int) - 1
    found = key[place // FRAMES]
    assert (found == found[:, :1]).all()
    # More than one piece is used where there are some.
    pieces = [len(np.unique(row // FRAMES)) for row in place]
    many = np.array([(key == k[0]).sum() for k in found])
    assert np.mean(np.array(pieces)[many > 1] > 1) > 0.9


def test_rates_that_the_bank_exceeds_keep_the_size_of_errors():
    source = noisy(30)
    size = [
        np.std(source.draw(np.random.default_rng(0), 400, 30, f, COCO).errors)
        for f in (12.0, 30.0, 60.0)
    ]
    assert size[0] == pytest.approx(0.02, rel=0.03)
    assert size[1] == pytest.approx(0.02, rel=0.03)
    # Linear interpolation at twice the rate with any phase: the mean of
    # x^2 + (1 - x)^2 is 2/3.
    assert size[2] == pytest.approx(0.02 * np.sqrt(2 / 3), rel=0.03)


def test_a_mirrored_error_is_that_of_the_other_side():
    errors = np.zeros((80, 17, 2), np.float32)
    errors[:, LEFT] = 0.1, 0.0
    scores = np.full((80, 17), 0.9, np.float32)
    scores[:, LEFT] = 0.3
    source = bank(errors=errors, scores=scores)
    drawn = source.draw(np.random.default_rng(0), 400, 10, 30.0, COCO)
    length = np.linalg.norm(drawn.errors, axis=-1)
    moved = length.max(axis=1) > 1e-6
    left, right = moved[:, LEFT], moved[:, RIGHT]
    assert (moved.sum(axis=1) == 1).all()
    assert (left ^ right).all()
    assert left.mean() == pytest.approx(0.5, abs=0.08)
    # Turned by at most 30 degrees, never made longer.
    np.testing.assert_allclose(length[moved[:, None] & (length > 0)], 0.1)
    assert (drawn.errors[left][:, :, LEFT, 0] >= 0.0866).all()
    assert (drawn.errors[right][:, :, RIGHT, 0] <= -0.0866).all()
    assert np.ptp(drawn.errors[left][:, 0, LEFT, 1]) > 0.08
    low = np.isclose(drawn.scores, 0.3)
    np.testing.assert_array_equal(low.all(axis=1), moved)


@pytest.mark.usefixtures('_no_slow_errors')
def test_errors_scale_with_the_person():
    source, truth = noisy(), poses()
    one, scores = replay(truth, source)
    ten, same = replay(10 * truth, source)
    np.testing.assert_allclose(ten, 10 * one, rtol=1e-4, atol=1e-2)
    np.testing.assert_array_equal(scores, same)
    size = np.array([person_size(x) for x in truth])
    relative = (one - truth) / size[:, None, None, None]
    assert relative.std() == pytest.approx(0.02, rel=0.05)


@pytest.mark.usefixtures('_no_slow_errors')
def test_swaps_gaps_and_scores_come_together():
    swapped = np.zeros((80, 17), bool)
    swapped[5:12, [LEFT, RIGHT]] = True
    errors = np.zeros((80, 17, 2), np.float32)
    errors[40:46] = np.nan
    scores = np.full((80, 17), 0.9, np.float32)
    scores[swapped], scores[40:46] = 0.4, 0
    source = bank(errors=errors, scores=scores, swapped=swapped)
    truth = poses(200)
    estimates, found = replay(truth, source)
    there = np.isclose(found, 0.4)
    assert there[..., [LEFT, RIGHT]].any(axis=(1, 2)).mean() > 0.1
    assert not there[..., :LEFT].any()
    # The wrists of this body change places, whatever its pose is.
    other = truth[:, :, MIRROR]
    np.testing.assert_allclose(estimates[there], other[there], rtol=1e-5)
    np.testing.assert_array_equal(np.isnan(estimates).any(-1), found == 0)
    as_usual = np.isclose(found, 0.9)
    np.testing.assert_allclose(estimates[as_usual], truth[as_usual], rtol=1e-5)
    assert (found == 0).mean() == pytest.approx(6 / 80, abs=0.03)


@pytest.mark.usefixtures('_no_slow_errors')
def test_constant_errors_are_those_of_the_bank():
    biases = np.zeros((2, 17, 2), np.float32)
    biases[0, LEFT], biases[1, RIGHT] = (0.03, 0), (0, 0.05)
    truth = poses(100)
    estimates, _ = replay(truth, bank(biases=biases))
    size = np.array([person_size(x) for x in truth])[:, None, None, None]
    error = np.linalg.norm(estimates - truth, axis=-1) / size[..., 0]
    np.testing.assert_allclose(error - error[:, :1], 0, atol=1e-5)
    largest = error.max(axis=(1, 2))
    assert np.isclose(largest, 0.03, atol=1e-4).mean() > 0.3
    assert np.isclose(largest, 0.05, atol=1e-4).mean() > 0.3


def test_slow_errors_are_put_on_top():
    truth = poses(300, frames=40)
    empty = np.zeros((0, 17, 2))
    errors = []
    for source in (bank(), bank(biases=empty)):
        size = np.array([person_size(x) for x in truth])
        error = (replay(truth, source)[0] - truth) / size[:, None, None, None]
        errors.append(error)
        step = np.diff(error, axis=1)
        assert 0.01 < error.std() < 0.05
        assert step.std() < 0.2 * error.std()
    # One network has no constant differences: these are simulated.
    constant = [x.mean(axis=1).std() for x in errors]
    assert constant[1] > 1.05 * constant[0]


def test_unknown_truth_is_missing():
    truth = poses()
    truth[:, 3:9, 4] = np.nan
    estimates, scores = replay(truth, noisy())
    np.testing.assert_array_equal(scores == 0, np.isnan(truth).any(-1))
    np.testing.assert_array_equal(np.isnan(estimates), np.isnan(truth))


def test_a_share_of_the_windows_draws_from_the_bank():
    truth = poses(400, frames=8)
    source = bank(scores=np.full((80, 17), 0.123))
    for share in (0.0, 0.3, 1.0):
        make = SimulatedEstimators('any', source, share)
        size = np.full((400, 8), 100.0, np.float32)
        _, scores = make(np.random.default_rng(0), truth, size, COCO)
        real = np.isclose(scores, 0.123).all(axis=(1, 2))
        assert real.mean() == pytest.approx(share, abs=0.07)


def test_without_a_bank_nothing_changes():
    truth = poses(4)
    size = np.full(truth.shape[:2], 100.0, np.float32)
    from hanet_mm.datasets.simulation import (
        noise_source,
        simulate_estimator_noise,
    )

    rng = np.random.default_rng(3)
    expected = simulate_estimator_noise(
        truth, size, rng, noise_source('any').draw(rng, 4), COCO
    )
    found = SimulatedEstimators('any')(
        np.random.default_rng(3), truth, size, COCO
    )
    for one, other in zip(expected, found):
        np.testing.assert_array_equal(one, other)


def test_transform_and_data_set_draw_from_a_file(tmp_path):
    init_default_scope('mmpose')
    path = str(tmp_path / 'bank.npz')
    save_error_bank(path, bank(scores=np.full((80, 17), 0.123)))
    transform = SimulateEstimatorNoise(bank=path, bank_share=1.0)
    truth = poses(1)[0]
    results = transform(dict(keypoints_gt=truth, keypoint_names=COCO))
    np.testing.assert_allclose(results['keypoint_scores'], 0.123)
    assert results['keypoints'].shape == truth.shape
    config = dict(
        type='SimulatedPoseSequenceDataset', num_windows=8, chunk_size=8,
        window_size=9, short_share=0.0, bank=dict(path=path), bank_share=1.0,
    )  # fmt: skip
    window = DATASETS.build(config)[2]
    np.testing.assert_allclose(window['keypoint_scores'], 0.123)
    with pytest.raises(ValueError, match=r'bank_share: .*found 2'):
        DATASETS.build(dict(config, bank_share=2))


def test_film_parts_share_nothing(tmp_path):
    path = tmp_path / 'bank.npz'
    save_error_bank(path, bank(60, films=30))
    every, train, val = (
        load_error_bank(path, x) for x in (None, 'train', 'val')
    )
    assert not {*train.film} & {*val.film}
    assert {*train.film} | {*val.film} == {*every.film}
    assert 0 < len({*val.film}) < 8
    with pytest.raises(ValueError, match=r"part: .*found 'test'"):
        load_error_bank(path, 'test')


def test_a_file_holds_the_bank(tmp_path):
    source = noisy(biases=np.ones((3, 17, 2)))
    save_error_bank(tmp_path / 'bank.npz', source, 'a note')
    found = load_error_bank(tmp_path / 'bank.npz')
    for name in ('errors', 'scores', 'swapped', 'film', 'biases', 'seq_len'):
        np.testing.assert_array_equal(
            getattr(found, name), getattr(source, name)
        )


def test_keypoints_are_found_by_name():
    errors = np.zeros((80, 17, 2), np.float32)
    errors[:, LEFT] = errors[:, RIGHT] = 0.0, 0.1
    source = bank(errors=errors)
    names = ['RWrist', 'LWrist', 'LAnkle', 'RAnkle']
    drawn = source.draw(np.random.default_rng(0), 50, 5, 30.0, names)
    assert (np.linalg.norm(drawn.errors[:, :, :2], axis=-1) > 0.09).all()
    np.testing.assert_allclose(drawn.errors[:, :, 2:], 0)
    with pytest.raises(ValueError, match=r"keypoint 'belly', found nose"):
        source.draw(np.random.default_rng(0), 2, 5, 30.0, ['nose', 'belly'])
    with pytest.raises(ValueError, match=r'with 3 coordinates, found 2'):
        replay(np.zeros((1, 5, 17, 3), np.float32), source)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(errors=np.zeros((80, 17))), r'errors: expected \(N, K, D\)'),
        (dict(scores=np.ones((80, 16))), r'scores: .*\(80, 17\).*\(80, 16\)'),
        (dict(scores=np.full((80, 17), -1.0)), r'scores: .*>= 0, found -1'),
        (dict(seq_len=np.array([20, 20, 20, 19])), 'seq_len: .*sum of 80'),
        (dict(seq_len=np.array([20, 20, 40, 0])), 'seq_len: .*length of 0'),
        (dict(fps=np.array([30, 30, 0, 30])), r'fps: .*> 0, found 0 in row 2'),
        (dict(film=np.arange(4)), 'film: expected texts'),
        (dict(biases=np.full((2, 17, 2), np.nan)), 'biases: expected finite'),
        (dict(scores=np.zeros((80, 17))), 'errors: piece 0 has no est'),
    ],
)
def test_a_broken_file_gives_one_clear_line(tmp_path, changes, message):
    path = tmp_path / 'broken.npz'
    save_error_bank(path, bank())
    with np.load(path) as file:
        contents = dict(file)
    np.savez(path, **{**contents, **changes})
    with pytest.raises(ValueError, match=f'broken.npz: {message}') as error:
        load_error_bank(path)
    assert '\n' not in str(error.value)


def test_other_files_are_refused(tmp_path):
    path = tmp_path / 'poses.npz'
    np.savez(path, keypoints=np.zeros(3))
    with pytest.raises(ValueError, match=r"poses\.npz: key 'errors' is miss"):
        load_error_bank(path)
    path.write_bytes(b'no archive')
    with pytest.raises(ValueError, match=r'poses\.npz: the file cannot be'):
        load_error_bank(path)
