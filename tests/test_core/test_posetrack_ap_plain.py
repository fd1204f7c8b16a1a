# Copyright (c) hanet_mm contributors. All rights reserved.
"""PoseTrack AP against its protocol written down step by step."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.metrics.posetrack_ap import posetrack_ap

NAN = float('nan')


def plain_ap(scene, thr, assignment):
    """The protocol, step by step, on {frame: (predictions, truths)}.

    Predictions are (joints, scores), truths (joints, head size) with joints
    as {number: (x, y)}, already in the order in which they are listed.
    """
    annotated = [0] * 3
    ranked = [[] for _ in range(3)]
    for predictions, truths in scene.values():
        if not truths:
            continue
        hits = {}
        for p, (joints, _) in enumerate(predictions):
            for g, (true_joints, head) in enumerate(truths):
                hits[p, g] = {
                    k
                    for k in joints
                    if k in true_joints
                    and np.hypot(
                        joints[k][0] - true_joints[k][0],
                        joints[k][1] - true_joints[k][1],
                    )
                    <= thr * head
                }
        partner = plain_assignment(hits, predictions, truths, assignment)
        for p, (joints, scores) in enumerate(predictions):
            for k in joints:
                right = p in partner and k in hits[p, partner[p]]
                ranked[k].append((scores[k], right))
        for true_joints, _ in truths:
            for k in true_joints:
                annotated[k] += 1
    return [plain_area(r, n) for r, n in zip(ranked, annotated)]


def plain_assignment(hits, predictions, truths, assignment):
    def share(p, g):
        return len(hits[p, g]) / max(len(truths[g][0]), 1)

    partner = {}
    if assignment == 'score':

        def mean_score(p):
            joints, scores = predictions[p]
            return np.mean([scores[k] for k in joints])

        free = list(range(len(truths)))
        for p in sorted(range(len(predictions)), key=mean_score)[::-1]:
            if free:
                best = max(free, key=lambda g, p=p: share(p, g))
                if share(p, best) > 0:
                    partner[p] = best
                    free.remove(best)
        return partner
    wishes = {
        p: max(range(len(truths)), key=lambda g, p=p: share(p, g))
        for p in range(len(predictions))
    }
    for g in range(len(truths)):
        asking = [p for p in wishes if wishes[p] == g and share(p, g) > 0]
        if asking:
            partner[max(asking, key=lambda p, g=g: share(p, g))] = g
    return partner


def plain_area(ranked, annotated):
    if annotated == 0:
        return NAN
    points = []
    for threshold in {score for score, _ in ranked}:
        labels = [right for score, right in ranked if score >= threshold]
        points.append((sum(labels), sum(labels) / len(labels)))
    return (
        sum(
            max([p for true, p in points if true >= n], default=0.0)
            for n in range(1, annotated + 1)
        )
        / annotated
    )


def draw_scene(rng):
    """Few frames with people close together; scores and shares often tie."""
    scene = {}
    for frame in rng.permutation(9)[: rng.integers(1, 5)]:
        truths = []
        for _ in range(rng.integers(0, 4)):
            joints = {
                k: tuple(rng.integers(0, 12, 2) + [0, 40 * k])
                for k in range(3)
                if rng.random() < 0.8
            }
            # Different sizes, so that it is clear who is listed first.
            truths.append((joints, float(rng.uniform(4, 30))))
        truths.sort(key=lambda truth: -truth[1])
        predictions = []
        for _ in range(rng.integers(0, 5)):
            joints = {
                k: tuple(rng.integers(0, 12, 2) + [0, 40 * k])
                for k in range(3)
                if rng.random() < 0.8
            }
            scores = rng.permutation(20)[:3] / 20 + rng.random() / 1e3
            if joints:
                predictions.append((joints, scores))
        predictions.sort(key=lambda p: -np.mean([p[1][k] for k in p[0]]))
        scene[int(frame)] = (predictions, truths)
    return scene


def flatten(scene, rng):
    """Arguments of posetrack_ap, persons in any order."""

    def arrays(persons):
        joints = np.full((len(persons), 3, 2), NAN)
        for n, (_, person, _) in enumerate(persons):
            for k, place in person.items():
                joints[n, k] = place
        frames = np.array([frame for frame, _, _ in persons], int)
        return joints, frames, [extra for _, _, extra in persons]

    people = [
        [(f, j, e) for f in scene for j, e in scene[f][which]]
        for which in (0, 1)
    ]
    for persons in people:
        rng.shuffle(persons)
    pred, pred_frames, scores = arrays(people[0])
    gt, gt_frames, heads = arrays(people[1])
    scores = np.reshape(scores, (-1, 3))
    return [pred, scores, pred_frames, gt, gt_frames, np.array(heads)]


BOTH = pytest.mark.parametrize('assignment', ['poseval', 'score'])


@BOTH
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_equals_the_plain_implementation(assignment, seed):
    rng = np.random.default_rng(seed)
    scene = draw_scene(rng)
    arguments = flatten(scene, rng)
    found = posetrack_ap(*arguments, thr=0.5, assignment=assignment)
    np.testing.assert_allclose(found, plain_ap(scene, 0.5, assignment))


@BOTH
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**9))
def test_what_does_not_matter(assignment, seed):
    rng = np.random.default_rng(seed)
    arguments = flatten(draw_scene(rng), rng)
    pred, scores, pred_frames, gt, gt_frames, heads = arguments
    # One score a person: then any growing function keeps who comes first.
    scores = np.repeat(scores[:, :1], 3, axis=1)

    def ap(*changed):
        return posetrack_ap(*changed, assignment=assignment)

    expected = ap(pred, scores, pred_frames, gt, gt_frames, heads)
    kept = [
        # Size and place of the image.
        (
            4 * pred + 64,
            scores,
            pred_frames,
            4 * gt + 64,
            gt_frames,
            4 * heads,
        ),
        # A growing function of the scores.
        (pred, np.exp(5 * scores) - 9, pred_frames, gt, gt_frames, heads),
        # Numbers of the frames.
        (pred, scores, 90 - 7 * pred_frames, gt, 90 - 7 * gt_frames, heads),
    ]
    for changed in kept:
        np.testing.assert_allclose(ap(*changed), expected, rtol=1e-12)

    one, two = rng.permutation(len(pred)), rng.permutation(len(gt))
    permuted = [
        *(pred[one], scores[one], pred_frames[one]),
        *(gt[two], gt_frames[two], heads[two]),
    ]
    np.testing.assert_array_equal(ap(*permuted), expected)
