# Copyright (c) hanet_mm contributors. All rights reserved.
"""Motion of boxes, against the filter of MMDetection and by its equations."""

import numpy as np
import pytest

from hanet_mm.apis.video.box_motion import (
    predict_motion,
    start_motion,
    update_motion,
)


def walk(num_frames):
    """Boxes of two people who walk and grow, (T, 2, 4)."""
    frame = np.arange(num_frames)[:, None]
    noise = np.random.default_rng(0).normal(0, 0.01, (num_frames, 2, 4))
    x, y = 100 + [[3, -2]] * frame, 200 + [[0, 1]] * frame
    height = 120 + [[1, 2]] * frame
    boxes = np.stack([x, y, 0.4 + 0 * frame * [[1, 1]], height], -1)
    return boxes * (1 + noise)


def test_equal_to_the_filter_of_mmdetection():
    tracking = pytest.importorskip(
        'mmdet.models.task_modules.tracking', reason='MMDetection'
    )
    reference = tracking.KalmanFilter()
    boxes = walk(40)
    mean, covariance = start_motion(boxes[0])
    expected = [reference.initiate(x) for x in boxes[0]]
    for number, measured in enumerate(boxes[1:]):
        mean, covariance = predict_motion(mean, covariance)
        expected = [reference.predict(*x) for x in expected]
        if number % 5:  # else all are missed
            mean, covariance = update_motion(mean, covariance, measured)
            expected = [
                reference.update(*x, own) for x, own in zip(expected, measured)
            ]
        for found, one in zip((mean, covariance), zip(*expected)):
            np.testing.assert_allclose(found, np.stack(one), rtol=1e-9)


def test_one_step_by_the_textbook():
    """Kalman's equations with the noise of DeepSORT, for a height of 100."""
    seen = np.array([50.0, 60.0, 0.5, 100.0])
    position, velocity = (100 / 20) ** 2, (100 / 160) ** 2
    mean, covariance = start_motion(seen)
    assert mean.tolist() == [*seen, 0, 0, 0, 0]
    before = 4 * position + 100 * velocity + position  # of x, a frame later
    crossed = 100 * velocity  # of x with its velocity
    mean, covariance = predict_motion(mean, covariance)
    assert covariance[0, 0] == pytest.approx(before)
    assert covariance[0, 4] == pytest.approx(crossed)
    mean, covariance = update_motion(mean, covariance, seen + [8, 0, 0, 0])
    share = 8 / (before + position)
    assert mean[0] == pytest.approx(50 + share * before)
    assert mean[4] == pytest.approx(share * crossed)
    assert covariance[0, 0] == pytest.approx(
        before - before**2 / (before + position)
    )


def test_tracks_do_not_see_each_other():
    boxes = walk(6)
    together = start_motion(boxes[0])
    for measured in boxes[1:]:
        together = update_motion(*predict_motion(*together), measured)
    alone = start_motion(boxes[0, 1])
    for measured in boxes[1:, 1]:
        alone = update_motion(*predict_motion(*alone), measured)
    for both, one in zip(together, alone):
        np.testing.assert_allclose(both[1], one, rtol=1e-12)
