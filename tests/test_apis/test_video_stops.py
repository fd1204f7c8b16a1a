# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm video`` that ends early: failures, Ctrl-C, cameras, q."""

import pytest
from blob_world import (
    BlobInferencer,
    FailingSource,
    walk,
    write_video,
)
from video_command import (
    count_frames,
    frames_in,
    make_command,
    make_folder,
    names,
)

from hanet_mm.apis.video.job import OutputRequest, VideoStopped, run_video
from hanet_mm.apis.video.sources import SourceStopped
from hanet_mm.core.data.sequences import load_pose_sequences


@pytest.fixture
def command(monkeypatch, tmp_path):
    return make_command(monkeypatch, tmp_path)


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path)


def run_failing(tmp_path, source, name='out.json', video=True):
    request = OutputRequest(tmp_path / name, video)
    return run_video(BlobInferencer(), source, request, progress=False)


def test_a_part_of_one_frame_that_a_second_output_fails_at(
    tmp_path, monkeypatch
):
    def fail(self, frame):
        raise OSError('no codec')

    monkeypatch.setattr('hanet_mm.apis.video.outputs.VideoOutput.write', fail)
    source = FailingSource(9, SourceStopped('the cable is out'))
    with pytest.raises(VideoStopped) as caught:
        run_failing(tmp_path, source)
    part = tmp_path / 'out.partial.json'
    assert str(caught.value) == f'failing: no codec; its part is in {part}'
    assert frames_in(part) == [0]


@pytest.mark.parametrize(
    ('error', 'reason'),
    [
        (SourceStopped('the cable is out'), 'the cable is out'),
        (KeyboardInterrupt(), 'stopped by Ctrl-C'),
    ],
)
@pytest.mark.parametrize('name', ['out.json', 'out.npz'])
def test_the_part_that_was_done_is_kept(tmp_path, error, reason, name):
    with pytest.raises(VideoStopped) as caught:
        run_failing(tmp_path, FailingSource(9, error), name)
    part = name.replace('.', '.partial.')
    message = str(caught.value)
    assert message.startswith(f'failing: {reason}; the first 9 frames are in')
    assert part in message
    assert 'out.partial.mp4' in message
    assert caught.value.interrupted == (reason == 'stopped by Ctrl-C')
    assert names(tmp_path) == sorted([part, 'out.partial.mp4'])
    assert count_frames(tmp_path / 'out.partial.mp4') == 9
    if name == 'out.json':
        assert frames_in(tmp_path / part) == list(range(9))
    else:
        found = load_pose_sequences(tmp_path / part)
        assert found.seq_len.tolist() == [9]


def test_nothing_is_written_if_there_was_no_frame(tmp_path):
    with pytest.raises(VideoStopped, match=r'failing: no signal$'):
        run_failing(tmp_path, FailingSource(0, SourceStopped('no signal')))
    assert not names(tmp_path)


def test_ctrl_c_ends_a_camera_as_planned(tmp_path):
    report = run_failing(
        tmp_path, FailingSource(9, KeyboardInterrupt(), live=True)
    )
    assert report.num_frames == 9
    assert names(tmp_path) == ['out.json', 'out.mp4']
    assert frames_in(tmp_path / 'out.json') == list(range(9))


def test_a_camera_that_stops_by_itself_is_an_error(tmp_path):
    source = FailingSource(9, SourceStopped('unplugged'), live=True)
    with pytest.raises(VideoStopped, match='unplugged; the first 9 frames'):
        run_failing(tmp_path, source, video=False)
    assert names(tmp_path) == ['out.partial.json']


def test_a_full_disk_leaves_a_valid_part(tmp_path, monkeypatch):
    import hanet_mm.apis.video.outputs as module

    plain, count = module.write_all, 0

    def write_all(file, content):
        nonlocal count
        count += 1
        if count == 5:
            file.write(content[: len(content) // 2])
            raise OSError(28, 'No space left on device')
        plain(file, content)

    monkeypatch.setattr(module, 'write_all', write_all)
    source = FailingSource(9, AssertionError('read too far'))
    with pytest.raises(VideoStopped, match=r'No space left.*first 4 frames'):
        run_failing(tmp_path, source, video=False)
    assert frames_in(tmp_path / 'out.partial.json') == [0, 1, 2, 3]
    assert names(tmp_path) == ['out.partial.json']


def test_ctrl_c_stops_a_folder(command, folder, monkeypatch):
    def run(self, source, clock=None, keep=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(BlobInferencer, 'run', run)
    with pytest.raises(VideoStopped, match=r'a\.avi: stopped by Ctrl-C'):
        command(folder)


def test_an_earlier_result_survives_a_failing_run(tmp_path):
    (tmp_path / 'out.json').write_text('[]')
    with pytest.raises(VideoStopped):
        run_failing(
            tmp_path, FailingSource(3, SourceStopped('gone')), video=False
        )
    assert (tmp_path / 'out.json').read_text() == '[]'


def test_q_in_the_window_keeps_the_frames_that_were_shown(
    command, tmp_path, screen
):
    source = write_video(tmp_path / 'clip.avi', walk(20))
    with pytest.raises(
        VideoStopped, match=r'the window was closed.* 4 frames'
    ):
        command(source, '-o', 'out.json', '--show')
    assert frames_in(tmp_path / 'out.partial.json') == [0, 1, 2, 3]
    assert len(screen) == 4
    assert names(tmp_path) == ['clip.avi', 'out.partial.json']
