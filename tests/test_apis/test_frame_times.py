# Copyright (c) hanet_mm contributors. All rights reserved.
"""Frames and rates by the times in files."""

import numpy as np
import pytest
from format_files import make_person, write

from hanet_mm.apis import refine_file
from hanet_mm.apis.formats import open_poses
from hanet_mm.apis.formats.frame_times import LONGEST

FRAMES = 12
POINTS = 1 + make_person(0, FRAMES, 17, 0).keypoints


def write_csv(path, **columns):
    """A row for each frame, with other columns before the keypoints."""
    axes = [f'k{k}_{axis}' for k in range(17) for axis in 'xy']
    rows = [[*columns, *axes]]
    for cells in zip(*columns.values(), POINTS.reshape(FRAMES, -1)):
        rows.append([*cells[:-1], *cells[-1]])
    path.write_text('\n'.join(','.join(map(str, row)) for row in rows))
    return path


@pytest.mark.parametrize(
    ('name', 'unit'),
    [
        *[(x, 1) for x in ('time', 'timestamp', 'seconds', 'Time (s)')],
        *[(x, 1000) for x in ('time', 'timestamp_ms', 'ms', 'Time [ms]')],
    ],
)
@pytest.mark.parametrize('fps', [10, 25, 60, 120])
def test_times_tell_the_rate(tmp_path, name, unit, fps):
    times = np.round(unit * np.arange(FRAMES) / fps, 4)
    path = write_csv(tmp_path / 'in.csv', **{name: times})
    (track,) = open_poses(path).tracks
    assert track.fps == pytest.approx(fps, 2e-3)
    np.testing.assert_allclose(track.keypoints, POINTS)


def test_rounded_times_tell_the_rate_together(tmp_path):
    """0, 0.02, 0.03, 0.05: intervals of 50 and of 100 Hz."""
    times = np.round(np.arange(FRAMES) / 60, 2)
    (track,) = open_poses(write_csv(tmp_path / 'in.csv', time=times)).tracks
    assert track.fps == pytest.approx((FRAMES - 1) / times[-1])


def test_a_pause_is_frames_without_the_person(tmp_path):
    rng = np.random.default_rng(0)
    numbers = np.arange(FRAMES) + 30 * (np.arange(FRAMES) > 4)
    times = numbers / 25 + rng.uniform(-0.002, 0.002, FRAMES)
    path, out = write_csv(tmp_path / 'in.csv', time=times), tmp_path / 'o.csv'
    (track,) = open_poses(path).tracks
    assert track.keypoints.shape[0] == FRAMES + 30
    np.testing.assert_allclose(track.keypoints[numbers], POINTS)
    assert np.isnan(track.keypoints[5:35]).all()
    summary = refine_file(path, out, 'filter:gaussian:sigma=0.001')
    assert summary.num_keypoints == FRAMES * 17
    (after,) = open_poses(out).tracks
    np.testing.assert_allclose(after.keypoints[numbers], POINTS, atol=1e-2)


def test_a_pause_of_an_hour_is_a_long_one(tmp_path):
    """It stops no table, and the rate is that of the rest."""
    times = np.arange(FRAMES) / 25 + 3600 * (np.arange(FRAMES) > 4)
    (track,) = open_poses(write_csv(tmp_path / 'in.csv', time=times)).tracks
    assert track.fps == pytest.approx(25)
    assert track.keypoints.shape[0] == FRAMES - 1 + LONGEST
    np.testing.assert_allclose(track.keypoints[:5], POINTS[:5])
    np.testing.assert_allclose(track.keypoints[5 - FRAMES :], POINTS[5:])


@pytest.mark.parametrize('delay', [1e-6, 1e-3])
def test_times_of_rows_are_not_those_of_frames(tmp_path, delay):
    """Two people, each written with a time of their own."""
    number = np.arange(FRAMES)
    times = number // 2 / 25 + delay * (number % 2)
    columns = dict(time=list(map(repr, times.tolist())), person=number % 2)
    poses = open_poses(write_csv(tmp_path / 'in.csv', **columns))
    for first, track in enumerate(poses.tracks):
        np.testing.assert_allclose(track.keypoints[::2], POINTS[first::2])


@pytest.mark.filterwarnings('error')
def test_times_beyond_all_bounds_are_numbered(tmp_path):
    times = [*(number * 1e-300 for number in range(9)), 1e300, 2e300, 1.7e308]
    (track,) = open_poses(write_csv(tmp_path / 'in.csv', time=times)).tracks
    np.testing.assert_allclose(track.keypoints[:9], POINTS[:9])
    np.testing.assert_allclose(track.keypoints[-1], POINTS[-1])


def test_times_beside_numbers_of_frames(tmp_path):
    frames = 2 * np.arange(FRAMES)
    path = write_csv(
        tmp_path / 'in.csv', **{'Frame Number': frames, 'time': frames / 50}
    )
    (track,) = open_poses(path).tracks
    assert track.fps == pytest.approx(50)
    np.testing.assert_allclose(track.keypoints[::2], POINTS)


@pytest.mark.parametrize(
    'times',
    [
        np.arange(FRAMES),  # a counter, milliseconds, seconds?
        np.arange(FRAMES) * 33_333,  # microseconds
        np.arange(FRAMES)[::-1] / 25,  # against the numbers of the frames
        np.where(np.arange(FRAMES) == 3, np.nan, np.arange(FRAMES) / 25),
        np.zeros(FRAMES),
        [f'2024-01-01 10:00:{t:02d}' for t in range(FRAMES)],
        [f'00:00:00.{t}' for t in range(FRAMES)],
    ],
)
def test_times_that_tell_no_rate(tmp_path, times):
    path = write_csv(
        tmp_path / 'in.csv', frame=np.arange(FRAMES), timestamp=times
    )
    (track,) = open_poses(path).tracks
    assert track.fps is None
    np.testing.assert_allclose(track.keypoints, POINTS)


@pytest.mark.parametrize('key', ['timestamp', 'timestamp_ms'])
@pytest.mark.parametrize('kind', ['mmpose', 'mediapipe'])
def test_entries_with_times(tmp_path, kind, key):
    unit = 1000 if key.endswith('ms') else 1
    frames = []
    for t, points in enumerate(POINTS.tolist()):
        entry = dict(instances=[dict(keypoints=points)])
        if kind == 'mediapipe':
            points = [dict(x=x, y=y) for x, y in points + points[:16]]
            entry = dict(landmarks=points)
        frames.append({'frame_id': t, key: unit * t / 50, **entry})
    path = write(tmp_path / 'in.json', frames)
    assert open_poses(path).tracks[0].fps == pytest.approx(50)
    frames[3][key] = 10**400
    assert open_poses(write(path, frames)).tracks[0].fps is None
    del frames[3][key]
    write(path, frames)
    assert open_poses(path).tracks[0].fps is None
