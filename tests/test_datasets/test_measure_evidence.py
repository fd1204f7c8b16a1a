# Copyright (c) hanet_mm contributors. All rights reserved.
"""Training windows as refiners that keep to the evidence see them."""

import numpy as np
import pytest
from mmengine.registry import DefaultScope
from mmpose.registry import DATASETS, TRANSFORMS

import hanet_mm  # noqa: F401
from hanet_mm.core.refine.robust_path import robust_path
from hanet_mm.core.refine.trust import gap_allowance

pytestmark = pytest.mark.mm

NAMES = ('left_hip', 'right_hip', 'left_knee', 'right_knee')
FLIP = [1, 0, 3, 2]
BODY = np.float32([[40, 0], [-40, 0], [45, 100], [-45, 100]])


@pytest.fixture(autouse=True)
def _scope():
    with DefaultScope.overwrite_default_scope('mmpose'):
        yield


def window(frames=30, padding=0):
    """A person who drifts aside at constant speed; the end is padding."""
    drift = np.arange(frames)[:, None, None] * np.float32([2.0, 0.5])
    truth = BODY + drift
    valid = np.ones((frames, 4), bool)
    weights = np.ones((frames, 4), np.float32)
    if padding:
        valid[-padding:], weights[-padding:] = False, 0
    return dict(
        keypoints=truth.copy(),
        keypoint_scores=np.where(valid, np.float32(0.9), 0),
        keypoints_valid=valid,
        keypoints_visible=weights,
        keypoints_gt=truth,
        keypoint_names=NAMES,
        flip_indices=FLIP,
    )


def measure(results, **kwargs):
    transform = TRANSFORMS.build(dict(type='MeasureEvidence', **kwargs))
    return transform.transform(dict(results))


def test_swaps_are_undone_and_gaps_filled():
    given = window()
    points, scores = given['keypoints'], given['keypoint_scores']
    points[10:14] = points[10:14][:, FLIP]
    scores[10:14, 0] = 0.5
    given['keypoints_valid'][20:22, 3] = False
    points[20:22, 3] = 1e4
    found = measure(given)
    # The score goes with the keypoint; a straight line fills the gap.
    assert found['keypoint_scores'][12, 1] == 0.5
    assert not found['keypoints_valid'][20:22, 3].any()
    assert found['keypoints_valid'].sum() == 30 * 4 - 2
    for key in ('keypoints', 'path'):
        np.testing.assert_allclose(
            found[key], given['keypoints_gt'], atol=0.01
        )


def test_evidence_is_that_of_the_refiner():
    given = window()
    rng = np.random.default_rng(0)
    given['keypoints'] += rng.normal(0, 2, (30, 4, 2)).astype(np.float32)
    given['keypoints_valid'][5:8, 2] = False
    found = measure(given, fps=50.0)
    missing = ~given['keypoints_valid']
    path = robust_path(found['keypoints'], missing, 50.0)
    np.testing.assert_allclose(found['path'], path.keypoints, atol=1e-4)
    np.testing.assert_allclose(found['noise'], path.noise, rtol=1e-5)
    np.testing.assert_allclose(
        found['allowance'], gap_allowance(path, missing, 50.0), rtol=1e-5
    )


def test_windows_at_once_are_measured_as_each_alone():
    rng = np.random.default_rng(0)
    windows = []
    for padding in (0, 0, 11, 11, 23):
        one = window(padding=padding)
        points = one['keypoints']
        points += rng.normal(0, 2, points.shape).astype(np.float32)
        points[5:9] = points[5:9][:, FLIP]
        one['keypoints_valid'] &= rng.random((30, 4)) < 0.8
        windows.append(one)
    # Padding at the beginning.
    windows[3] = {
        key: x[::-1] if isinstance(x, np.ndarray) else x
        for key, x in windows[3].items()
    }
    together = {
        key: np.stack([one[key] for one in windows])
        if isinstance(x, np.ndarray)
        else x
        for key, x in windows[0].items()
    }
    found = measure(together)
    for i, one in enumerate(windows):
        alone = measure(one)
        assert alone.keys() == found.keys()
        for key, value in alone.items():
            if not isinstance(value, np.ndarray):
                continue
            # The smoother adds up in another order.
            np.testing.assert_allclose(
                found[key][i], value, rtol=1e-6, atol=1e-6, err_msg=key
            )


def test_padding_takes_no_part():
    whole, padded = measure(window(20)), measure(window(30, padding=10))
    for key in ('keypoints', 'path', 'noise', 'allowance'):
        np.testing.assert_allclose(padded[key][:20], whole[key])
        repeated = np.broadcast_to(whole[key][-1:], padded[key][20:].shape)
        np.testing.assert_allclose(padded[key][20:], repeated)
    assert (padded['keypoint_scores'][20:] == 0).all()


def test_codec_normalises_path_and_noise_alike():
    results = measure(window())
    codec = dict(type='PoseSequenceCodec', normalization='box')
    encoded = TRANSFORMS.build(dict(type='GenerateTarget', encoder=codec))(
        results
    )
    # The box of the median pose: 100 px high.
    np.testing.assert_allclose(
        encoded['keypoint_noise'], results['noise'] / 100, rtol=1e-5
    )
    middle = encoded['codec_center']
    np.testing.assert_allclose(
        encoded['keypoint_path'] * 100 + middle, results['path'], atol=1e-4
    )
    packed = TRANSFORMS.build(dict(type='PackPoseSequenceInputs'))(
        dict(encoded, seq_id=0)
    )
    labels = packed['data_samples'].gt_instance_labels
    assert labels['keypoint_allowance'].shape == (30, 4)


def test_windows_are_made_once(monkeypatch):
    windows = DATASETS.build(
        dict(
            type='SimulatedPoseSequenceDataset',
            num_windows=3,
            window_size=9,
            chunk_size=3,
            keep=True,
        )
    )
    windows[1]['keypoints'][:] = 0
    made = []
    monkeypatch.setattr(windows, 'get_data_info', made.append)
    assert windows[1]['keypoints'].any()
    assert not made
