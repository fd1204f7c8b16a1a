# Copyright (c) hanet_mm contributors. All rights reserved.
"""What is drawn where in the before/after pictures and videos."""

import itertools

import cv2
import numpy as np
import pytest
from mmpose.registry import VISUALIZERS

from hanet_mm.visualization import (
    PoseSequenceVisualizer,
    comparison_scene,
    error_strip,
    side_by_side,
    video_writer,
)

pytestmark = pytest.mark.mm

# Three keypoints, two limbs: a red upper arm and a blue forearm.
META = dict(
    keypoint_name2id=dict(shoulder=0, elbow=1, right_wrist=2),
    keypoint_colors=[(1, 2, 3)] * 3,
    skeleton_links=[(0, 1), (1, 2)],
    skeleton_link_colors=[(250, 20, 20), (20, 20, 250)],
)
SIZE = (200, 160)
IMAGE = np.full((160, 200, 3), 60, np.uint8)
# From the corner of a picture to that of each panel.
LEFT = np.array([0, side_by_side.HEADER])
RIGHT = np.array([200 + side_by_side.GAP, side_by_side.HEADER])
POSE = np.array([[40.0, 40.0], [100.0, 40.0], [100.0, 120.0]])


@pytest.fixture
def visualizer():
    out = PoseSequenceVisualizer(panel_size=SIZE)
    out.set_dataset_meta(META)
    return out


def still(pose, frames=3):
    return np.repeat(np.asarray(pose)[None], frames, axis=0)


def pixel(picture, point, corner):
    x, y = (np.asarray(point) + corner).astype(int)
    return picture[y, x].astype(int)


def panels(picture):
    rows = picture[LEFT[1] : LEFT[1] + 160]
    return rows[:, :200], rows[:, RIGHT[0] :]


def is_white(color):
    return color.min() > 220


def is_red(color):
    return color[0] > 200 > 100 > color[2]


def is_blue(color):
    return color[2] > 200 > 100 > color[0]


def test_it_is_built_from_a_config_like_any_visualizer():
    built = VISUALIZERS.build(
        dict(
            type='PoseSequenceVisualizer',
            name='built_from_a_config',
            vis_backends=[],
            trail=3,
        )
    )
    assert type(built) is PoseSequenceVisualizer
    assert built.trail == 3


def test_joints_and_limbs_are_where_the_poses_are(visualizer):
    """A picture of the panel's size: pixels of one are those of the other."""
    refined = POSE + [30, 10]
    picture = visualizer.draw_comparison(
        0, still(POSE), still(refined), image=IMAGE
    )
    for pose, corner in ((POSE, LEFT), (refined, RIGHT)):
        for joint in pose:
            assert is_white(pixel(picture, joint, corner))
        assert is_red(pixel(picture, (pose[0] + pose[1]) / 2, corner))
        assert is_blue(pixel(picture, (pose[1] + pose[2]) / 2, corner))
    # And not the other way round.
    assert not is_white(pixel(picture, POSE[0], RIGHT))
    assert not is_white(pixel(picture, refined[0], LEFT))


def test_a_larger_picture_is_scaled_with_its_poses(visualizer):
    image = np.full((320, 400, 3), 60, np.uint8)
    picture = visualizer.draw_comparison(
        0, still(2 * POSE), still(2 * POSE), image=image
    )
    for joint in POSE:
        assert is_white(pixel(picture, joint, LEFT))


def test_the_picture_is_shown_whole_and_in_its_colours(visualizer):
    """A wide picture keeps its shape: bars above and below it."""
    image = np.zeros((50, 200, 3), np.uint8)
    image[:] = (200, 100, 0)
    poses = np.full((1, 3, 2), np.nan)
    picture = visualizer.draw_comparison(0, poses, poses, image=image)
    for panel in panels(picture):
        inside = panel[56:104, 2:-2].reshape(-1, 3)
        assert (np.ptp(inside, axis=0) == 0).all()
        red, green, blue = inside[0].astype(int)
        assert red == pytest.approx(2 * green, abs=2)
        assert blue == 0
        assert (panel[:54, 100].max(axis=1) < 60).all()


def test_without_a_picture_the_poses_are_all_in_sight(visualizer):
    far = POSE * 1000 + 5e5
    picture = visualizer.draw_comparison(0, still(far), still(far))
    for panel in panels(picture):
        white = np.argwhere(panel.min(axis=2) > 230)
        assert len(white) > 3 * 30
        low, high = white.min(axis=0), white.max(axis=0)
        assert (low > 5).all()
        assert (high < [155, 195]).all()
        # They fill the panel, and x and y are scaled alike (60 x 80).
        assert high[0] - low[0] > 100
        assert (high - low)[0] / (high - low)[1] == pytest.approx(
            80 / 60, abs=0.1
        )


