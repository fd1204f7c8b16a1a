# Copyright (c) hanet_mm contributors. All rights reserved.
"""Names that the examples for other libraries start from.

Their results are those of the libraries; what would be a network gives the
poses of someone who walks.
"""

from types import SimpleNamespace

import numpy as np
from object_makers import (
    SIZE,
    as_landmarks,
    inferencer_dict,
    real_pair,
    real_solutions,
    real_tasks,
    real_ultralytics,
    samples_of_people,
    walk,
)

import hanet_mm


def names_for(library, monkeypatch):
    """Variables of the examples; networks of the library are replaced."""
    people = list(zip(*walk()))
    numbers = list(range(len(people)))
    names = dict(hanet_mm=hanet_mm)
    if library == 'ultralytics':
        results = [real_ultralytics(*x, [1]) for x in people]
        model = SimpleNamespace(track=lambda source, stream: iter(results))
        monkeypatch.setattr('ultralytics.YOLO', lambda name: model)
        names['YOLO'] = lambda name: model
    elif library == 'rtmlib':
        results = [real_pair(*x, None) for x in people]
        names['frames'] = numbers
        monkeypatch.setattr('rtmlib.Body', lambda: results.__getitem__)
    elif library == 'mmpose':
        results = [inferencer_dict(*x, None) for x in people]
        samples = [samples_of_people(*x, None) for x in people]
        monkeypatch.setattr(
            'mmpose.apis.MMPoseInferencer', lambda name: lambda _: results
        )
        monkeypatch.setattr(
            'mmpose.apis.inference_topdown', lambda _, frame: samples[frame]
        )
        names.update(frames=numbers, model=None)
    elif library == 'supervision':
        picture = np.zeros((*SIZE[::-1], 3), np.uint8)
        names.update(found=people, frames=[picture.copy() for _ in people])
    else:
        make = real_tasks if library == 'mediapipe.tasks' else real_solutions
        people = zip(*as_landmarks(*walk()))
        results = [make(*x, None) for x in people]
        names.update(
            images=numbers,
            frames=numbers,
            pose=SimpleNamespace(process=results.__getitem__),
            landmarker=SimpleNamespace(
                detect_for_video=lambda image, ms: results[image]
            ),
        )
    return names
