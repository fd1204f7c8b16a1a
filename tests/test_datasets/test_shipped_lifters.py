# Copyright (c) hanet_mm contributors. All rights reserved.
"""The bundled refiner of 3D joints on kinds of motion that it has not seen."""

import warnings

import numpy as np
import pytest

from hanet_mm import list_refiners, load_refiner
from hanet_mm.core.metrics.measures import measure, true_poses
from hanet_mm.core.refine.swap_chains import swap_chains
from hanet_mm.core.refine.unswap import unswap
from hanet_mm.datasets import SimulatedPoseSequenceDataset
from hanet_mm.filters import MedianButterworthFilter

pytestmark = pytest.mark.mm

NAME = 'h36m17-3d'
if NAME not in list_refiners():
    pytest.skip('this checkout has no weights', allow_module_level=True)


def people(noise, fps=30.0, num=48, seed=21):
    """Estimates with NaN where missing, scores and truth, (T, K, ...)."""
    source = SimulatedPoseSequenceDataset(
        skeleton='h36m17',
        part='test',
        num_windows=num,
        window_size=round(3 * fps),
        chunk_size=num,
        short_share=0.0,
        fps_range=(fps, fps),
        noise=noise,
        seed=seed,
    )
    found = []
    for index in range(num):
        info = source.get_data_info(index)
        given = np.where(
            info['keypoints_valid'][..., None], info['keypoints'], np.nan
        )
        found.append((given, info['keypoint_scores'], info['keypoints_gt']))
    return zip(*found)


def refine(given, scores, fps):
    refiner = load_refiner(NAME)
    with warnings.catch_warnings():
        # Some windows are left to the path.
        warnings.simplefilter('ignore', UserWarning)
        results = refiner.refine(list(given), list(scores), fps=fps)
    return [x.keypoints for x in results]


@pytest.mark.parametrize('fps', [30.0, 60.0])
def test_clean_motion_is_left_alone(fps):
    given, scores, truth = people('clean', fps)
    figures = measure(refine(given, scores, fps), true_poses(truth, root=[0]))
    # Noise of 1 mm; joints move by decimetres.
    assert figures['mean_error'] < 0.005
    assert 98 < figures['motion_kept'] < 102


@pytest.mark.parametrize('noise', ['any-lifter', 'real-lifter'])
@pytest.mark.parametrize('fps', [20.0, 30.0, 60.0])
def test_errors_of_lifters_become_smaller_than_by_a_filter(noise, fps):
    given, scores, truth = people(noise, fps)
    refiner = load_refiner(NAME)
    chains = swap_chains(refiner.keypoint_names)
    right = [
        unswap(x, chains, y, fps=fps).keypoints for x, y in zip(given, scores)
    ]
    # 0.11 cycles of 30 frames a second were best on such data.
    tool = MedianButterworthFilter(window=9, cutoff=0.11 * 30 / fps)
    smooth = tool.refine(right, list(scores))
    truth = true_poses(truth, root=[0])
    ours = measure(refine(given, scores, fps), truth)
    filtered = measure([x.keypoints for x in smooth], truth)
    assert ours['mean_error'] < 0.85 * filtered['mean_error']
    assert ours['error_95'] < 0.85 * filtered['error_95']
    jitter = measure(given, truth)['accel_error']
    assert ours['accel_error'] < 0.2 * jitter
