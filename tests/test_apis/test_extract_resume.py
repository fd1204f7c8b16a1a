# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm extract`` that is interrupted, resumed or started otherwise."""

import numpy as np
import pytest
from blob_world import (
    BlobDetector,
    write_video,
)
from extract_world import (
    FRAMES,
    Models,
    both,
    left,
    make_command,
    right,
    write_annotations,
)

from hanet_mm.core.data.sequences import (
    load_pose_sequences,
)


@pytest.fixture
def command(monkeypatch, tmp_path):
    return make_command(monkeypatch, tmp_path)


def test_goes_on_after_an_interruption(command, tmp_path):
    """Finished videos are not read again."""

    class Stops(BlobDetector):
        def __call__(self, images):
            if self.frames >= FRAMES:
                raise RuntimeError('out of memory')
            return super().__call__(images)

    for name in 'ab':
        write_video(tmp_path / f'videos/{name}.avi', both())
    write_annotations('in.npz', ['a', 'b', 'a'], [left, left, right])
    command.models = Models(Stops())
    with pytest.raises(RuntimeError, match='out of memory'):
        command()
    parts = tmp_path / 'out.npz.parts'
    assert sorted(x.name for x in parts.iterdir()) == ['0.npz', 'request.json']
    assert not (tmp_path / 'out.npz').exists()
    (tmp_path / 'videos/a.avi').unlink()  # not needed any more
    command.models = Models()
    assert '2 videos (1 resumed)' in command()
    assert command.models.reader.detector.frames == FRAMES
    found = load_pose_sequences('out.npz')
    assert found.seq_name.tolist() == ['a', 'b', 'a']
    np.testing.assert_allclose(found.keypoints_est, found.keypoints_gt)
    assert not parts.exists()


@pytest.mark.parametrize('what', ['annotations', 'models'])
def test_refuses_parts_of_another_run(command, tmp_path, what):
    write_video(tmp_path / 'videos/a.avi', both())
    write_annotations('in.npz', ['a', 'b'], [left, left])
    with pytest.raises(ValueError, match='1 of 2 videos failed'):
        command()
    more = ['--bbox-thr', 0.7] if what == 'models' else []
    if what == 'annotations':
        write_annotations('in.npz', ['a', 'b'], [left, right])
    with pytest.raises(ValueError, match='made with other annotations or mod'):
        command(*more)


def test_a_run_without_a_part_can_be_started_otherwise(command, tmp_path):
    video = tmp_path / 'videos/a.avi'
    video.write_bytes(b'no video')
    write_annotations('in.npz', ['a'], [left])
    with pytest.raises(ValueError, match='1 of 1 videos failed'):
        command()
    write_video(video, both())
    assert '1 videos (0 resumed)' in command('--bbox-thr', 0.7)


def test_no_models_are_loaded_where_no_video_is(command):
    write_annotations('in.npz', ['a', 'b'], [left, left])
    with pytest.raises(FileNotFoundError, match='none of 2, such as a'):
        command()
    assert not command.made


def test_other_videos_go_on(command, tmp_path):
    """What cannot be read is told at the end, or left out if asked for."""
    (tmp_path / 'videos/bad.mp4').write_bytes(b'no video')
    write_video(tmp_path / 'videos/short.avi', both(FRAMES - 1))
    write_video(tmp_path / 'videos/good.avi', both())
    names = ['bad', 'gone', 'short', 'good']
    write_annotations('in.npz', names, [left] * 4)
    with pytest.raises(ValueError, match='3 of 4 videos failed') as error:
        command()
    text = str(error.value)
    assert 'bad.mp4: not a video' in text
    assert 'gone: no such video' in text
    assert 'short.avi: expected at least 6 frames' in text
    assert '\n' not in text
    assert not (tmp_path / 'out.npz').exists()
    report = command('--skip-failed')
    assert report.count('left out: ') == 3
    assert '1 videos (1 resumed)' in report
    found = load_pose_sequences('out.npz')
    assert found.seq_name.tolist() == ['good']
    np.testing.assert_allclose(found.keypoints_est, found.keypoints_gt)
