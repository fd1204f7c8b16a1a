# Copyright (c) hanet_mm contributors. All rights reserved.
"""The codec between data and network."""

import numpy as np
import pytest
from mmpose.registry import KEYPOINT_CODECS

import hanet_mm  # noqa: F401

pytestmark = pytest.mark.mm

rng = np.random.default_rng(0)
POSES = (40 * rng.normal(size=(11, 15, 2)) + 300).astype(np.float32)
TRUTH = (POSES + rng.normal(size=POSES.shape)).astype(np.float32)
SIZE = np.array([640, 480])


def build(normalization):
    return KEYPOINT_CODECS.build(
        dict(type='PoseSequenceCodec', normalization=normalization)
    )


@pytest.mark.parametrize('normalization', ['none', 'image', 'box'])
def test_round_trip_of_estimates_and_truth(normalization):
    codec = build(normalization)
    encoded = codec.encode(POSES, keypoints_gt=TRUTH, image_size=SIZE)
    for key, expected in (
        ('keypoint_inputs', POSES),
        ('keypoint_labels', TRUTH),
    ):
        decoded, scores = codec.decode(
            encoded[key], encoded['codec_center'], encoded['codec_scale']
        )
        assert np.abs(decoded - expected).max() < 1e-4
        assert decoded.dtype == np.float32
        assert scores.shape == (11, 15)


def test_truth_is_normalised_by_the_estimates():
    codec = build('box')
    encoded = codec.encode(POSES, keypoints_gt=TRUTH)
    other = codec.encode(POSES, keypoints_gt=TRUTH + 50)
    np.testing.assert_array_equal(
        encoded['keypoint_inputs'], other['keypoint_inputs']
    )
    shift = other['keypoint_labels'] - encoded['keypoint_labels']
    np.testing.assert_allclose(shift * encoded['codec_scale'], 50, rtol=1e-3)


def test_missing_and_hidden_keypoints_have_no_weight():
    valid = np.ones((11, 15), dtype=bool)
    valid[2, 3] = False
    visible = np.ones((11, 15), dtype=np.float32)
    visible[4, 5], visible[6, 7] = 0, 0.5
    weights = build('box').encode(
        POSES, visible, keypoints_gt=TRUTH, keypoints_valid=valid
    )['keypoint_weights']
    assert weights[2, 3] == 0
    assert weights[4, 5] == 0
    assert weights[6, 7] == 0.5
    assert weights.sum() == 11 * 15 - 2.5


def test_without_truth_there_are_no_labels():
    encoded = build('box').encode(POSES)
    assert set(encoded) == {'keypoint_inputs', 'codec_center', 'codec_scale'}


def test_unknown_normalisation():
    with pytest.raises(ValueError, match="'person'"):
        build('person')
