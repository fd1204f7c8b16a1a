# Copyright (c) hanet_mm contributors. All rights reserved.
"""Reading what MMPose writes; the files are made by MMPose's own code."""

import json_tricks
import mmengine
import numpy as np
import pytest
import torch
from mmengine.evaluator import DumpResults, Evaluator
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.structures import PoseDataSample, split_instances
from mmpose_predictions import (
    ClipPredictions,
    follow_truth,
    open_predictions,
    order_keypoints,
)
from published_files import JHMDB_KEYPOINTS

pytestmark = pytest.mark.mm

NAMES = JHMDB_KEYPOINTS


def poses(frames, keypoints=15, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0, 200, (frames, keypoints, 2)).astype(np.float32)


def instances(*people, score=0.5):
    """MMPose's instances with these keypoints."""
    shape = np.shape(people)
    return InstanceData(
        keypoints=np.stack(people),
        keypoint_scores=np.full(shape[:2], score, np.float32),
        bboxes=np.zeros((shape[0], 4), np.float32),
        bbox_scores=np.ones(shape[0], np.float32),
    )


def metainfo(name):
    return parse_pose_metainfo(
        dict(from_file=f'configs/_base_/datasets/{name}.py')
    )


def assert_frames(predictions, expected):
    assert sorted(predictions.frames) == sorted(expected)
    for frame, keypoints in expected.items():
        found, scores = predictions.frames[frame]
        np.testing.assert_allclose(found, keypoints, atol=1e-4)
        assert scores.shape == found.shape[:2]


def test_inferencer_on_a_video(tmp_path):
    truth = poses(3)
    video = [
        dict(frame_id=i, instances=split_instances(instances(pose, pose + 1)))
        for i, pose in enumerate(truth)
    ]
    mmengine.dump(video, tmp_path / 'a.b c.json', indent='  ')
    found = open_predictions(tmp_path)('walk/a.b c')
    assert_frames(found, {i: [p, p + 1] for i, p in enumerate(truth)})
    assert found.keypoint_names is None
    assert open_predictions(tmp_path)('walk/other') is None


def test_demo_script_counts_from_one_and_names_keypoints(tmp_path):
    truth = poses(2)
    content = dict(
        meta_info=metainfo('jhmdb'),
        instance_info=[
            dict(frame_id=i + 1, instances=split_instances(instances(pose)))
            for i, pose in enumerate(truth)
        ],
    )
    path = tmp_path / 'walk' / 'anna.json'
    path.parent.mkdir()
    path.write_text(json_tricks.dumps(content))
    found = open_predictions(tmp_path)('walk/anna')
    assert_frames(found, {0: truth[:1], 1: truth[1:]})
    assert found.keypoint_names == NAMES


def test_the_action_decides_between_clips_of_one_name(tmp_path):
    for folder, value in (('run', 1.0), ('walk', 2.0), ('', 3.0)):
        (tmp_path / folder).mkdir(exist_ok=True)
        pose = np.full((15, 2), value, np.float32)
        people = split_instances(instances(pose))
        frames = [dict(frame_id=0, instances=people)]
        mmengine.dump(frames, tmp_path / folder / 'a.json')
    lookup = open_predictions(tmp_path)
    for clip, value in (('run/a', 1), ('walk/a', 2), ('sit/a', 3)):
        assert lookup(clip).frames[0][0][0, 0, 0] == value


def test_inferencer_on_a_folder_of_images(tmp_path):
    truth = poses(2)
    folder = tmp_path / 'walk' / 'anna'
    folder.mkdir(parents=True)
    for number, pose in ((1, truth[0]), (12, truth[1])):
        mmengine.dump(
            split_instances(instances(pose)), folder / f'{number:05d}.json'
        )
    mmengine.dump([], folder / '00002.json')
    found = open_predictions(tmp_path)('walk/anna')
    assert_frames(found, {0: truth[:1], 1: np.zeros((0, 0, 2)), 11: truth[1:]})


def dump(path, samples):
    """What ``tools/test.py --dump`` does with the samples of a test run."""
    metric = DumpResults(out_file_path=str(path))
    Evaluator(metric).process(data_samples=samples)
    metric.compute_metrics(metric.results)
    return path


def sample(image, *people):
    item = PoseDataSample(metainfo={'img_path': image, 'ori_shape': (240, 1)})
    item.gt_instances = InstanceData(bboxes=torch.zeros(1, 4))
    item.pred_instances = instances(*people)
    return item


def test_dump_of_a_test_run(tmp_path):
    truth = poses(3)
    path = dump(
        tmp_path / 'found.pkl',
        [
            sample('data/Rename_Images/walk/anna/00002.png', truth[0]),
            sample('data/Rename_Images/walk/anna/00001.png', truth[1]),
            sample('data/Rename_Images/walk/anna/00002.png', truth[2]),
            sample('data/Rename_Images/run/bert/00001.png', truth[2]),
        ],
    )
    with pytest.raises(ValueError, match=r'found\.pkl.*--trust-pickle'):
        open_predictions(path)
    lookup = open_predictions(path, trust_pickle=True)
    assert_frames(lookup('walk/anna'), {0: [truth[1]], 1: truth[[0, 2]]})
    assert_frames(lookup('run/bert'), {0: [truth[2]]})
    assert lookup('walk/bert') is None


