# Copyright (c) hanet_mm contributors. All rights reserved.
"""Swaps of left and right undone before a filter, without a network."""

import json

import numpy as np
import pytest

from hanet_mm.apis import refine_file
from hanet_mm.apis.cli import main
from hanet_mm.apis.commands import video
from hanet_mm.apis.formats.base import PersonTrack
from hanet_mm.apis.keypoint_plan import KeypointPlan
from hanet_mm.apis.video.frames import Frame
from hanet_mm.apis.video.job import VideoReport
from hanet_mm.apis.video.refine_stage import BufferedStream, RefineStage
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine import trust
from hanet_mm.core.refine.inputs import RefineResult
from hanet_mm.core.refine.swap_chains import swap_chains
from hanet_mm.core.refine.unswap import swap_sides
from hanet_mm.filters import FILTERS, GaussianFilter, KalmanFilter

SKELETON_NAMES = ['coco17', 'h36m17', 'openpose25', 'jhmdb15', 'mediapipe33']
FRAMES, SWAPPED = 60, slice(20, 27)


def make_body(names, dims=2, frames=FRAMES):
    """Left and right wide apart, each side with a swing of its own."""
    chains = swap_chains(names)
    flip, places = chains.flip_indices, np.arange(len(names))
    side = np.where(flip == places, 0, np.where(places < flip, 1, -1))
    row = np.minimum(flip, places)
    time = np.arange(frames)[:, None]
    swing = 12 * np.sin(0.2 * time + side * 0.8 + row)
    axes = [
        200 + 60 * side + swing,
        100 + 9.0 * row + 0.5 * swing + time,
        40 * np.cos(0.1 * time) * side + 300,
    ]
    return np.stack(axes[:dims], -1).astype(np.float32), chains


def swap(poses, chains, frames=SWAPPED):
    """As an estimator would that takes the left side for the right."""
    wrong = np.zeros(poses.shape[:2], bool)
    wrong[frames] = chains.chains >= 0
    scores = np.ones(wrong.shape, np.float32)
    return swap_sides(poses, scores, wrong, chains).keypoints, wrong


def make_filters():
    arguments = dict(
        savgol=(7, 2),
        butterworth=(2, 0.16),
        gaussian=(1.5,),
        one_euro=(1.5, 0.02, 25),
        median=(5,),
        kalman=(0.15,),
        median_butterworth=(5, 0.16),
    )
    return [FILTERS[name](*x) for name, x in arguments.items()]


@pytest.mark.parametrize('dims', [2, 3])
@pytest.mark.parametrize('skeleton', SKELETON_NAMES)
def test_every_skeleton_with_pairs(skeleton, dims):
    poses, chains = make_body(SKELETONS[skeleton].keypoint_names, dims)
    given, wrong = swap(poses, chains)
    smoother = GaussianFilter(1.5)
    found = smoother.refine(given, chains=chains)
    np.testing.assert_array_equal(found.swapped, wrong)
    expected = smoother.refine(poses)
    np.testing.assert_array_equal(found.keypoints, expected.keypoints)
    # Without chains swaps stay, and nothing is said of them.
    assert expected.swapped is None
    assert np.abs(smoother.refine(given).keypoints - poses).max() > 50


@pytest.mark.parametrize(
    'smoother', make_filters(), ids=lambda x: type(x).__name__
)
def test_every_filter(smoother):
    poses, chains = make_body(SKELETONS['coco17'].keypoint_names)
    given, wrong = swap(poses, chains)
    results = smoother.refine([given, poses], chains=chains, fps=[30.0, 25.0])
    for result, swapped in zip(results, (wrong, 0 * wrong)):
        np.testing.assert_array_equal(result.swapped, swapped)
        np.testing.assert_array_equal(
            result.keypoints, smoother.refine(poses).keypoints
        )


def test_gaps_change_sides_with_their_frames():
    poses, chains = make_body(SKELETONS['coco17'].keypoint_names)
    left, right = 9, 10  # wrists
    poses[22:24, left] = np.nan
    given, wrong = swap(poses, chains)
    assert np.isnan(given[22:24, right]).all()
    found = GaussianFilter(1).refine(given, chains=chains)
    np.testing.assert_array_equal(found.swapped, wrong)
    np.testing.assert_array_equal(found.filled, np.isnan(poses).any(-1))


