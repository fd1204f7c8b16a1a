# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors of toes and heels from a bank that has those of ankles only.

This part is simulated: a foot is wrong as its ankle is, and on top as an ankle
or a knee at another time of the same or another film, which gives its own
errors the run lengths, gaps and scores of real ones.

S sequences, T frames, K keypoints, D coordinates.
"""

from typing import Dict, Sequence, Tuple

import numpy as np

from hanet_mm.core.poses.skeleton import plain_name

from .error_bank import DrawnErrors, ErrorBank
from .keypoints import FOOT_PARTS, keypoint_parts

# Of each part of a foot, whose errors at another time are its own, and how
# much of them.
_OWN: Dict[str, Tuple[str, float]] = dict(
    big_toe=('ankle', 0.6), small_toe=('ankle', 0.7), heel=('knee', 0.7)
)


def draw_errors(
    rng: np.random.Generator,
    bank: ErrorBank,
    num: int,
    frames: int,
    fps: np.ndarray,
    keypoint_names: Sequence[str],
) -> DrawnErrors:
    """Draw errors, see :meth:`ErrorBank.draw`, of feet too.

    Where the bank lacks a keypoint of a foot but has its ankle and knee, the
    error is the ankle's plus a part of the ankle's or knee's of another
    piece; it is missing where one of both is, has a score between theirs, and
    changes sides with the ankle.
    """
    names = [plain_name(x) for x in keypoint_names]
    known = {plain_name(x) for x in bank.keypoint_names}
    made = [
        x not in known and x.partition('_')[2] in FOOT_PARTS for x in names
    ]
    if not any(made):
        return bank.draw(rng, num, frames, fps, keypoint_names)
    given = [x for x, new in zip(names, made) if not new]
    body, other = (bank.draw(rng, num, frames, fps, given) for _ in range(2))
    lead, own, part = [], [], []
    for name in names:
        side, _, kind = name.partition('_')
        joint, share = _OWN[kind] if name not in given else ('', 0.0)
        leader = f'{side}_ankle' if joint else name
        another = f'{side}_{joint}' if joint else name
        lead.append(given.index(leader))
        own.append(given.index(another))
        part.append(share)
    scale = np.float32(part)[:, None]
    foot = scale[:, 0] > 0
    score = body.scores[..., lead]
    score = np.where(foot, np.sqrt(score * other.scores[..., own]), score)
    errors = body.errors[:, :, lead]
    errors += np.where(foot[:, None], scale * other.errors[:, :, own], 0)
    swapped = body.source[..., lead] != lead
    mirror = keypoint_parts(tuple(names), errors.shape[-1]).mirror
    return DrawnErrors(
        errors,
        score,
        np.where(swapped, mirror, np.arange(len(names))),
        body.bias[:, :, lead] + scale * other.bias[:, :, own],
    )
