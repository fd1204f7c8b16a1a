# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm video`` with stages that read the answer from the picture."""

import argparse
import json

import cv2
import numpy as np
import pytest
from blob_world import (
    OFFSET,
    draw,
    place_at,
    truth,
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

from hanet_mm.apis.commands import video
from hanet_mm.apis.video.job import VideoStopped
from hanet_mm.core.data.sequences import load_pose_sequences


@pytest.fixture
def command(monkeypatch, tmp_path):
    return make_command(monkeypatch, tmp_path)


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path)


def test_a_video_becomes_a_file_of_poses(command, tmp_path):
    source = write_video(tmp_path / 'clip.avi', walk(20))
    line = command(source, '-o', 'sub/out.json', verbose=True)
    content = json.loads((tmp_path / 'sub/out.json').read_text())
    for t, frame in enumerate(content):
        expected = truth(place_at(t)) + OFFSET
        keypoints = frame['instances'][0]['keypoints']
        np.testing.assert_allclose(keypoints, expected)
    assert len(content) == 20
    assert line.startswith('sub/out.json: 1 person in 20 frames, 0 keypoints')
    for word in ('fps', 'detector', 'estimator', 'tracker', 'refiner'):
        assert word in line
    shares = [int(x.split()[-1]) for x in line.split(' %')[:-1]]
    assert 95 <= sum(shares) <= 105


def test_the_output_is_named_after_the_input(command, tmp_path):
    source = write_video(tmp_path / 'clip.avi', walk(5))
    command(source)
    command(source, '--format', 'npz', '--no-save-video')
    expected = ['clip.avi', 'clip.json', 'clip.mp4', 'clip.npz']
    assert names(tmp_path) == expected
    assert count_frames(tmp_path / 'clip.mp4') == 5
    assert load_pose_sequences(tmp_path / 'clip.npz').seq_len.tolist() == [5]


def test_the_line_for_everybody_has_no_stages(command, tmp_path):
    source = write_video(tmp_path / 'clip.avi', walk(5))
    line = command(source, '-o', 'out.json')
    assert line == 'out.json: 1 person in 5 frames, 0 keypoints filled'


@pytest.mark.parametrize('suffix', ['.json', '.mp4'])
def test_a_name_that_nobody_gave_is_not_replaced(command, tmp_path, suffix):
    source = write_video(tmp_path / 'clip.avi', walk(5))
    mine = (tmp_path / 'clip').with_suffix(suffix)
    mine.write_text('mine')
    message = rf'clip\{suffix}: is there already: expected -o, or --overwrite'
    with pytest.raises(FileExistsError, match=message):
        command(source)
    assert mine.read_text() == 'mine'
    assert not command.made  # told before models load
    command(source, '--overwrite')
    assert len(frames_in(tmp_path / 'clip.json')) == 5
    assert count_frames(tmp_path / 'clip.mp4') == 5
    command(source, '-o', 'clip.json')  # named: replaced


def test_an_interrupted_run_with_default_names_is_resumed(command, folder):
    broken = folder / 'b.mp4'
    with pytest.raises(ValueError, match='2 of 3'):
        command(folder)
    write_video(folder / 'mended.avi', walk(3)).replace(broken)
    with pytest.raises(FileExistsError, match=r'a\.json: .* or --resume'):
        command(folder)
    lines = command(folder, '--resume').splitlines()
    assert lines[0] == '2 of 3 videos were there already'
    found = names(folder.parent / 'clips_poses')
    assert found == ['a.json', 'b.json', 'c.json']


def test_the_report_as_json(command, folder):
    (folder / 'b.mp4').unlink()
    report = json.loads(command(folder, '--json', '--resume'))
    assert (report['skipped'], report['refiner']) == (0, None)
    first, second = report['videos']
    assert first['files'] == ['clips_poses/a.json']
    assert (first['frames'], second['frames']) == (5, 6)
    assert (first['people'], first['filled']) == (1, 0)
    again = json.loads(command(folder, '--json', '--resume'))
    assert again == dict(skipped=2, videos=[])


