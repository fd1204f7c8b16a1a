# Copyright (c) hanet_mm contributors. All rights reserved.
"""Poses mapped to where annotators put the joints."""

import numpy as np
import pytest
import torch
from small_refiners import close, run_stream, stack
from test_trusted_refiner import harsh, make_refiner

from hanet_mm import StreamingRefiner, load_refiner
from hanet_mm.core.nn.decoder import KinematicDecoder
from hanet_mm.core.nn.definitions import JointDefinitions


def rotation(angle):
    cos, sin = np.cos(angle), np.sin(angle)
    return torch.tensor([[cos, -sin], [sin, cos]], dtype=torch.float64)


def test_a_joint_is_moved_by_a_part_of_the_others():
    definitions = JointDefinitions(3)
    definitions.weight.data[2, 0] = 0.5
    # Their mean is (1, 1): joint 0 lies (-1, -1) from it.
    poses = torch.tensor([[0.0, 0], [2, 1], [1, 2]])
    expected = torch.tensor([[0.0, 0], [2, 1], [0.5, 1.5]])
    torch.testing.assert_close(definitions(poses), expected)


def test_place_direction_and_size_of_a_person_do_not_matter():
    definitions = JointDefinitions(5).double()
    torch.nn.init.normal_(definitions.weight)
    poses = torch.randn(4, 5, 2, dtype=torch.float64)
    turn = rotation(0.7)
    moved = definitions(3 * poses @ turn + 100)
    torch.testing.assert_close(moved, 3 * definitions(poses) @ turn + 100)


def test_rotations_have_no_definitions():
    with pytest.raises(ValueError, match='keypoints only'):
        KinematicDecoder(24, 6, joint_definitions=True)


@pytest.mark.parametrize('trust', [True, False])
def test_sequences_and_streams_come_out_in_the_definitions(tmp_path, trust):
    poses, scores, _ = harsh()
    plain = make_refiner(trust=trust, fps=30)
    refiner = make_refiner(trust=trust, fps=30, joint_definitions=True)
    definitions = refiner.network.head.definitions
    before = plain.refine(poses, scores).keypoints
    close(refiner.refine(poses, scores).keypoints, before, 1e-6)
    torch.nn.init.normal_(definitions.weight, std=0.1)
    path = tmp_path / 'refiner.safetensors'
    refiner.save(path)
    loaded = load_refiner(path)
    expected = definitions(torch.from_numpy(before)).detach().numpy()
    assert np.abs(expected - before).max() > 1
    close(loaded.refine(poses, scores).keypoints, expected, 1e-5)
    frames = run_stream(StreamingRefiner(loaded, 200), poses, scores)
    close(stack(frames), expected, 1e-5)
