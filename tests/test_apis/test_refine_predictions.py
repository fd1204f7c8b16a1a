# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm refine`` on predictions of MMPose."""

import json

import numpy as np
import pytest
from refine_data import (
    NAMES,
    K,
    make_instance,
    make_poses,
    make_refiner,
    read_json,
    write_json,
)

from hanet_mm.apis import refine_file


def refined_without_output_keys(frames):
    """The content of a refined file as it was before."""
    before = json.loads(json.dumps(frames))
    for frame in before:
        for instance in frame['instances']:
            instance['keypoints'] = instance.pop('keypoints_input')
            del instance['filled']
    return before


def test_one_person_in_the_list_of_an_inferencer(tmp_path, refiner):
    poses = make_poses(8)
    frames = [
        dict(frame_id=i, instances=[make_instance(pose)])
        for i, pose in enumerate(poses)
    ]
    source = write_json(tmp_path / 'in.json', frames)
    refine_file(source, tmp_path / 'out.json', refiner)
    found = read_json(tmp_path / 'out.json')
    expected = make_refiner().refine(poses).keypoints
    for frame, pose in zip(found, expected):
        (instance,) = frame['instances']
        np.testing.assert_allclose(
            instance['keypoints'], pose, rtol=0, atol=1e-4
        )
        assert instance['filled'] == [False] * K
    assert refined_without_output_keys(found) == frames


def test_persons_are_told_apart_by_track_id(tmp_path, refiner):
    tall, small = make_poses(9), make_poses(6, seed=1)
    # Frames in no order; the small person enters at 3 and comes second once.
    frames = []
    for i in (4, 0, 8, 1, 2, 3, 5, 6, 7):
        instances = [make_instance(tall[i], track_id=7)]
        if i >= 3:
            instances.append(make_instance(small[i - 3], track_id='small'))
        if i % 2:
            instances.reverse()
        frames.append(dict(frame_id=i, instances=instances))
    source = write_json(tmp_path / 'in.json', frames)
    summary = refine_file(source, tmp_path / 'out.json', refiner)
    assert (summary.num_sequences, summary.num_frames) == (2, 15)
    found = read_json(tmp_path / 'out.json')
    alone = make_refiner()
    expected = {
        7: (0, alone.refine(tall).keypoints),
        'small': (3, alone.refine(small).keypoints),
    }
    for frame in found:
        for instance in frame['instances']:
            first, poses = expected[instance['track_id']]
            np.testing.assert_allclose(
                instance['keypoints'],
                poses[frame['frame_id'] - first],
                rtol=0,
                atol=1e-3,
            )
    assert refined_without_output_keys(found) == frames


@pytest.mark.parametrize('first', [True, False])
@pytest.mark.parametrize('frames', [1, 8])
def test_somebody_without_keypoints_does_not_stop_the_others(
    tmp_path, refiner, frames, first
):
    """A box in which no keypoint was found, in one frame or in all."""
    poses = make_poses(8)
    content = [
        dict(frame_id=i, instances=[make_instance(pose, track_id=1)])
        for i, pose in enumerate(poses)
    ]
    for frame in content[:frames]:
        nobody = make_instance(poses[0] + 50, track_id=2)
        nobody['keypoint_scores'] = [0.0] * K
        frame['instances'].insert(0 if first else 1, nobody)
    source = write_json(tmp_path / 'in.json', content)
    summary = refine_file(source, tmp_path / 'out.json', refiner)
    assert summary.num_left == 1
    assert summary.num_filled == 0
    found = read_json(tmp_path / 'out.json')
    expected = make_refiner().refine(poses).keypoints
    for frame, pose in zip(found, expected):
        by_id = {x['track_id']: x for x in frame['instances']}
        np.testing.assert_allclose(
            by_id[1]['keypoints'], pose, rtol=0, atol=1e-4
        )
        if 2 in by_id:
            assert by_id[2]['keypoints'] == by_id[2]['keypoints_input']
            assert by_id[2]['filled'] == [False] * K
    assert refined_without_output_keys(found) == content


@pytest.mark.parametrize('with_scores', [True, False])
def test_frames_in_between_are_filled_and_not_written(
    tmp_path, refiner, with_scores
):
    poses = make_poses(10)
    away = (3, 4, 8)
    frames = [
        dict(
            frame_id=i + 1,
            instances=[] if i in away else [make_instance(pose)],
        )
        for i, pose in enumerate(poses)
        if i != 4  # frame 5 is not in the file at all
    ]
    if not with_scores:
        for frame in frames:
            for instance in frame['instances']:
                del instance['keypoint_scores']
    content = dict(
        meta_info=dict(
            keypoint_id2name={str(i): x for i, x in enumerate(NAMES)}
        ),
        instance_info=frames,
    )
    source = write_json(tmp_path / 'in.json', content)
    summary = refine_file(source, tmp_path / 'out.json', refiner)
    assert summary.num_filled == 0  # what is filled is in the file
    found = read_json(tmp_path / 'out.json')
    poses[list(away)] = np.nan
    expected = make_refiner().refine(poses).keypoints
    for frame in found['instance_info']:
        for instance in frame['instances']:
            np.testing.assert_allclose(
                instance['keypoints'],
                expected[frame['frame_id'] - 1],
                rtol=0,
                atol=1e-4,
            )
    assert refined_without_output_keys(found['instance_info']) == frames
    assert found['meta_info'] == content['meta_info']