def test_rotations_have_no_sides_to_undo():
    poses = np.ones((9, 2, 6), np.float32)
    smoother = GaussianFilter(1, rotations=True)
    with pytest.raises(ValueError, match='chains: expected None for rot'):
        smoother.refine(poses, chains=swap_chains(['left_hip', 'right_hip']))


def test_the_number_of_rates_has_to_fit():
    poses, chains = make_body(SKELETONS['coco17'].keypoint_names)
    with pytest.raises(ValueError, match=r'1 sequences .* 2 of fps'):
        GaussianFilter(1).refine([poses], chains=chains, fps=[30, 25])


def write(path, keypoints, names):
    more = {} if names is None else dict(keypoint_names=list(names))
    np.savez(path, keypoints=keypoints, **more)
    return path


def read(path):
    with np.load(path) as arrays:
        return arrays['keypoints']


@pytest.mark.parametrize('named', [True, False])
def test_the_command_counts_frames(tmp_path, capsys, named):
    names = SKELETONS['coco17'].keypoint_names
    poses, chains = make_body(names)
    given, _ = swap(poses, chains)
    files = [tmp_path / x for x in ('swapped.npz', 'right.npz')]
    outs = [tmp_path / 'a.npz', tmp_path / 'b.npz']
    for file, keypoints, out, more in zip(
        files, (given, poses), outs, (['--unswap'], [])
    ):
        write(file, keypoints, names if named else None)
        if not named:
            more = more and [*more, '--skeleton', 'coco17']
        words = ['refine', file, '-o', out, '--filter', 'gaussian', *more]
        assert main([str(x) for x in words]) == 0
        line = capsys.readouterr().out
        text = ', left and right corrected in 7 of 60 frames; '
        assert (text in line) == bool(more)
    np.testing.assert_array_equal(*map(read, outs))


def test_a_folder_is_counted_too(tmp_path, capsys):
    names = SKELETONS['coco17'].keypoint_names
    poses, chains = make_body(names)
    folder = tmp_path / 'in'
    folder.mkdir()
    write(folder / 'a.npz', poses, names)
    write(folder / 'b.npz', swap(poses, chains)[0], names)
    words = ['refine', folder, '-o', tmp_path / 'out', '--filter', 'median']
    assert main([*map(str, words), '--unswap']) == 0
    line = capsys.readouterr().out
    assert '120 frames, left and right corrected in 7 of 120 frames' in line


@pytest.mark.parametrize(
    ('names', 'options', 'text'),
    [
        (None, dict(), '17 keypoints without names, whose left and right'),
        (list('abcdefghijklmnopq'), dict(), 'of a left and a right side'),
        (None, dict(refiner='coco17-2d'), 'unswap: is for a filter'),
    ],
)
def test_what_cannot_be_undone(tmp_path, names, options, text):
    poses, _ = make_body(SKELETONS['coco17'].keypoint_names)
    file = write(tmp_path / 'in.npz', poses, names)
    options = dict(dict(refiner='filter:median'), **options)
    with pytest.raises(ValueError, match=text):
        refine_file(file, tmp_path / 'out.npz', unswap=True, **options)


def test_a_long_gap_stays_empty_on_the_side_where_it_is():
    """The left wrist is missing and given as the right one."""
    names = ['left_wrist', 'right_wrist']
    given = np.arange(12.0).reshape(3, 2, 2)
    given[1, 1] = np.nan
    swapped = np.array([[False] * 2, [True] * 2, [False] * 2])
    right = np.where(swapped[..., None], given[:, ::-1], given)
    filled = np.isnan(right).any(-1)
    result = RefineResult(np.nan_to_num(right), filled, swapped=swapped)
    plan = KeypointPlan()
    track = PersonTrack('person', given)
    found = plan.from_refiner(track, result, max_gap=0)
    np.testing.assert_array_equal(found.keypoints, right)
    assert not found.filled.any()
    found = plan.from_refiner(track, result, max_gap=1)
    np.testing.assert_array_equal(found.keypoints, result.keypoints)
    np.testing.assert_array_equal(found.filled, filled)
    assert len(names) == found.swapped.shape[1]


