# Copyright (c) hanet_mm contributors. All rights reserved.
"""C3D and HDF5 files, written and read by the packages of these formats."""

import subprocess
import sys
import warnings

import numpy as np
import pytest

from hanet_mm.apis import refine_file
from hanet_mm.apis.formats import open_poses

FRAMES = 40
NAMES = ('Nose', 'LShoulder', 'RShoulder', 'LHip', 'RHip', 'RAnkle')
SMOOTH = 'filter:gaussian'


def standing():
    """Markers (T, K, 3) in metres, z up: someone who sways."""
    height = np.array([1.6, 1.4, 1.4, 0.9, 0.9, 0.1])
    side = np.array([0, 0.2, -0.2, 0.1, -0.1, -0.1])
    points = np.zeros((FRAMES, len(NAMES), 3))
    points[..., 0] = side
    points[..., 1] = 0.1 * np.sin(np.arange(FRAMES) / 9)[:, None]
    points[..., 2] = height
    return points


def write_c3d(path, points, screen=None, units='mm'):
    """Points in metres, with a marker lost in frame 5 and analog channels."""
    c3d = pytest.importorskip('c3d')
    writer = c3d.Writer(50.0, 100.0, point_units=units.ljust(4))
    writer.set_point_labels(NAMES)
    writer.set_analog_labels(['force', 'torque'])
    writer.set_analog_scales([1.0, 1.0])
    writer.set_analog_offsets([0, 0])
    if screen is not None:
        writer.set_screen_axis(*screen)
    rows = np.zeros((FRAMES, len(NAMES), 5), np.float32)
    rows[..., :3] = points * {'mm': 1000, 'm': 1}[units]
    rows[5, 3] = (0, 0, 0, -1, -1)
    analog = np.arange(4.0).reshape(2, 2)
    writer.add_frames([(row, analog + t) for t, row in enumerate(rows)])
    with open(path, 'wb') as file:
        writer.write(file)
    return path


@pytest.mark.parametrize('units', ['mm', 'm'])
def test_c3d_is_read_in_metres_with_y_down(tmp_path, units):
    points = standing()
    poses = open_poses(write_c3d(tmp_path / 'a.c3d', points, units=units))
    (track,) = poses.tracks
    assert poses.keypoint_names == list(NAMES)
    assert poses.unit == 'm'
    assert track.fps == 50
    assert np.argwhere(track.missing).tolist() == [[5, 3]]
    expected = np.stack(
        [points[..., 0], -points[..., 2], points[..., 1]], axis=-1
    )
    there = ~track.missing
    np.testing.assert_allclose(
        track.keypoints[there], expected[there], atol=1e-5
    )


def test_axis_that_points_up_is_taken_from_a_c3d(tmp_path):
    points = standing()[..., [0, 2, 1]]
    path = write_c3d(tmp_path / 'a.c3d', points, screen=('+X', '+Y'))
    (track,) = open_poses(path).tracks
    # The nose is above the ankle, and y points down.
    assert (track.keypoints[:, 0, 1] < track.keypoints[:, 5, 1] - 1).all()


def test_refined_c3d_keeps_all_but_the_points(tmp_path):
    c3d = pytest.importorskip('c3d')
    path = write_c3d(tmp_path / 'a.c3d', standing())
    out = tmp_path / 'out.c3d'
    refine_file(path, out, SMOOTH)
    with open(path, 'rb') as one, open(out, 'rb') as two:
        before, after = c3d.Reader(one), c3d.Reader(two)
        pairs = list(zip(before.read_frames(), after.read_frames()))
        assert after.point_rate == before.point_rate == 50
        assert list(after.point_labels) == list(before.point_labels)
        assert len(pairs) == FRAMES
        for (_, _, given), (_, _, kept) in pairs:
            np.testing.assert_allclose(kept, given)
    lost = pairs[5][1][1][3]
    assert lost[3] == 0
    # The hip stands still.
    np.testing.assert_allclose(lost[:3:2], [100, 900], atol=1)
    assert abs(lost[1] - 1000 * standing()[5, 3, 1]) < 10


@pytest.mark.parametrize('cut', [700, 1300])
def test_truncated_c3d_is_not_taken_for_a_shorter_one(tmp_path, cut):
    """Blocks are of 512 bytes: the last one may be empty."""
    path = write_c3d(tmp_path / 'a.c3d', standing())
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ValueError, match=rf'expected {FRAMES} frames.* found'):
        open_poses(path)


