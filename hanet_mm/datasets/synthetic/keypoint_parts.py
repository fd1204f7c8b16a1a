"""What the names of keypoints tell about an estimator's errors."""

from functools import lru_cache
from typing import Dict, NamedTuple, Tuple

import numpy as np

LIMBS = (('elbow', 'wrist'), ('knee', 'ankle', 'foot'))
"""Parts that are exchanged together when left and right limbs are."""

# Errors relative to the whole body by part; the ends of limbs are hardest,
# and the points of the face are told most exactly (people who annotate COCO
# agree on them within 0.025 to 0.035, on others within 0.06 to 0.11).
_IN_2D: Dict[str, float] = dict(
    wrist=1.75, ankle=1.4, foot=1.4, elbow=1.4, knee=1.0, hip=0.7,
    shoulder=0.85, nose=0.5, eye=0.5, ear=0.55,
)  # fmt: skip
# A lifter gives places relative to the root, which has no error of its own:
# the further along the body from there, the larger the error.
_IN_3D: Dict[str, float] = dict(
    root=0.0, pelvis=0.0, hip=0.4, spine=0.5, belly=0.5, thorax=0.75,
    neck=0.8, neck_base=0.8, head=1.0, head_top=1.1, shoulder=0.85,
    elbow=1.25, wrist=1.7, knee=0.95, ankle=1.4, foot=1.4,
)  # fmt: skip
_OTHER = 0.9
_GROUPS = (
    ('left', ('shoulder', 'elbow', 'wrist')),
    ('right', ('shoulder', 'elbow', 'wrist')),
    ('left', ('hip', 'knee', 'ankle', 'foot')),
    ('right', ('hip', 'knee', 'ankle', 'foot')),
)


class KeypointParts(NamedTuple):
    """What the keypoint names tell: (K,) arrays.

    Args:
        difficulty (np.ndarray): Error relative to the whole body's; 0 for a
            joint without any.
        mirror (np.ndarray): Index of the mirrored joint, or its own.
        limb (np.ndarray): Index into ``LIMBS``, -1 = none.
        group (np.ndarray): Arms 0 and 1, legs 2 and 3, trunk and head 4.
    """

    difficulty: np.ndarray
    mirror: np.ndarray
    limb: np.ndarray
    group: np.ndarray

    @property
    def half(self) -> np.ndarray:
        """Upper half 0 (arms), lower half 1 (legs), neither 2, (K,)."""
        return self.group // 2


@lru_cache(maxsize=16)
def keypoint_parts(names: Tuple[str, ...], dims: int) -> KeypointParts:
    """Difficulty, mirrored joint, limb and group of each keypoint.

    Args:
        names (Tuple[str, ...]): K names such as ``left_wrist``.
        dims (int): Coordinates of a keypoint, 2 or 3: in 3D the errors grow
            with the distance from the root.

    Returns:
        KeypointParts: Arrays of K entries.
    """
    table = _IN_3D if dims == 3 else _IN_2D
    place = {name: i for i, name in enumerate(names)}
    swap = {'left': 'right', 'right': 'left'}
    rows = []
    for name in names:
        side, _, part = name.partition('_')
        if side not in swap:
            side, part = '', name
        other = f'{swap[side]}_{part}' if side else name
        rows.append(
            (
                table.get(part, _OTHER),
                place.get(other, place[name]),
                next((i for i, x in enumerate(LIMBS) if part in x), -1),
                next(
                    (
                        i
                        for i, (where, x) in enumerate(_GROUPS)
                        if side == where and part in x
                    ),
                    len(_GROUPS),
                ),
            )
        )
    return KeypointParts(*map(np.array, zip(*rows)))
