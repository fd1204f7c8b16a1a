# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refined motion of people filmed at other rates than the refiner's.

The network is replaced by the least-squares parabola through each window, a
smoother whose strength depends, as that of a trained network, on the time
that a window lasts.
"""

import numpy as np
import pytest
import torch
from torch import nn

from hanet_mm import Refiner, StreamingRefiner
from hanet_mm.core.nn.decoder import RefinedPoses

RATE, WINDOW = 30, 11
RATES = [15, 25, 30, 50, 60]
FINE = 300  # frames per second that all rates divide


class Parabolas(nn.Module):
    """Least-squares parabolas through windows (B, T, K, D)."""

    def __init__(self, network):
        super().__init__()
        self.head = network.head
        powers = np.vander(np.linspace(-1, 1, WINDOW), 3)
        fit = powers @ np.linalg.pinv(powers)
        self.register_buffer('fit', torch.from_numpy(fit).float())

    def forward(self, poses, scores=None):
        final = torch.einsum('ts,bskd->btkd', self.fit, poses)
        return RefinedPoses(final, final)


@pytest.fixture(scope='module')
def refiner():
    head = dict(num_keypoints=15, coord_dims=2, embed_dims=16)
    network = dict(
        backbone=dict(head, num_levels=1),
        head=dict(head, num_layers=1),
        sample_interval=5,
    )
    built = Refiner(network, WINDOW, 'none', fps=RATE)
    built.network = Parabolas(built.network)
    return built


@pytest.fixture(scope='module')
def motion():
    """People in front of a camera at 300 fps, (S, T, 15, 2) px."""
    pytest.importorskip('mmpose')
    from hanet_mm.datasets.simulation import generate_motion
    from hanet_mm.datasets.simulation.cameras import sample_cameras

    joints = generate_motion(
        np.random.default_rng(0), 6, 3 * FINE, FINE
    ).joints
    camera = sample_cameras(np.random.default_rng(1), joints, (640, 480), FINE)
    return camera.project(joints[..., :15, :]).astype(np.float32)


def filmed(motion, fps, noise=2.0):
    """Truth and estimates at a frame rate, with white noise in px."""
    truth = motion[:, :: FINE // fps]
    rng = np.random.default_rng(2)
    return truth, truth + rng.normal(0, noise, truth.shape).astype('f4')


def distance(poses, truth):
    """Mean distance in px."""
    return np.linalg.norm(poses - truth, axis=-1).mean()


def jerkiness(poses, truth, fps):
    """Mean acceleration error in px/s²."""
    error = np.diff(poses - truth, n=2, axis=1)
    return np.linalg.norm(error, axis=-1).mean() * fps**2


def refine_all(refiner, poses, **options):
    return np.stack(
        [x.keypoints for x in refiner.refine(list(poses), **options)]
    )


def add_correction(refiner, poses, fps):
    """The other way back: add the change made at the refiner's frames."""
    position = np.arange(poses.shape[1]) * RATE / fps
    grid = np.arange(np.ceil(position[-1] - 1e-9) + 1)

    def move(values, old, new):
        columns = values.transpose(1, 0, 2, 3).reshape(len(old), -1)
        moved = np.stack([np.interp(new, old, x) for x in columns.T], 1)
        shape = (len(new), len(values), *values.shape[2:])
        return moved.reshape(shape).transpose(1, 0, 2, 3).astype('f4')

    at_grid = move(poses, position, grid)
    change = refine_all(refiner, at_grid) - at_grid
    return poses + move(change, grid, position)


@pytest.mark.parametrize('fps', RATES)
def test_poses_at_any_rate_get_better_and_steadier(refiner, motion, fps):
    truth, poses = filmed(motion, fps)
    refined = refine_all(refiner, poses, fps=fps)
    assert distance(refined, truth) < 0.8 * distance(poses, truth)
    before = jerkiness(poses, truth, fps)
    assert jerkiness(refined, truth, fps) < 0.4 * before


def test_slow_rates_are_not_smoothed_too_much(refiner, motion):
    truth, poses = filmed(motion, 15)
    refined = refine_all(refiner, poses, fps=15)
    unaware = refine_all(refiner, poses)
    assert distance(refined, truth) < 0.75 * distance(unaware, truth)


@pytest.mark.parametrize('fps', [50, 60])
def test_fast_rates_are_smoothed_enough(refiner, motion, fps):
    truth, poses = filmed(motion, fps)
    refined = refine_all(refiner, poses, fps=fps)
    unaware = refine_all(refiner, poses)
    before = jerkiness(unaware, truth, fps)
    assert jerkiness(refined, truth, fps) < 0.75 * before


@pytest.mark.parametrize('fps', [25, 50, 60])
def test_bringing_back_the_poses_beats_adding_the_correction(
    refiner, motion, fps
):
    truth, poses = filmed(motion, fps)
    refined = refine_all(refiner, poses, fps=fps)
    added = add_correction(refiner, poses, fps)
    assert distance(refined, truth) < 0.9 * distance(added, truth)
    steadier = jerkiness(added, truth, fps)
    assert jerkiness(refined, truth, fps) < 0.3 * steadier


def test_at_the_refiners_frames_both_ways_back_are_one(refiner, motion):
    _, poses = filmed(motion, 15)
    refined = refine_all(refiner, poses, fps=15)
    np.testing.assert_allclose(
        refined, add_correction(refiner, poses, 15), atol=1e-2
    )


def test_lost_frames_with_time_stamps(refiner, motion):
    truth, poses = filmed(motion, RATE)
    kept = np.random.default_rng(3).random(poses.shape[1]) < 0.6
    truth, poses = truth[:, kept], poses[:, kept]
    times = np.flatnonzero(kept) / RATE
    refined = refine_all(refiner, poses, timestamps=[times] * len(poses))
    unaware = refine_all(refiner, poses)
    assert distance(refined, truth) < 0.8 * distance(poses, truth)
    assert distance(refined, truth) < 0.8 * distance(unaware, truth)


@pytest.mark.parametrize('fps', [15, 30, 50])
def test_looking_ahead_makes_streams_better(refiner, motion, fps):
    truth, poses = filmed(motion[:2], fps)
    errors = []
    for lookahead in (0, WINDOW // 2, WINDOW - 1):
        stream = StreamingRefiner(refiner, lookahead, fps=fps)
        results = {0: [], 1: []}
        for number in range(poses.shape[1]):
            found = {n: (poses[n, number], None) for n in results}
            for key, frames in stream.push_many(found).items():
                results[key] += frames
        for key, frames in stream.flush().items():
            results[key] += frames
        refined = [[x.keypoints for x in results[n]] for n in (0, 1)]
        errors.append(distance(np.array(refined), truth))
    assert errors[0] > errors[1] > errors[2]
    assert errors[1] < distance(poses, truth)
