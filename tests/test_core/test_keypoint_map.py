# Copyright (c) hanet_mm contributors. All rights reserved.
"""Poses from one skeleton to another and back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanet_mm.core.poses.keypoint_map import match_skeletons
from hanet_mm.core.poses.skeleton import make_skeleton
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.refiner import load_refiner
from hanet_mm.filters import KalmanFilter

NAMES = sorted(SKELETONS)


def poses(skeleton, frames=4, dims=2, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(100, 30, (frames, len(skeleton), dims))


def of(keypoints, skeleton, *names):
    """Mean of some keypoints, (T, D)."""
    index = [skeleton.keypoint_names.index(name) for name in names]
    return keypoints[:, index].mean(1)


def to(name, target, given_names):
    source = make_skeleton('mine', given_names)
    keypoints = poses(source)
    found, scores = match_skeletons(source, SKELETONS[target]).forward(
        keypoints
    )
    index = SKELETONS[target].keypoint_names.index(name)
    return source, keypoints, found[:, index], scores[:, index]


@given(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(2, 3))
def test_what_is_mapped_comes_back_and_the_rest_stays(a, b, dims):
    source, target = SKELETONS[a], SKELETONS[b]
    mapping = match_skeletons(source, target)
    keypoints = poses(source, dims=dims)
    refined, _ = mapping.forward(keypoints)
    moved = refined + 7
    back = mapping.backward(moved, keypoints)
    shift = back - keypoints
    np.testing.assert_array_equal(shift[:, mapping.untouched], 0)
    np.testing.assert_allclose(shift[:, ~mapping.untouched], 7, atol=1e-9)
    np.testing.assert_array_equal(
        mapping.backward(refined, keypoints), keypoints
    )
    # The points that both have by the definition of the skeletons.
    both = {*source.points} & {*target.points}
    assert int((~mapping.untouched).sum()) == len(both)


@given(st.sampled_from(NAMES), st.randoms())
def test_the_order_of_the_names_is_of_no_matter(name, random):
    source = SKELETONS[name]
    order = list(range(len(source)))
    random.shuffle(order)
    shuffled = make_skeleton(
        'shuffled', [source.keypoint_names[i] for i in order]
    )
    same = make_skeleton('same', source.keypoint_names)
    mapping = match_skeletons(shuffled, same)
    keypoints = poses(source)
    found, _ = mapping.forward(keypoints[:, order])
    np.testing.assert_array_equal(found, keypoints)
    assert mapping.is_identity == (order == sorted(order))
    flags = keypoints[..., 0] > 100
    np.testing.assert_array_equal(
        mapping.backward_flags(flags), flags[:, order]
    )


@given(st.sampled_from(NAMES), st.sampled_from(NAMES), st.integers(0, 9))
def test_computed_keypoints_move_with_the_person(a, b, seed):
    mapping = match_skeletons(SKELETONS[a], SKELETONS[b])
    keypoints = poses(SKELETONS[a], seed=seed)
    first, _ = mapping.forward(keypoints)
    second, _ = mapping.forward(keypoints * 2 + [30, -5])
    np.testing.assert_allclose(second, first * 2 + [30, -5], atol=1e-6)


def test_the_middle_of_the_trunk():
    coco = SKELETONS['coco17']
    keypoints = poses(coco)
    shoulders = of(keypoints, coco, 'left_shoulder', 'right_shoulder')
    hips = of(keypoints, coco, 'left_hip', 'right_hip')
    h36m = SKELETONS['h36m17']
    found, _ = match_skeletons(coco, h36m).forward(keypoints)
    for name, expected in (
        ('root', hips),
        ('thorax', shoulders),
        ('spine', (shoulders + hips) / 2),
        ('right_foot', of(keypoints, coco, 'right_ankle')),
    ):
        np.testing.assert_allclose(of(found, h36m, name), expected)
    openpose = SKELETONS['openpose25']
    found, _ = match_skeletons(coco, openpose).forward(keypoints)
    np.testing.assert_allclose(of(found, openpose, 'neck'), shoulders)
    np.testing.assert_allclose(of(found, openpose, 'mid_hip'), hips)


def test_the_head_from_what_there_is():
    body = ['left_shoulder', 'right_shoulder', 'left_hip', 'right_hip']
    ears, eyes = ['left_ear', 'right_ear'], ['left_eye', 'right_eye']
    for face, used in (
        ([*ears, *eyes, 'nose'], ears),
        ([*eyes, 'nose', 'left_ear'], eyes),
        (['nose', 'right_eye'], ['nose']),
        (['upper_neck', 'head_top'], ['upper_neck', 'head_top']),
    ):
        source, keypoints, head, _ = to('head', 'jhmdb15', body + face)
        np.testing.assert_allclose(head, of(keypoints, source, *used))
    _, _, head, scores = to('head', 'jhmdb15', body)
    assert np.isnan(head).all()
    assert (scores == 0).all()
    source, keypoints, top, _ = to('head_top', 'mpii16', [*body, 'nose'])
    nose = of(keypoints, source, 'nose')
    shoulders = of(keypoints, source, *body[:2])
    np.testing.assert_allclose(top - nose, (nose - shoulders) / 2)


def test_parts_of_jhmdb_lie_where_its_annotators_put_them(shared_dir):
    """Made from shoulders and hips they are near the annotated ones."""
    archive = np.load(
        shared_dir / 'data' / 'jhmdb_gt_test.npz', allow_pickle=True
    )
    truth = np.concatenate(
        [np.asarray(x, float).reshape(-1, 15, 2) for x in archive['joints_2d']]
    )
    jhmdb = SKELETONS['jhmdb15']
    names = jhmdb.keypoint_names
    limbs = [i for i, x in enumerate(names) if x.startswith(('left', 'right'))]
    source = make_skeleton('limbs', [names[i] for i in limbs])
    found, _ = match_skeletons(source, jhmdb).forward(truth[:, limbs])
    shoulders = of(truth, jhmdb, 'left_shoulder', 'right_shoulder')
    trunk = shoulders - of(truth, jhmdb, 'left_hip', 'right_hip')
    trunk = np.linalg.norm(trunk, axis=-1)
    for name, limit in (('belly', 0.07), ('neck', 0.1)):
        away = of(found, jhmdb, name) - of(truth, jhmdb, name)
        away = np.linalg.norm(away, axis=-1)[trunk > 20] / trunk[trunk > 20]
        assert np.median(away) < limit


def test_missing_keypoints_stay_missing():
    coco, jhmdb = SKELETONS['coco17'], SKELETONS['jhmdb15']
    keypoints = poses(coco, frames=3).astype(np.float32)
    scores = np.full((3, 17), 0.75, np.float32)
    names = coco.keypoint_names
    keypoints[0, names.index('left_hip')] = np.nan
    scores[1, names.index('left_ear')] = 0
    scores[2, names.index('right_hip')] = 0.25
    found, weights = match_skeletons(coco, jhmdb).forward(keypoints, scores)
    assert found.dtype == weights.dtype == np.float32
    expected = np.full((3, 15), 0.75)
    for name in ('left_hip', 'belly', 'neck'):
        expected[0, jhmdb.keypoint_names.index(name)] = 0
    expected[1, jhmdb.keypoint_names.index('head')] = 0
    for name in ('right_hip', 'belly', 'neck'):  # as good as the worst part
        expected[2, jhmdb.keypoint_names.index(name)] = 0.25
    np.testing.assert_array_equal(weights, expected)
    np.testing.assert_array_equal(np.isnan(found).all(-1), expected == 0)
    np.testing.assert_array_equal(np.isnan(found).any(-1), expected == 0)


def test_same_names_of_other_places_are_not_the_same():
    """JHMDB's head is the face, Halpe's the crown."""
    halpe, jhmdb = SKELETONS['halpe26'], SKELETONS['jhmdb15']
    mapping = match_skeletons(halpe, jhmdb)
    untouched = {
        name
        for name, left in zip(halpe.keypoint_names, mapping.untouched)
        if left
    }
    assert {'head', 'neck', 'hip', 'nose'} <= untouched
    mpii = match_skeletons(SKELETONS['mpii16'], SKELETONS['h36m17'])
    pairs = {
        mpii.target.keypoint_names[t]: mpii.source.keypoint_names[s]
        for t, s in enumerate(mpii.direct)
        if s >= 0
    }
    assert pairs['root'] == 'pelvis'
    assert pairs['thorax'] == 'thorax'
    assert pairs['neck_base'] == 'upper_neck'
    assert pairs['head'] == 'head_top'
    assert pairs['left_foot'] == 'left_ankle'
    assert 'spine' not in pairs


def test_report_tells_all():
    source = make_skeleton(
        'mine', ['LShoulder', 'RShoulder', 'LWrist', 'tail']
    )
    target = make_skeleton(
        'theirs', ['right_shoulder', 'left_shoulder', 'neck', 'nose']
    )
    assert match_skeletons(source, target).report() == (
        'mine -> theirs: 2 mapped by name; computed: neck from LShoulder + '
        'RShoulder; not there: nose; left as they were: LWrist, tail'
    )
    same = match_skeletons(target, target)
    assert same.report() == 'theirs -> theirs: 4 mapped by name'
    assert same.is_identity


def test_skeletons_without_anything_in_common():
    with pytest.raises(ValueError, match='cat and coco17 have no keypoint'):
        match_skeletons(make_skeleton('cat', ['tail']), SKELETONS['coco17'])


@pytest.mark.parametrize('use', [load_refiner('coco17-2d'), KalmanFilter(0.1)])
def test_a_foreign_keypoint_without_scores_changes_no_other(use):
    coco = SKELETONS['coco17']
    more = make_skeleton('more', (*coco.keypoint_names, 'left_horn'))
    keypoints = poses(more, frames=20)
    keypoints[5:8, 3] = np.nan
    mapped = match_skeletons(more, coco).forward(keypoints)
    np.testing.assert_array_equal(
        use.refine(*mapped).keypoints, use.refine(keypoints[:, :17]).keypoints
    )
