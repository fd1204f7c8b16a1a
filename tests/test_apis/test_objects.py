# Copyright (c) hanet_mm contributors. All rights reserved.
"""Results of pose estimators in memory are refined as plain arrays are."""

import json

import numpy as np
import pytest
from object_makers import (
    FRAMES,
    MAKERS,
    MEDIAPIPE,
    SIZE,
    Maker,
    as_landmarks,
    assert_same,
    freeze,
    instances_of,
    plain_key_points,
    plain_sample,
    plain_solutions,
    plain_tasks,
    plain_ultralytics,
    sample_points,
    stacked,
    walk,
)

import hanet_mm
from hanet_mm.apis import refine_file
from hanet_mm.apis.tracking import PoseTracker
from hanet_mm.core.poses.keypoint_map import match_skeletons
from hanet_mm.core.poses.skeleton_data import SKELETONS

ids_of_makers = dict(argvalues=MAKERS, ids=lambda x: x.name)
WITH_IDS = dict(
    argvalues=[x for x in MAKERS if x.has_ids], ids=lambda x: x.name
)
ALL = dict(argvalues=MAKERS + MEDIAPIPE, ids=lambda x: x.name)


def plain(poses, scores, **options):
    """What the bundled refiner makes of one person (T, 17, 2)."""
    refiner = hanet_mm.load_refiner('coco17-2d')
    return refiner.refine(poses, scores, **options).keypoints


@pytest.mark.parametrize('maker', **ids_of_makers)
def test_keypoints_are_those_of_plain_arrays_and_the_input_stays(maker):
    poses, scores = walk()
    results = maker.video(poses, scores, ids=[7] if maker.has_ids else None)
    before = freeze(results)
    refined = hanet_mm.refine(results)
    assert freeze(results) == before
    assert [type(x) for x in refined] == [type(x) for x in results]
    expected = plain(poses[:, 0], scores[:, 0])
    assert_same(stacked(maker, refined)[:, 0], expected)


