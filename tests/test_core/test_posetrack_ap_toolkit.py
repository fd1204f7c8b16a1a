# Copyright (c) hanet_mm contributors. All rights reserved.
"""PoseTrack AP with ``keep_order`` against the data set's toolkit, poseval.

Where poseval is installed its own functions are asked. Everywhere the figure
is that of the toolkit's algorithm as we read it, written down without any
code of the package.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.metrics.posetrack_ap import posetrack_ap

JOINTS = 15
THRESHOLD = 0.5


def draw_frames(rng):
    """Frames of (predictions, truths), each in the order of a file.

    Scores and shares tie nearly everywhere. A prediction is {joint: (x, y,
    score)}, a truth ({joint: (x, y)}, corners of the head box).
    """
    chance = rng.random(JOINTS) * 1.3 - 0.1  # some joints never, some always

    def joints():
        return {
            k: tuple(float(v) for v in rng.integers(0, 9, 2) + [0, 40 * k])
            for k in range(JOINTS)
            if rng.random() < chance[k]
        }

    frames = []
    for _ in range(rng.integers(4, 14)):
        scores = rng.integers(1, 4, (4, JOINTS)) / 4
        truths = [
            (joints(), (0.0, 0.0, *rng.integers(3, 12, 2).astype(float)))
            for _ in range(rng.integers(1, 4))
        ]
        predictions = [
            {k: (*place, score[k]) for k, place in joints().items()}
            for score in scores[: rng.integers(0, 5)]
        ]
        # The toolkit drops persons without any point.
        frames.append(
            ([p for p in predictions if p], [t for t in truths if t[0]])
        )
    return frames


def ours(frames):
    """posetrack_ap on the same frames, with those that lost all truths."""
    found, scores, found_at, true, heads, true_at = [], [], [], [], [], []
    for number, (predictions, truths) in enumerate(frames):
        for prediction in predictions:
            joints = np.full((JOINTS, 3), np.nan)
            for k, values in prediction.items():
                joints[k] = values
            found.append(joints[:, :2])
            scores.append(np.nan_to_num(joints[:, 2]))
            found_at.append(number)
        # A person without joints keeps the frame.
        for person, (x1, y1, x2, y2) in truths or [({}, (0, 0, 1, 1))]:
            joints = np.full((JOINTS, 2), np.nan)
            for k, values in person.items():
                joints[k] = values
            true.append(joints)
            heads.append(0.6 * np.hypot(x2 - x1, y2 - y1))
            true_at.append(number)
    return posetrack_ap(
        np.reshape(found, (-1, JOINTS, 2)),
        np.reshape(scores, (-1, JOINTS)),
        np.array(found_at, int),
        np.reshape(true, (-1, JOINTS, 2)),
        np.array(true_at, int),
        np.array(heads, float),
        THRESHOLD,
        keep_order=True,
    )


def plain_toolkit(frames):
    """AP of each joint by the algorithm of the toolkit, step by step."""
    ranked = [[] for _ in range(JOINTS)]
    annotated = np.zeros(JOINTS)
    for predictions, truths in frames:
        shares = np.zeros((len(predictions), len(truths)))
        hits = {}
        for p, prediction in enumerate(predictions):
            for g, (person, (x1, y1, x2, y2)) in enumerate(truths):
                head = 0.6 * np.linalg.norm([x2 - x1, y2 - y1])
                hits[p, g] = {
                    k
                    for k in prediction
                    if k in person
                    and np.linalg.norm(
                        np.subtract(person[k], prediction[k][:2])
                    )
                    / head
                    <= THRESHOLD
                }
                shares[p, g] = len(hits[p, g]) / len(person)
        partner = {}
        if truths:
            for p in range(len(predictions)):
                best = int(np.argmax(shares[p]))  # of equals the first
                shares[p, np.arange(len(truths)) != best] = 0
        if predictions:
            for g in range(len(truths)):
                best = int(np.argmax(shares[:, g]))
                if shares[best, g] > 0:
                    partner[best] = g
        for p, prediction in enumerate(predictions):
            for k, (_, _, score) in prediction.items():
                right = p in partner and k in hits[p, partner[p]]
                ranked[k].append((score, right))
        for person, _ in truths:
            for k in person:
                annotated[k] += 1
    return np.array(
        [plain_area(r, n) for r, n in zip(ranked, annotated)], float
    )


def plain_area(ranked, annotated):
    if not ranked:
        return 0.0
    if not annotated:
        return np.nan
    scores, labels = (np.array(values) for values in zip(*ranked))
    labels = labels[scores.argsort()[::-1]]
    precision = np.cumsum(labels) / np.arange(1, len(labels) + 1)
    best = [precision[i:].max() for i in np.flatnonzero(labels)]
    return sum(best) / annotated


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_equals_the_algorithm_of_the_toolkit(seed):
    frames = draw_frames(np.random.default_rng(seed))
    np.testing.assert_allclose(ours(frames), plain_toolkit(frames), 1e-12)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_equals_poseval(seed):
    """Ask the toolkit itself, with the files that it reads."""
    helpers = pytest.importorskip('poseval.eval_helpers')
    evaluate = pytest.importorskip('poseval.evaluateAP')
    frames = draw_frames(np.random.default_rng(seed))
    truths = [
        dict(annorect=[toolkit_person(*person) for person in persons])
        for _, persons in frames
    ]
    predictions = [
        dict(annorect=[toolkit_person(person) for person in persons])
        for persons, _ in frames
    ]
    with np.errstate(invalid='ignore'):
        scores, labels, count, _ = helpers.assignGTmulti(
            truths, predictions, THRESHOLD
        )
        ap, _, _ = evaluate.computeMetrics(scores, labels, count)
    np.testing.assert_allclose(100 * ours(frames), ap[:JOINTS, 0], 1e-12)


def toolkit_person(joints, head=(0.0, 0.0, 1.0, 1.0)):
    """A person as an entry of ``annorect``."""
    points = []
    for k, (x, y, *score) in joints.items():
        point = dict(id=[k], x=[x], y=[y])
        if score:
            point['score'] = [float(score[0])]
        points.append(point)
    corners = {
        key: [value] for key, value in zip(('x1', 'y1', 'x2', 'y2'), head)
    }
    return dict(annopoints=[dict(point=points)], track_id=[0], **corners)


def test_of_equal_persons_the_first_of_the_file_wins():
    """Two predictions hit the same half of a person; only one is right."""
    truth = [[[0.0, 0.0], [50.0, 0.0]]]
    found = np.full((2, 2, 2), np.nan)
    found[0, 0] = found[1, 0] = 0
    found[1, 1] = [90, 0]
    scores = np.array([[0.5, 0.5], [0.4, 0.9]])

    def ap(order):
        return posetrack_ap(
            found[order],
            scores[order],
            [0, 0],
            truth,
            [0],
            [10.0],
            keep_order=True,
        )[0]

    assert ap([0, 1]) == 1
    assert ap([1, 0]) == 0.5
