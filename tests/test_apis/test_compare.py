# Copyright (c) hanet_mm contributors. All rights reserved.
"""Figures of comparisons against closed forms and plain loops."""

import json

import numpy as np
import pytest
from comparison_data import (
    LENGTHS,
    NAMES,
    K,
    make_motion,
    make_people,
    save_flat,
    save_mmpose,
    save_plain,
)

from hanet_mm.apis.compare import compare_files


def figures(*args, **kwargs):
    """before, after of each measure; after alone of those of both."""
    rows = compare_files(*args, **kwargs).rows
    return {
        row.key: row.after if row.before is None else (row.before, row.after)
        for row in rows
    }


@pytest.mark.parametrize(
    ('dims', 'mean_length'),
    # Of vectors of 2 and 3 normal numbers (Rayleigh, Maxwell).
    [(2, np.sqrt(np.pi / 2)), (3, 2 * np.sqrt(2 / np.pi))],
)
def test_white_noise_has_the_jitter_of_its_third_difference(
    tmp_path, dims, mean_length
):
    still = np.full((3000, K, dims), 100.0)
    noise = np.random.default_rng(0).normal(0, 2, still.shape)
    before = save_plain(tmp_path / 'a.npz', still + noise)
    after = save_plain(tmp_path / 'b.npz', still)
    found = figures(before, after)
    # Sums of squares of 1 3 3 1 and of 1 2 1.
    assert found['jitter'] == pytest.approx(
        (2 * np.sqrt(20) * mean_length, 0), rel=0.03, abs=1e-9
    )
    assert found['acceleration'] == pytest.approx(
        (2 * np.sqrt(6) * mean_length, 0), rel=0.03, abs=1e-9
    )
    assert found['mean_displacement'] == pytest.approx(
        2 * mean_length, rel=0.03
    )
    assert np.isnan(found['lag'])


def test_motion_of_degree_three_has_constant_jitter(tmp_path):
    times = np.arange(30.0)[:, None, None]
    way = np.array([0.3, -0.4])
    before = save_plain(
        tmp_path / 'a.npz', times**3 * way * np.ones((1, K, 1))
    )
    after = save_plain(tmp_path / 'b.npz', times**2 * way * np.ones((1, K, 1)))
    found = figures(before, after)
    assert found['jitter'] == pytest.approx((6 * 0.5, 0), abs=1e-6)
    assert found['acceleration'][1] == pytest.approx(2 * 0.5)


def test_a_file_and_itself_differ_by_nothing(tmp_path):
    path = save_flat(tmp_path / 'a.npz', make_people(), fps=[25] * 3)
    found = figures(path, path)
    assert found['lag'] == pytest.approx(0, abs=1e-9)
    for key in (
        *('mean_displacement', 'largest_displacement', 'changed'),
        *('filled', 'removed'),
    ):
        assert found[key] == 0
    assert found['jitter'][0] == found['jitter'][1] > 0
    assert found['acceleration'][0] == found['acceleration'][1] > 0


@pytest.mark.parametrize('delay', [3, -2, 1.4])
def test_the_lag_is_the_mean_over_persons(tmp_path, delay):
    def people(delays):
        return [
            make_motion(np.arange(n) - d, i)
            for i, (n, d) in enumerate(zip((90, 120, 70), delays))
        ]

    before = save_flat(tmp_path / 'a.npz', people([0, 0, 0]))
    after = save_flat(tmp_path / 'b.npz', people([delay, 2 * delay, 0]))
    comparison = compare_files(before, after)
    row = comparison.figures()['lag']
    assert row.after == pytest.approx(delay, abs=0.05)
    assert row.note == '> 0: behind; of 3 persons'


