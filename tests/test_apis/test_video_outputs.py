# Copyright (c) hanet_mm contributors. All rights reserved.
"""The files of a video: complete, or a valid part."""

import errno
import json

import cv2
import numpy as np
import pytest
from blob_world import LINKS, NAMES, LateStream, draw, make_pipeline, walk

from hanet_mm.apis.formats import open_poses
from hanet_mm.apis.video.outputs import JsonOutput, NpzOutput, VideoOutput
from hanet_mm.apis.video.sources import open_source
from hanet_mm.core.data.sequences import load_pose_sequences
from hanet_mm.visualization.people_scene import PeopleScene


def results_of(frames, lookahead=2, fps=25, **options):
    pipeline = make_pipeline(LateStream(lookahead), **options)
    return list(pipeline.run(open_source(frames, fps)))


def two_people(frames):
    """Person 1 is there in frames 3 to 6 only; a keypoint is hidden in 2."""
    for t in range(frames):
        here = {0: (20 + t, 20)}
        if 3 <= t <= 6:
            here[1] = (70, 20)
        yield draw(here, hidden=[(0, 4)] if t == 2 else ())


def write(output, results):
    for result in results:
        output.write(result)


def test_json_has_the_layout_of_mmpose(tmp_path):
    results = results_of(list(two_people(10)))
    output = JsonOutput(tmp_path / 'new' / 'out.json')
    write(output, results)
    output.finish()
    assert [x.name for x in output.path.parent.iterdir()] == ['out.json']
    frames = json.loads(output.path.read_text())
    assert [x['frame_id'] for x in frames] == list(range(10))
    for t, frame in enumerate(frames):
        assert frame['image_size'] == [96, 64]
        assert frame['timestamp'] == pytest.approx(t / 25)
        assert len(frame['instances']) == (2 if 3 <= t <= 6 else 1)
    person = frames[2]['instances'][0]
    assert person.keys() == {
        *('track_id', 'segment', 'bbox', 'bbox_score', 'keypoints'),
        *('keypoint_scores', 'keypoints_input', 'filled'),
    }
    # As mmpose.structures.split_instances has it: a box in a list.
    assert np.shape(person['bbox']) == (1, 4)
    assert person['bbox_score'] == 0.5
    assert person['keypoints_input'][4] == [None, None]
    assert person['keypoints_input'][0] == [22.0, 20.0]
    assert person['keypoints'][0] == [22.25, 20.25]
    assert person['filled'] == [False] * 4 + [True]
    assert person['keypoint_scores'] == [0.9] * 4 + [0.0]


def test_json_is_read_by_hanet_mm_refine(tmp_path):
    output = JsonOutput(tmp_path / 'out.json')
    write(output, results_of(list(two_people(10))))
    output.finish()
    tracks = open_poses(output.path).tracks
    assert [len(x.keypoints) for x in tracks] == [10, 4]
    assert tracks[1].first_frame == 3


def test_json_is_valid_after_each_frame(tmp_path):
    output = JsonOutput(tmp_path / 'out.json')
    for count, result in enumerate(results_of(walk(5)), 1):
        output.write(result)
        found = json.loads((tmp_path / 'out.partial.json').read_text())
        assert [x['frame_id'] for x in found] == list(range(count))
        assert not output.path.exists()
    assert output.stop() == tmp_path / 'out.partial.json'
    assert not output.path.exists()


class FullDisk:
    """A file on a disk that has room for some bytes."""

    def __init__(self, file, room, error):
        self.file, self.room, self.error = file, room, error

    def write(self, content):
        part = content[: max(0, self.room - self.file.tell())]
        if not len(part):
            raise self.error
        return self.file.write(part)

    def __getattr__(self, name):
        return getattr(self.file, name)


@pytest.mark.parametrize(
    'error', [OSError(errno.ENOSPC, 'No space left'), KeyboardInterrupt()]
)
@pytest.mark.parametrize('more', [0, 1, 40, 200])
def test_a_frame_that_cannot_be_written_whole_is_taken_out(
    tmp_path, error, more
):
    results = results_of(walk(6))
    output = JsonOutput(tmp_path / 'out.json')
    write(output, results[:3])
    room = output.partial_path.stat().st_size + more
    output._file = FullDisk(output._file, room, error)
    with pytest.raises(type(error)):
        output.write(results[3])
    assert output.stop() == tmp_path / 'out.partial.json'
    found = json.loads(output.partial_path.read_text())
    assert [x['frame_id'] for x in found] == [0, 1, 2]
    assert not output.path.exists()


def test_nothing_is_left_if_the_first_frame_fails(tmp_path, monkeypatch):
    def write_all(file, content):
        raise OSError(errno.ENOSPC, 'No space left')

    name = 'hanet_mm.apis.video.outputs.write_all'
    monkeypatch.setattr(name, write_all)
    output = JsonOutput(tmp_path / 'out.json')
    with pytest.raises(OSError, match='No space'):
        output.write(results_of(walk(1))[0])
    assert output.stop() is None
    assert not list(tmp_path.iterdir())


def test_an_earlier_part_stays_until_there_is_something_new(tmp_path):
    earlier = tmp_path / 'out.partial.json'
    earlier.write_text('[]')
    assert JsonOutput(tmp_path / 'out.json').stop() is None
    assert earlier.read_text() == '[]'


