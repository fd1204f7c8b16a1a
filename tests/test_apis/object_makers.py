# Copyright (c) hanet_mm contributors. All rights reserved.
"""Results of pose estimators: stand-ins of their shape, and the real ones.

A maker turns the people of a frame into a result and gives the keypoints of
a result: ``make(keypoints, scores, ids)`` with (N, K, 2), (N, K) and N ids or
None, ``points(result)``.
"""

from collections import namedtuple
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Callable

import numpy as np
import pytest
import torch
from walking_people import across

from hanet_mm.core.poses.skeleton_data import SKELETONS

SIZE = 640, 360  # W, H of all pictures
FRAMES = 24


@dataclass
class Maker:
    """How results of one kind are made and read, and what they know."""

    name: str
    make: Callable
    points: Callable
    has_ids: bool = True
    needs_size: bool = False
    module: str = ''  # that has to be installed

    def video(self, poses, scores, ids=None, order=None):
        """Results of people (T, P, K, 2); ``order`` (T, P) within a frame."""
        if self.module:
            pytest.importorskip(self.module)
        results = []
        for t, (points, own) in enumerate(zip(poses, scores)):
            rows = np.arange(len(points)) if order is None else order[t]
            who = None if ids is None else np.asarray(ids)[rows]
            results.append(self.make(points[rows], own[rows], who))
        return results

    @property
    def options(self):
        return dict(image_size=SIZE) if self.needs_size else {}


def triples(points, scores):
    return np.concatenate([points, scores[..., None]], -1).astype(np.float32)


def boxes_of(points, ids):
    low, high = points.min(1), points.max(1)
    ones = np.ones((len(points), 1))
    parts = [low, high, ones, 0 * ones]
    if ids is not None:
        parts.insert(2, np.asarray(ids)[:, None])
    return torch.tensor(np.concatenate(parts, 1), dtype=torch.float32)


# Ultralytics


def plain_ultralytics(points, scores, ids):
    boxes = boxes_of(points, ids)
    return SimpleNamespace(
        keypoints=SimpleNamespace(data=torch.tensor(triples(points, scores))),
        boxes=SimpleNamespace(id=None if ids is None else boxes[:, 4]),
        orig_shape=SIZE[::-1],
    )


def real_ultralytics(points, scores, ids):
    from ultralytics.engine.results import Results

    return Results(
        np.zeros((*SIZE[::-1], 3), np.uint8),
        'picture.jpg',
        {0: 'person'},
        boxes=boxes_of(points, ids),
        keypoints=torch.tensor(triples(points, scores)),
    )


def ultralytics_points(result):
    return result.keypoints.data[..., :2].numpy()


# MediaPipe


def landmarks_of(points, scores, make):
    fractions = (points / SIZE).tolist()
    return [
        [make(x=x, y=y, z=0.1, visibility=v) for (x, y), v in zip(*person)]
        for person in zip(fractions, scores.tolist())
    ]


def plain_tasks(points, scores, ids):
    people = landmarks_of(points, scores, SimpleNamespace)
    return SimpleNamespace(pose_landmarks=people, pose_world_landmarks=[])


def real_tasks(points, scores, ids):
    from mediapipe.tasks.python.components.containers import landmark
    from mediapipe.tasks.python.vision import PoseLandmarkerResult

    people = landmarks_of(points, scores, landmark.NormalizedLandmark)
    return PoseLandmarkerResult(people, [])


def plain_solutions(points, scores, ids):
    people = landmarks_of(points, scores, SimpleNamespace)
    found = SimpleNamespace(landmark=people[0]) if people else None
    return solution_outputs(found)


def solution_outputs(landmarks):
    """A class with attributes: solutions make no instance of it."""
    fields = ['pose_landmarks', 'segmentation_mask']
    outputs = namedtuple('SolutionOutputs', fields)
    outputs.pose_landmarks = landmarks
    outputs.segmentation_mask = None
    return outputs


