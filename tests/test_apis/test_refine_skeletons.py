# Copyright (c) hanet_mm contributors. All rights reserved.
"""``refine_file`` where the file has other keypoints than the refiner."""

import json

import numpy as np
import pytest
from format_files import (
    COCO,
    FRAMES,
    make_coco_refiner,
    make_person,
    write_example,
)

from hanet_mm.apis import refine_file
from hanet_mm.apis.formats import open_poses
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.core.poses.keypoint_map import match_skeletons
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.filters import GaussianFilter, OneEuroFilter

JHMDB = SKELETONS['jhmdb15'].keypoint_names


def jhmdb_refiner():
    return make_coco_refiner(JHMDB)


def save_plain(path, keypoints=17, **more):
    person = make_person(0, FRAMES, keypoints, 0)
    np.savez(path, keypoints=person.keypoints, scores=person.scores, **more)
    return person


def load(path):
    with np.load(path) as data:
        return dict(data)


@pytest.fixture
def paths(tmp_path):
    return tmp_path / 'in.npz', tmp_path / 'out.npz'


def test_the_order_of_names_is_of_no_matter(paths):
    source, out = paths
    person = save_plain(source, keypoint_names=COCO[::-1])
    summary = refine_file(source, out, make_coco_refiner())
    direct = make_coco_refiner().refine(
        person.keypoints[:, ::-1], person.scores[:, ::-1]
    )
    found = load(out)
    np.testing.assert_allclose(
        found['keypoints'], direct.keypoints[:, ::-1], atol=1e-4
    )
    np.testing.assert_array_equal(found['filled'], direct.filled[:, ::-1])
    assert list(found['keypoint_names']) == COCO[::-1]
    assert summary.keypoints == 'the file -> coco17: 17 mapped by name'


def test_limbs_are_refined_and_the_face_stays(paths):
    source, out = paths
    person = save_plain(source, keypoint_names=COCO)
    summary = refine_file(source, out, jhmdb_refiner())
    mapping = match_skeletons(SKELETONS['coco17'], SKELETONS['jhmdb15'])
    direct = jhmdb_refiner().refine(
        *mapping.forward(person.keypoints, person.scores)
    )
    found = load(out)
    for index, name in enumerate(COCO):
        if name in JHMDB:
            place = JHMDB.index(name)
            expected = direct.keypoints[:, place]
            np.testing.assert_array_equal(
                found['filled'][:, index], direct.filled[:, place]
            )
        else:
            expected = person.keypoints[:, index]
            assert not found['filled'][:, index].any()
        np.testing.assert_allclose(
            found['keypoints'][:, index], expected, atol=1e-4
        )
    assert str(summary).endswith(f'; {mapping.report()}')
    assert 'left as they were: nose' in summary.keypoints
    # One shoulder, once; the neck made from it is not in the file.
    assert summary.num_filled == 1


def test_a_filter_for_the_others_on_request(paths):
    source, out = paths
    person = save_plain(source, keypoint_names=COCO)
    person.keypoints[3, 1] = np.nan  # the left eye
    np.savez(
        source,
        keypoints=person.keypoints,
        scores=person.scores,
        keypoint_names=COCO,
    )
    refine_file(source, out, jhmdb_refiner(), others='gaussian:sigma=2')
    found = load(out)['keypoints']
    face = slice(0, 5)
    smooth = GaussianFilter(2).refine(
        person.keypoints[:, face], person.scores[:, face]
    )
    assert np.isnan(found[3, 1]).all()  # nothing is invented
    seen = ~smooth.filled
    np.testing.assert_allclose(
        found[:, face][seen], smooth.keypoints[seen], atol=1e-4
    )
    refine_file(source, out, jhmdb_refiner())
    np.testing.assert_allclose(
        load(out)['keypoints'][:, 5:], found[:, 5:], atol=1e-5
    )