@pytest.mark.filterwarnings('error')
def test_a_c3d_of_markers_only_is_no_reason_to_warn(tmp_path):
    c3d = pytest.importorskip('c3d')
    writer = c3d.Writer(50.0, 50.0, point_units='m   ')
    writer.set_point_labels(NAMES)
    rows = np.zeros((FRAMES, len(NAMES), 5), np.float32)
    rows[..., :3] = standing()
    writer.add_frames([(row, np.zeros((0, 0))) for row in rows])
    path, out = tmp_path / 'a.c3d', tmp_path / 'out.c3d'
    with warnings.catch_warnings(), open(path, 'wb') as file:
        warnings.simplefilter('ignore')
        writer.write(file)
    refine_file(path, out, 'filter:gaussian')
    assert len(open_poses(out).tracks[0].keypoints) == FRAMES


def test_damaged_c3d_is_one_line(tmp_path):
    path = write_c3d(tmp_path / 'a.c3d', standing())
    path.write_bytes(path.read_bytes()[:700])
    with pytest.raises(ValueError, match=r'a\.c3d: expected a C3D file'):
        open_poses(path)


def write_sleap(path, tracks, **more):
    h5py = pytest.importorskip('h5py')
    with h5py.File(path, 'w') as file:
        file['tracks'] = tracks
        file['node_names'] = [x.encode() for x in NAMES]
        file['track_names'] = [b'left', b'right', b'nobody']
        file['track_occupancy'] = np.ones((FRAMES, 3), np.uint8)
        for name, value in more.items():
            file[name] = value
    return path


def sleap_tracks():
    """Two animals of three, (P, 2, K, T); one comes in frame 4."""
    rng = np.random.default_rng(0)
    tracks = rng.uniform(50, 300, (3, 2, len(NAMES), 1)) * np.ones(FRAMES)
    tracks = tracks + rng.normal(0, 2, tracks.shape)
    tracks[1, ..., :4] = np.nan
    tracks[0, :, 2, 9] = np.nan
    tracks[2] = np.nan
    return tracks


def test_analysis_of_sleap(tmp_path):
    h5py = pytest.importorskip('h5py')
    tracks = sleap_tracks()
    path = write_sleap(tmp_path / 'a.h5', tracks)
    poses = open_poses(path)
    assert [x.name for x in poses.tracks] == ['track left', 'track right']
    assert [x.first_frame for x in poses.tracks] == [0, 4]
    assert poses.keypoint_names == list(NAMES)
    np.testing.assert_array_equal(
        poses.tracks[1].keypoints[3, 2], tracks[1, :, 2, 7]
    )
    out = tmp_path / 'out.h5'
    refine_file(path, out, SMOOTH)
    with h5py.File(out) as file:
        refined = file['tracks'][()]
        assert list(file['track_names'][()]) == [b'left', b'right', b'nobody']
        assert file['track_occupancy'].shape == (FRAMES, 3)
    assert np.isnan(refined[2]).all()
    assert np.isnan(refined[1, ..., :4]).all()
    assert np.isfinite(refined[0]).all()
    # A Gaussian leaves less than half of white noise.
    there = np.isfinite(tracks[0])
    rest = np.where(there, refined[0], np.nan)
    assert np.nanstd(rest, -1).mean() < 0.5 * np.nanstd(tracks[0], -1).mean()


def test_scores_of_another_shape_are_refused(tmp_path):
    path = write_sleap(
        tmp_path / 'a.h5', sleap_tracks(), point_scores=np.ones((3, 6, 2))
    )
    with pytest.raises(ValueError, match=r'point_scores: expected shape \(3'):
        open_poses(path)


def test_pickles_of_deeplabcut_are_refused(tmp_path):
    h5py = pytest.importorskip('h5py')
    path = tmp_path / 'a.h5'
    with h5py.File(path, 'w') as file:
        file['df_with_missing/table'] = np.zeros(3)
    with pytest.raises(ValueError, match=r'a\.h5: .*pickles.*\.csv'):
        open_poses(path)


@pytest.mark.parametrize('package', ['c3d', 'h5py'])
def test_missing_package_is_named_with_its_extra(tmp_path, package):
    path = tmp_path / {'c3d': 'a.c3d', 'h5py': 'a.h5'}[package]
    path.write_bytes(b'anything')
    code = (
        f'import sys; sys.modules[{package!r}] = None\n'
        'from hanet_mm.apis.formats import open_poses\n'
        f'try: open_poses({str(path)!r})\n'
        'except ImportError as error: print(error)'
    )
    done = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True
    )
    assert 'hanet_mm[formats]' in done.stdout, done.stderr