def real_solutions(points, scores, ids):
    from mediapipe.framework.formats import landmark_pb2

    people = landmarks_of(points, scores, landmark_pb2.NormalizedLandmark)
    if not people:
        return solution_outputs(None)
    found = landmark_pb2.NormalizedLandmarkList(landmark=people[0])
    return solution_outputs(found)


def mediapipe_points(result):
    people = getattr(result, 'pose_landmarks', result) or []
    if hasattr(people, 'landmark'):
        people = [people.landmark]
    points = np.array([[(x.x, x.y) for x in one] for one in people])
    return points.reshape(-1, 33, 2) * SIZE


# MMPose


def plain_sample(points, scores, ids):
    found = SimpleNamespace(keypoints=points, keypoint_scores=scores)
    if ids is not None:
        found.track_ids = ids
    about = dict(ori_shape=SIZE[::-1], dataset_name='coco')
    return SimpleNamespace(pred_instances=found, metainfo=about)


def real_sample(points, scores, ids):
    from mmengine.structures import InstanceData
    from mmpose.structures import PoseDataSample

    found = InstanceData(keypoints=points, keypoint_scores=scores)
    if ids is not None:
        found.track_ids = ids
    about = dict(ori_shape=SIZE[::-1], dataset_name='coco')
    return PoseDataSample(pred_instances=found, metainfo=about)


def sample_points(result):
    return np.asarray(result.pred_instances.keypoints)


def samples_of_people(points, scores, ids):
    """As top-down inference gives them: a sample for each person."""
    samples = []
    for row in range(len(points)):
        own = slice(row, row + 1)
        samples.append(real_sample(points[own], scores[own], None))
        if ids is not None:
            samples[-1].set_field(int(ids[row]), 'track_id')
    return samples


def people_points(result):
    return np.array([sample_points(x)[0] for x in result])


def instances_of(points, scores, ids):
    people = [
        dict(keypoints=p.tolist(), keypoint_scores=s.tolist(), bbox=[[0.0]])
        for p, s in zip(points, scores)
    ]
    for one, person in zip(people, () if ids is None else ids):
        one['track_id'] = int(person)
    return people


def inferencer_dict(points, scores, ids):
    return dict(
        visualization=[], predictions=[instances_of(points, scores, ids)]
    )


def instance_points(people):
    return np.array([x['keypoints'] for x in people])


# supervision


def plain_key_points(points, scores, ids):
    return SimpleNamespace(
        xy=points.astype(np.float32),
        class_id=None,
        confidence=scores,
        data={} if ids is None else dict(tracker_id=np.asarray(ids)),
    )


def real_key_points(points, scores, ids):
    import supervision

    return supervision.KeyPoints(
        xy=points.astype(np.float32),
        keypoint_confidence=scores.astype(np.float32),
        data={} if ids is None else dict(tracker_id=np.asarray(ids)),
    )


# rtmlib, Detectron2 and others


def pair_of(points, scores, ids):
    return points, scores


def real_pair(points, scores, ids):
    """What RTMPose decodes from responses with peaks at half pixels."""
    from rtmlib import RTMPose

    if not len(points):
        return [], []
    model = object.__new__(RTMPose)
    model.model_input_size = SIZE
    size = np.array(SIZE)
    responses = [np.zeros((*scores.shape, 2 * x), np.float32) for x in size]
    rows = np.ix_(*map(np.arange, scores.shape))
    for axis, response in enumerate(responses):
        response[(*rows, (2 * points[..., axis]).astype(int))] = scores
    return model.postprocess(responses, size / 2, size)


class Instances:
    """Fields as those of Detectron2: a plain copy shares them."""

    def __init__(self, image_size, **fields):
        self.__dict__.update(image_size=image_size, _fields=dict(fields))

    def __getattr__(self, name):
        if name not in self.__dict__['_fields']:
            raise AttributeError(name)
        return self._fields[name]

    def get_fields(self):
        return self._fields


def detectron_dict(points, scores, ids):
    fields = dict(pred_keypoints=torch.tensor(triples(points, scores)))
    if ids is not None:
        fields['track_ids'] = ids
    return dict(instances=Instances(SIZE[::-1], **fields))


def detectron_points(result):
    return result['instances'].pred_keypoints[..., :2].numpy()