def test_a_video_is_written_beside_the_poses(command, tmp_path):
    source = write_video(tmp_path / 'clip.avi', walk(9))
    command(source, '-o', 'out.npz', '--save-video', '--trajectories')
    assert names(tmp_path) == ['clip.avi', 'out.mp4', 'out.npz']
    assert count_frames(tmp_path / 'out.mp4') == 9


def test_a_folder_of_pictures_is_one_video(command, tmp_path):
    folder = tmp_path / 'shots'
    folder.mkdir()
    for t, frame in enumerate(walk(12)):
        cv2.imwrite(str(folder / f'{t}.png'), frame)
    command(folder, '--fps', '10')
    content = json.loads((tmp_path / 'shots.json').read_text())
    assert [x['timestamp'] for x in content][:3] == [0, 0.1, 0.2]
    places = [x['instances'][0]['keypoints_input'][0] for x in content]
    assert places == [list(map(float, place_at(t))) for t in range(12)]


def test_a_folder_of_videos_goes_on_after_a_damaged_one(command, folder):
    with pytest.raises(ValueError, match=r'2 of 3 videos done; .*b.mp4: not'):
        command(folder, '-o', 'poses')
    assert names(folder.parent / 'poses') == ['a.json', 'c.json']
    assert len(command.made) == 1  # models are loaded once


def test_a_second_run_does_what_is_left(command, folder):
    with pytest.raises(ValueError, match='2 of 3'):
        command(folder, '-o', 'poses')
    out = folder.parent / 'poses'
    before = (out / 'a.json').stat().st_mtime_ns
    (out / 'c.json').unlink()
    write_video(folder / 'mended.avi', walk(3)).replace(folder / 'b.mp4')
    lines = command(folder, '-o', 'poses', '--resume').splitlines()
    assert lines[0] == '1 of 3 videos were there already'
    assert len(lines) == 3
    assert names(out) == ['a.json', 'b.json', 'c.json']
    assert (out / 'a.json').stat().st_mtime_ns == before
    made = len(command.made)
    line = command(folder, '-o', 'poses', '--resume')
    assert line == '3 of 3 videos were there already'
    assert len(command.made) == made  # no model is loaded for nothing


def test_resuming_wants_all_files(command, folder):
    (folder / 'b.mp4').unlink()
    command(folder, '-o', 'poses')
    command(folder, '-o', 'poses', '--resume', '--save-video')
    found = names(folder.parent / 'poses')
    assert found == ['a.json', 'a.mp4', 'c.json', 'c.mp4']


def test_videos_of_one_name_keep_their_endings(command, folder):
    (folder / 'b.mp4').unlink()
    write_video(folder / 'tmp.avi', walk(4)).replace(folder / 'a.mov')
    command(folder)
    assert names(folder.parent / 'clips_poses') == [
        *('a.avi.json', 'a.mov.json', 'c.json')
    ]


@pytest.mark.parametrize(
    ('args', 'message'),
    [
        (['gone.mp4'], 'gone.mp4: no such video'),
        (['clips', '-o', 'x.json'], 'x.json: expected a folder'),
        (['clips/a.avi', '-o', 'x.mp4'], 'x.mp4: expected an output ending'),
        (['clips/a.avi', '-o', 'x.npz', '--trajectories'], 'needs --save-'),
        (['clips/b.mp4'], 'clips/b.mp4: not a video'),
    ],
)
def test_mistakes_are_told_before_models_load(command, folder, args, message):
    with pytest.raises((ValueError, OSError), match=message):
        command(*args)
    assert not command.made
    assert names(folder.parent) == ['clips']


def test_a_folder_of_both_kinds_is_refused(command, folder):
    cv2.imwrite(str(folder / 'x.png'), draw({}))
    with pytest.raises(ValueError, match='3 videos and 1 pictures'):
        command(folder)


