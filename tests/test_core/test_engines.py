# Copyright (c) hanet_mm contributors. All rights reserved.
"""Forms of the network: traced, exported, in other programs."""

import sys

import numpy as np
import pytest
import torch
from scored_refiners import FLIP, D, K, T, make_scored_refiner, make_track
from small_refiners import make_refiner

from hanet_mm import StreamingRefiner, load_refiner
from hanet_mm.core.nn.engines import (
    engine_of_streams,
    make_engine,
    trace_network,
)
from hanet_mm.core.nn.reduction import ReducedSystem, smoothing_change


def dense_matrix(weights):
    """``diag(w) + C^T C`` for weights (T, ) in float64."""
    second = np.diff(np.eye(len(weights)), 2, axis=0)
    return np.diag(weights) + second.T @ second


@pytest.mark.parametrize('frames', [1, 2, 3, 4, 5, 8, 9, 31, 49])
def test_reduction_solves_the_system(frames):
    rng = np.random.default_rng(frames)
    weights = 10 ** rng.uniform(-4, 1, (frames, 2, 3))
    wanted = rng.normal(0, 1, (frames, 2, 3, 2))
    system = ReducedSystem(torch.from_numpy(weights))
    found = system.solve(torch.from_numpy(wanted)).numpy()
    for series in np.ndindex(2, 3):
        own = (slice(None), *series)
        expected = np.linalg.solve(dense_matrix(weights[own]), wanted[own])
        np.testing.assert_allclose(
            found[own], expected, atol=1e-9 * np.abs(expected).max()
        )


def test_float32_is_enough_for_stiff_smoothers():
    rng = np.random.default_rng(0)
    weights = np.full((49, 1), 1e-4)
    weights[::8] = 0.01
    series = rng.normal(0, 0.1, (49, 1, 2)).cumsum(0)
    matrix, second = dense_matrix(weights[:, 0]), dense_matrix(np.zeros(49))
    expected = np.linalg.solve(matrix, -second @ series[:, 0])
    found = smoothing_change(
        torch.from_numpy(series).float(), torch.from_numpy(weights).float()
    ).numpy()[:, 0]
    largest = np.abs(expected).max()
    np.testing.assert_allclose(found, expected, atol=1e-4 * largest)
    # The straight line that is left is what smooth_poses takes out.


REFINERS = {
    'plain': make_refiner,
    'scores': lambda: make_scored_refiner(
        network=dict(
            interval=2, head=dict(flip_indices=FLIP, predict_error=True)
        )
    ),
}


def windows(count, seed=0):
    rng = np.random.default_rng(seed)
    poses = rng.normal(0, 0.3, (count, 1, K, D))
    poses = poses + rng.normal(0, 0.02, (count, T, K, D)).cumsum(1)
    scores = rng.uniform(0.05, 1, (count, T, K))
    scores[:, :2, 1] = 0
    return torch.from_numpy(poses).float(), torch.from_numpy(scores).float()


def check_equal(engine, network, relative):
    # Other sizes than that of the sample too.
    for count in (1, 2, 7):
        given = windows(count)
        with torch.no_grad():
            expected, found = network(*given), engine(*given)
        for one, other in zip(expected, found):
            assert (one is None) == (other is None)
            if one is not None:
                limit = relative * float(one.abs().max())
                torch.testing.assert_close(other, one, rtol=0, atol=limit)


@pytest.mark.parametrize('name', REFINERS)
def test_traced_network_is_the_network(name):
    network = REFINERS[name]().network
    check_equal(trace_network(network, T), network, 1e-5)


def test_a_traced_network_still_takes_windows_of_other_lengths():
    network = make_refiner().network
    poses, scores = (x[:, : T - network.sample_interval] for x in windows(2))
    with torch.no_grad():
        expected = network(poses, scores).final
        trace_network(network, T)
        found = network(poses, scores).final
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@pytest.mark.parametrize('name', REFINERS)
@pytest.mark.parametrize('engine', ['onnx', 'openvino'])
def test_engines_are_the_network(name, engine):
    pytest.importorskip('onnx')
    pytest.importorskip('onnxruntime' if engine == 'onnx' else engine)
    network = REFINERS[name]().network
    check_equal(make_engine(engine, network, T), network, 1e-4)


def test_refiner_with_an_engine_refines_and_streams_alike(tmp_path):
    pytest.importorskip('onnxruntime')
    pytest.importorskip('onnx')
    make_scored_refiner().save(tmp_path / 'r.safetensors')
    plain = load_refiner(tmp_path / 'r.safetensors')
    refiner = load_refiner(tmp_path / 'r.safetensors', engine='onnx')
    refiner.network.forward = None  # it is not needed any more
    poses, scores = make_track(20)
    expected = plain.refine(poses, scores).keypoints
    limit = 1e-4 * np.abs(poses).max()
    found = refiner.refine(poses, scores).keypoints
    np.testing.assert_allclose(found, expected, rtol=0, atol=limit)
    stream = StreamingRefiner(refiner, T - 1)
    frames = [y for x in zip(poses, scores) for y in stream.push(*x)]
    frames += stream.flush(0)
    found = np.stack([x.keypoints for x in frames])
    np.testing.assert_allclose(found, expected, rtol=0, atol=limit)


def test_streams_have_the_weights_of_now():
    refiner = make_refiner()
    engine = engine_of_streams(refiner.engine, T)
    assert engine is not refiner.network
    assert engine_of_streams(refiner.engine, T) is engine
    with torch.no_grad():
        refiner.network.head.output.bias.add_(1)
    check_equal(engine_of_streams(refiner.engine, T), refiner.network, 1e-5)


def test_networks_with_hooks_are_not_traced():
    network = make_refiner().network
    network.head.register_forward_hook(lambda *_: None)
    assert engine_of_streams(network, T) is network


def test_unknown_engines_and_devices_are_told(tmp_path):
    make_refiner().save(tmp_path / 'r.safetensors')
    with pytest.raises(
        ValueError, match=r"expected one of .*found 'tensorrt'"
    ):
        load_refiner(tmp_path / 'r.safetensors', engine='tensorrt')
    with pytest.raises(ValueError, match='expected the device cpu'):
        load_refiner(tmp_path / 'r.safetensors', 'cuda', engine='onnx')


def test_missing_packages_are_named_with_their_extra(tmp_path, monkeypatch):
    make_refiner().save(tmp_path / 'r.safetensors')
    monkeypatch.setitem(sys.modules, 'onnx', None)
    with pytest.raises(ImportError, match=r'hanet_mm\[onnx\]'):
        load_refiner(tmp_path / 'r.safetensors', engine='onnx')
    with pytest.raises(ImportError, match=r'hanet_mm\[openvino\]'):
        load_refiner(tmp_path / 'r.safetensors', engine='openvino')
