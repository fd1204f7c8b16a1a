# Copyright (c) hanet_mm contributors. All rights reserved.
"""Videos as cameras, phones and programs make them."""

import wave

import cv2
import numpy as np
import pytest
from movie_boxes import cut_off, rotate, slow_down
from PIL import Image

from hanet_mm.apis.video.containers import is_whole_matroska
from hanet_mm.apis.video.sources import SourceStopped, open_source

FPS, WIDTH, HEIGHT = 25, 64, 48


@pytest.fixture
def movie(tmp_path):
    """Makes an MP4 with a bright corner at the top left, as bytes."""

    def make(frames):
        path = tmp_path / 'made.mp4'
        code = cv2.VideoWriter_fourcc(*'mp4v')
        writer = cv2.VideoWriter(str(path), code, FPS, (WIDTH, HEIGHT))
        rng = np.random.default_rng(0)
        for _ in range(frames):
            image = rng.integers(0, 80, (HEIGHT, WIDTH, 3), np.uint8)
            image[:16, :16] = 250
            writer.write(image)
        writer.release()
        return path.read_bytes()

    return make


def read(path, content):
    path.write_bytes(content)
    return list(open_source(path))


@pytest.mark.parametrize(
    ('degrees', 'rows', 'columns'),
    [
        (90, slice(0, 12), slice(-12, None)),
        (180, slice(-12, None), slice(-12, None)),
        (270, slice(-12, None), slice(0, 12)),
    ],
)
def test_pictures_are_upright(tmp_path, movie, degrees, rows, columns):
    frames = read(tmp_path / 'a.mp4', rotate(movie(3), degrees))
    upright = (WIDTH, HEIGHT) if degrees == 180 else (HEIGHT, WIDTH)
    for frame in frames:
        assert frame.size == upright
        assert frame.image[rows, columns].min() > 200
        assert np.median(frame.image) < 100


def test_uneven_times_are_those_of_the_file(tmp_path, movie):
    frames = read(tmp_path / 'a.mp4', slow_down(movie(20), 10, 3))
    steps = np.repeat([1 / FPS, 3 / FPS], [10, 9])
    times = [frame.timestamp for frame in frames]
    np.testing.assert_allclose(np.diff(times), steps, atol=1e-3)


def test_times_of_a_gif_are_its_own(tmp_path):
    pictures = [Image.new('L', (8, 6), 40 * i) for i in range(5)]
    pictures[0].save(
        tmp_path / 'a.gif',
        save_all=True,
        append_images=pictures[1:],
        duration=[100, 100, 300, 200, 100],
    )
    times = [x.timestamp for x in open_source(tmp_path / 'a.gif')]
    np.testing.assert_allclose(times, [0, 0.1, 0.2, 0.5, 0.7], atol=1e-3)


class BrowserRecording:
    """Stands for cv2.VideoCapture with 20 frames/s, said to be 1000."""

    def __init__(self, name):
        self.frame = -1

    def isOpened(self):
        return True

    def set(self, prop, value):
        return True

    def get(self, prop):
        found = {
            cv2.CAP_PROP_FPS: 1000.0,
            cv2.CAP_PROP_FRAME_COUNT: 500.0,
            cv2.CAP_PROP_POS_MSEC: 50.0 * self.frame,
        }
        return found[prop]

    def grab(self):
        self.frame += 1
        return self.frame < 10

    def read(self):
        return self.grab(), np.zeros((4, 6, 3), np.uint8)

    def release(self):
        pass


def write_matroska(path, frames=30):
    code = cv2.VideoWriter_fourcc(*'FFV1')
    writer = cv2.VideoWriter(str(path), code, FPS, (WIDTH, HEIGHT))
    for value in range(frames):
        writer.write(np.full((HEIGHT, WIDTH, 3), value, np.uint8))
    writer.release()
    return path.read_bytes()


