# Copyright (c) hanet_mm contributors. All rights reserved.
"""Move keypoints that a refiner does not know with those that it does.

Heels and toes follow the ankle, fingers the wrist, and all keypoints change
sides with their limb. Where the ankle left its estimate far behind, the
estimate alone may have been wrong: then the others follow only if they are
nearer to the estimate than to the refined place.
"""

from itertools import product
from typing import NamedTuple, Optional

import numpy as np

from ..data.gaps import missing_keypoints
from ..poses.keypoint_map import KeypointMap
from ..poses.skeleton import plain_name
from .swap_chains import ARMS, LEGS, NUM_CHAINS, swap_chains
from .unswap import swap_sides

# A correction of more than so much of the distance between two keypoints is
# one that only one of them may need.
_LARGE = 0.5
_SIDES = ('left', 'right')
_ENDS = {ARMS: 'wrist', LEGS: 'ankle'}


class Moved(NamedTuple):
    """All keypoints (T, Ks, D); which changed sides, bool (T, Ks), or None."""

    keypoints: np.ndarray
    swapped: Optional[np.ndarray]


class Followers:
    """Brings refined keypoints back into poses of another skeleton.

    T: frames, Ks: keypoints of the poses, Kt: of the refiner.
    """

    def __init__(self, mapping: KeypointMap) -> None:
        self.mapping = mapping
        self._chains = swap_chains(mapping.source.keypoint_names)
        self._leader = self._find_leaders()

    def move(
        self,
        given: np.ndarray,
        refined: np.ndarray,
        scores: Optional[np.ndarray] = None,
        swapped: Optional[np.ndarray] = None,
    ) -> Moved:
        """Put refined (T, Kt, D) in the place of the given (T, Ks, D).

        ``scores`` (T, Ks) are 0 where missing; None: as NaN says.
        ``swapped`` (T, Kt) are the keypoints that changed sides.
        """
        seen = ~missing_keypoints(
            given, np.ones(given.shape[:2]) if scores is None else scores
        )
        flags = None
        if swapped is not None:
            flags = self.sides(swapped)
            given, known, _ = swap_sides(given, seen, flags, self._chains)
            seen = known.astype(bool)
        result = self.mapping.backward(refined, given)
        rows = np.flatnonzero(self.followers)
        leader = self._leader[rows]
        step = result[:, leader] - given[:, leader]
        apart = np.linalg.norm(given[:, rows] - given[:, leader], axis=-1)
        after = np.linalg.norm(given[:, rows] - result[:, leader], axis=-1)
        size = np.linalg.norm(step, axis=-1)
        together = (size <= _LARGE * apart) | (apart <= after)
        together &= seen[:, leader] & np.isfinite(size)
        result[:, rows] += np.where(together[..., None], step, 0)
        return Moved(result, flags)

    @property
    def followers(self) -> np.ndarray:
        """Keypoints that follow another one, bool (Ks,)."""
        return self._leader >= 0

    def report(self) -> str:
        """One line: what becomes of each keypoint."""
        return self.mapping.report(self.followers)

    def _find_leaders(self) -> np.ndarray:
        """The ankle or wrist of each keypoint that has one, else -1, (Ks,)."""
        names = [plain_name(x) for x in self.mapping.source.keypoint_names]
        leader = np.full(len(names), -1)
        for side, (chain, end) in product(_SIDES, _ENDS.items()):
            if f'{side}_{end}' not in names:
                continue
            place = names.index(f'{side}_{end}')
            if self.mapping.untouched[place]:
                continue
            own = np.array([x.startswith(side) for x in names])
            own &= (self._chains.chains == chain) & self.mapping.untouched
            leader[own] = place
        return leader

    def sides(self, swapped: np.ndarray) -> np.ndarray:
        """Swapped keypoints of the refiner, (T, Kt), to all of their limbs.

        Returns bool (T, Ks).
        """
        flags = self.mapping.backward_flags(swapped)
        known = ~self.mapping.untouched
        for chain in range(NUM_CHAINS):
            members = self._chains.chains == chain
            changed = flags[:, members & known].any(1)
            flags[:, members & ~known] = changed[:, None]
        return flags
