# Copyright (c) hanet_mm contributors. All rights reserved.
"""PoseTrack's converter as people run it: sizes, counts, command line."""

import logging
import runpy
import sys

import pytest
from PIL import Image
from posetrack import convert_posetrack
from posetrack_scenes import (
    Script,
    annotation_17,
    annotation_18,
    results,
    walk,
    write,
)

from hanet_mm.core.data.sequences import load_pose_sequences

VIDEO = '000342_mpii_test'


def test_fifty_videos_are_those_of_posetrack17(tmp_path):
    for index in range(50):
        script = Script(f'{index:06d}_mpii', 1, (0,), {0: {0: (200, 200)}})
        write(tmp_path / 'val' / f'{index}.json', annotation_17(script))
    found = write(tmp_path / 'none.json', [])
    notes = convert_posetrack(
        tmp_path / 'val',
        found,
        tmp_path / 'out.npz',
        'posetrack17',
        split='val',
        image_size=(64, 48),
    )
    assert notes[0] == '50 labelled videos, as published'


def test_sizes_come_from_annotation_images_or_argument(tmp_path):
    script = Script(VIDEO, 1, (0,), {0: {0: (200, 200)}})
    script.follow({0: (200, 200)})
    found = write(tmp_path / 'found.json', results(script))
    out = tmp_path / 'out.npz'

    def size(annotated, **options):
        content = annotation_18(script, size=annotated)
        path = write(tmp_path / 'annotation.json', content)
        convert_posetrack(path, found, out, 'posetrack18', **options)
        return load_pose_sequences(out).image_size.tolist()

    assert size((640, 480), image_size=(1, 1)) == [[640, 480]]
    assert size(None, image_size=(320, 240)) == [[320, 240]]
    with pytest.raises(ValueError, match=f'{VIDEO}.*no width and height'):
        size(None)
    with pytest.raises(ValueError, match=r'000000\.jpg.*cannot be read'):
        size(None, images=tmp_path)
    image = tmp_path / script.image(0)
    image.parent.mkdir(parents=True)
    Image.new('RGB', (96, 64)).save(image)
    assert size(None, images=tmp_path) == [[96, 64]]


def test_command_line(repo_root, tmp_path, monkeypatch, caplog, capsys):
    script = Script('000001_mpii', 3, (1,), {0: walk(range(3), 200, 2)})
    script.follow(script.people[0], track_id=1)
    annotation = write(tmp_path / 'val' / 'one.json', annotation_17(script))
    found = write(tmp_path / 'dcpose.json', results(script, old=True))
    tool = str(repo_root / 'tools/dataset_converters/posetrack.py')
    caplog.set_level(logging.INFO)

    def run(*more):
        argv = [tool, annotation.parent, found, tmp_path / 'out.npz', *more]
        argv += ['--dataset', 'posetrack17']
        monkeypatch.setattr(sys, 'argv', list(map(str, argv)))
        runpy.run_path(tool, run_name='__main__')
        return load_pose_sequences(tmp_path / 'out.npz')

    size = ('--image-size', '640', '480')
    seqs = run(*size, '--split', 'val', '--track-ids', '--fps', '30')
    assert seqs.seq_len.tolist() == [3]
    assert seqs.fps.tolist() == [30]
    assert seqs.meta['dataset'] == 'posetrack17'
    assert seqs.meta['estimator'] == 'dcpose'
    assert '100%' in capsys.readouterr().err  # progress was shown
    assert 'but 50 are published' in caplog.text
    with pytest.raises(SystemExit, match=r'error: .*expected a folder of im'):
        run()