def test_a_filter_in_place_of_a_refiner(paths):
    source, out = paths
    person = save_plain(source, keypoints=7)
    for refiner in (GaussianFilter(3), 'filter:gaussian:sigma=3'):
        summary = refine_file(source, out, refiner)
        expected = GaussianFilter(3).refine(person.keypoints, person.scores)
        np.testing.assert_allclose(load(out)['keypoints'], expected.keypoints)
        assert str(summary).endswith('filled; GaussianFilter(sigma=3)')
    assert summary.num_filled == int(expected.filled.sum()) == 1


@pytest.mark.parametrize(
    'name', ['savgol', 'butterworth', 'one_euro', 'median', 'kalman']
)
def test_all_filters_have_usual_settings(paths, name):
    source, out = paths
    person = save_plain(source, keypoints=7)
    refine_file(source, out, f'filter:{name}')
    found = load(out)['keypoints']

    def roughness(points):
        return np.abs(np.diff(points, 2, axis=0))[:, :5].mean()

    assert roughness(found) < 0.9 * roughness(person.keypoints)
    assert np.abs(found - person.keypoints)[:, :5].max() < 20


def test_one_euro_counts_in_seconds_and_body_sizes(paths):
    source, out = paths
    person = save_plain(source, keypoints=7)
    boxes = np.ptp(person.keypoints, axis=1).max(-1)
    refine_file(source, out, 'filter:one_euro:min_cutoff=1', fps=60)
    expected = OneEuroFilter(1, 3 / np.median(boxes), fps=60)
    np.testing.assert_allclose(
        load(out)['keypoints'],
        expected.refine(person.keypoints, person.scores).keypoints,
    )


def test_the_frame_rate_goes_to_a_refiner_that_knows_its_own(paths):
    source, out = paths
    person = save_plain(source)
    refiner = make_coco_refiner(fps=30)
    found = {}
    for fps in (None, 30, 60):
        refine_file(source, out, refiner, fps=fps)
        found[fps] = load(out)['keypoints']
        direct = refiner.refine(person.keypoints, person.scores, fps=fps)
        np.testing.assert_allclose(found[fps], direct.keypoints, atol=1e-4)
    np.testing.assert_array_equal(found[None], found[30])
    assert np.abs(found[60] - found[30]).max() > 0.1
    # A file that says it.
    save_pose_sequences(
        source,
        PoseSequences(
            keypoints_est=person.keypoints,
            scores=person.scores,
            seq_len=[FRAMES],
            seq_name=['walk'],
            fps=[60],
        ),
    )
    refine_file(source, out, refiner)
    np.testing.assert_allclose(
        load(out)['keypoints_est'], found[60], atol=1e-3
    )
    with pytest.raises(ValueError, match='fps: expected'):
        refine_file(source, out, refiner, fps=0)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('cauchy', "filter has to be one of .*'cauchy'"),
        ('gaussian:width=3', "expected settings .* of sigma, found 'width=3'"),
        ('gaussian:sigma', "found 'sigma'"),
        ('gaussian:rotations=1', "found 'rotations=1'"),
        ('gaussian:sigma=a', "expected a number, found 'a'"),
        ('gaussian:sigma=-1', 'sigma has to be above 0'),
    ],
)
def test_bad_filters(paths, text, message):
    source, out = paths
    save_plain(source)
    for refiner, others in ((f'filter:{text}', None), ('filter:median', text)):
        with pytest.raises(ValueError, match=message):
            refine_file(source, out, refiner, others=others)
    assert not out.exists()


def test_long_gaps_stay_as_they_came(paths):
    source, out = paths
    person = save_plain(source, keypoint_names=COCO)
    scores = person.scores.copy()
    scores[4:6, 7] = 0  # two frames
    scores[3:7, 8] = 0  # four frames
    scores[:, 0] = 0  # never
    np.savez(
        source,
        keypoints=person.keypoints,
        scores=scores,
        keypoint_names=COCO,
    )
    summary = refine_file(source, out, make_coco_refiner(), max_gap=2)
    found = load(out)
    filled = np.zeros((FRAMES, 17), bool)
    filled[4:6, 7] = filled[2, 5] = True
    np.testing.assert_array_equal(found['filled'], filled)
    assert summary.num_filled == 3
    left = np.zeros_like(filled)
    left[3:7, 8] = left[:, 0] = True
    same = (found['keypoints'] == person.keypoints).all(-1)
    np.testing.assert_array_equal(same, left)
    with pytest.raises(ValueError, match=r'max_gap: .* found -1'):
        refine_file(source, out, make_coco_refiner(), max_gap=-1)


