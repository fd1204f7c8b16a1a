# Copyright (c) hanet_mm contributors. All rights reserved.
"""The same two persons, written in each of the formats."""

import csv
import json
from typing import Dict, NamedTuple

import numpy as np
import torch

from hanet_mm import Refiner
from hanet_mm.core.poses.skeleton_data import SKELETONS

COCO = list(SKELETONS['coco17'].keypoint_names)
FRAMES = 12
SIZE = (640, 480)
SMOOTH = 'filter:gaussian'
# Moves next to nothing.
SAME = 'filter:gaussian:sigma=0.001'


class Person(NamedTuple):
    """Someone in consecutive frames; NaN and score 0 where away."""

    first: int
    keypoints: np.ndarray
    scores: np.ndarray


def make_coco_refiner(names=COCO, **more):
    torch.manual_seed(3)
    shape = dict(num_keypoints=len(names), coord_dims=2, embed_dims=16)
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=2),
            head=dict(shape, num_layers=1),
            sample_interval=2,
        ),
        window_size=5,
        normalization='box',
        keypoint_names=list(names),
        **more,
    )


def make_person(first, frames, keypoints, seed, away=()):
    rng = np.random.default_rng(seed)
    points = rng.uniform(50, 300, (1, keypoints, 2)) + [300 * seed, 0]
    points = points + rng.normal(0, 2, (frames, keypoints, 2)).cumsum(0)
    scores = rng.uniform(0.3, 0.9, (frames, keypoints))
    scores[2, 5] = 0  # the left elbow was not found
    points[2, 5] = 0
    points[list(away)] = np.nan
    scores[list(away)] = 0
    return Person(first, points.round(3), scores.round(3))


def make_persons(keypoints) -> Dict[int, Person]:
    """One in all frames, one in frames 3 to 9 without 6 and 7."""
    return {
        4: make_person(0, FRAMES, keypoints, 0),
        9: make_person(3, 7, keypoints, 1, away=(3, 4)),
    }


def each(persons):
    """Frame, id, keypoints and scores of each appearance, by frame."""
    for frame in range(FRAMES):
        for number, person in persons.items():
            row = frame - person.first
            if 0 <= row < len(person.keypoints):
                points = person.keypoints[row]
                if not np.isnan(points).any():
                    yield frame, number, points, person.scores[row]


def triples(points, scores):
    return np.column_stack([points, scores]).ravel().tolist()


def write(path, content):
    path.write_text(json.dumps(content), encoding='utf-8')
    return path


def write_coco(folder, persons):
    return write(
        folder / 'coco.json',
        [
            dict(
                image_id=frame,
                category_id=1,
                keypoints=triples(points, scores),
                score=0.5,
                track_id=number,
            )
            for frame, number, points, scores in each(persons)
        ],
    )


def write_coco_dict(folder, persons):
    images = [
        dict(id=100 + i, file_name=f'walk/{i:06d}.jpg', width=640, height=480)
        for i in range(FRAMES)
    ]
    annotations = [
        dict(
            image_id=100 + frame,
            keypoints=triples(points, scores),
            track_id=number,
        )
        for frame, number, points, scores in each(persons)
    ]
    return write(
        folder / 'person_keypoints.json',
        dict(
            images=images[::-1],
            annotations=annotations,
            categories=[dict(id=1, name='person', keypoints=COCO)],
        ),
    )


def write_ultralytics(folder, persons, text=False):
    frames = [[] for _ in range(FRAMES)]
    for frame, number, points, scores in each(persons):
        frames[frame] += [
            {
                'name': 'person',
                'class': 0,
                'confidence': 0.9,
                'box': dict(x1=1.0, y1=2.0, x2=3.0, y2=4.0),
                'track_id': number,
                'keypoints': dict(
                    x=points[:, 0].tolist(),
                    y=points[:, 1].tolist(),
                    visible=scores.tolist(),
                ),
            },
            {'name': 'dog', 'class': 16, 'confidence': 0.3, 'box': {}},
        ]
    if text:
        frames = [json.dumps(x) for x in frames]
    return write(folder / 'results.json', frames)


def write_ultralytics_text(folder, persons):
    """As ``to_json`` gives the frames."""
    return write_ultralytics(folder, persons, text=True)


def write_alphapose(folder, persons, idx=int):
    return write(
        folder / 'alphapose-results.json',
        [
            dict(
                image_id=f'{frame}.jpg',
                category_id=1,
                keypoints=triples(points, scores),
                score=2.5,
                box=[1.0, 2.0, 3.0, 4.0],
                idx=idx(number),
            )
            for frame, number, points, scores in each(persons)
        ],
    )