def test_a_missing_joint_and_its_limbs_are_not_drawn(visualizer):
    pose = POSE.copy()
    pose[1, 0] = np.nan
    picture = visualizer.draw_comparison(
        0, still(pose), still(POSE), image=IMAGE
    )
    left, right = panels(picture)
    background = left[5, 5]
    for point in (POSE[1], (POSE[0] + POSE[1]) / 2, (POSE[1] + POSE[2]) / 2):
        assert (pixel(picture, point, LEFT) == background).all()
    assert is_white(pixel(picture, POSE[0], LEFT))
    assert is_white(pixel(picture, POSE[2], LEFT))
    # All of it missing: nothing but the picture and the frame number.
    empty = visualizer.draw_comparison(
        0, still(pose * np.nan), still(POSE), image=IMAGE
    )
    assert (panels(empty)[0][:130] == background).all()
    assert (panels(empty)[1] == right).all()


@pytest.mark.parametrize('far', [300.0, 1e4, 1e12])
def test_a_joint_beyond_the_panel_stays_out_of_the_other(visualizer, far):
    pose = POSE.copy()
    pose[1] = [far, 40.0]
    picture = visualizer.draw_comparison(
        0, still(pose), still(POSE), image=IMAGE
    )
    usual = visualizer.draw_comparison(
        0, still(POSE), still(POSE), image=IMAGE
    )
    assert (panels(picture)[1] == panels(usual)[1]).all()
    assert (picture[:, 200 : RIGHT[0]] == usual[:, 200 : RIGHT[0]]).all()
    # Its limb leaves the panel in the right direction.
    assert is_red(pixel(picture, (190, 40), LEFT))


def test_the_truth_lies_grey_under_both_poses(visualizer):
    truth = POSE + [0, 20]
    picture = visualizer.draw_comparison(
        0, still(POSE), still(POSE), still(truth), image=IMAGE
    )
    for corner in (LEFT, RIGHT):
        # Half way along the upper arm of the truth.
        color = pixel(picture, (70, 60), corner)
        assert color.min() > 100
        assert np.ptp(color) < 30
        # Where it crosses the forearm, the pose is on top.
        assert is_blue(pixel(picture, (100, 62), corner))


def test_errors_are_those_of_the_frame_and_their_mean(visualizer, monkeypatch):
    """(3, 4) px off in frame 0, (6, 8) in frame 1; one keypoint missing."""
    texts = []
    for module in (comparison_scene, error_strip):
        monkeypatch.setattr(
            module,
            'draw_text',
            lambda image, text, *args, **kwargs: texts.append(text),
        )
    truth = still(POSE, 2)
    inputs = truth + np.array([3.0, 4.0]) * np.array([1, 2])[:, None, None]
    inputs[1, 2] = np.nan
    visualizer.draw_comparison(1, inputs, truth, truth, titles=('A', 'B'))
    assert 'error 10.0 px' in texts
    assert 'error 0.0 px' in texts
    assert 'A: mean 7.5 px' in texts
    assert 'B: mean 0.0 px' in texts
    assert 'frame 2 / 2' in texts


def test_a_frame_without_known_error_is_a_gap_not_a_zero(visualizer):
    truth = still(POSE, 5)
    inputs = truth + 1.0
    inputs[2] = np.nan
    picture = visualizer.draw_comparison(2, inputs, truth, truth)
    assert picture.shape[0] > 160 + LEFT[1]
    nowhere = np.full_like(truth, np.nan)
    visualizer.draw_comparison(0, nowhere, nowhere, nowhere)


def test_the_wrist_leaves_a_trail_of_the_chosen_length(visualizer):
    walk = still(POSE, 30)
    walk[:, 2, 0] = np.arange(30) * 5 + 20  # the wrist, from left to right
    picture = visualizer.draw_comparison(
        29, walk, still(POSE, 30), image=IMAGE
    )
    background = panels(picture)[0][5, 5]

    def drawn(picture, frame):
        color = pixel(picture, walk[frame, 2] - [2, 0], LEFT)
        return (color != background).any()

    # 12 frames back, and the oldest end has the colour of the panel.
    assert all(drawn(picture, frame) for frame in range(20, 29))
    assert not any(drawn(picture, frame) for frame in range(5, 17))
    visualizer.trail = 0
    picture = visualizer.draw_comparison(
        29, walk, still(POSE, 30), image=IMAGE
    )
    assert not any(drawn(picture, frame) for frame in range(5, 27))


# Videos


def read_video(path):
    capture = cv2.VideoCapture(str(path))
    rate = capture.get(cv2.CAP_PROP_FPS)
    frames = []
    while True:
        there, frame = capture.read()
        if not there:
            return frames, rate
        frames.append(frame[..., ::-1])


