# Copyright (c) hanet_mm contributors. All rights reserved.
"""The network of a refiner as an ONNX file for other programs."""

import json
from typing import Any, Tuple

import torch
from torch import Tensor

from hanet_mm.core.data.atomic import atomic_path
from hanet_mm.core.data.files import PathLike
from hanet_mm.core.nn.engines import (
    Engine,
    export_onnx,
    run_onnx,
    with_metadata,
)
from hanet_mm.core.nn.settings import own_settings
from hanet_mm.core.refine.refiner import Refiner

# Largest difference from torch, relative to the largest value of an output.
TOLERANCE = 1e-4
_BATCHES = (1, 3)


@own_settings()
def write_onnx(refiner: Refiner, out: PathLike) -> float:
    """Write the network of a refiner as an ONNX file.

    Inputs are normalised windows ``keypoints`` (B, T, K, D), without gaps,
    and ``scores`` (B, T, K), 0 where a keypoint was filled, of any number B;
    the output ``final`` (B, T, K, D) is refined. All else that a refiner does
    (normalisation, gate, overlap, trust) is not part of it; its settings are
    in the metadata of the file, ``hanet_mm``, as JSON.

    Args:
        refiner (Refiner): What to export.
        out (PathLike): The ``.onnx`` file, written once it is checked.

    Returns:
        float: Largest relative difference between torch and onnxruntime, for
        batches of another size than that of the export too.

    Raises:
        ImportError: If onnx or onnxruntime is not installed.
        ValueError: If the results differ by more than 1e-4.
    """
    network, window = refiner.network, refiner.window_size
    graph = with_metadata(
        export_onnx(network, window), dict(hanet_mm=json.dumps(refiner.config))
    )
    error = _largest_difference(network, run_onnx(graph), refiner)
    if not error <= TOLERANCE:
        raise ValueError(
            f'{out}: onnxruntime and torch differ by {error:.1e} of the '
            f'largest value, expected at most {TOLERANCE:.0e}'
        )
    with atomic_path(out) as path:
        path.write_bytes(graph)
    return error


@torch.no_grad()
def _largest_difference(
    network: Any, engine: Engine, refiner: Refiner
) -> float:
    largest = 0.0
    for count in _BATCHES:
        windows = _windows(refiner, count)
        for one, other in zip(network(*windows), engine(*windows)):
            if one is not None:
                apart = (one - other).abs().max() / one.abs().max()
                largest = max(largest, float(apart))
    return largest


def _windows(refiner: Refiner, count: int) -> Tuple[Tensor, Tensor]:
    """Random walks of the size of a person, with gaps, and their scores."""
    head = refiner.network.head
    random = torch.Generator().manual_seed(0)
    shape = (count, refiner.window_size, head.num_keypoints, head.coord_dims)
    steps = torch.randn(shape, generator=random)
    poses = 0.3 * steps[:, :1] + 0.01 * steps.cumsum(1)
    scores = torch.rand(shape[:3], generator=random)
    scores[:, : shape[1] // 4, 0] = 0
    device = next(refiner.network.parameters()).device
    return poses.to(device), scores.to(device)
