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


def swing_limbs(
    roots: np.ndarray,
    frame: np.ndarray,
    angles: np.ndarray,
    upper: np.ndarray,
    lower: np.ndarray,
    bend: float = 1.0,
) -> Tuple[np.ndarray, np.ndarray]:
    """Forward kinematics of both arms or legs: middles and ends.

    ``roots`` (shoulders or hips) and both results are in metres, (S, T, 2, 3);
    ``frame`` is the rotation of trunk or pelvis, (S, T, 3, 3); ``angles`` are
    those of :class:`Posture.arms`; lengths of the bones are (S, 1). The lower
    bone bends forward, or backward with ``bend`` -1.
    """
    flexion, abduction, inward, elbow = angles
    # Ry(-flexion) Rx(+-abduction) Rz(-+inward), written by its columns
    # for the hanging limb (0, 0, -1) and for "forward" (1, 0, 0).
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
    turned, straight = np.sin(elbow)[..., None], np.cos(elbow)[..., None]
    local = np.stack([down, bend * turned * front + straight * down], axis=-2)
    world = np.einsum('stij,stabj->stabi', frame, local)
    middles = roots + upper[..., None, None] * world[..., 0, :]
    return middles, middles + lower[..., None, None] * world[..., 1, :]


def place_limbs(
    roots: np.ndarray,
    ends: np.ndarray,
    towards: np.ndarray,
    upper: np.ndarray,
    lower: np.ndarray,
) -> Tuple[np.ndarray, np.ndarray]:
    """Two-bone inverse kinematics: middles and ends, (S, T, 2, 3).

    The middle (knee or elbow) lies ``towards`` a direction from the line
    between root and end. An end out of reach moves back along that line, so
    both bones always keep their lengths, which are (S, 1). The others are
    (S, T, 2, 3), positions in metres.
    """
    upper, lower = upper[..., None, None], lower[..., None, None]
    line = ends - roots
    reach = np.linalg.norm(line, axis=-1, keepdims=True)
    line /= np.maximum(reach, 1e-9)
    # 0.35: the knee flexes to about 140 degrees, not further.
    reach = np.clip(reach, 0.35 * (upper + lower), 0.9995 * (upper + lower))
    along = (upper**2 - lower**2 + reach**2) / (2 * reach)
    aside = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    normal = towards - line * np.sum(towards * line, axis=-1, keepdims=True)
    normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
    return roots + along * line + aside * normal, roots + reach * line


def place_upper_body(
    pelvis: np.ndarray,
    rotations: Tuple[np.ndarray, np.ndarray, np.ndarray],
    arms: np.ndarray,
    shape: BodyShape,
) -> Dict[str, np.ndarray]:
    """Belly, neck, head (S, T, 3); shoulders, elbows, wrists (S, T, 2, 3).

    ``pelvis`` is in metres, (S, T, 3), ``rotations`` are those of pelvis,
    trunk and head, (S, T, 3, 3) each, ``arms`` those of a :class:`Posture`.
    """
    turn, trunk, face = rotations
    belly = pelvis + shape['lower_trunk'][..., None] * turn[..., 2]
    neck = belly + shape['upper_trunk'][..., None] * trunk[..., 2]
    head = neck + shape['head_up'][..., None] * face[..., 2]
    head += shape['head_forward'][..., None] * face[..., 0]
    aside = SIDE_SIGN * shape['half_shoulders'][..., None]
    shoulders = neck - shape['shoulder_drop'][..., None] * trunk[..., 2]
    shoulders = (
        shoulders[..., None, :] + aside[..., None] * trunk[..., None, :, 1]
    )
    elbows, wrists = swing_limbs(
        shoulders, trunk, arms, shape['upper_arm'], shape['forearm']
    )
    return dict(
        belly=belly,
        neck=neck,
        head=head,
        shoulders=shoulders,
        elbows=elbows,
        wrists=wrists,
    )


def order_joints(parts: Dict[str, np.ndarray]) -> np.ndarray:
    """Joints in the order of ``JOINT_NAMES``, (S, T, 16, 3).

    ``parts`` are those of :func:`place_upper_body` with pelvis, hips, knees
    and ankles.
    """
    shape = parts['pelvis'].shape
    joints = np.empty((*shape[:2], len(JOINT_NAMES), 3))
    joints[..., 0, :], joints[..., 1, :] = parts['neck'], parts['belly']
    joints[..., 2, :], joints[..., 15, :] = parts['head'], parts['pelvis']
    sides = ('shoulders', 'hips', 'elbows', 'knees', 'wrists', 'ankles')
    for place, name in zip(range(3, 15, 2), sides):
        # Sides are (left, right) here, (right, left) in JHMDB.
        joints[..., place : place + 2, :] = parts[name][..., ::-1, :]
    return joints
