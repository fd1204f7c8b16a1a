# Copyright (c) hanet_mm contributors. All rights reserved.
"""A small body model in the layout of SMPL's files, and plain skinning.

The skinning follows the paper of SMPL (Loper et al., 2015, eq. 2-9) one
frame, joint and vertex after the other, in float64.
"""

import numpy as np

# fmt: off
PARENTS = [-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
           9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21]
# SMPL's left_ankle is 7, right_ankle 8, and so on: right first, as in lsp14.
LSP14 = [8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20, 12, 15]
# fmt: on


def random_smpl(seed=0, vertices=60, shapes=10):
    """Arrays of a random body about as large as a person, by key."""
    rng = np.random.default_rng(seed)

    def shares(*shape):
        parts = rng.random(shape) ** 4
        return parts / parts.sum(1, keepdims=True)

    # The root's parent is written as -1 without a sign.
    tree = np.array([PARENTS, range(24)]).astype(np.uint32)
    return dict(
        v_template=rng.normal(0, 0.4, (vertices, 3)),
        shapedirs=rng.normal(0, 0.02, (vertices, 3, shapes)),
        posedirs=rng.normal(0, 0.01, (vertices, 3, 207)),
        J_regressor=shares(24, vertices),
        weights=shares(vertices, 24),
        kintree_table=tree,
        f=rng.integers(0, vertices, (30, 3)).astype(np.uint32),
    )


def plain_smpl(arrays, rotations, betas=None, scale=1.0):
    """All 24 joints (24, 3) and vertices (V, 3) of one frame.

    rotations (24, 3, 3), betas (10,).
    """
    betas = np.zeros(10) if betas is None else betas
    shaped = arrays['v_template'] + arrays['shapedirs'][..., :10] @ betas
    rest = arrays['J_regressor'] @ shaped
    feature = (rotations[1:] - np.eye(3)).ravel()
    posed = shaped + arrays['posedirs'] @ feature
    world = []
    for joint, parent in enumerate(PARENTS):
        local = np.eye(4)
        local[:3, :3] = rotations[joint]
        local[:3, 3] = rest[joint] - (rest[parent] if joint else 0)
        world.append(world[parent] @ local if joint else local)
    vertices = np.zeros_like(posed)
    for vertex, point in enumerate(posed):
        for joint in range(24):
            moved = world[joint][:3, :3] @ (point - rest[joint])
            moved = moved + world[joint][:3, 3]
            vertices[vertex] += arrays['weights'][vertex, joint] * moved
    joints = np.array([place[:3, 3] for place in world])
    return scale * joints, scale * vertices