def write_alphapose_lists(folder, persons):
    """With ``idx`` as a list, as of a detector that tracks."""
    return write_alphapose(folder, persons, lambda x: [float(x)])


def write_alphapose_people(folder, persons, holder, field):
    images = {}
    for frame, _, points, scores in each(persons):
        image = images.setdefault(
            f'{frame}.jpg', {'version': 'AlphaPose v0.3', holder: []}
        )
        image[holder].append({field: triples(points, scores)})
    return write(folder / 'alphapose-results.json', images)


def write_alphapose_open(folder, persons):
    return write_alphapose_people(
        folder, persons, 'people', 'pose_keypoints_2d'
    )


def write_alphapose_cmu(folder, persons):
    return write_alphapose_people(folder, persons, 'bodies', 'joints')


def write_openpose(folder, persons, ids=True):
    path = folder / 'openpose'
    path.mkdir()
    frames = {frame: [] for frame in range(FRAMES)}
    for frame, number, points, scores in each(persons):
        frames[frame].append(
            dict(
                person_id=[number if ids else -1],
                pose_keypoints_2d=triples(points, scores),
                face_keypoints_2d=[],
            )
        )
    for frame, people in frames.items():
        name = f'dance_2_{frame:012d}_keypoints.json'
        write(path / name, dict(version=1.3, people=people))
    return path


def write_mediapipe(folder, persons):
    frames = [None] * FRAMES
    for frame, _, points, scores in each(persons):
        frames[frame] = [
            dict(x=x, y=y, z=-0.5, visibility=score)
            for (x, y), score in zip((points / SIZE).tolist(), scores.tolist())
        ]
    return write(
        folder / 'mediapipe.json',
        dict(width=SIZE[0], height=SIZE[1], frames=frames),
    )


def write_arrays(folder, persons):
    """Place of a person changes; ids tell who it is."""
    data = np.zeros((FRAMES, 2, 17, 3))
    ids = np.full((FRAMES, 2), -1)
    for frame, number, points, scores in each(persons):
        place = frame % 2 if number == 4 else 1 - frame % 2
        data[frame, place] = np.column_stack([points, scores])
        ids[frame, place] = number
    path = folder / 'yolo.npz'
    np.savez(path, data=data, ids=ids, keypoint_names=COCO, note='mine')
    return path


def write_npy(folder, persons):
    data = np.zeros((FRAMES, 17, 3))
    for frame, _, points, scores in each(persons):
        data[frame] = np.column_stack([points, scores])
    np.save(folder / 'poses.npy', data)
    return folder / 'poses.npy'


def write_csv(folder, persons):
    path = folder / 'table.csv'
    columns = [f'{x}_{y}' for x in COCO for y in ('x', 'y', 'score')]
    with open(path, 'w', newline='', encoding='utf-8') as file:
        table = csv.writer(file)
        table.writerow(['frame', 'note', 'person', *columns])
        for frame, number, points, scores in each(persons):
            table.writerow([frame, 'a, "b"', number, *triples(points, scores)])
    return path


class Example(NamedTuple):
    """How to write a format, and what it holds."""

    write: object
    name: str
    skeleton: str
    persons: int


EXAMPLES = {
    'coco': Example(write_coco, 'coco', 'coco17', 2),
    'coco dict': Example(write_coco_dict, 'coco_dict', 'coco17', 2),
    'ultralytics': Example(write_ultralytics, 'ultralytics', 'coco17', 2),
    'ultralytics text': Example(
        write_ultralytics_text, 'ultralytics', 'coco17', 2
    ),
    'alphapose': Example(write_alphapose, 'alphapose', 'coco17', 2),
    'alphapose halpe': Example(write_alphapose, 'alphapose', 'halpe26', 2),
    'alphapose idx lists': Example(
        write_alphapose_lists, 'alphapose', 'coco17', 2
    ),
    'alphapose open': Example(
        write_alphapose_open, 'alphapose', 'openpose18', 1
    ),
    'alphapose cmu': Example(
        write_alphapose_cmu, 'alphapose', 'openpose18', 1
    ),
    'openpose': Example(write_openpose, 'openpose', 'openpose25', 2),
    'mediapipe': Example(write_mediapipe, 'mediapipe', 'mediapipe33', 1),
    'arrays': Example(write_arrays, 'arrays', 'coco17', 2),
    'npy': Example(write_npy, 'arrays', 'coco17', 1),
    'csv': Example(write_csv, 'csv', 'coco17', 2),
}


def write_example(name, folder):
    """Path of an example and the persons in it."""
    example = EXAMPLES[name]
    persons = make_persons(len(SKELETONS[example.skeleton]))
    persons = dict(list(persons.items())[: example.persons])
    return example.write(folder, persons), persons