def run_stream(stream, poses):
    frames = []
    for pose in poses:
        pose = (pose, np.ones(len(pose), np.float32))
        frames += stream.push_many({0: pose})[0]
    return frames + stream.flush(0)


@pytest.mark.parametrize('length', [60, 300])
def test_a_video_of_any_length(length):
    """Also where a swap lies across two of the pieces it is read in."""
    poses, chains = make_body(
        SKELETONS['coco17'].keypoint_names, frames=length
    )
    given, wrong = swap(poses, chains, slice(length // 5, length // 5 + 9))
    smoother = KalmanFilter(0.3)
    stream = BufferedStream(smoother, chains=chains, fps=30.0)
    found = run_stream(stream, given)
    expected = run_stream(BufferedStream(smoother), poses)
    np.testing.assert_array_equal([x.swapped for x in found], wrong)
    for one, other in zip(found, expected):
        np.testing.assert_array_equal(one.keypoints, other.keypoints)
        assert other.swapped is None


def test_frames_of_a_video_are_counted():
    poses, chains = make_body(SKELETONS['coco17'].keypoint_names)
    given, wrong = swap(poses, chains)
    stage = RefineStage(BufferedStream(GaussianFilter(1), chains=chains))
    frames = [
        Frame(
            index,
            None,
            bboxes=np.zeros((1, 4), np.float32),
            keypoints=pose[None],
            keypoint_scores=np.ones((1, 17), np.float32),
            track_ids=np.array([0]),
            segments=np.array([0]),
        )
        for index, pose in enumerate(given)
    ]
    report = VideoReport([])
    assert 'corrected' not in str(report)
    for frame in frames:
        stage.push(frame)
    stage.flush()
    for frame, swapped in zip(frames, wrong):
        frame.finish()
        np.testing.assert_array_equal(frame.swapped, [swapped])
        report.add(frame)
    assert ', left and right corrected in 7 of 60 frames, ' in str(report)


@pytest.mark.mm
def test_a_video_needs_a_filter_for_it():
    import argparse

    parser = argparse.ArgumentParser()
    video.add_parser(parser.add_subparsers())
    args = parser.parse_args(['video', 'x.mp4', '--unswap'])
    with pytest.raises(ValueError, match='--unswap: needs --filter'):
        video.make_inferencer(args)


def test_marks_are_in_the_predictions_of_mmpose(tmp_path):
    """By person and frame, whatever the order in the file."""
    right, chains = make_body(SKELETONS['coco17'].keypoint_names)
    given, wrong = swap(right, chains)
    given[40, 9] = np.nan
    people = {'a': given, 'b': right + 900}
    frames = [
        dict(
            frame_id=t,
            instances=[
                dict(
                    track_id=name,
                    keypoints=people[name][t].tolist(),
                    keypoint_scores=[0.9] * 17,
                )
                for name in ('ab' if t % 2 else 'ba')
            ],
        )
        for t in range(FRAMES)
    ]
    path, out = tmp_path / 'in.json', tmp_path / 'out.json'
    path.write_text(json.dumps(frames))
    refine_file(path, out, 'coco17-2d')
    marks = {
        (x['track_id'], key): []
        for x in frames[0]['instances']
        for key in ('swapped', 'reason')
    }
    for frame in json.loads(out.read_text()):
        for x in frame['instances']:
            for key in ('swapped', 'reason'):
                marks[x['track_id'], key].append(x[key])
    np.testing.assert_array_equal(marks['a', 'swapped'], wrong)
    assert not np.any(marks['b', 'swapped'])
    reasons = np.array(marks['a', 'reason'])
    np.testing.assert_array_equal(reasons == trust.SWAPPED, wrong)
    assert np.argwhere(reasons == trust.MISSING).tolist() == [[40, 9]]