def test_a_broken_dump_is_named(tmp_path):
    path = tmp_path / 'bad.pkl'
    path.write_bytes(b'not a pickle')
    with pytest.raises(ValueError, match=r'bad\.pkl.*cannot be unpickled'):
        open_predictions(path, trust_pickle=True)
    mmengine.dump([{'img_path': 'a/b/00001.png'}], path)
    with pytest.raises(ValueError, match=r'sample 0: .*pred_instances'):
        open_predictions(path, trust_pickle=True)
    dump(path, [sample('walk/anna/first.png', poses(1)[0])])
    with pytest.raises(ValueError, match="number, from 1 on, found 'first'"):
        open_predictions(path, trust_pickle=True)
    mmengine.dump({}, path)
    with pytest.raises(ValueError, match='list of samples, found dict'):
        open_predictions(path, trust_pickle=True)


@pytest.mark.parametrize('place', ['nowhere', 'file.txt'])
def test_other_places_are_refused(tmp_path, place):
    (tmp_path / 'file.txt').write_text('')
    with pytest.raises(ValueError, match=f'{place}.*folder'):
        open_predictions(tmp_path / place)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('[', 'expected JSON'),
        ('3', 'expected a list of frames'),
        ('{"meta_info": {}}', "dict with 'instance_info'"),
        ('[{"frame_id": 0}]', 'entry 0.*frame_id and instances'),
        # an image, not a video, in the demo's form
        (
            '{"meta_info": {}, "instance_info": [{"keypoints": []}]}',
            'entry 0.*as for a video',
        ),
        (
            '[{"frame_id": 0, "instances": []},'
            ' {"frame_id": 0, "instances": []}]',
            'entry 1.*each frame_id once.*found 0',
        ),
        (
            '{"meta_info": {}, "instance_info":'
            ' [{"frame_id": 0, "instances": []}]}',
            'from 1 on, found 0',
        ),
        ('[{"frame_id": "a", "instances": []}]', "found 'a'"),
        ('[{"frame_id": 0, "instances": 3}]', 'frame 0.*list of instances'),
        (
            '[{"frame_id": 4, "instances": [{"keypoints": [[1, 2]]}]}]',
            'frame 4.*keypoint_scores',
        ),
        (
            '[{"frame_id": 0, "instances": [{"keypoints": [[1, 2, 3]],'
            ' "keypoint_scores": [1]}]}]',
            r'frame 0.*keypoints \(K, 2\)',
        ),
    ],
)
def test_a_bad_file_is_named(tmp_path, content, message):
    path = tmp_path / 'anna.json'
    path.write_text(content)
    with pytest.raises(ValueError, match=message) as error:
        open_predictions(tmp_path)('walk/anna')
    assert str(error.value).startswith(str(path))
    assert '\n' not in str(error.value)


def one_frame(keypoints, names=None):
    keypoints = np.asarray(keypoints, np.float32)
    scores = np.arange(keypoints.shape[0] * keypoints.shape[1]) / 100 + 0.1
    scores = scores.reshape(keypoints.shape[:2])
    return ClipPredictions('clip.json', {0: (keypoints, scores)}, names)


def test_keypoints_are_ordered_by_name():
    order = np.random.default_rng(0).permutation(15)
    shuffled = tuple(NAMES[i] for i in order)
    truth = poses(1)
    found = one_frame(truth[:, order], (*shuffled[:7], 'tail', *shuffled[7:]))
    keypoints, scores = found.frames[0]
    wide = np.insert(keypoints, 7, 0, axis=1)
    found.frames[0] = wide, np.insert(scores, 7, 0, axis=1)
    ordered = order_keypoints(found, NAMES)
    np.testing.assert_array_equal(ordered.frames[0][0], truth)
    np.testing.assert_array_equal(
        ordered.frames[0][1][0], scores[0][np.argsort(order)]
    )


def test_an_estimator_of_another_skeleton_is_refused():
    coco = metainfo('coco')['keypoint_id2name']
    names = tuple(coco[i] for i in range(17))
    with pytest.raises(
        ValueError, match=r'clip\.json.*neck, belly, head.*nose'
    ):
        order_keypoints(one_frame(poses(1, 17), names), NAMES)
    with pytest.raises(ValueError, match=r'frame 0.*15 keypoints, found 17'):
        order_keypoints(one_frame(poses(1, 17)), NAMES)
    same = one_frame(poses(1))
    assert order_keypoints(same, NAMES) is same


def test_the_nearest_person_is_followed():
    truth = poses(3)
    others = truth[::-1] + 50
    frames = {
        i: (
            np.stack([others[i], truth[i] + [3, 4], others[i] + 20]),
            np.stack([np.full(15, s, np.float32) for s in (0.9, 0.4, 0.8)]),
        )
        for i in range(3)
    }
    estimate, scores = follow_truth(ClipPredictions('', frames), truth)
    np.testing.assert_allclose(estimate, truth + [3, 4], atol=1e-4)
    np.testing.assert_array_equal(scores, np.full((3, 15), np.float32(0.4)))


def test_only_annotated_keypoints_decide():
    truth = poses(2)
    truth[0, :14] = np.nan
    truth[1] = np.nan
    # the first person fits the one annotated keypoint, the second the rest
    first, second = np.full((15, 2), 900.0), np.full((15, 2), 5.0)
    first[14] = truth[0, 14]
    second[3] = np.nan
    people = np.stack([second, first]).astype(np.float32)
    scores = np.ones((2, 15), np.float32)
    scores[1, 2] = -0.25
    frames = {0: (people, scores), 1: (people, scores), 5: (people, scores)}
    estimate, found = follow_truth(ClipPredictions('', frames), truth)
    np.testing.assert_array_equal(estimate[0], first.astype(np.float32))
    assert found[0, 2] == 0  # a negative score counts as missing
    # nothing to compare with: the first, which MMPose lists by confidence
    np.testing.assert_array_equal(estimate[1], second.astype(np.float32))
    assert found.shape == (2, 15)  # frame 5 is after the annotation
