# Copyright (c) hanet_mm contributors. All rights reserved.
"""Where frames come from, and what is wrong with some sources."""

import functools
import http.server
import threading

import cv2
import numpy as np
import pytest
from blob_world import walk, write_video

from hanet_mm.apis.video.job import plan_jobs
from hanet_mm.apis.video.sources import SourceStopped, VideoClock, open_source


class FakeCamera:
    """Stands for cv2.VideoCapture with a camera that gives some frames."""

    frames = 3
    released = 0

    def __init__(self, index):
        self.there = index == 0

    def isOpened(self):
        return self.there

    def get(self, prop):
        return 30.0 if prop == cv2.CAP_PROP_FPS else 0.0

    def read(self):
        if not self.frames:
            return False, None
        self.frames -= 1
        return True, np.zeros((4, 6, 3), np.uint8)

    def release(self):
        type(self).released += 1


@pytest.fixture
def camera(monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', FakeCamera)
    monkeypatch.setattr(FakeCamera, 'released', 0)


def test_a_video_gives_its_frames_and_times(tmp_path):
    frames = list(walk(7))
    source = open_source(write_video(tmp_path / 'a.avi', frames, fps=20))
    for _ in range(2):  # it can be read again
        read = list(source)
        assert [frame.index for frame in read] == list(range(7))
        for frame, expected in zip(read, frames):
            np.testing.assert_array_equal(frame.image, expected)
        times = [frame.timestamp for frame in read]
        np.testing.assert_allclose(times, np.arange(7) / 20, atol=1e-9)
    assert (source.fps, source.num_frames, source.warning) == (20, 7, '')
    assert not source.live
    assert read[0].size == (96, 64)


def test_a_given_rate_takes_the_place_of_the_file_s(tmp_path):
    path = write_video(tmp_path / 'a.avi', walk(3), fps=20)
    source = open_source(path, fps=50)
    assert source.fps == 50
    assert [f.timestamp for f in source] == pytest.approx([0, 0.02, 0.04])


@pytest.mark.parametrize('fps', [0, -5, float('nan')])
def test_a_rate_that_is_none_is_refused(fps):
    with pytest.raises(ValueError, match='fps: expected frames per second'):
        open_source([np.zeros((4, 6, 3), np.uint8)], fps=fps)


@pytest.mark.parametrize('content', [b'', b'not a video' * 100])
def test_a_file_that_is_no_video_is_named(tmp_path, content):
    path = tmp_path / 'bad.mp4'
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r'bad.mp4: .*damaged'):
        list(open_source(path))


def test_a_video_without_frames_is_named(tmp_path):
    whole = write_video(tmp_path / 'a.avi', walk(3)).read_bytes()
    path = tmp_path / 'none.avi'
    start = whole.index(b'movi')  # frames begin here
    path.write_bytes(whole[: start + 4])
    with pytest.raises(ValueError, match=r'none.avi'):
        list(open_source(path))


def test_a_video_that_is_cut_off_gives_what_it_has_and_stops(tmp_path):
    path = write_video(tmp_path / 'a.avi', walk(60))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    read = []
    with pytest.raises(SourceStopped, match=r'only \d+ of 60 frames') as error:
        read.extend(open_source(path))
    assert 10 < len(read) < 50
    assert f'only {len(read)} of' in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'gone.mp4: no such video'):
        open_source(tmp_path / 'gone.mp4')


def test_pictures_come_in_natural_order(tmp_path):
    for number in (10, 9, 100, 1):
        image = np.full((4, 6, 3), number, np.uint8)
        cv2.imwrite(str(tmp_path / f'img{number}.png'), image)
    (tmp_path / 'notes.txt').write_text('no picture')
    source = open_source(tmp_path, fps=10)
    values = [int(frame.image[0, 0, 0]) for frame in source]
    assert values == [1, 9, 10, 100]
    assert source.num_frames == 4
    assert [f.timestamp for f in source] == pytest.approx([0, 0.1, 0.2, 0.3])


def test_a_damaged_picture_is_named_after_those_before_it(tmp_path):
    for number in range(3):
        image = np.zeros((4, 6, 3), np.uint8)
        cv2.imwrite(str(tmp_path / f'{number}.png'), image)
    (tmp_path / '1.png').write_bytes(b'broken')
    frames = iter(open_source(tmp_path))
    assert next(frames).index == 0
    with pytest.raises(ValueError, match=r'1.png: not a picture'):
        next(frames)