@pytest.mark.parametrize('maker', **WITH_IDS)
def test_people_are_linked_by_the_ids_in_the_results(maker):
    """They change places in the list, as detectors have no order."""
    poses, scores = walk(2)
    order = np.array([(0, 1), (1, 0)] * (FRAMES // 2))
    results = maker.video(poses, scores, [5, 3], order)
    refined = stacked(maker, hanet_mm.refine(iter(results)))
    for person in range(2):
        own = refined[np.arange(FRAMES), order.argmax(1) ^ 1 ^ person]
        assert_same(own, plain(poses[:, person], scores[:, person]))


@pytest.mark.parametrize('name', ['pair', 'tasks', 'ultralytics'])
def test_people_without_ids_are_tracked(name):
    maker = next(x for x in MAKERS + MEDIAPIPE if x.name == name)
    poses, scores = walk(2)
    if maker in MEDIAPIPE:
        poses, scores = as_landmarks(poses, scores)
    order = np.array([(0, 1), (1, 0)] * (FRAMES // 2))
    both = maker.video(poses, scores, order=order)
    refined = stacked(maker, hanet_mm.refine(both, **maker.options))
    for person in range(2):
        own = slice(person, person + 1)
        alone = maker.video(poses[:, own], scores[:, own])
        expected = hanet_mm.refine(alone, **maker.options)
        rows = order.argmax(1) ^ 1 ^ person
        assert_same(
            refined[np.arange(FRAMES), rows], stacked(maker, expected)[:, 0]
        )


def test_someone_without_id_among_others_who_have_one_stays():
    poses, scores = walk(2)
    results = [
        plain_ultralytics(poses[t, :1], scores[t, :1], [4])
        for t in range(FRAMES)
    ]
    results[5] = plain_ultralytics(poses[5], scores[5], None)
    refined = hanet_mm.refine(results)
    found = refined[5].keypoints.data[..., :2].numpy()
    assert_same(found, poses[5])
    gap = poses[:, 0].copy()
    gap[5] = np.nan
    expected = plain(gap, scores[:, 0])
    assert_same(refined[4].keypoints.data[0, :, :2].numpy(), expected[4])


def test_a_tracker_that_is_given_links_who_has_no_id():
    poses, scores = walk(1)
    results = [
        plain_ultralytics(poses[t], scores[t], None if t == 5 else [4])
        for t in range(FRAMES)
    ]
    refined = hanet_mm.refine(results, tracker=PoseTracker())
    expected = plain(poses[:, 0], scores[:, 0])
    for t in (4, 5):
        found = refined[t].keypoints.data[0, :, :2].numpy()
        assert_same(found, expected[t])


@pytest.mark.parametrize('nobody', ['None', 'empty'])
@pytest.mark.parametrize('maker', **ALL)
def test_a_frame_without_people_has_none_and_the_gap_is_bridged(maker, nobody):
    poses, scores = walk()
    if maker in MEDIAPIPE:
        poses, scores = as_landmarks(poses, scores)
    results = maker.video(poses, scores)
    whole = hanet_mm.refine(results, **maker.options)
    empty = maker.make(poses[0][:0], scores[0][:0], None)
    results[0] = results[8] = None if nobody == 'None' else empty
    refined = hanet_mm.refine(results, **maker.options)
    for t in (0, 8):
        assert refined[t] is None or len(maker.points(refined[t])) == 0
    others = [t for t in range(FRAMES) if t not in (0, 8)]
    found = stacked(maker, [refined[t] for t in others])
    away = found - stacked(maker, [whole[t] for t in others])
    assert np.abs(away).max() < 10


@pytest.mark.parametrize(
    'name', ['ultralytics', 'key points', 'pair', 'detectron']
)
def test_keypoints_at_the_origin_are_missing_and_filled(name):
    maker = next(x for x in MAKERS if x.name == name)
    poses, scores = walk()
    wrist = SKELETONS['coco17'].keypoint_names.index('left_wrist')
    poses[5:8, 0, wrist] = 0
    gaps = poses[:, 0].copy()
    gaps[5:8, wrist] = np.nan
    results = maker.video(poses, scores)
    found = stacked(maker, hanet_mm.refine(results))[:, 0]
    assert_same(found, plain(gaps, scores[:, 0]))
    # A gap that is too long stays as it came.
    found = stacked(maker, hanet_mm.refine(results, max_gap=2))[:, 0]
    expected = plain(gaps, scores[:, 0], max_gap=2)
    assert np.isnan(expected[5:8, wrist]).all()
    assert_same(found, np.nan_to_num(expected))


def test_properties_of_ultralytics_that_were_read_before_are_refined():
    """They are computed once, for each object."""
    maker = next(x for x in MAKERS if x.name == 'real ultralytics')
    poses, scores = walk()
    results = maker.video(poses, scores)
    before = [x.keypoints.xy.clone() for x in results]
    for result, given, found in zip(results, before, hanet_mm.refine(results)):
        assert result.keypoints.xy.equal(given)
        assert found.keypoints.xy.equal(found.keypoints.data[..., :2])
        assert not found.keypoints.xy.equal(given)
        assert found.keypoints.conf.equal(result.keypoints.conf)


def test_what_supervision_marks_invisible_is_missing_and_keeps_its_place():
    poses, scores = walk()
    gaps = poses[:, 0].copy()
    gaps[5:8, 9] = np.nan
    results = []
    for t in range(FRAMES):
        results.append(plain_key_points(poses[t], scores[t], None))
        visible = np.ones((1, 17), bool)
        visible[0, 9] = t not in (5, 6, 7)
        results[-1].visible = visible
    found = stacked(MAKERS[6], hanet_mm.refine(results))[:, 0]
    assert_same(found, plain(gaps, scores[:, 0]))
    found = stacked(MAKERS[6], hanet_mm.refine(results, max_gap=0))[:, 0]
    assert_same(found[5:8, 9], poses[5:8, 0, 9])


@pytest.mark.parametrize('maker', MEDIAPIPE, ids=lambda x: x.name)
def test_landmarks_are_refined_as_those_of_a_file(maker, tmp_path):
    """In pixels, not in fractions, and with visibility as such."""
    poses, scores = as_landmarks(*walk())
    results = maker.video(poses, scores)
    before = freeze(results)
    frames = [
        [
            dict(x=x, y=y, z=0.1, visibility=v)
            for (x, y), v in zip(points.tolist(), seen.tolist())
        ]
        for points, seen in zip(poses[:, 0] / SIZE, scores[:, 0])
    ]
    content = dict(width=SIZE[0], height=SIZE[1], frames=frames)
    (tmp_path / 'in.json').write_text(json.dumps(content))
    refine_file(tmp_path / 'in.json', tmp_path / 'out.json')
    written = json.loads((tmp_path / 'out.json').read_text())['frames']
    expected = np.array([[(x['x'], x['y']) for x in one] for one in written])
    refined = hanet_mm.refine(results, image_size=SIZE)
    assert freeze(results) == before
    assert [type(x) for x in refined] == [type(x) for x in results]
    assert_same(stacked(maker, refined)[:, 0], expected * SIZE)
    assert np.abs(expected * SIZE - poses[:, 0]).max() > 1
    landmarks = [x.pose_landmarks for x in results]
    alone = hanet_mm.refine(landmarks, image_size=SIZE)
    assert_same(stacked(maker, alone)[:, 0], expected * SIZE)


def test_image_size_of_landmarks_is_that_of_a_mask_or_asked_for():
    poses, scores = as_landmarks(*walk())
    results = Maker('', plain_solutions, None).video(poses, scores)
    with pytest.raises(ValueError, match=r'result 0: .*give image_size'):
        hanet_mm.refine(results)
    expected = hanet_mm.refine(results, image_size=SIZE)
    for result in results:
        result.segmentation_mask = np.zeros(SIZE[::-1])
    maker = MEDIAPIPE[2]
    found = stacked(maker, hanet_mm.refine(results))
    assert_same(found, stacked(maker, expected))


def test_an_inferencer_with_a_batch_gives_several_frames_at_once():
    poses, scores = walk()
    frames = [instances_of(*x, None) for x in zip(poses, scores)]
    frames[3] = []
    gaps = poses[:, 0].copy()
    gaps[3] = np.nan
    batches = [
        dict(visualization=[], predictions=frames[i : i + 5])
        for i in range(0, FRAMES, 5)
    ]
    refined = hanet_mm.refine(batches)
    found = [x for batch in refined for x in batch['predictions']]
    assert [len(x) for x in found] == [len(x) for x in frames]
    found = np.array([x[0]['keypoints'] for x in found if x])
    expected = np.delete(plain(gaps, scores[:, 0]), 3, 0)
    assert_same(found, expected)


def test_a_sample_names_its_keypoints_by_its_data_set():
    """16 keypoints are of no skeleton that such results usually have."""
    mapping = match_skeletons(SKELETONS['coco17'], SKELETONS['mpii16'])
    poses, scores = walk()
    points, known = mapping.forward(poses[:, 0], scores[:, 0])
    results = Maker('', plain_sample, sample_points).video(
        points[:, None], known[:, None]
    )
    for result in results:
        result.metainfo['dataset_name'] = 'mpii'
    found = np.stack([sample_points(x)[0] for x in hanet_mm.refine(results)])
    names = SKELETONS['mpii16'].keypoint_names
    back = match_skeletons(SKELETONS['mpii16'], SKELETONS['coco17'])
    expected = plain(*back.forward(points, known))
    for name in ('left_wrist', 'right_ankle'):
        place = SKELETONS['coco17'].keypoint_names.index(name)
        assert_same(found[:, names.index(name)], expected[:, place])


def test_logits_of_torchvision_are_no_scores():
    poses, scores = walk()
    triples = np.concatenate([poses, np.ones_like(poses[..., :1])], -1)
    results = [
        dict(keypoints=x, keypoints_scores=30 * s, scores=np.ones(1))
        for x, s in zip(triples, scores)
    ]
    found = np.array([x['keypoints'] for x in hanet_mm.refine(results)])
    assert_same(found[:, 0, :, :2], plain(poses[:, 0], None))
    assert (found[..., 2] == 1).all()


@pytest.mark.parametrize(
    ('results', 'words'),
    [
        ([3, 4], 'result 0: expected a result of ultralytics, .*found int'),
        ([None, np.zeros((17, 2))], r'result 1: .*\(T, K, D\) of one person'),
        ([None, []], 'found nobody in any'),
        (
            plain_ultralytics(*map(np.ones, ((1, 17, 2), (1, 17))), None),
            'expected the results of all frames in a list',
        ),
        (
            [(np.ones((1, 17, 2)), np.ones((1, 17))), 'x'],
            'rtmlib results: result 1: expected the same kind .*found str',
        ),
        (
            [(np.ones((1, k, 2)), np.ones((1, k))) for k in (17, 26)],
            'rtmlib results: result 1: expected 17 keypoints .*found 26',
        ),
        (
            [plain_ultralytics(np.ones((2, 17, 2)), np.ones((2, 17)), [1, 1])],
            r'ultralytics results: frame 0: expected each id once',
        ),
        (
            [plain_tasks(np.ones((1, 17, 2)), np.ones((1, 17)), None)],
            'mediapipe results: result 0: expected 33 landmarks .*found 17',
        ),
    ],
)
def test_faults_are_named(results, words):
    with pytest.raises(ValueError, match=words):
        hanet_mm.refine(results)
