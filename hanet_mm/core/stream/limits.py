# Copyright (c) hanet_mm contributors. All rights reserved.
"""Limit the frames that are due to what the streams give evidence of."""

from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..refine.evidence import (
    BoneMemory,
    GivenPoses,
    keep_to_evidence,
)
from ..refine.rigid import RigidBody
from ..refine.trust import OUTLIER
from .fit_memory import FitMemory, PeopleFits


class Evidence(NamedTuple):
    """What a stream remembers of a person: F frames, gaps filled.

    ``keypoints`` are (F, K, D), ``missing``, ``swapped`` and ``outlying``
    bool (F, K). ``index`` is the number of the first frame, ``body`` that of
    3D poses.
    """

    keypoints: np.ndarray
    missing: np.ndarray
    swapped: np.ndarray
    outlying: np.ndarray
    fps: float
    index: int  # type: ignore[assignment]  # tuple.index is not used
    fits: FitMemory
    bones: BoneMemory
    body: Optional[RigidBody]


class DueFrames(NamedTuple):
    """Refined poses with expected errors (n, K, D + 1) of frames that are due.

    ``evidence`` is there if they have to be limited, ``rows`` are their
    places in it, and ``reason`` (n, K) is why keypoints were changed, once
    they are.
    """

    values: np.ndarray
    rows: slice
    evidence: Optional[Evidence] = None
    reason: Optional[np.ndarray] = None


def limit_due_frames(
    people: Sequence[Optional[DueFrames]],
) -> List[Optional[DueFrames]]:
    """Limit what is due of several persons, see :func:`keep_to_evidence`.

    Those with equally many frames to remember go through it together.
    """
    groups: Dict[Tuple, List[int]] = {}
    for number, due in enumerate(people):
        if due is not None and due.evidence is not None:
            evidence = due.evidence
            key = (evidence.keypoints.shape, due.rows.start, due.rows.stop)
            groups.setdefault((*key, evidence.fps), []).append(number)
    limited = list(people)
    for numbers in groups.values():
        together = _limit([people[x] for x in numbers])
        for number, due in zip(numbers, together):
            limited[number] = due
    return limited


def _limit(people: Sequence) -> List[DueFrames]:
    """Limit people whose arrays are of one shape."""
    given: List[Evidence] = [x.evidence for x in people]
    rows, fps = people[0].rows, given[0].fps
    # (F, P, K, ...)
    keypoints, missing, swapped = (
        np.stack([getattr(x, name) for x in given], axis=1)
        for name in ('keypoints', 'missing', 'swapped')
    )
    fits = PeopleFits([x.fits for x in given], [x.index for x in given], fps)
    values = np.stack([x.values for x in people], axis=1)
    trusted = keep_to_evidence(
        values[..., :-1],
        values[..., -1],
        GivenPoses(keypoints, missing, swapped, fps),
        given[0].body,
        rows,
        fits,
        [x.bones for x in given],
    )
    limited = []
    for number, (due, evidence) in enumerate(zip(people, given)):
        reason = trusted.reason[:, number]
        reason = np.where(evidence.outlying[rows], OUTLIER, reason)
        limited.append(
            due._replace(
                values=trusted.keypoints[:, number],
                reason=reason.astype(np.uint8),
            )
        )
    return limited
