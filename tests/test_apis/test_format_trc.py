# Copyright (c) hanet_mm contributors. All rights reserved.
"""Markers in ``.trc`` files."""

import numpy as np
import pytest
from format_files import SAME, SMOOTH

from hanet_mm.apis import refine_file
from hanet_mm.apis.compare import compare_files
from hanet_mm.apis.formats import open_poses

MARKERS = ('Hip', 'RHip', 'RKnee', 'RAnkle', 'LHip', 'LKnee', 'Neck', 'Nose')


def write_trc(path, points, units='m', rate=60):
    """With tabs as Pose2Sim writes them; NaN as empty cells."""
    names = '\t\t\t'.join(MARKERS)
    axes = '\t'.join(f'{x}{i + 1}' for i in range(len(MARKERS)) for x in 'XYZ')
    head = [
        f'PathFileType\t4\t(X/Y/Z)\t{path.name}',
        'DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\t'
        'OrigDataStartFrame\tOrigNumFrames',
        f'{rate}\t{rate}\t{len(points)}\t{len(MARKERS)}\t{units}\t{rate}\t0\t'
        f'{len(points)}',
        f'Frame#\tTime\t{names}\t\t',
        f'\t\t{axes}',
    ]
    rows = [
        '\t'.join(
            [str(t), f'{t / rate:.3f}']
            + ['' if np.isnan(x) else f'{x:.6f}' for x in frame.ravel()]
        )
        for t, frame in enumerate(points)
    ]
    path.write_text('\n'.join([*head, *rows]) + '\n')
    return path


def markers(dims=3):
    rng = np.random.default_rng(0)
    points = rng.uniform(-0.8, 0.8, (1, len(MARKERS), 3)) + [0, 0.9, 0]
    points = points + rng.normal(0, 0.01, (20, len(MARKERS), 3))
    points[4:6, 3] = np.nan
    if dims == 2:
        points[..., 2] = 0 * points[..., 2]
    return points


@pytest.mark.parametrize(('units', 'factor'), [('m', 1), ('mm', 1000)])
def test_trc(tmp_path, units, factor):
    given = markers() * factor
    path = write_trc(tmp_path / 'walk.trc', given, units)
    poses = open_poses(path)
    (track,) = poses.tracks
    assert track.fps == 60
    assert poses.keypoint_names == [*MARKERS]
    # Axes of a camera: y and z turned about x.
    np.testing.assert_allclose(
        track.keypoints, given / factor * [1, -1, -1], atol=1e-6
    )
    out = tmp_path / 'out.trc'
    summary = refine_file(path, out, SAME)
    assert summary.num_filled == 2
    before, after = path.read_text().split('\n'), out.read_text().split('\n')
    assert after[:5] == before[:5]
    assert [x.split('\t')[:2] for x in after[5:]] == [
        x.split('\t')[:2] for x in before[5:]
    ]
    (again,) = open_poses(out).tracks
    there = np.isfinite(given).all(-1)
    np.testing.assert_allclose(
        again.keypoints[there], track.keypoints[there], atol=1e-5
    )
    assert np.isfinite(again.keypoints).all()
    figures = compare_files(path, out).figures()
    assert figures['filled'].after == 2
    assert figures['mean_displacement'].unit == 'm'


@pytest.mark.parametrize(('size', 'down'), [(1, -1), (200, 1)])
def test_trc_in_a_plane(tmp_path, size, down):
    """Of Sports2D: metres with y up, pixels with y down."""
    given = size * markers(2)
    path = write_trc(tmp_path / 'walk.trc', given)
    (track,) = open_poses(path).tracks
    np.testing.assert_allclose(
        track.keypoints, given[..., :2] * [1, down], atol=1e-6
    )
    refine_file(path, tmp_path / 'out.trc', SMOOTH)
    (after,) = open_poses(tmp_path / 'out.trc').tracks
    assert after.keypoints.shape[-1] == 2
    assert np.isfinite(after.keypoints).all()


@pytest.mark.parametrize(
    ('line', 'text', 'message'),
    [
        (3, 'Time', 'header of 5 lines'),
        (6, '1\t0.1\tb', 'line 7: expected numbers'),
        (6, '1\t0.1' + '\t1' * 40, 'line 7: expected 26 cells, found 42'),
    ],
)
def test_bad_trc(tmp_path, line, text, message):
    path = write_trc(tmp_path / 'walk.trc', markers())
    lines = path.read_text().split('\n')
    lines[line] = text
    path.write_text('\n'.join(lines))
    with pytest.raises(ValueError, match=message) as error:
        open_poses(path)
    assert str(error.value).startswith(str(path))


def test_lines_that_are_left_out_are_frames(tmp_path):
    """The frames are numbered; what is between is filled, not written."""
    path, out = tmp_path / 'walk.trc', tmp_path / 'out.trc'
    given = markers()
    lines = write_trc(path, given).read_text().splitlines()
    kept = [*range(8), *range(12, 20)]
    lines = lines[:5] + [lines[5 + t] for t in kept]
    path.write_text('\n'.join([*lines, '']))
    (track,) = open_poses(path).tracks
    assert track.keypoints.shape[0] == 20
    assert np.isnan(track.keypoints[8:12]).all()
    np.testing.assert_allclose(
        track.keypoints[kept], given[kept] * [1, -1, -1], atol=1e-6
    )
    summary = refine_file(path, out, SAME)
    assert summary.num_keypoints == len(kept) * len(MARKERS)
    assert summary.num_filled == 2
    written = out.read_text().splitlines()
    assert [x.split('\t')[:2] for x in written] == [
        x.split('\t')[:2] for x in lines
    ]
    (after,) = open_poses(out).tracks
    there = np.isfinite(track.keypoints)
    np.testing.assert_allclose(
        after.keypoints[there], track.keypoints[there], atol=1e-3
    )


@pytest.mark.parametrize('left_out', [0, 4])
def test_every_second_frame_is_a_line(tmp_path, left_out):
    """The header tells the rate of the lines."""
    path = write_trc(tmp_path / 'walk.trc', markers())
    text = path.read_text().splitlines()
    head, lines = text[:5], text[5:13] + text[13 + left_out :]
    for index, line in enumerate(lines):
        number, rest = line.split('\t', 1)
        lines[index] = f'{2 * int(number)}\t{rest}'
    path.write_text('\n'.join([*head, *lines, '']))
    (track,) = open_poses(path).tracks
    assert track.keypoints.shape[0] == 20
    assert np.isnan(track.keypoints[8 : 8 + left_out]).all()


def test_numbers_that_do_not_rise_are_no_frames(tmp_path):
    path = write_trc(tmp_path / 'walk.trc', markers())
    text = path.read_text()
    for old, new in (('\n7\t', '\n5\t'), ('\n7\t', '\nx\t')):
        path.write_text(text.replace(old, new, 1))
        assert len(open_poses(path).tracks[0].keypoints) == 20
    path.write_text(text.replace('\n19\t', '\n99999\t'))
    with pytest.raises(ValueError, match=r'gaps of at most .* 18 .* 99999'):
        open_poses(path)
