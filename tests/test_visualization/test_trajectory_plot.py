# Copyright (c) hanet_mm contributors. All rights reserved.
"""The plot of joints over time holds the numbers it was given."""

import cv2
import numpy as np
import pytest
from matplotlib import pyplot
from matplotlib.colors import same_color
from matplotlib.figure import Figure

from hanet_mm.visualization import plot_trajectories, trajectory_figure

NAMES = ('head', 'right_wrist', 'left_ankle')


@pytest.fixture
def poses():
    rng = np.random.default_rng(0)
    truth = np.cumsum(rng.normal(0, 3, (20, 3, 2)), axis=0)
    inputs = truth + np.array([3.0, 4.0])
    refined = truth + np.array([0.0, 1.5])
    inputs[5:8, 1] = np.nan
    return truth, inputs, refined


def lines_of(axis):
    return {line.get_label(): line for line in axis.get_lines()}


def test_every_line_is_the_coordinate_of_its_joint(poses):
    figure = trajectory_figure(*poses, NAMES, fps=10.0)
    assert len(figure.axes) == 4
    for axis, joint, d in zip(figure.axes, (1, 1, 2, 2), (0, 1, 0, 1)):
        lines = lines_of(axis)
        assert list(lines) == ['truth', 'input', 'refined']
        for line, pose in zip(lines.values(), poses):
            np.testing.assert_array_equal(line.get_ydata(), pose[:, joint, d])
            np.testing.assert_allclose(line.get_xdata(), np.arange(20) / 10)
        colors = [line.get_color() for line in lines.values()]
        assert not same_color(colors[1], colors[2])


def test_missing_points_are_gaps_and_shaded(poses):
    wrist, ankle = trajectory_figure(*poses, NAMES, fps=10.0).axes[::2]
    drawn = lines_of(wrist)['input'].get_ydata()
    assert np.flatnonzero(np.isnan(drawn)).tolist() == [5, 6, 7]
    (shade,) = wrist.collections
    x = np.concatenate([path.vertices for path in shade.get_paths()])[:, 0]
    # Frames 5 to 7 at 10 fps, half a frame to each side.
    assert (x.min(), x.max()) == pytest.approx((0.45, 0.75))
    assert not ankle.collections


def test_a_single_missing_frame_is_shaded(poses):
    truth, inputs, refined = poses
    inputs[:] = truth
    inputs[19, 2, 0] = np.nan
    axis = trajectory_figure(truth, inputs, refined, NAMES, fps=10.0).axes[2]
    (shade,) = axis.collections
    x = shade.get_paths()[0].vertices[:, 0]
    assert (x.min(), x.max()) == pytest.approx((1.85, 1.95))


def test_mean_errors_are_written_over_each_joint(poses):
    """Offsets of (3, 4) and (0, 1.5) px, where the points are there."""
    axes = trajectory_figure(*poses, NAMES).axes
    assert axes[0].get_title(loc='left') == (
        'right wrist    mean error (px): input 5.0, refined 1.5'
    )
    axes = trajectory_figure(None, *poses[1:], NAMES).axes
    assert axes[0].get_title(loc='left') == 'right wrist'
    unknown = np.full_like(poses[0], np.nan)
    axes = trajectory_figure(unknown, *poses[1:], NAMES).axes
    assert axes[0].get_title(loc='left') == 'right wrist    truth unknown'


def test_a_single_frame_with_a_truth_shows(poses):
    truth, inputs, refined = poses
    lonely = np.full_like(truth, np.nan)
    lonely[9] = truth[9]
    blank = np.full_like(truth, np.nan)
    pictures = []
    for known in (lonely, blank):
        figure = trajectory_figure(known, inputs, refined, NAMES)
        for axis, whole in zip(
            figure.axes, trajectory_figure(truth, *poses[1:], NAMES).axes
        ):
            axis.set(xlim=whole.get_xlim(), ylim=whole.get_ylim(), title='')
            axis.set_title('', loc='left')
        figure.canvas.draw()
        pictures.append(np.array(figure.canvas.buffer_rgba()))
    assert (pictures[0] != pictures[1]).any()


def test_without_truth_there_is_no_line_for_it(poses):
    figure = trajectory_figure(None, *poses[1:], NAMES)
    assert list(lines_of(figure.axes[0])) == ['input', 'refined']
    (legend,) = figure.legends
    texts = {text.get_text() for text in legend.get_texts()}
    assert texts == {'input missing', 'input', 'refined'}


def test_three_coordinates_are_three_columns():
    pose = np.random.default_rng(0).normal(size=(6, 3, 3))
    figure = trajectory_figure(
        pose, pose, pose, NAMES, joints=['head'], unit='m'
    )
    labels = [axis.get_ylabel() for axis in figure.axes]
    assert labels == ['x (m)', 'y (m)', 'z (m)']


@pytest.mark.parametrize('frames', [1, 2])
def test_short_and_all_missing_sequences_are_drawn(frames, tmp_path):
    pose = np.zeros((frames, 3, 2))
    path = tmp_path / 'plot.png'
    plot_trajectories(path, pose, np.full_like(pose, np.nan), pose, NAMES)
    assert cv2.imread(str(path)) is not None


def test_the_picture_can_be_read_and_is_not_blank(poses, tmp_path):
    path = tmp_path / 'new' / 'folder' / 'plot.png'
    plot_trajectories(path, *poses, NAMES, title='A title')
    picture = cv2.imread(str(path))
    height, width = picture.shape[:2]
    assert width > 1200
    assert height > 600
    # The line of the refined poses has its own blue.
    blue = (picture[..., 0] > 180) & (picture[..., 2] < 60)
    assert blue.sum() > 500
    assert [file.name for file in path.parent.iterdir()] == ['plot.png']


def test_it_works_from_any_folder_and_leaves_pyplot_alone(
    poses, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    figures = pyplot.get_fignums()
    plot_trajectories('plot.png', *poses, NAMES)
    assert (tmp_path / 'plot.png').is_file()
    assert pyplot.get_fignums() == figures


def test_a_failure_keeps_the_old_picture(poses, tmp_path, monkeypatch):
    path = tmp_path / 'plot.png'
    path.write_bytes(b'old')

    def fail(self, temporary, **kwargs):
        with open(temporary, 'wb') as file:
            file.write(b'half')
        raise OSError('disk full')

    monkeypatch.setattr(Figure, 'savefig', fail)
    with pytest.raises(OSError, match='disk full'):
        plot_trajectories(path, *poses, NAMES)
    assert path.read_bytes() == b'old'
    assert [file.name for file in tmp_path.iterdir()] == ['plot.png']


def test_bad_input_is_named(poses, tmp_path):
    truth, inputs, refined = poses

    def plot(*args, path='plot.png', **options):
        plot_trajectories(tmp_path / path, *args, **options)

    with pytest.raises(ValueError, match=r'plot\.xyz: .*format, got .xyz'):
        plot(truth, inputs, refined, NAMES, path='plot.xyz')
    with pytest.raises(ValueError, match=r"joints .* got \['nose'\]"):
        plot(truth, inputs, refined, NAMES, joints=['nose'])
    with pytest.raises(ValueError, match='3 names, got 2'):
        plot(truth, inputs, refined, NAMES[:2])
    with pytest.raises(
        ValueError, match=r'refined .*\(20, 3, 2\), got \(19, 3, 2\)'
    ):
        plot(truth, inputs, refined[1:], NAMES)
    with pytest.raises(ValueError, match=r'input .* got \(20, 3\)'):
        plot(None, inputs[..., 0], inputs[..., 0], NAMES)
    assert list(tmp_path.iterdir()) == []