def test_keypoints_without_names(paths, tmp_path):
    source, out = paths
    # As many as the refiner has: taken in its order, and it is said.
    person = save_plain(source, keypoints=15)
    summary = refine_file(source, out, jhmdb_refiner())
    direct = jhmdb_refiner().refine(person.keypoints, person.scores)
    np.testing.assert_allclose(
        load(out)['keypoints'], direct.keypoints, atol=1e-4
    )
    assert 'without names, taken in the order' in summary.keypoints
    # The only skeleton with so many.
    save_plain(source, keypoints=26)
    summary = refine_file(source, out, make_coco_refiner())
    assert summary.keypoints.startswith('halpe26 -> coco17: 17 mapped')
    assert summary.keypoints.endswith('(taken for halpe26 by their number)')
    # Several have 17, none has 19.
    for count, part in (
        (17, 'coco17, h36m17, posetrack18'),
        (19, 'of no kno'),
    ):
        save_plain(source, keypoints=count)
        with pytest.raises(ValueError, match=f'{part}.*--skeleton NAME'):
            refine_file(source, out, jhmdb_refiner())
    person = save_plain(source)
    summary = refine_file(source, out, jhmdb_refiner(), skeleton='h36m17')
    assert summary.keypoints.startswith('h36m17 -> jhmdb15: 12 mapped')
    mine = tmp_path / 'mine.json'
    mine.write_text(json.dumps(dict(name='mine', keypoint_names=COCO)))
    refine_file(source, out, jhmdb_refiner(), skeleton=mine)
    found = load(out)['keypoints']
    same = np.isclose(found, person.keypoints, atol=1e-6).all((0, 2))
    assert [x for x, y in zip(COCO, same) if y] == COCO[:5]


def test_bad_skeletons(paths):
    source, out = paths
    save_plain(source)
    with pytest.raises(ValueError, match='mpii16 has 16 keypoints, the file'):
        refine_file(source, out, jhmdb_refiner(), skeleton='mpii16')
    np.savez(source, keypoints=np.ones((4, 2, 2)), keypoint_names=['x', 'y'])
    with pytest.raises(ValueError, match=r'in\.npz: .*no keypoint in common'):
        refine_file(source, out, jhmdb_refiner())
    assert not out.exists()


def test_the_skeleton_that_is_said_counts(tmp_path):
    """COCO's results are of COCO-17 unless something else is said."""
    path, _ = write_example('coco', tmp_path)
    out = tmp_path / 'out.json'
    usual = refine_file(path, out, jhmdb_refiner())
    assert 'coco17 -> jhmdb15' in usual.keypoints
    assert '(taken for coco17 by their number, as usual' in usual.keypoints
    other = refine_file(path, out, jhmdb_refiner(), skeleton='posetrack18')
    assert other.keypoints.startswith('posetrack18 -> jhmdb15')


def test_a_person_of_whom_only_other_keypoints_are_seen(tmp_path):
    path, persons = write_example('coco', tmp_path)
    content = json.loads(path.read_text())
    for entry in content:
        if entry['track_id'] == 9:
            # The nose only: not the head of JHMDB's, nor any limb.
            entry['keypoints'][1 * 3 :] = [0] * 48
    path.write_text(json.dumps(content))
    out = tmp_path / 'out.json'
    names = [x for x in JHMDB if x not in ('head', 'neck', 'belly')]
    summary = refine_file(path, out, make_coco_refiner(names))
    assert summary.num_left == 1
    assert '1 sequences without a known keypoint are unchanged' in str(summary)
    before, after = open_poses(path), open_poses(out)
    np.testing.assert_array_equal(
        before.tracks[1].keypoints, after.tracks[1].keypoints
    )
    assert (
        np.abs(before.tracks[0].keypoints - after.tracks[0].keypoints).max()
        > 1
    )
    assert len(persons) == 2