@pytest.mark.parametrize('with_truth', [False, True])
def test_a_video_has_all_frames_in_the_right_size(
    visualizer, tmp_path, with_truth
):
    rng = np.random.default_rng(0)
    poses = POSE + rng.normal(0, 3, (2, 17, 3, 2))
    truth = still(POSE, 17) if with_truth else None
    path = tmp_path / 'new' / 'video.mp4'
    visualizer.write_comparison_video(path, *poses, truth, fps=12.5)
    frames, rate = read_video(path)
    assert len(frames) == 17
    assert rate == pytest.approx(12.5)
    expected = visualizer.draw_comparison(16, *poses, truth)
    assert frames[16].shape == expected.shape
    # Lossy, but the same picture in the same colours.
    difference = np.abs(frames[16].astype(int) - expected)
    assert difference.mean() < 6
    assert [file.name for file in path.parent.iterdir()] == ['video.mp4']


def test_a_video_of_one_frame(visualizer, tmp_path):
    path = tmp_path / 'video.mp4'
    visualizer.write_comparison_video(path, POSE[None], POSE[None], POSE[None])
    assert len(read_video(path)[0]) == 1


def test_pictures_are_read_one_at_a_time(visualizer, tmp_path, monkeypatch):
    """An endless source is read just as far as there are poses."""
    monkeypatch.chdir(tmp_path)
    source = itertools.count()
    images = (
        np.full_like(IMAGE, 10 * next(source)) for _ in itertools.count()
    )
    visualizer.write_comparison_video(
        'video.mp4', still(POSE, 6), still(POSE, 6), images=images
    )
    assert next(source) == 6
    frames, _ = read_video(tmp_path / 'video.mp4')
    brightness = [pixel(frame, (180, 20), LEFT).mean() for frame in frames]
    assert np.all(np.diff(brightness) > 3)


@pytest.mark.parametrize(
    ('images', 'text'),
    [
        ([IMAGE] * 4, 'no picture for frame 4'),
        ([], 'no picture for frame 0'),
        ([IMAGE] * 3 + [IMAGE[:100]] * 3, r'picture 3 .*\(160, 200, 3\)'),
    ],
)
@pytest.mark.parametrize('old', [None, b'old'])
def test_a_failure_leaves_no_half_video(
    visualizer, tmp_path, images, text, old
):
    path = tmp_path / 'video.mp4'
    if old:
        path.write_bytes(old)
    poses = still(POSE, 6)
    with pytest.raises(ValueError, match=text):
        visualizer.write_comparison_video(path, poses, poses, images=images)
    assert [file.read_bytes() for file in tmp_path.iterdir()] == (
        [old] if old else []
    )


def test_bad_input_is_named(visualizer, tmp_path):
    poses = still(POSE)

    def write(*args, name='video.mp4', **kwargs):
        visualizer.write_comparison_video(tmp_path / name, *args, **kwargs)

    with pytest.raises(ValueError, match=r'\(3, 3, 2\), got \(2, 3, 2\)'):
        write(poses, poses[1:])
    with pytest.raises(ValueError, match=r'\(3, 3, 2\), got \(3, 2, 2\)'):
        write(poses, poses, poses[:, 1:])
    with pytest.raises(ValueError, match=r'\(T, K, 2\), got \(3, 3, 3\)'):
        write(np.zeros((3, 3, 3)), np.zeros((3, 3, 3)))
    with pytest.raises(ValueError, match=r'\(T, K, 2\), got \(0, 3, 2\)'):
        write(poses[:0], poses[:0])
    with pytest.raises(ValueError, match=r'needs keypoint 2, .* 2 keypoints'):
        write(poses[:, :2], poses[:, :2])
    with pytest.raises(ValueError, match=r'must be \.mp4, got .\.avi'):
        write(poses, poses, name='video.avi')
    for fps in (0, -1, np.nan):
        with pytest.raises(ValueError, match='fps must be above 0'):
            write(poses, poses, fps=fps)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match=r'panel_size .* got'):
        PoseSequenceVisualizer(panel_size=(641, 480))
    with pytest.raises(ValueError, match='set_dataset_meta'):
        PoseSequenceVisualizer().draw_comparison(0, poses, poses)


def test_frames_that_did_not_reach_the_disk_are_an_error(
    tmp_path, monkeypatch
):
    """OpenCV says nothing when it cannot write."""
    monkeypatch.setattr(video_writer, '_count_frames', lambda path: 2)

    def write():
        with video_writer.open_video(tmp_path / 'a.mp4', SIZE, 25) as write:
            for _ in range(3):
                write(IMAGE)

    with pytest.raises(OSError, match=r'only 2 of 3 frames.*disk full'):
        write()
    assert not list(tmp_path.iterdir())
