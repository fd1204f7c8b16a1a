# Copyright (c) hanet_mm contributors. All rights reserved.
"""Whenever a run is killed, the next one gives the same files."""

import os
import shutil

import numpy as np
import pytest
from blob_world import (
    NAMES,
    BlobDetector,
    BlobEstimator,
    BlobInferencer,
    draw,
    truth,
    walk,
    write_video,
)
from format_files import make_persons, write_openpose
from kill_moments import contents, kill_everywhere
from refine_data import make_refiner, make_sequences

from hanet_mm.apis.extract import extract_estimates
from hanet_mm.apis.refine import RefineOptions, refine_folder
from hanet_mm.apis.video.job import OutputRequest, run_video
from hanet_mm.apis.video.pipeline import PoseReader
from hanet_mm.apis.video.sources import open_source
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences

pytestmark = pytest.mark.skipif(os.name != 'posix', reason='forks')


def check(make_action, folder, step=1):
    """Compare what is there after a kill and a run with that of one run."""
    whole = folder / 'whole'
    whole.mkdir()
    make_action(whole)()
    expected = contents(whole)
    assert expected
    kills = 0
    for place, action in kill_everywhere(make_action, folder, step):
        action()
        assert contents(place) == expected
        shutil.rmtree(place)
        kills += 1
    assert kills > 3


@pytest.fixture
def inputs(tmp_path):
    folder = tmp_path / 'inputs'
    folder.mkdir()
    return folder


@pytest.fixture
def outputs(tmp_path):
    folder = tmp_path / 'outputs'
    folder.mkdir()
    return folder


def test_refining_a_folder(inputs, outputs):
    save_pose_sequences(inputs / 'a.npz', make_sequences())
    (inputs / 'deep').mkdir()
    (inputs / 'deep' / 'b.csv').write_text(
        'frame,nose_x,nose_y\n' + ''.join(f'{t},{t},5\n' for t in range(9))
    )
    (inputs / 'c').mkdir()
    write_openpose(inputs / 'c', make_persons(25))
    for path in sorted((inputs / 'c').rglob('*.json'))[2:]:
        path.unlink()

    def make_action(place):
        options = RefineOptions(refiner='filter:median')
        return lambda: refine_folder(inputs, place / 'out', options)

    check(make_action, outputs, step=4)


@pytest.mark.parametrize('name', ['clip.json', 'clip.npz'])
def test_a_video(inputs, outputs, name):
    source = write_video(inputs / 'clip.avi', walk(3))

    def make_action(place):
        request = OutputRequest(place / name, video=True)
        return lambda: run_video(
            BlobInferencer(), open_source(source), request, progress=False
        )

    check(make_action, outputs)


def test_extracting(inputs, outputs):
    frames = 3
    for video in 'ab':
        pictures = [draw({0: (20 + t, 20)}) for t in range(frames)]
        write_video(inputs / f'{video}.avi', pictures)
    poses = np.stack([truth((20 + t, 20)) for t in range(frames)] * 2)
    save_pose_sequences(
        inputs / 'in.npz',
        PoseSequences(
            keypoints_est=np.full(poses.shape, np.nan),
            scores=np.zeros(poses.shape[:2]),
            seq_len=np.array([frames, frames]),
            seq_name=np.array(['a', 'b']),
            keypoints_gt=poses,
            meta=dict(units='px', keypoint_names=list(NAMES)),
        ),
    )

    class Models:
        keypoint_names = NAMES
        reader = PoseReader(BlobDetector(), BlobEstimator())

    def make_action(place):
        return lambda: extract_estimates(
            inputs / 'in.npz', inputs, place / 'out.npz', Models, 'blobs', {}
        )

    check(make_action, outputs, step=3)


def test_exporting(outputs):
    refiner = make_refiner()

    def make_action(place):
        return lambda: refiner.save(place / 'refiner.safetensors')

    check(make_action, outputs)


def test_converting(outputs):
    sequences = make_sequences()

    def make_action(place):
        return lambda: save_pose_sequences(place / 'out.npz', sequences)

    check(make_action, outputs)
