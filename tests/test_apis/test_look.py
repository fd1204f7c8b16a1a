# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm draw`` and ``hanet-mm view``: what is read, and what is drawn."""

import json

import cv2
import numpy as np
import pytest
from comparison_data import make_motion, save_flat, save_mmpose

from hanet_mm.apis.cli import main
from hanet_mm.apis.look.overlay import Overlay
from hanet_mm.apis.look.recording import find_swaps, read_recording
from hanet_mm.apis.video.frames import Frame
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.visualization.recording import Recording, ShownPerson
from hanet_mm.visualization.side_by_side import GAP

NAMES = ['left_wrist', 'right_wrist']


def write_video(path, size=(160, 120), frames=12):
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*'MJPG'), 10, size
    )
    for _ in range(frames):
        writer.write(np.zeros((*size[::-1], 3), np.uint8))
    writer.release()
    return path


def read_video(path):
    capture = cv2.VideoCapture(str(path))
    images = []
    while True:
        there, image = capture.read()
        if not there:
            capture.release()
            return images
        images.append(image)


def at_point(x, y, frames=12):
    """Both wrists of a person who stands still."""
    return np.tile(np.array([(x, y), (x + 20.0, y)]), (frames, 1, 1))


def test_sides_that_crossed_are_swaps():
    before = at_point(10, 10, 4)
    before[:, :, 1] += [0, 30]
    after = before + 1
    after[2] = before[2, ::-1]
    found = find_swaps(before, after, [1, 0])
    assert found.tolist() == [[False] * 2] * 2 + [[True] * 2] + [[False] * 2]
    lost = before.copy()
    lost[2, 0] = np.nan  # one side of the pair is seen, and crossed
    assert find_swaps(lost, after, [1, 0])[2].tolist() == [False, False]
    assert not find_swaps(before, after, [0, 1]).any()  # no pairs


def test_a_refined_file_brings_its_input(tmp_path):
    people = [make_motion(range(30)), make_motion(range(20), 1)]
    people[0][10:14, 1] = np.nan
    path, out = tmp_path / 'in.json', tmp_path / 'out.json'
    save_mmpose(path, people)
    names = ['--skeleton', str(make_skeleton(tmp_path))]
    arguments = ['refine', str(path), '-o', str(out), '--filter', 'gaussian']
    assert main([*arguments, *names]) == 0
    recording = read_recording(out, skeleton=names[1], fps=20.0)
    first, second = recording.people
    assert (first.first_frame, second.first_frame) == (5, 6)
    np.testing.assert_allclose(first.before, people[0])
    assert set(zip(*np.nonzero(first.filled))) == {
        (t, 1) for t in range(10, 14)
    }
    assert recording.links == [(0, 1)]
    assert (recording.fps, recording.one_clock) == (20.0, True)
    alone = read_recording(path, skeleton=names[1])
    assert not alone.refined
    both = read_recording(out, path, names[1])
    np.testing.assert_array_equal(both.people[0].before, first.before)


def make_skeleton(folder):
    path = folder / 'skeleton.json'
    names = ['nose', 'left_wrist', 'right_wrist', 'left_ankle']
    links = [names[:2]]
    path.write_text(
        json.dumps(dict(name='four', keypoint_names=names, links=links))
    )
    return path


def test_marks_of_the_refiner_are_kept_in_archives(tmp_path):
    """An arm that is swapped for some frames, seen as such by the refiner."""
    names = list(SKELETONS['coco17'].keypoint_names)
    rng = np.random.default_rng(0)
    pose = 100 * rng.uniform(1, 4, (1, 17, 2))
    poses = pose + np.sin(np.arange(60) / 9)[:, None, None] * 20
    flip = [names.index(_other(x)) for x in names]
    poses[25:32] = poses[25:32, flip]
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    save_flat(source, [poses], names=names, fps=[30.0])
    assert main(['refine', str(source), '-o', str(out)]) == 0
    (person,) = read_recording(out).people
    with np.load(out) as archive:
        np.testing.assert_array_equal(person.swapped, archive['swapped'])
        reason = archive['reason']
    assert person.swapped[25:32].any(1).all()
    assert not person.swapped[:24].any()
    np.testing.assert_array_equal(person.outliers, reason == 3)