def test_npz_has_a_sequence_for_each_segment(tmp_path):
    results = results_of(list(two_people(10)))
    output = NpzOutput(tmp_path / 'out.npz', NAMES, 25.0)
    write(output, results)
    output.finish()
    assert [x.name for x in tmp_path.iterdir()] == ['out.npz']
    found = load_pose_sequences(output.path)
    assert found.seq_name.tolist() == ['0_0', '1_0']
    assert found.seq_len.tolist() == [10, 4]
    assert found.image_size.tolist() == [[96, 64]] * 2
    assert found.fps.tolist() == [25, 25]
    assert found.meta == dict(units='px', keypoint_names=NAMES)
    frames = [*range(10), 3, 4, 5, 6]
    assert found.extras['frame_number'].tolist() == frames
    times = found.extras['time_est']
    np.testing.assert_allclose(times, np.array(frames) / 25)
    expected = [
        next(
            x
            for x in results[t].result()['instances']
            if x['track_id'] == track
        )
        for t, track in zip(frames, [0] * 10 + [1] * 4)
    ]
    with np.load(output.path, allow_pickle=False) as arrays:
        for key, name in (
            ('keypoints_est', 'keypoints'),
            ('keypoints_input', 'keypoints_input'),
            ('scores', 'keypoint_scores'),
            ('filled', 'filled'),
            ('bboxes', 'bbox'),
        ):
            np.testing.assert_array_equal(
                arrays[key], np.stack([x[name] for x in expected])
            )
        assert arrays['filled'].sum() == 1


def test_npz_has_nan_where_a_person_is_away(tmp_path):
    results = results_of(walk(8))
    del results[3:5]
    output = NpzOutput(tmp_path / 'out.npz')
    write(output, results)
    output.finish()
    found = load_pose_sequences(output.path)
    assert found.seq_len.tolist() == [8]
    assert found.extras['frame_number'].tolist() == list(range(8))
    gone = np.isnan(found.keypoints_est).all((1, 2))
    assert np.flatnonzero(gone).tolist() == [3, 4]
    assert (found.scores[3:5] == 0).all()


def test_npz_that_is_stopped_is_a_part(tmp_path):
    output = NpzOutput(tmp_path / 'out.npz')
    write(output, results_of(walk(6)))
    assert output.stop() == tmp_path / 'out.partial.npz'
    assert [x.name for x in tmp_path.iterdir()] == ['out.partial.npz']
    found = load_pose_sequences(tmp_path / 'out.partial.npz')
    assert found.seq_len.tolist() == [6]


def test_npz_of_nobody_is_refused(tmp_path):
    output = NpzOutput(tmp_path / 'out.npz')
    write(output, results_of([draw({})] * 3))
    with pytest.raises(ValueError, match='one person with a keypoint in'):
        output.finish()
    assert output.stop() is None
    assert not list(tmp_path.iterdir())


def read_frames(path):
    capture = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, frame = capture.read()
        if not there:
            return frames, capture.get(cv2.CAP_PROP_FPS)
        frames.append(frame)


def make_scene(size):
    return PeopleScene(size, LINKS, NAMES, trajectories=True)


def film(output, pictures, count=None):
    """Write the frames of a video with the pictures that they keep."""
    pipeline = make_pipeline(LateStream(2))
    frames = pipeline.run(open_source(pictures), keep=output.keep)
    write(output, list(frames)[:count])


def test_a_video_shows_all_frames_before_and_after(tmp_path):
    # Frames of a program can be read once only.
    output = VideoOutput(tmp_path / 'out.mp4', 20.0, make_scene)
    film(output, two_people(12))
    output.finish()
    assert [x.name for x in tmp_path.iterdir()] == ['out.mp4']
    frames, fps = read_frames(output.path)
    assert (len(frames), fps) == (12, 20)
    scene = make_scene((96, 64))
    assert frames[0].shape == (*scene.size[::-1], 3)
    assert scene.size[0] > 2 * 96


def test_a_frame_that_waits_keeps_what_is_drawn_of_its_picture(tmp_path):
    output = VideoOutput(tmp_path / 'out.mp4', None, make_scene)
    picture = np.zeros((1080, 1920, 3), np.uint8)
    picture[..., 0] = 200  # blue, in BGR
    kept = output.keep(picture)
    assert kept.nbytes < picture.nbytes / 3.9
    blue = kept[270, 480].astype(int)
    assert blue[2] > 100 > blue[:2].max()


def test_a_video_that_is_stopped_is_a_part(tmp_path):
    output = VideoOutput(tmp_path / 'out.mp4', 25.0, make_scene)
    film(output, walk(9), 5)
    partial = tmp_path / 'out.partial.mp4'
    assert output.stop() == partial
    assert len(read_frames(partial)[0]) == 5
    assert not output.path.exists()


def test_nothing_is_left_of_a_video_without_frames(tmp_path):
    output = VideoOutput(tmp_path / 'out.mp4', 25.0, make_scene)
    assert output.stop() is None
    with pytest.raises(ValueError, match='no frame to write'):
        output.finish()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('name', ['out.json', 'out.npz'])
def test_a_finished_file_stays_if_another_output_fails(tmp_path, name):
    path = tmp_path / name
    output = {'.json': JsonOutput, '.npz': NpzOutput}[path.suffix](path)
    write(output, results_of(walk(3)))
    output.finish()
    assert output.stop() == path
    assert list(tmp_path.iterdir()) == [path]


def test_no_part_is_named_of_a_video_that_cannot_be_written_whole(
    tmp_path, monkeypatch
):
    name = 'hanet_mm.visualization.video_writer._count_frames'
    monkeypatch.setattr(name, lambda path: 2)
    output = VideoOutput(tmp_path / 'out.mp4', 25.0, make_scene)
    film(output, walk(5))
    with pytest.raises(OSError, match='only 2 of 5 frames'):
        output.finish()
    assert output.stop() is None
    assert not list(tmp_path.iterdir())