MAKERS = [
    Maker('ultralytics', plain_ultralytics, ultralytics_points),
    Maker(
        'real ultralytics',
        real_ultralytics,
        ultralytics_points,
        module='ultralytics',
    ),
    Maker('sample', plain_sample, sample_points),
    Maker('real sample', real_sample, sample_points, module='mmpose'),
    Maker('samples', samples_of_people, people_points, module='mmpose'),
    Maker(
        'inferencer',
        inferencer_dict,
        lambda x: instance_points(x['predictions'][0]),
    ),
    Maker('key points', plain_key_points, lambda x: x.xy),
    Maker(
        'real key points',
        real_key_points,
        lambda x: x.xy,
        module='supervision',
    ),
    Maker('pair', pair_of, lambda x: x[0], has_ids=False),
    Maker(
        'real pair',
        real_pair,
        lambda x: np.asarray(x[0]),
        has_ids=False,
        module='rtmlib',
    ),
    Maker('detectron', detectron_dict, detectron_points),
    Maker('instances', instances_of, instance_points),
]
MEDIAPIPE = [
    Maker('tasks', plain_tasks, mediapipe_points, False, True),
    Maker(
        'real tasks',
        real_tasks,
        mediapipe_points,
        False,
        True,
        'mediapipe.tasks',
    ),
    Maker('solutions', plain_solutions, mediapipe_points, False, True),
    Maker(
        'real solutions',
        real_solutions,
        mediapipe_points,
        False,
        True,
        'mediapipe.framework.formats.landmark_pb2',
    ),
]


def freeze(value: Any) -> Any:
    """All numbers of a result, to see whether something changed them."""
    if isinstance(value, (torch.Tensor, np.ndarray)):
        return np.array(value).tobytes()
    if hasattr(value, 'SerializeToString'):
        return value.SerializeToString()
    if isinstance(value, dict):
        return {key: freeze(x) for key, x in value.items()}
    if isinstance(value, (list, tuple)):
        return [freeze(x) for x in value]
    if isinstance(value, type):
        return freeze(value.pose_landmarks)
    if hasattr(value, '__dict__'):
        return {key: freeze(x) for key, x in vars(value).items()}
    return repr(value)


def walk(people=1, seed=0):
    """Noisy poses (T, P, 17, 2) of people who walk, and scores.

    In halves of a pixel, as some estimators have them.
    """
    walkers = [
        across(100 + 200 * i, 200 + 200 * i, 320 - 40 * i, (0, FRAMES - 1))
        for i in range(people)
    ]
    poses = np.array(
        [[x.pose(t) for x in walkers] for t in range(FRAMES)], np.float64
    )
    noise = np.random.default_rng(seed)
    poses += noise.normal(0, 2, poses.shape)
    poses = np.round(2 * poses) / 2
    scores = noise.uniform(0.6, 0.95, poses.shape[:3])
    return poses.astype(np.float32), scores.astype(np.float32)


def as_landmarks(poses, scores):
    """The same people with the 33 landmarks of MediaPipe.

    Those that COCO does not have are near the joint that they belong to.
    """
    names = SKELETONS['mediapipe33'].keypoint_names
    coco = list(SKELETONS['coco17'].keypoint_names)
    place = [coco.index(x) if x in coco else 0 for x in names]
    for index, name in enumerate(names):
        side = name.split('_')[0]
        for part, joint in (
            *(('heel', 'ankle'), ('foot_index', 'ankle'), ('toe', 'ankle')),
            *(('pinky', 'wrist'), ('thumb', 'wrist'), ('index', 'wrist')),
        ):
            if name not in coco and part in name:
                place[index] = coco.index(f'{side}_{joint}')
    offset = np.array([(0, 0) if x in coco else (4, 3) for x in names])
    return poses[..., place, :] + offset, scores[..., place]


def stacked(maker, results):
    return np.stack([maker.points(x) for x in results])


def assert_same(found, expected):
    # Results have float32 or fractions of the image size.
    np.testing.assert_allclose(found, expected, rtol=0, atol=0.01)
