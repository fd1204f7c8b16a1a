# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files without scores: no reader invents one, no keypoint changes another."""

import csv
import json

import numpy as np
import pytest
from format_files import COCO
from walking_people import across

from hanet_mm.apis import refine_file
from hanet_mm.apis.formats import open_poses
from hanet_mm.core.data.gaps import UNKNOWN_SCORE

NAMES = [*COCO, 'tip']
FRAMES = 40


def make_keypoints():
    """A walker (T, 18, 2) with a gap; the last keypoint is foreign."""
    walker = across(100, 300, 300, (0, FRAMES - 1))
    keypoints = np.stack([walker.pose(frame) for frame in range(FRAMES)])
    tip = keypoints[:, 9:10] + [20, -30]
    keypoints = np.concatenate([keypoints, tip], 1)
    keypoints += np.random.default_rng(0).normal(0, 2, keypoints.shape)
    keypoints[2:4, 5] = np.nan
    return keypoints


def write_npz(path, names):
    keypoints = make_keypoints()[:, : len(names)]
    np.savez(path, keypoints=keypoints, keypoint_names=names)


def read_npz(path):
    with np.load(path) as arrays:
        return arrays['keypoints']


def write_json(path, names):
    frames = [
        dict(
            frame_id=index + 1,
            instances=[dict(keypoints=[[*map(float, x)] for x in points])],
        )
        for index, points in enumerate(make_keypoints()[:, : len(names)])
    ]
    meta = dict(keypoint_id2name=dict(enumerate(names)))
    path.write_text(json.dumps(dict(meta_info=meta, instance_info=frames)))


def read_json(path):
    frames = json.loads(path.read_text())['instance_info']
    return np.array([x['instances'][0]['keypoints'] for x in frames])


def write_csv(path, names, scores=()):
    """``scores`` are the keypoints that have a column of them."""
    columns = [f'{name}_{axis}' for name in names for axis in 'xy']
    columns += [f'{name}_score' for name in scores]
    with open(path, 'w', newline='') as file:
        table = csv.writer(file)
        table.writerow(['frame', *columns])
        for frame, points in enumerate(make_keypoints()[:, : len(names)]):
            numbers = points.ravel().tolist() + [0.4] * len(scores)
            table.writerow([frame, *numbers])


def read_csv(path):
    with open(path, newline='') as file:
        rows = list(csv.DictReader(file))
    names = [x[:-2] for x in rows[0] if x.endswith('_x')]
    return np.array(
        [[[row[f'{x}_{y}'] for y in 'xy'] for x in names] for row in rows],
        float,
    )


FORMATS = {
    'npz': (write_npz, read_npz),
    'json': (write_json, read_json),
    'csv': (write_csv, read_csv),
}


@pytest.mark.parametrize('ending', FORMATS)
@pytest.mark.parametrize('refiner', ['coco17-2d', 'filter:kalman'])
def test_a_foreign_keypoint_changes_no_other(tmp_path, ending, refiner):
    write, read = FORMATS[ending]
    found = []
    for names in (COCO, NAMES):
        source = tmp_path / f'{len(names)}.{ending}'
        out = tmp_path / f'out{len(names)}.{ending}'
        write(source, names)
        assert open_poses(source).tracks[0].scores is None
        refine_file(source, out, refiner)
        found.append(read(out))
    np.testing.assert_array_equal(found[0], found[1][:, :17])
    moved = np.abs(found[0] - make_keypoints()[:, :17])
    assert np.nanmax(moved) > 0.5


@pytest.mark.parametrize('ending', FORMATS)
@pytest.mark.parametrize('name', ['kalman', 'one_euro'])
def test_the_filter_of_other_keypoints_smooths_as_a_filter_of_all(
    tmp_path, ending, name
):
    write, read = FORMATS[ending]
    source = tmp_path / f'in.{ending}'
    others, all_of_it = tmp_path / f'a.{ending}', tmp_path / f'b.{ending}'
    write(source, NAMES)
    refine_file(source, others, 'coco17-2d', others=name)
    refine_file(source, all_of_it, f'filter:{name}')
    tip = read(others)[:, 17]
    np.testing.assert_array_equal(tip, read(all_of_it)[:, 17])
    assert np.abs(tip - make_keypoints()[:, 17]).max() > 0.1


def test_a_table_with_scores_of_some_keypoints(tmp_path):
    """A keypoint without a score column is unknown, not missing."""
    source, out = tmp_path / 'some.csv', tmp_path / 'out.csv'
    write_csv(source, NAMES, scores=['tip'])
    (track,) = open_poses(source).tracks
    given = make_keypoints()
    np.testing.assert_array_equal(track.missing, np.isnan(given).any(-1))
    np.testing.assert_array_equal(track.scores[:, 17], 0.4)
    np.testing.assert_allclose(track.scores[:, :17], UNKNOWN_SCORE)
    refine_file(source, out, 'coco17-2d')
    write_csv(tmp_path / 'none.csv', COCO)
    refine_file(tmp_path / 'none.csv', tmp_path / 'expected.csv', 'coco17-2d')
    np.testing.assert_array_equal(
        read_csv(out)[:, :17], read_csv(tmp_path / 'expected.csv')
    )