def test_names_whom_when_and_what_was_moved_most(tmp_path):
    people = make_people()
    before = save_mmpose(tmp_path / 'a.json', people)
    people[1][7, 2] += (30, 40)
    people[2][3, 0] += (0, 20)
    after = save_mmpose(tmp_path / 'b.json', people)
    rows = compare_files(before, after).figures()
    largest = rows['largest_displacement']
    assert largest.after == pytest.approx(50)
    # The second person comes in frame 6.
    assert largest.note == 'track_id 1, frame 13, keypoint 2'
    total = sum(LENGTHS) * K
    assert rows['mean_displacement'].after == pytest.approx(70 / total)
    assert rows['changed'].after == pytest.approx(100 * 2 / total)


def test_what_changed_goes_by_the_size_of_each_person(tmp_path):
    small = np.zeros((20, K, 2)) + [[0, 0], [50, 0], [0, 20], [10, 10]]
    large = 10 * small
    before = save_flat(tmp_path / 'a.npz', [small, large])
    small, large = small.copy(), large.copy()
    # Larger sides 50 and 500.
    small[:5, 1, 1] += 0.6
    large[:5, 1, 1] += 0.6
    large[:4, 2] += 5.1
    after = save_flat(tmp_path / 'b.npz', [small, large])
    for tolerance, count in ((0.01, 9), (0.013, 4), (0.001, 14), (0.1, 0)):
        found = figures(before, after, tolerance=tolerance)
        assert found['changed'] == pytest.approx(100 * count / (40 * K))


def test_the_same_points_count_before_and_after(tmp_path):
    person = make_motion(np.arange(50))
    gaps = person.copy()
    gaps[10:14, 1] = gaps[30, 2] = np.nan
    wild = person.copy()
    wild[10:14, 1] = [[900, 0], [0, 900], [900, 900], [0, 0]]
    wild[40, 3] = np.nan
    before = save_plain(tmp_path / 'a.npz', gaps)
    after = save_plain(tmp_path / 'b.npz', wild)
    found = figures(before, after)
    assert found['filled'] == 5
    assert found['removed'] == 1
    assert found['largest_displacement'] == 0
    expected = []
    for t, k in np.ndindex(47, K):
        x = np.where(np.isnan(wild), np.nan, gaps)[t : t + 4, k]
        expected.append(np.linalg.norm(x[3] - 3 * x[2] + 3 * x[1] - x[0]))
    expected = np.nanmean(expected)
    assert found['jitter'] == pytest.approx((expected, expected))


def plain_truth(before, after, truth, visible, sizes):
    """Errors of the persons together by loops."""
    errors, accels, hits, count = [], [], np.zeros(3), 0
    for one, two, true, seen, size in zip(
        before, after, truth, visible, sizes
    ):
        known = seen & ~np.isnan(one[..., 0]) & ~np.isnan(two[..., 0])
        off = two - true
        for t, k in np.ndindex(known.shape):
            if known[t, k]:
                errors.append(np.hypot(*off[t, k]))
            if t > 1 and known[t - 2 : t + 1, k].all():
                accel = off[t, k] - 2 * off[t - 1, k] + off[t - 2, k]
                accels.append(np.hypot(*accel))
            if seen[t, k] and size[t] > 0:
                count += 1
                near = np.hypot(*off[t, k]) / size[t]
                hits += [near <= x for x in (0.2, 0.1, 0.05)]
    return (
        np.mean(errors),
        np.percentile(errors, 95),
        np.mean(accels),
        *(100 * hits / count),
    )


