# Copyright (c) hanet_mm contributors. All rights reserved.
"""What the people of the small world look like: capsules and colours.

Letters: T frames, P people, C capsules of a person, J joints.
"""

from dataclasses import dataclass
from typing import Dict, List, Tuple

import numpy as np

from hanet_mm.datasets.simulation.body import JOINT_NAMES

# Shading: each layer is smaller and lies nearer to the light above.
_LAYERS = ((1.0, 0.0, 0.62), (0.78, 0.16, 0.86), (0.45, 0.36, 1.05))
_CORNERS = 14  # of the polygon that stands for a capsule


@dataclass(frozen=True)
class Capsule:
    """A limb between two points.

    Args:
        ends: Names of joints, or of the points of ``_extra_points``.
        radii: Radius in metres at either end.
        cloth: Key into the colours of a person.
    """

    ends: Tuple[str, str]
    radii: Tuple[float, float]
    cloth: str


def _limbs(side: str) -> List[Capsule]:
    rows = (
        ('shoulder', 'hip', 0.085, 0.085, 'shirt'),
        ('shoulder', 'elbow', 0.055, 0.043, 'sleeve'),
        ('elbow', 'wrist', 0.041, 0.032, 'forearm'),
        ('wrist', 'hand', 0.034, 0.036, 'skin'),
        ('hip', 'knee', 0.088, 0.060, 'trousers'),
        ('knee', 'ankle', 0.056, 0.042, 'shank'),
        ('ankle', 'toe', 0.044, 0.034, 'shoe'),
    )
    return [
        Capsule((f'{side}_{a}', f'{side}_{b}'), radii, cloth)
        for a, b, *radii, cloth in rows
    ]


CAPSULES: Tuple[Capsule, ...] = (
    Capsule(('neck', 'belly'), (0.095, 0.115), 'shirt'),
    Capsule(('belly', 'pelvis'), (0.115, 0.110), 'trousers'),
    Capsule(('chest_front', 'belly_front'), (0.035, 0.030), 'badge'),
    Capsule(('neck', 'head'), (0.050, 0.055), 'skin'),
    Capsule(('head', 'face'), (0.098, 0.085), 'skin'),
    Capsule(('hair', 'crown'), (0.100, 0.092), 'hair'),
    *_limbs('right'),
    *_limbs('left'),
)
"""Parts of a body; which of them hides which follows from their depth."""


def body_points(joints: np.ndarray) -> Dict[str, np.ndarray]:
    """Joints and the further points that capsules end at.

    Args:
        joints (np.ndarray): Metres in the world, (..., J, 3).

    Returns:
        dict[str, np.ndarray]: Points in metres, (..., 3) each.
    """
    points = {name: joints[..., i, :] for i, name in enumerate(JOINT_NAMES)}
    up = _unit(points['neck'] - points['belly'])
    left = _unit(points['left_shoulder'] - points['right_shoulder'])
    forward = _unit(np.cross(left, up))
    hips = _unit(points['left_hip'] - points['right_hip'])
    ahead = _unit(np.cross(hips, np.array([0.0, 0.0, 1.0])))
    points['chest_front'] = points['neck'] + 0.10 * forward - 0.05 * up
    points['belly_front'] = points['belly'] + 0.11 * forward + 0.05 * up
    points['face'] = points['head'] + 0.03 * forward - 0.02 * up
    points['hair'] = points['head'] - 0.055 * forward + 0.02 * up
    points['crown'] = points['head'] - 0.02 * forward + 0.05 * up
    for side in ('left', 'right'):
        wrist, ankle = points[f'{side}_wrist'], points[f'{side}_ankle']
        along = _unit(wrist - points[f'{side}_elbow'])
        points[f'{side}_hand'] = wrist + 0.075 * along
        points[f'{side}_toe'] = ankle + 0.13 * ahead - [0.0, 0.0, 0.03]
    return points


def _unit(vectors: np.ndarray) -> np.ndarray:
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return vectors / np.maximum(length, 1e-6)


def capsule_ends(joints: np.ndarray) -> np.ndarray:
    """Both ends of all capsules in metres, (..., C, 2, 3)."""
    points = body_points(joints)
    return np.stack(
        [
            np.stack([points[end] for end in capsule.ends], axis=-2)
            for capsule in CAPSULES
        ],
        axis=-3,
    )


def capsule_radii() -> np.ndarray:
    """Radii in metres, (C, 2)."""
    return np.array([capsule.radii for capsule in CAPSULES])


def capsule_polygons(ends: np.ndarray, radii: np.ndarray) -> np.ndarray:
    """Outlines of the layers in which capsules are painted.

    Args:
        ends (np.ndarray): Pixels, (..., 2, 2).
        radii (np.ndarray): Pixels, (..., 2).

    Returns:
        np.ndarray: Corners in px, (..., L, corners, 2), outer layer first.
    """
    along = ends[..., 1, :] - ends[..., 0, :]
    angle = np.arctan2(along[..., 1], along[..., 0])[..., None, None]
    half = np.linspace(0.5 * np.pi, 1.5 * np.pi, _CORNERS // 2)
    turn = angle + np.stack([half, half + np.pi])  # (..., 2, corners / 2)
    circle = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    layers = []
    for size, shift, _ in _LAYERS:
        ring = ends[..., None, :] + size * radii[..., None, None] * circle
        # The light comes from above, a little from the left.
        ring = ring - 0.7 * shift * radii[..., None, None] * [0.4, 0.9]
        layers.append(ring.reshape(*ring.shape[:-3], _CORNERS, 2))
    return np.stack(layers, axis=-3)


def sample_colours(rng: np.random.Generator) -> Dict[str, np.ndarray]:
    """Clothes, skin and hair of one person.

    Args:
        rng (np.random.Generator): Source of randomness.

    Returns:
        dict[str, np.ndarray]: BGR in 0..255 by cloth, and ``left``, the
        factor on the colours of left limbs.
    """
    light = rng.uniform(0.35, 1.0)
    skin = light * np.array([150.0, 180.0, 225.0]) * rng.uniform(0.93, 1.07, 3)
    shirt, trousers = rng.uniform(30, 225, (2, 3))
    long_sleeves, long_legs = rng.random(2) < (0.5, 0.7)
    return dict(
        skin=skin,
        shirt=shirt,
        sleeve=shirt * rng.uniform(0.85, 1.1),
        forearm=shirt * 0.95 if long_sleeves else skin,
        trousers=trousers,
        shank=trousers * 0.95 if long_legs else skin,
        shoe=rng.uniform(15, 200, 3),
        hair=rng.uniform(0.15, 0.7) * np.array([60.0, 100.0, 150.0]),
        badge=255 - shirt,
        left=rng.uniform(0.82, 0.92),
    )


def layer_colours(colours: Dict[str, np.ndarray]) -> np.ndarray:
    """Colours of all layers of all capsules, (C, L, 3), BGR 0..255."""
    rows = []
    for capsule in CAPSULES:
        colour = colours[capsule.cloth]
        if capsule.ends[1].startswith('left_'):
            colour = colour * colours['left']
        rows.append([colour * bright for *_, bright in _LAYERS])
    return np.clip(rows, 0, 255)