@pytest.mark.parametrize('missing', ['NaN', 'null', 'score'])
def test_missing_keypoints_are_filled_and_the_output_is_json(
    tmp_path, refiner, missing
):
    poses = make_poses(8)
    frames = [
        dict(frame_id=i, instances=[make_instance(pose)])
        for i, pose in enumerate(poses)
    ]
    instance = frames[5]['instances'][0]
    instance['bbox_score'] = float('nan')
    if missing == 'score':
        instance['keypoint_scores'][1] = 0
    else:
        value = float('nan') if missing == 'NaN' else None
        instance['keypoints'][1] = [value, value]
    source = write_json(tmp_path / 'in.json', frames)
    refine_file(source, tmp_path / 'out.json', refiner)
    found = read_json(tmp_path / 'out.json')
    poses[5, 1] = np.nan
    expected = make_refiner().refine(poses)
    for i, frame in enumerate(found):
        (instance,) = frame['instances']
        np.testing.assert_allclose(
            instance['keypoints'], expected.keypoints[i], rtol=0, atol=1e-4
        )
        assert instance['filled'] == expected.filled[i].tolist()
    instance = found[5]['instances'][0]
    assert instance['bbox_score'] is None
    if missing != 'score':
        assert instance['keypoints_input'][1] == [None, None]


def frames_of(*instances, **more):
    """Frames with one instance each."""
    return [
        dict(frame_id=i, instances=[instance], **more)
        for i, instance in enumerate(instances)
    ]


GOOD = make_instance(make_poses(1)[0])
BAD_PREDICTIONS = {
    'two persons': (
        [*frames_of(GOOD), dict(frame_id=1, instances=[GOOD, GOOD])],
        ['frame 1: expected one person, or a track_id', 'found 2 persons'],
    ),
    'track_id twice': (
        [dict(frame_id=3, instances=[{**GOOD, 'track_id': 1}] * 2)],
        ['frame 3: expected each track_id once, found [1, 1]'],
    ),
    'track_id of another type': (
        frames_of({**GOOD, 'track_id': [1]}),
        ['frame 0: track_id: expected integers or strings'],
    ),
    'frame twice': (
        [*frames_of(GOOD), *frames_of(GOOD)],
        ['entry 1: expected each frame_id once and from 0, found 0'],
    ),
    'frame number': (
        [dict(frame_id='0', instances=[GOOD])],
        ["entry 0: expected each frame_id once and from 0, found '0'"],
    ),
    'far frames': (
        [*frames_of(GOOD), dict(frame_id=10**9, instances=[GOOD])],
        ['found 0 and then 1000000000'],
    ),
    'nobody': ([dict(frame_id=0, instances=[])], ['expected a person']),
    'no frames': ([], ['expected a person, found none']),
    'one image': ([GOOD], ['entry 0: expected a dict with frame_id and']),
    'not frames': (
        dict(images=[]),
        [
            'expected one of the formats mmpose',
            'dict with images',
        ],
    ),
    'instances': (
        [dict(frame_id=0, instances=GOOD)],
        ['frame 0: expected a list of instances', 'found dict'],
    ),
    'no keypoints': (
        frames_of(GOOD, dict(bbox=[1, 2, 3, 4])),
        ['frame 1: person: keypoints: expected numbers (K, D)', 'found none'],
    ),
    'other K in a frame': (
        frames_of(GOOD, GOOD, make_instance(np.ones((2, 2)))),
        ['frame 2: person: keypoints', 'found (2, 2)'],
    ),
    'no score in a frame': (
        frames_of(GOOD, dict(keypoints=GOOD['keypoints'])),
        ['frame 1: person: keypoint_scores: expected numbers (K,)'],
    ),
    'words': (
        frames_of(dict(keypoints=[['a', 'b']] * 3)),
        ['frame 0: person: keypoints: expected numbers'],
    ),
    'other K': (
        frames_of(dict(keypoints=np.ones((17, 2)).tolist())),
        ['(T, 3, 2), found (1, 17, 2)'],
    ),
    'other number of scores': (
        frames_of({**GOOD, 'keypoint_scores': [1, 1]}),
        ['keypoint_scores: expected 3 for each person, found 2'],
    ),
    'infinite': (
        [
            dict(
                frame_id=5,
                instances=[make_instance([[1, 2], [3, np.inf], [5, 6]])],
            )
        ],
        ['person: frame 5, keypoint 1', 'inf'],
    ),
    'infinite elsewhere': (
        frames_of({**GOOD, 'bbox_score': np.inf}),
        ['infinite number outside the keypoints'],
    ),
    'all missing': (
        frames_of(*[make_instance(np.full((3, 2), np.nan))] * 2),
        ['person: all keypoints are missing', 'all 2 frames'],
    ),
    'names': (
        dict(meta_info=dict(keypoint_id2name=NAMES), instance_info=[]),
        ['keypoint_id2name: expected names by number, found list'],
    ),
}


@pytest.mark.parametrize('name', BAD_PREDICTIONS)
def test_bad_predictions(tmp_path, assert_fails, name):
    content, parts = BAD_PREDICTIONS[name]
    source = write_json(tmp_path / 'in.json', content)
    assert_fails(source, f'{source}: ', *parts)


@pytest.mark.parametrize(
    ('data', 'expected'),
    [(b'', 'JSON'), (b'{"a": ', 'JSON'), (b'\xff\xfe', 'text')],
)
def test_files_that_are_not_json(tmp_path, assert_fails, data, expected):
    source = tmp_path / 'in.json'
    source.write_bytes(data)
    assert_fails(source, f'{source}: expected {expected}')