def _other(name):
    words = dict(left='right', right='left')
    return '_'.join(words.get(x, x) for x in name.split('_'))


def test_poses_are_drawn_where_they_are_in_a_video_of_another_size():
    person = ShownPerson('walk', 0, at_point(40, 30), at_point(100, 90))
    recording = Recording(
        'a', [person], NAMES, [(0, 1)], image_size=(160, 120)
    )
    overlay = Overlay(recording, (320, 240), 0)
    image = np.zeros((240, 320, 3), np.uint8)
    drawn = overlay.draw(Frame(3, image)).astype(int)
    header = drawn.shape[0] - 240
    for left, (x, y) in ((0, (200, 180)), (320 + GAP, (80, 60))):
        panel = drawn[header:, left : left + 320]
        rows, columns = np.nonzero(panel.max(-1) > 120)
        assert abs(rows.mean() - y) < 2
        assert abs(columns.mean() - (x + 20)) < 2
    late = overlay.draw(Frame(12, image)).astype(int)
    assert late[header:].max() < 40  # what is between the panels


def test_lines_and_labels_grow_with_the_picture():
    """Twice the sides: four times the pixels of everything drawn."""
    counts = []
    for scale in (1, 2):
        points = at_point(0.3, 0.5, 1)
        points[0, 1] = 0.7, 0.5
        size = 1920 * scale // 2, 540 * scale
        person = ShownPerson('track 7', 0, points * size)
        other = ShownPerson('track 8', 5, points * size)
        recording = Recording('a', [person, other], NAMES, [(0, 1)])
        overlay = Overlay(recording, size, 0)
        frame = Frame(0, np.zeros((*size[::-1], 3), np.uint8))
        drawn = overlay.draw(frame).astype(int)
        below = drawn[drawn.shape[0] - size[1] :]
        counts.append(int((below.max(-1) > 100).sum()))
    assert 3 < counts[1] / counts[0] < 5