def test_a_folder_without_pictures_is_named(tmp_path):
    with pytest.raises(ValueError, match='no picture'):
        open_source(tmp_path)


@pytest.mark.parametrize('name', [0, '0', 'webcam', 'webcam:0'])
def test_a_camera_gives_frames_until_it_stops(camera, name):
    source = open_source(name)
    assert source.live
    assert source.fps == 30
    assert source.num_frames is None
    read = []
    with pytest.raises(
        SourceStopped, match='webcam 0: stopped after 3 frames'
    ):
        read.extend(source)
    assert [frame.index for frame in read] == [0, 1, 2]
    assert read[0].timestamp == 0 < read[1].timestamp
    assert FakeCamera.released == 1


def test_a_camera_that_is_not_there_is_told(camera):
    with pytest.raises(OSError, match='webcam 7: cannot be opened'):
        open_source('7')


def test_frames_of_a_program_may_have_times_and_sizes_of_their_own():
    given = [
        (np.zeros((4, 6, 3), np.uint8), 0.5),
        (np.zeros((8, 2, 3), np.uint8), 0.75),
    ]
    source = open_source(iter(given))
    read = list(source)
    assert [frame.timestamp for frame in read] == [0.5, 0.75]
    assert [frame.size for frame in read] == [(6, 4), (2, 8)]


def test_arrays_are_one_frame_or_many():
    assert len(list(open_source(np.zeros((4, 6, 3), np.uint8)))) == 1
    source = open_source(np.zeros((5, 4, 6, 3), np.uint8), fps=25)
    assert source.num_frames == 5
    assert [f.timestamp for f in source][-1] == pytest.approx(4 / 25)


@pytest.mark.parametrize(
    'frame', [np.zeros((4, 6), np.uint8), np.zeros((4, 6, 3)), 'text', None]
)
def test_what_is_no_frame_is_named(frame):
    good = np.zeros((4, 6, 3), np.uint8)
    with pytest.raises(ValueError, match='frame 1: expected a picture'):
        list(open_source([good, frame]))


def test_no_frames_at_all_are_an_error():
    with pytest.raises(ValueError, match='expected at least 1, found 0'):
        list(open_source(iter(())))


def read_clock(clock, seconds):
    return [clock.read(index, value) for index, value in enumerate(seconds)]


def test_times_rounded_to_ms_are_those_of_the_rate():
    exact = np.arange(10) / 30
    times = read_clock(VideoClock(30, True), 5 + exact.round(3))
    np.testing.assert_allclose(times, exact, atol=1e-12)


def test_uneven_times_are_kept():
    seconds = [0, 0.04, 0.3, 0.34, 0.9]
    assert read_clock(VideoClock(25, True), seconds) == pytest.approx(seconds)


@pytest.mark.parametrize('seconds', [[0, 0, 0, 0], [0, 0.04, 0.04, 0.2]])
def test_a_reader_without_times_counts_frames(seconds):
    times = read_clock(VideoClock(25, True), seconds)
    assert times == pytest.approx([0, 0.04, 0.08, 0.12])
    assert read_clock(VideoClock(None, True), [0, 1, 2]) == [None] * 3


@pytest.fixture
def server(tmp_path):
    """Serves the files of a folder on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path))
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_video_has_an_address(tmp_path, server):
    write_video(tmp_path / 'clip.avi', walk(7))
    source = open_source(f'{server}/clip.avi')
    assert (source.num_frames, source.live) == (7, False)
    expected = [x.image for x in open_source(tmp_path / 'clip.avi')]
    found = [x.image for x in source]
    np.testing.assert_array_equal(found, expected)


def test_an_address_without_a_video_is_told(server):
    with pytest.raises(OSError, match=r'/no\.mp4: cannot be opened'):
        open_source(f'{server}/no.mp4')


@pytest.mark.parametrize(
    ('source', 'name'),
    [
        ('http://a.b/c/clip.mp4?key=1/2', 'clip.json'),
        ('rtsp://10.0.0.1:554/live', 'live.json'),
    ],
)
def test_outputs_are_named_after_the_end_of_an_address(source, name):
    jobs, several = plan_jobs(source, None, 'json', False, False)
    assert not several
    assert jobs[0][0] == source
    assert str(jobs[0][1].poses) == name
