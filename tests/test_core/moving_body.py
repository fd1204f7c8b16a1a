# Copyright (c) hanet_mm contributors. All rights reserved.
"""A person of two-link limbs who moves, and swaps of left and right."""

import numpy as np

from hanet_mm.core.poses.skeleton_data import coco17
from hanet_mm.core.refine.swap_chains import swap_chains
from hanet_mm.core.refine.unswap import swap_sides

CHAINS = swap_chains(coco17.keypoint_names)
NAMES = list(coco17.keypoint_names)
PARTS = {'body': (0, 1, 2), 'arms': (1,), 'legs': (2,)}


def two_link(root, tip, length):
    """Joint between two links of one length, bent to one side."""
    way = tip - root
    far = np.linalg.norm(way, axis=-1, keepdims=True)
    bent = np.sqrt(np.maximum(length**2 - (far / 2) ** 2, 0))
    across = np.stack([way[..., 1], -way[..., 0], 0 * way[..., 0]], -1)
    return (root + tip) / 2 + bent * across / np.maximum(far, 1e-9)


def body(frames, stride=0.0, arms=0.3, lift=0.0, turn=0.0, crouch=0.0):
    """A person 1.7 m tall, (T, 17, 3): y down, x forward, z to the left.

    Feet swing by stride and rise by lift in counter-phase, hands by arms;
    turn is the angle about the vertical, (T,) or a number.
    """
    phase = 2 * np.pi * np.arange(frames) / 30
    pose = np.zeros((frames, 17, 3))
    at = {name: i for i, name in enumerate(NAMES)}
    pose[:, at['nose']] = (0.1, -1.6, 0)
    for side, sign in (('left', 1), ('right', -1)):
        step = np.sin(phase) * sign
        rise = np.maximum(np.cos(phase) * sign, 0)
        hip = np.stack(
            [0 * step, -0.9 + crouch + 0 * step, 0.1 * sign + 0 * step], -1
        )
        foot = np.stack(
            [stride * step, -lift * rise, 0.1 * sign + 0 * step], -1
        )
        shoulder = hip + (0.0, -0.5, 0.1 * sign)
        hand = shoulder + np.stack(
            [0.1 - arms * step, 0.45 + 0 * step, 0 * step], -1
        )
        for name, place in (
            ('eye', (0.08, -1.65, 0.03 * sign)),
            ('ear', (0.0, -1.62, 0.08 * sign)),
            ('shoulder', shoulder),
            ('elbow', two_link(shoulder, hand, 0.28)),
            ('wrist', hand),
            ('hip', hip),
            ('knee', two_link(hip, foot, 0.5)),
            ('ankle', foot),
        ):
            pose[:, at[f'{side}_{name}']] = place
    angle = np.broadcast_to(turn, (frames,))
    cos, sin = np.cos(angle)[:, None], np.sin(angle)[:, None]
    x, z = pose[..., 0].copy(), pose[..., 2].copy()
    pose[..., 0], pose[..., 2] = cos * x + sin * z, cos * z - sin * x
    return 200 * pose


def lying(frames):
    return body(frames, arms=0.1, turn=0.6)[..., [1, 0, 2]]


MOTIONS = {
    'walking from the side': lambda: body(120, 0.35),
    'walking to the camera': lambda: body(120, 0.35, turn=np.pi / 2),
    'walking at an angle': lambda: body(120, 0.35, turn=0.8),
    'running': lambda: body(120, 0.5, 0.5, 0.4, turn=0.2),
    'cycling from the side': lambda: body(120, 0.17, 0.0, 0.34, crouch=0.2),
    'rowing from the side': lambda: body(120, 0.0, 0.0, crouch=0.5),
    'turning around': lambda: body(
        120, 0.2, turn=np.linspace(0, 2 * np.pi, 120)
    ),
    'standing': lambda: body(120, 0.0, 0.0, turn=1.2),
    'lying': lambda: lying(120),
}


def swap(poses, part, start, length):
    swapped = np.zeros(poses.shape[:2], bool)
    swapped[start : start + length] = np.isin(CHAINS.chains, PARTS[part])
    swapped &= CHAINS.chains >= 0
    scores = np.ones(swapped.shape)
    return swap_sides(poses, scores, swapped, CHAINS).keypoints, swapped