def test_a_config_without_weights_is_refused(tmp_path):
    config = tmp_path / 'model.py'
    config.write_text('model = dict()')
    parser = argparse.ArgumentParser()
    video.add_parser(parser.add_subparsers())
    for flag in ('pose2d', 'det'):
        name = 'pose2d' if flag == 'pose2d' else 'det-model'
        args = parser.parse_args(
            ['video', 'x.mp4', f'--{name}', str(config), '--no-refine']
        )
        with pytest.raises(ValueError, match=f'--{flag}-weights'):
            video.make_inferencer(args)


@pytest.mark.mm
@pytest.mark.parametrize('how', ['--refiner', '--filter', '--no-refine'])
def test_the_arguments_reach_the_inferencer(monkeypatch, how):
    from hanet_mm.apis.video import inferencer as module

    monkeypatch.setattr(module, 'PoseRefinementInferencer', dict)
    expected = dict(
        pose2d='body26',
        pose2d_weights='a.pth',
        det_model='rtmdet-m',
        det_weights='b.pth',
        det_cat_ids=[0, 2],
        lookahead=3,
        det_interval=5,
        batch_size=16,
        bbox_thr=0.4,
        kpt_thr=0.1,
        max_gap=7,
        engine='torch',
        device='cuda:1',
    )
    words = ['video', 'x.mp4', how]
    words += [] if how == '--no-refine' else ['median']
    for key, value in expected.items():
        words.append('--' + key.replace('_', '-'))
        words += map(str, value if isinstance(value, list) else [value])
    parser = argparse.ArgumentParser()
    video.add_parser(parser.add_subparsers())
    unswap = how == '--filter'
    words += ['--ignore-scores', *['--unswap'] * unswap]
    made = video.make_inferencer(parser.parse_args(words))
    refiner = made.pop('refiner')
    assert made == dict(expected, ignore_scores=True, unswap=unswap)
    if how == '--filter':
        refiner = refiner.text
    assert refiner == (None if how == '--no-refine' else 'median')


def test_a_damaged_end_is_not_complete(command, tmp_path):
    source = write_video(tmp_path / 'clip.avi', walk(60))
    source.write_bytes(source.read_bytes()[: source.stat().st_size // 2])
    with pytest.raises(VideoStopped) as caught:
        command(source, '-o', 'clip.json')
    count = len(frames_in(tmp_path / 'clip.partial.json'))
    message = str(caught.value)
    assert f'only {count} of 60 frames could be read' in message
    assert f'first {count} frames are in clip.partial.json' in message
    assert names(tmp_path) == ['clip.avi', 'clip.partial.json']


def test_pictures_of_several_sizes(command, tmp_path):
    (tmp_path / 'in').mkdir()
    for number, size in enumerate([(96, 64), (96, 64), (192, 128)]):
        image = cv2.resize(
            draw({0: (20, 20)}), size, interpolation=cv2.INTER_NEAREST
        )
        cv2.imwrite(str(tmp_path / 'in' / f'{number}.png'), image)
    command(tmp_path / 'in', '--save-video', '-o', 'out.json')
    frames = json.loads((tmp_path / 'out.json').read_text())
    sizes = [frame['image_size'] for frame in frames]
    assert sizes == [[96, 64], [96, 64], [192, 128]]
    assert {x['instances'][0]['track_id'] for x in frames} == {0}
    noses = [x['instances'][0]['keypoints'][0] for x in frames]
    # The middle of a pixel of twice the size lies half a pixel further.
    np.testing.assert_allclose(noses[2], 2 * np.array(noses[1]), atol=0.6)
    assert count_frames(tmp_path / 'out.mp4') == 3


def test_without_a_screen_nothing_starts(command, tmp_path, monkeypatch):
    monkeypatch.setattr('sys.platform', 'linux')
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    source = write_video(tmp_path / 'clip.avi', walk(3))
    with pytest.raises(ValueError, match='--show: '):
        command(source, '--show')
    assert command.made == []
