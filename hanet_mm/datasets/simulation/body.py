# Copyright (c) hanet_mm contributors. All rights reserved.
"""Body shape, skeleton and limb kinematics of the procedural people.

World frame: metres, z up. Body frame: x forward, y to the left, z up.
Segment lengths are fractions of stature after R. Drillis and R. Contini,
"Body segment parameters", 1966 (the table that D. A. Winter,
"Biomechanics and Motor Control of Human Movement", reprints as Fig. 4.1),
varied per person.
"""

from dataclasses import dataclass
from typing import Dict, Tuple

import numpy as np

from hanet_mm.core.poses.skeleton_data import SKELETONS

JHMDB_KEYPOINT_NAMES: Tuple[str, ...] = SKELETONS['jhmdb15'].keypoint_names
"""Keypoint order of JHMDB-15, the first 15 joints of a procedural body."""

JOINT_NAMES: Tuple[str, ...] = (*JHMDB_KEYPOINT_NAMES, 'pelvis')
"""Joints of the procedural body; the pelvis is the midpoint of the hips."""

# Fractions of stature. Where the table gives breadths over the skin
# (shoulders 0.259, hips 0.191) joint centres lie further in; neck, belly
# and face follow the places at which JHMDB annotates them.
SEGMENT_FRACTIONS: Dict[str, float] = dict(
    upper_arm=0.186,
    forearm=0.146,
    thigh=0.245,
    shank=0.246,
    ankle_height=0.039,
    forefoot=0.085,
    half_hips=0.055,
    half_shoulders=0.105,
    shoulder_drop=0.012,
    lower_trunk=0.065,
    upper_trunk=0.225,
    head_up=0.085,
    head_forward=0.030,
)

# Left and right share a length, so the last axis of every array over both
# sides is (left, right) and this is the sign of the body's y axis.
SIDE_SIGN = np.array([1.0, -1.0])


@dataclass
class BodyShape:
    """Segment lengths of S people by the names of ``SEGMENT_FRACTIONS``."""

    stature: np.ndarray  # metres, (S,)
    lengths: Dict[str, np.ndarray]  # metres, (S,) each

    def __getitem__(self, name: str) -> np.ndarray:
        """Length of a segment as (S, 1), to combine with (S, T) arrays."""
        return self.lengths[name][:, None]

    @property
    def leg(self) -> np.ndarray:
        """Hip to ankle of the straight leg in metres, (S, 1)."""
        return self['thigh'] + self['shank']


def sample_body_shapes(rng: np.random.Generator, num: int) -> BodyShape:
    """Draw people: stature 1.70 m +- 9 cm, each segment +- 4 %."""
    stature = np.clip(rng.normal(1.70, 0.09, num), 1.45, 1.98)
    spread = rng.standard_normal((num, len(SEGMENT_FRACTIONS)))
    factors = 1 + 0.04 * np.clip(spread, -2.5, 2.5)
    fractions = np.array(list(SEGMENT_FRACTIONS.values()))
    lengths = stature[:, None] * fractions * factors
    return BodyShape(stature, dict(zip(SEGMENT_FRACTIONS, lengths.T)))


def rotation(
    yaw: np.ndarray, roll: np.ndarray, pitch: np.ndarray
) -> np.ndarray:
    """Rotation Rz(yaw) Rx(roll) Ry(pitch) from body to world, (..., 3, 3).

    Angles are in radians, (...). Positive yaw turns to the left, positive
    pitch bends forward, positive roll lifts the left side.
    """
    cz, sz = np.cos(yaw), np.sin(yaw)
    cx, sx = np.cos(roll), np.sin(roll)
    cy, sy = np.cos(pitch), np.sin(pitch)
    shape = np.broadcast_shapes(cz.shape, cx.shape, cy.shape)
    out = np.empty((*shape, 3, 3))
    out[..., 0, 0] = cz * cy - sz * sx * sy
    out[..., 0, 1] = -sz * cx
    out[..., 0, 2] = cz * sy + sz * sx * cy
    out[..., 1, 0] = sz * cy + cz * sx * sy
    out[..., 1, 1] = cz * cx
    out[..., 1, 2] = sz * sy - cz * sx * cy
    out[..., 2, 0] = -cx * sy
    out[..., 2, 1] = sx
    out[..., 2, 2] = cx * cy
    return out


def place_arms(
    shoulders: np.ndarray,
    trunk: np.ndarray,
    angles: np.ndarray,
    shape: BodyShape,
) -> Tuple[np.ndarray, np.ndarray]:
    """Forward kinematics of both arms: elbows and wrists, (S, T, 2, 3).

    ``shoulders`` are in metres, (S, T, 2, 3), ``trunk`` is its rotation,
    (S, T, 3, 3), ``angles`` are those of :class:`Posture.arms`.
    """
    flexion, abduction, inward, elbow = angles
    # Ry(-flexion) Rx(+-abduction) Rz(-+inward), written by its columns
    # for the hanging arm (0, 0, -1) and for "forward" (1, 0, 0).
    ca, sa = np.cos(flexion), np.sin(flexion)
    cb, sb = np.cos(abduction), np.sin(abduction)
    cg, sg = np.cos(inward), np.sin(inward)
    down = np.stack([cb * sa, sb * SIDE_SIGN, -cb * ca], axis=-1)
    front = np.stack(
        [
            ca * cg + sa * sb * sg,
            -SIDE_SIGN * cb * sg,
            sa * cg - ca * sb * sg,
        ],
        axis=-1,
    )
    bend, straight = np.sin(elbow)[..., None], np.cos(elbow)[..., None]
    local = np.stack([down, bend * front + straight * down], axis=-2)
    world = np.einsum('stij,stabj->stabi', trunk, local)
    elbows = shoulders + shape['upper_arm'][..., None, None] * world[..., 0, :]
    wrists = elbows + shape['forearm'][..., None, None] * world[..., 1, :]
    return elbows, wrists


def place_legs(
    hips: np.ndarray,
    ankles: np.ndarray,
    forward: np.ndarray,
    shape: BodyShape,
) -> Tuple[np.ndarray, np.ndarray]:
    """Two-bone inverse kinematics: knees and ankles, (S, T, 2, 3).

    The knee bends towards ``forward``. An ankle out of reach moves back along
    the line from the hip, so both bones always keep their lengths. All
    arguments are (S, T, 2, 3), positions in metres.
    """
    thigh = shape['thigh'][..., None, None]
    shank = shape['shank'][..., None, None]
    line = ankles - hips
    reach = np.linalg.norm(line, axis=-1, keepdims=True)
    line /= np.maximum(reach, 1e-9)
    # 0.35: the knee flexes to about 140 degrees, not further.
    reach = np.clip(reach, 0.35 * (thigh + shank), 0.9995 * (thigh + shank))
    along = (thigh**2 - shank**2 + reach**2) / (2 * reach)
    aside = np.sqrt(np.maximum(thigh**2 - along**2, 0.0))
    normal = forward - line * np.sum(forward * line, axis=-1, keepdims=True)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    return hips + along * line + aside * normal, hips + reach * line