@pytest.mark.parametrize('with_boxes', [True, False])
def test_errors_are_those_of_the_truth(tmp_path, with_boxes):
    rng = np.random.default_rng(0)
    truth = make_people()
    visible = [rng.random(x.shape[:2]) > 0.2 for x in truth]
    for seen in visible:
        seen[:, 0] = True
    before = [x + rng.normal(0, 20, x.shape) for x in truth]
    before[0][4:6, 1] = np.nan
    after = [x + rng.normal(0, 9, x.shape) + 3 for x in truth]
    extras, sizes = {}, []
    for points, seen in zip(truth, visible):
        points[~seen] = np.nan
        if with_boxes:
            sizes.append(np.full(len(points), 150.0))
        else:
            # One keypoint has no extent: such frames are not in the PCK.
            points[2:4, 1:] = np.nan
            seen[2:4, 1:] = False
            corners = np.nanmax(points, 1) - np.nanmin(points, 1)
            sizes.append(corners.max(1))
    if with_boxes:
        box = [0, 0, 100, 150]
        extras = dict(bboxes=np.tile(box, (sum(LENGTHS), 1)))
    gt = save_flat(
        tmp_path / 'gt.npz',
        before,
        keypoints_gt=np.concatenate(truth),
        **extras,
    )
    one = save_flat(tmp_path / 'a.npz', before)
    two = save_flat(tmp_path / 'b.npz', after)
    comparison = compare_files(one, two, gt)
    keys = ('mean_error', 'error_95', 'accel_error')
    keys += ('pck_0.2', 'pck_0.1', 'pck_0.05')
    rows = comparison.figures()
    expected = [
        plain_truth(before, after, truth, visible, sizes),
        plain_truth(after, before, truth, visible, sizes),
    ]
    assert [rows[x].after for x in keys] == pytest.approx(
        expected[0], rel=1e-4
    )
    assert [rows[x].before for x in keys] == pytest.approx(
        expected[1], rel=1e-4
    )
    text = 'the true boxes' if with_boxes else 'boxes around the true'
    assert f'PCK by {text}' in str(comparison)


def test_the_truth_tells_who_is_late(tmp_path):
    times = np.arange(120)
    truth = save_plain(tmp_path / 'gt.npz', make_motion(times))
    before = save_plain(tmp_path / 'a.npz', make_motion(times - 1))
    after = save_plain(tmp_path / 'b.npz', make_motion(times - 4))
    found = figures(before, after, truth)
    assert found['truth_lag'] == pytest.approx((1, 4), abs=0.05)
    assert found['lag'] == pytest.approx(3, abs=0.05)


def test_millimetres_are_told_in_metres(tmp_path):
    people = [100 * x for x in make_people(dims=3)]
    truth = np.concatenate(people)
    before = save_flat(tmp_path / 'a.npz', people, units='mm')
    moved = [x + 300 for x in people]
    after = save_flat(
        tmp_path / 'b.npz', moved, units='mm', keypoints_gt=truth
    )
    comparison = compare_files(before, after, after)
    assert comparison.about['unit'] == 'm'
    rows = comparison.figures()
    shift = 0.3 * np.sqrt(3)
    assert rows['mean_displacement'].after == pytest.approx(shift, rel=1e-4)
    assert rows['mean_error'].after == pytest.approx(shift, rel=1e-4)
    assert rows['mean_error'].before == pytest.approx(0, abs=1e-4)
    # There is no such measure in 3D.
    assert 'pck_0.1' not in rows


def test_files_of_different_formats_hold_the_same_person(tmp_path):
    person = make_motion(np.arange(30))
    flat = save_flat(tmp_path / 'a.npz', [person])
    mmpose = save_mmpose(tmp_path / 'b.json', [person], first=0)
    comparison = compare_files(flat, mmpose)
    assert comparison.keypoint_names == NAMES
    assert comparison.figures()['largest_displacement'].after < 1e-4


def test_persons_go_by_name_whatever_their_order(tmp_path):
    people = [make_motion(np.arange(30), i) for i in range(2)]
    before = save_mmpose(tmp_path / 'a.json', people, first=0)
    after = save_mmpose(tmp_path / 'b.json', people, first=0)
    content = json.loads(after.read_text())
    for frame in content:
        frame['instances'].reverse()
    # The second person comes in frame 1, so that the first stays first.
    content[0], content[1:] = content[1], [content[0], *content[2:]]
    after.write_text(json.dumps(content))
    assert figures(before, after)['largest_displacement'] == 0
