# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files and results of the real ``MMPoseInferencer``, of a small network."""

import cv2
import numpy as np
import pytest
from small_world.models import ESTIMATOR_WEIGHTS, estimator_config
from small_world.render import make_clip, write_clip

import hanet_mm
from hanet_mm.apis import refine_file
from hanet_mm.apis.formats import open_poses

pytestmark = pytest.mark.mm
FRAMES = 6


@pytest.fixture(scope='module')
def found(tmp_path_factory):
    """Results and files of a video, and of a folder of its pictures."""
    apis = pytest.importorskip('mmpose.apis')
    folder = tmp_path_factory.mktemp('mmpose')
    clip = make_clip(2, FRAMES, 1, (320, 240), occluders=0)
    write_clip(clip, folder / 'clip.mp4')
    (folder / 'shots').mkdir()
    for t, frame in enumerate(clip.frames):
        # The last number has one digit more from the third picture on.
        cv2.imwrite(str(folder / f'shots/img{t + 8}.png'), frame)
    run = apis.MMPoseInferencer(
        pose2d=estimator_config(),
        pose2d_weights=ESTIMATOR_WEIGHTS,
        det_model='whole_image',
        device='cpu',
    )
    video, pictures = folder / 'of_video', folder / 'of_pictures'
    results = list(run(str(folder / 'clip.mp4'), pred_out_dir=str(video)))
    list(run(str(folder / 'shots'), pred_out_dir=str(pictures)))
    one_by_one = [
        next(run(str(folder / f'shots/img{t + 8}.png'))) for t in range(FRAMES)
    ]
    return dict(
        inferencer=run,
        video=(results, video / 'clip.json'),
        pictures=(one_by_one, pictures),
    )


def keypoints_of(results):
    return np.array([x['predictions'][0][0]['keypoints'] for x in results])


@pytest.mark.parametrize('name', ['video', 'pictures'])
def test_files_are_read_as_the_results(found, name):
    results, file = found[name]
    (track,) = open_poses(file).tracks
    np.testing.assert_allclose(track.keypoints, keypoints_of(results))


@pytest.mark.parametrize('name', ['video', 'pictures'])
def test_files_and_results_in_memory_are_refined_alike(found, name, tmp_path):
    results, file = found[name]
    given = keypoints_of(results)
    refined = keypoints_of(hanet_mm.refine(results, skeleton='jhmdb15'))
    np.testing.assert_array_equal(keypoints_of(results), given)
    assert np.abs(refined - given).max() > 0.1
    out = tmp_path / file.name
    refine_file(file, out, 'coco17-2d', skeleton='jhmdb15')
    (track,) = open_poses(out).tracks
    np.testing.assert_allclose(track.keypoints, refined, atol=1e-3)


def test_the_example_of_the_page_runs(found, tmp_path, monkeypatch, repo_root):
    """With the inferencer itself, of the small network."""
    page = (repo_root / 'docs/mmpose.md').read_text()
    example = page.split('```python\n')[1].split('```')[0]
    assert len(example.strip().splitlines()) == 5
    run = found['inferencer']
    monkeypatch.setattr('mmpose.apis.MMPoseInferencer', lambda name: run)
    # The network has 15 keypoints; 'human' has COCO's, which need no name.
    refine = hanet_mm.refine
    monkeypatch.setattr(
        hanet_mm, 'refine', lambda x: refine(x, skeleton='jhmdb15')
    )
    monkeypatch.chdir(found['video'][1].parents[1])
    names = {}
    exec(compile(example, 'docs/mmpose.md', 'exec'), names)
    expected = refine(found['video'][0], skeleton='jhmdb15')
    np.testing.assert_array_equal(
        keypoints_of(names['refined']), keypoints_of(expected)
    )
