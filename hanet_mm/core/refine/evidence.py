# Copyright (c) hanet_mm contributors. All rights reserved.
"""Keep refined poses to the evidence, in 2D and relative to a root in 3D.

In 2D the path, the noise and the limit are those of the keypoints as they are,
see :mod:`hanet_mm.core.refine.trust`. 3D poses of a :class:`RigidBody` are
taken relative to their root, as the network sees them; the root has a path of
its own, without any network. How far bones change their length tells of
errors that are too slow for noise, and in the end bones are brought nearer to
their usual length.
"""

from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from ..data.lengths import lengths
from .local_fit import FitStore
from .noise import local_size, size_reach
from .rigid import RigidBody, keep_lengths, length_change, usual_lengths
from .robust_path import RobustPath, is_local, robust_path
from .root_path import filled_root_path, root_of
from .trust import Trusted, limit_to_noise

# Frames whose lengths of bones a stream remembers.
_REMEMBERED = 600


class GivenPoses(NamedTuple):
    """Frames as they were given, left and right put right and gaps filled.

    ``keypoints`` are (T, ..., K, D), ``missing`` and ``swapped`` bool
    (T, ..., K); ``fps`` frames per second.
    """

    keypoints: np.ndarray
    missing: np.ndarray
    swapped: Optional[np.ndarray]
    fps: float


class BoneMemory:
    """Lengths of the bones (T, B) of the frames that a stream handed out."""

    def __init__(self) -> None:
        self._past: List[Tuple[np.ndarray, np.ndarray]] = []

    def usual(self, found: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Remember lengths (n, B) where seen; the usual ones so far, (B,)."""
        self._past.append((found, seen))
        found, seen = (np.concatenate(x) for x in zip(*self._past))
        self._past = [(found[-_REMEMBERED:], seen[-_REMEMBERED:])]
        return usual_lengths(found, seen)


def keep_to_evidence(
    refined: np.ndarray,
    errors: Optional[np.ndarray],
    given: GivenPoses,
    body: Optional[RigidBody] = None,
    rows: Optional[slice] = None,
    fits: Optional[FitStore] = None,
    memories: Optional[List[BoneMemory]] = None,
    overwrite: bool = False,
) -> Trusted:
    """Limit refined poses to what the frames around them give evidence of.

    Args:
        refined (np.ndarray): Poses of a network, (n, ..., K, D), of the
            frames ``rows``.
        errors (np.ndarray, optional): Those that it expects, (n, ..., K).
            Where they are NaN a filter stood in for the network, and the
            path is the better one. None: it tells none.
        given (GivenPoses): All T frames.
        body (RigidBody, optional): Of 3D poses relative to a root. Defaults
            to None: keypoints as they are.
        rows (slice, optional): Frames that are wanted. Defaults to None:
            all.
        fits (FitStore, optional): Of a stream, see :func:`robust_path`;
            poses are relative to the root.
        memories (List[BoneMemory], optional): Of P people of a stream, whose
            poses are (T, P, K, D). Defaults to None: usual lengths are those
            of ``rows``.
        overwrite (bool): Whether the result may take the memory of
            ``refined`` and ``errors``, of long sequences of all frames.
            Defaults to False.

    Returns:
        Trusted: Of the frames wanted.
    """
    rows = slice(0, len(given.keypoints)) if rows is None else rows
    rejected = None if errors is None else np.isnan(errors)
    if body is None:
        first = 0 if overwrite else _first_needed(given, rows)
        path = robust_path(
            given.keypoints,
            given.missing,
            given.fps,
            memory=fits,
            first=first,
        )
        own = slice(rows.start - first, rows.stop - first)
        if overwrite:
            if rejected is not None:
                places = rejected[..., None]
                np.copyto(refined, path.keypoints, where=places)
        else:
            refined = _between(refined, rejected, path, own)
        trusted = limit_to_noise(
            refined,
            path,
            given.missing[first:],
            None if given.swapped is None else given.swapped[first:],
            given.fps,
            out=(refined, errors) if overwrite else (None, None),
        )
        return _rows(trusted, own)
    path, root = _relative_path(given, body, fits)
    refined = refined - root_of(refined, body.root)
    refined = _between(refined, rejected, path, rows)
    change = length_change(path.keypoints, given.missing, body, given.fps)
    trusted = _rows(
        limit_to_noise(
            refined, path, given.missing, given.swapped, given.fps, change
        ),
        rows,
    )
    way = lengths(refined[rows] - trusted.keypoints)
    expected = way if errors is None else np.hypot(errors, way)
    usual = _usual(trusted, given.missing[rows], body, memories)
    poses = keep_lengths(trusted.keypoints, usual, body, errors)
    poses = poses + root.keypoints[rows][..., None, :]
    return trusted._replace(
        keypoints=poses.astype(np.float32),
        expected_error=expected.astype(np.float32),
    )


def _first_needed(given: GivenPoses, rows: slice) -> int:
    """First frame that limits of the frames ``rows`` depend on.

    Paths apart; of missing keypoints the whole sequence tells, and at low
    rates of all.
    """
    near = size_reach(given.fps)
    first = max(rows.start - near, 0)
    missing = given.missing[max(first - near, 0) :]
    if missing.any() or not is_local(given.fps):
        return 0
    return first


def _relative_path(
    given: GivenPoses, body: RigidBody, fits: Optional[FitStore]
) -> Tuple[RobustPath, RobustPath]:
    """Paths of the joints relative to the root, and of the root (T, ..., D).

    Noise and outliers of the root are those of its own path.
    """
    place = root_of(given.keypoints, body.root)
    relative = (given.keypoints - place).astype(np.float32)
    joints = list(body.root)
    lost = given.missing[..., joints].any(-1)
    size = local_size(relative, given.missing, given.fps)
    # With a memory the path finds sizes by what was known of them before.
    own = size if fits is None else None
    path = robust_path(relative, given.missing, given.fps, own, memory=fits)
    root = filled_root_path(place[..., 0, :], lost, given.fps, size)
    path.outlier[..., joints] |= root.outlier.any(-1, keepdims=True)
    if len(joints) == 1:
        path.noise[..., joints] = lengths(root.noise)[..., None]
    return path, root


def _between(
    refined: np.ndarray,
    rejected: Optional[np.ndarray],
    path: RobustPath,
    rows: slice,
) -> np.ndarray:
    """Refined poses of all frames: the path where nothing else is known."""
    every = path.keypoints.astype(refined.dtype)
    if rejected is not None:
        refined = np.where(rejected[..., None], every[rows], refined)
    every[rows] = refined
    return every


def _rows(trusted: Trusted, rows: slice) -> Trusted:
    return Trusted(*(x[rows] if len(x) else x for x in trusted))


def _usual(
    trusted: Trusted,
    missing: np.ndarray,
    body: RigidBody,
    memories: Optional[List[BoneMemory]],
) -> np.ndarray:
    """Usual lengths of the bones of limited poses, (..., B)."""
    found = body.lengths(trusted.keypoints.astype(np.float64))
    seen = body.seen(missing)
    if memories is None:
        return usual_lengths(found, seen)
    people = [
        memory.usual(found[:, n], seen[:, n])
        for n, memory in enumerate(memories)
    ]
    return np.stack(people)
