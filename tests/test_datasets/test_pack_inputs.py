# Copyright (c) hanet_mm contributors. All rights reserved.
"""What becomes metainfo of the data samples."""

import numpy as np
import pytest
from mmpose.registry import TRANSFORMS

import hanet_mm  # noqa: F401

pytestmark = pytest.mark.mm

POSES = np.zeros((4, 3, 2), np.float32)
SEQUENCE = dict(
    keypoints=POSES,
    keypoint_scores=POSES[..., 0],
    keypoints_valid=POSES[..., 0] == 0,
    seq_name='one',
    seq_id=3,
    fps=25.0,
    image_size=np.array([640, 480]),
    flip_indices=[0, 2, 1],
    frame_ids=np.arange(4),
)
WINDOW = dict(
    SEQUENCE,
    keypoint_inputs=POSES,
    keypoint_labels=POSES,
    keypoint_weights=POSES[..., 0],
)


def metainfo(results, **arguments):
    pack = TRANSFORMS.build(dict(type='PackPoseSequenceInputs', **arguments))
    return pack(dict(results))['data_samples'].metainfo


def test_by_default_a_sequence_has_what_testing_needs():
    assert {*metainfo(SEQUENCE)} == {
        *('seq_name', 'seq_id', 'image_size', 'fps', 'flip_indices')
    }
    assert metainfo(WINDOW) == dict(seq_id=3)


@pytest.mark.parametrize('results', [SEQUENCE, WINDOW])
def test_meta_keys_say_what_is_packed(results):
    keys = ('seq_name', 'frame_ids', 'img_path')  # the last is not there
    found = metainfo(results, meta_keys=keys)
    assert {*found} == {'seq_name', 'frame_ids'}
    assert found['seq_name'] == 'one'
    np.testing.assert_array_equal(found['frame_ids'], np.arange(4))


def test_meta_keys_are_in_the_repr():
    pack = TRANSFORMS.build(
        dict(type='PackPoseSequenceInputs', meta_keys=('fps',))
    )
    assert repr(pack) == "PackPoseSequenceInputs(meta_keys=('fps',))"