def test_matroska_says_whether_it_is_whole(tmp_path):
    path = tmp_path / 'a.mkv'
    content = write_matroska(path)
    assert is_whole_matroska(path)
    path.write_bytes(content[: len(content) // 2])
    assert is_whole_matroska(path) is False
    # A size of ones only is unknown: live recordings have it.
    segment = content.index(b'\x18\x53\x80\x67') + 4
    assert content[segment] == 1  # eight bytes follow
    ones = b'\x01' + 7 * b'\xff'
    path.write_bytes(content[:segment] + ones + content[segment + 8 :])
    assert is_whole_matroska(path) is None
    path.write_bytes(b'RIFF')
    assert is_whole_matroska(path) is None


def test_a_matroska_file_that_is_cut_off_is_not_complete(tmp_path):
    path = tmp_path / 'a.mkv'
    content = write_matroska(path)
    assert len(list(open_source(path))) == 30
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(SourceStopped, match=r'only \d+ of 30 frames'):
        list(open_source(path))


def test_a_guess_of_the_number_of_frames_is_none(tmp_path, monkeypatch):
    write_matroska(tmp_path / 'a.mkv')
    known = {cv2.CAP_PROP_FPS: 25.0, cv2.CAP_PROP_FRAME_COUNT: 81.0}
    get = BrowserRecording.get
    monkeypatch.setattr(
        BrowserRecording, 'get', lambda x, prop: known.get(prop, get(x, prop))
    )
    monkeypatch.setattr(cv2, 'VideoCapture', BrowserRecording)
    source = open_source(tmp_path / 'a.mkv')
    assert len(list(source)) == 10
    assert not source.warning


def test_a_rate_that_is_none_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(cv2, 'VideoCapture', BrowserRecording)
    (tmp_path / 'a.webm').write_bytes(b'')
    source = open_source(tmp_path / 'a.webm')
    assert source.fps == pytest.approx(20)
    times = [frame.timestamp for frame in source]
    assert times == pytest.approx(np.arange(10) / 20)
    assert not source.warning


def test_ten_bits_are_shown_as_eight(tmp_path):
    header = f'YUV4MPEG2 W{WIDTH} H{HEIGHT} F{FPS}:1 Ip A1:1 C420p10\n'
    luma = np.full((HEIGHT, WIDTH), 64, '<u2')  # black
    luma[:, :32] = 940  # white
    chroma = np.full(HEIGHT * WIDTH // 2, 512, '<u2')
    frame = b'FRAME\n' + luma.tobytes() + chroma.tobytes()
    frames = read(tmp_path / 'a.y4m', header.encode() + 4 * frame)
    assert len(frames) == 4
    for found in frames:
        assert found.image[:, :30].min() >= 250
        assert found.image[:, 34:].max() <= 5


@pytest.mark.parametrize('share', [0.3, 0.6])
def test_a_video_that_is_cut_off_is_not_complete(tmp_path, movie, share):
    path = tmp_path / 'a.mp4'
    path.write_bytes(cut_off(movie(30), 1))
    assert len(list(open_source(path))) == 30
    path.write_bytes(cut_off(movie(30), share))
    frames = []
    with pytest.raises(SourceStopped, match=r'a.mp4: only \d+ of 30 frames'):
        frames.extend(open_source(path))
    assert len(frames) < 30 * share + 1


def test_a_video_without_its_index_is_refused(tmp_path, movie):
    path = tmp_path / 'a.mp4'
    path.write_bytes(movie(20)[:-900])
    with pytest.raises(ValueError, match=r'a.mp4: not a video'):
        open_source(path)


def test_sound_alone_is_no_video(tmp_path):
    path = tmp_path / 'a.mp4'
    with wave.open(str(path), 'wb') as file:
        file.setparams((1, 2, 8000, 0, 'NONE', ''))
        file.writeframes(bytes(16000))
    with pytest.raises(ValueError, match=r'a.mp4: not a video'):
        list(open_source(path))


def test_a_picture_is_a_video_of_one_frame(tmp_path):
    cv2.imwrite(str(tmp_path / 'a.png'), np.full((4, 6, 3), 7, np.uint8))
    (frame,) = open_source(tmp_path / 'a.png')
    assert (frame.index, frame.size) == (0, (6, 4))


@pytest.mark.parametrize('address', ['ftp://host/a.mp4', 's3://a/b.mp4'])
def test_other_addresses_are_refused_as_such(address):
    with pytest.raises(ValueError, match=f'{address}: expected a file or an'):
        open_source(address)