def test_the_command_draws_every_frame(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    video = write_video(tmp_path / 'clip.avi', (320, 320))
    save_mmpose(tmp_path / 'poses.json', [make_motion(range(12))], first=1)
    names = ['--skeleton', str(make_skeleton(tmp_path))]
    assert main(['draw', str(video), 'poses.json', *names]) == 0
    line = capsys.readouterr().out
    assert line.startswith('clip_poses.mp4: 12 frames drawn, 1 person')
    assert 'are they of this video' not in line  # frames count from 1
    images = read_video(tmp_path / 'clip_poses.mp4')
    assert len(images) == 12
    assert all(x[50:].max() > 100 for x in images)


def test_poses_of_a_longer_video_are_told(tmp_path, capsys):
    video = write_video(tmp_path / 'clip.avi', frames=5)
    save_mmpose(tmp_path / 'poses.json', [make_motion(range(12))], first=0)
    out = str(tmp_path / 'out.mp4')
    arguments = ['draw', str(video), str(tmp_path / 'poses.json'), '-o', out]
    assert main(arguments) == 0
    text = 'the poses go on to frame 11, the video has 5'
    assert text in capsys.readouterr().out


def test_fractions_of_the_image_are_of_the_video(tmp_path):
    video = write_video(tmp_path / 'clip.avi')
    points = np.tile(np.array([(0.25, 0.5), (0.75, 0.5)]), (12, 1, 1))
    np.savez(tmp_path / 'a.npz', keypoints=points, keypoint_names=NAMES)
    out = tmp_path / 'out.mp4'
    arguments = ['draw', str(video), str(tmp_path / 'a.npz'), '-o', str(out)]
    assert main(arguments) == 0
    image = read_video(out)[3].astype(int)
    rows, columns = np.nonzero(image[image.shape[0] - 120 :].max(-1) > 120)
    assert abs(rows.mean() - 60) < 3
    assert (abs(columns.min() - 40) < 6, abs(columns.max() - 120) < 6) == (
        True,
        True,
    )


@pytest.mark.parametrize(
    ('make', 'text'),
    [
        (
            lambda path: save_flat(
                path, [make_motion(range(9), 0, 3) / 99], units='m'
            ),
            'expected 2D poses to draw on a video, found 3D',
        ),
        (
            lambda path: save_flat(path, [make_motion(range(9))] * 2),
            'found 2 sequences that do not say which frames',
        ),
    ],
)
def test_what_cannot_be_drawn_is_told(make, text, tmp_path, capsys):
    video, path = write_video(tmp_path / 'clip.avi'), tmp_path / 'a.npz'
    make(path)
    out = str(tmp_path / 'out.mp4')
    assert main(['draw', str(video), str(path), '-o', out]) == 1
    assert text in capsys.readouterr().err
    assert not (tmp_path / 'out.mp4').exists()


def test_frame_numbers_of_sequences_make_one_video(tmp_path):
    path = tmp_path / 'a.npz'
    numbers = np.concatenate([np.arange(3, 12), np.arange(9)])
    people = [make_motion(range(9), i) for i in range(2)]
    save_flat(path, people, extras=dict(frame_number=numbers))
    recording = read_recording(path)
    assert [x.first_frame for x in recording.people] == [3, 0]
    assert recording.one_clock


def test_without_a_screen_show_says_so(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr('sys.platform', 'linux')
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    video = write_video(tmp_path / 'clip.avi')
    path = save_mmpose(tmp_path / 'a.json', [make_motion(range(12))])
    assert main(['draw', str(video), str(path), '--show']) == 1
    error = capsys.readouterr().err
    assert error.startswith('hanet-mm: error: --show: ')
    assert error.count('\n') == 1


def test_q_ends_the_window(tmp_path, capsys, screen):
    """The fourth picture is the last that is shown and written."""
    video = write_video(tmp_path / 'clip.avi')
    path = save_mmpose(tmp_path / 'a.json', [make_motion(range(12))], first=0)
    out = tmp_path / 'out.mp4'
    arguments = ['draw', str(video), str(path), '--show', '-o', str(out)]
    assert main(arguments) == 0
    assert 'ended by the user' in capsys.readouterr().out
    assert len(screen) == 4
    assert len(read_video(out)) in (3, 4)


@pytest.mark.parametrize('fps', [0.0, -3.0, float('nan')])
def test_a_rate_that_is_none_is_told(tmp_path, capsys, fps):
    path = tmp_path / 'poses.json'
    save_mmpose(path, [make_motion(range(12))])
    out = str(tmp_path / 'out.html')
    assert main(['view', str(path), '-o', out, '--fps', str(fps)]) == 1
    assert 'fps: expected frames per second' in capsys.readouterr().err


def test_the_page_is_named_after_the_poses(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_mmpose(tmp_path / 'a.json', [make_motion(range(12))])
    assert main(['view', 'a.json']) == 0
    assert capsys.readouterr().out.startswith('a.html: 1 person, up to 12')
    assert (tmp_path / 'a.html').read_text().startswith('<!DOCTYPE html>')


def test_a_name_that_nobody_gave_is_not_replaced(
    tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    save_mmpose(tmp_path / 'a.json', [make_motion(range(12))])
    (tmp_path / 'a.html').write_text('mine')
    assert main(['view', 'a.json']) == 1
    assert 'a.html: is there already' in capsys.readouterr().err
    assert (tmp_path / 'a.html').read_text() == 'mine'
    assert main(['view', 'a.json', '--overwrite']) == 0
    assert main(['view', 'a.json', '-o', 'a.html']) == 0
