# Copyright (c) hanet_mm contributors. All rights reserved.
"""Which keypoints of a skeleton are swapped together."""

from typing import NamedTuple, Optional, Sequence

import numpy as np

from ..poses.skeleton import make_skeleton, plain_name

NUM_CHAINS = 3
TRUNK, ARMS, LEGS = range(NUM_CHAINS)
_ARM_WORDS = {
    *('elbow', 'wrist', 'hand', 'thumb', 'index', 'pinky', 'palm'),
    *('finger', 'fingers', 'forefinger', 'forearm'),
}
_LEG_WORDS = {
    *('knee', 'ankle', 'foot', 'feet', 'heel', 'toe', 'toes', 'shin', 'calf'),
}


class SwapChains(NamedTuple):
    """Pairs of a skeleton and the chains that are swapped together.

    Attributes:
        flip_indices (np.ndarray): Keypoint of the other side of each
            keypoint, int (K,).
        chains (np.ndarray): Chain of each keypoint, int (K,): 0 trunk and
            face, 1 arms, 2 legs, -1 for keypoints without another side.
    """

    flip_indices: np.ndarray
    chains: np.ndarray


def swap_chains(
    keypoint_names: Optional[Sequence[str]] = None,
    flip_indices: Optional[Sequence[int]] = None,
) -> SwapChains:
    """Find the chains of a skeleton by the names of its keypoints.

    Args:
        keypoint_names (Sequence[str], optional): K names, of any spelling
            that :func:`plain_name` knows. Defaults to None: the whole body
            is one chain, and ``flip_indices`` are needed.
        flip_indices (Sequence[int], optional): Keypoint of the other side of
            each keypoint. Defaults to None: by the names.

    Returns:
        SwapChains: Without any chain if no keypoint has another side.

    Raises:
        ValueError: If both are None, or they are no pairing of K keypoints.

    Examples:
        >>> swap_chains(['nose', 'LElbow', 'RElbow', 'l_hip', 'r_hip']).chains
        array([-1,  1,  1,  0,  0])
    """
    if keypoint_names is None and flip_indices is None:
        raise ValueError('expected keypoint_names or flip_indices, found none')
    if flip_indices is None:
        names = list(keypoint_names or ())
        flip = np.arange(len(names))
        for left, right in make_skeleton('', names).flip_pairs:
            pair = [names.index(left), names.index(right)]
            flip[pair] = pair[::-1]
    else:
        flip = np.asarray(flip_indices)
    places = np.arange(len(flip))
    if set(flip) != set(places) or not np.array_equal(flip[flip], places):
        raise ValueError(
            f'flip_indices: expected a pairing of {len(flip)} keypoints, '
            f'found {list(flip)}'
        )
    chains = np.zeros(len(flip), int)
    if keypoint_names is not None:
        if len(keypoint_names) != len(flip):
            raise ValueError(
                f'keypoint_names: expected {len(flip)}, found '
                f'{len(keypoint_names)}'
            )
        chains[:] = [_chain_of(name) for name in keypoint_names]
    chains[flip == places] = -1
    return SwapChains(flip, chains)


def _chain_of(name: str) -> int:
    words = {word.rstrip('0123456789') for word in plain_name(name).split('_')}
    if words & _LEG_WORDS:
        return LEGS
    return ARMS if words & _ARM_WORDS else TRUNK
