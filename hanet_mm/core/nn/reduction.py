# Copyright (c) hanet_mm contributors. All rights reserved.
"""The linear system of a smoother in few steps, for exported networks.

Formats of other programs have no factorisation, and frame by frame is a long
graph. Block cyclic reduction (Buzbee, Golub and Nielson, SIAM Journal on
Numerical Analysis 7, 1970) halves the number of unknowns in each step.
"""

from typing import List, NamedTuple, Tuple

import numpy as np
import torch
from torch import Tensor


def curvature(values: Tensor) -> Tensor:
    """``C^T C`` times values with second differences C, (T, ...)."""
    if len(values) < 3:
        return torch.zeros_like(values)
    bend = _differences(_differences(values))
    none = torch.zeros_like(values[:2])
    return _differences(_differences(torch.cat([none, bend, none])))


def _differences(values: Tensor) -> Tensor:
    # One after the other: those of neighbours are exact in float32 too.
    return values[1:] - values[:-1]


def smoothing_change(series: Tensor, weights: Tensor) -> Tensor:
    """Solve ``(diag(w) + C^T C) x = -C^T C p`` to the digits of float32.

    The smooth series is p + x. What a first solution leaves of the equation is
    solved for once more: the curvature of a smooth series is exact enough.

    Args:
        series (Tensor): p, (T, ..., D).
        weights (Tensor): Above 0, (T, ...).

    Returns:
        Tensor: x, (T, ..., D).
    """
    system = ReducedSystem(weights)
    change = system.solve(-curvature(series))
    rest = weights[..., None] * change + curvature(series + change)
    return change - system.solve(rest)


class _Level(NamedTuple):
    """Elimination of the odd ones of n blocks.

    ``inverse`` (n / 2, 2, 2, ...) of these, ``links`` (n / 2, 4, 2, ...) to
    the blocks before and after, and the product of both (n / 2, 2, 4, ...).
    """

    inverse: Tensor
    links: Tensor
    solved: Tensor


class ReducedSystem:
    """The matrix ``diag(w) + C^T C``, C the second differences, eliminated.

    It has five diagonals: two frames are a block, and blocks touch their
    neighbours only. Those of odd number are eliminated, all at once, until
    one is left. Slower than :func:`solve_smoother` in torch.

    Args:
        weights (Tensor): Above 0, (T, ...).
    """

    def __init__(self, weights: Tensor):
        # A number, not a part of the graph: windows have one length.
        self.count = int(weights.shape[0])
        self.levels: List[_Level] = []
        blocks, links = _blocks(weights, self.count)
        while blocks.shape[0] > 1:
            odd = _inverse(blocks[1::2])
            before, after = links[::2], links[1::2]
            solved = _product(
                odd, torch.cat([before.transpose(1, 2), after], 2)
            )
            both = torch.cat([before, after.transpose(1, 2)], 1)
            self.levels.append(_Level(odd, both, solved))
            change = _product(both, solved)
            blocks = blocks[::2] - change[:, :2, :2]
            blocks = blocks - _later(change[:, 2:, 2:])
            links = -change[:, :2, 2:]
        self.last = _inverse(blocks)

    def solve(self, wanted: Tensor) -> Tensor:
        """Solution for right-hand sides (T, ..., D), of the same shape."""
        last = wanted.ndim - 1
        series = wanted.permute(0, last, *range(1, last))
        rest = _pairs(series, self.count)
        solutions = []
        for level in self.levels:
            odd = _product(level.inverse, rest[1::2])
            solutions.append(odd)
            change = _product(level.links, odd)
            rest = rest[::2] - change[:, :2] - _later(change[:, 2:])
        solution = _product(self.last, rest)
        for level, odd in zip(reversed(self.levels), reversed(solutions)):
            following = torch.cat([solution[1:], 0 * solution[:1]])
            around = torch.cat([solution, following], 1)
            odd = odd - _product(level.solved, around)
            # (n, 2, D, ...) twice -> (2n, 2, D, ...)
            solution = torch.stack([solution, odd], 1).flatten(0, 1)
        frames = solution.flatten(0, 1)[: self.count]
        return frames.permute(0, *range(2, wanted.ndim), 1)


def _blocks(weights: Tensor, count: int) -> Tuple[Tensor, Tensor]:
    """Blocks (n, 2, 2, ...) on the diagonal, n a power of two, and what links
    each to the next, of the same shape.
    """
    size = _padded_size(count)
    matrix = np.eye(size)
    second = np.diff(np.eye(count), 2, axis=0)
    matrix[:count, :count] = second.T @ second
    # (n, 2, n, 2) -> (n, n, 2, 2)
    matrix = matrix.reshape(size // 2, 2, size // 2, 2).swapaxes(1, 2)
    row = np.arange(size // 2)
    constant = np.zeros((size // 2, 3, 2, 2))
    constant[:, 0] = matrix[row, row]
    constant[:-1, 1] = matrix[row[:-1], row[1:]]
    constant[:, 2] = np.eye(2)
    spread = (..., *[None] * (weights.ndim - 1))
    own, links, eye = torch.from_numpy(constant).to(weights)[spread].unbind(1)
    own = own + _pairs(weights, count)[:, :, None] * eye
    # Of all series. Exporters take zeros_like for a constant of this batch.
    return own, links + 0 * own


def _padded_size(count: int) -> int:
    return 2 ** max((count - 1).bit_length(), 1)


def _pairs(values: Tensor, count: int) -> Tensor:
    """Values (T, ...) as blocks of two frames (n, 2, ...), zeros behind."""
    missing = _padded_size(count) - count
    values = torch.cat([values, *[0 * values[:1]] * missing])
    return values.unflatten(0, (-1, 2))


def _later(values: Tensor) -> Tensor:
    """Values (n, ...) one place further on, zeros first."""
    return torch.cat([0 * values[:1], values[:-1]])


def _inverse(blocks: Tensor) -> Tensor:
    """Inverse of symmetric blocks (n, 2, 2, ...)."""
    first, across, last = blocks[:, 0, 0], blocks[:, 0, 1], blocks[:, 1, 1]
    turned = torch.stack([last, -across, -across, first], 1)
    turned = turned.unflatten(1, (2, 2))
    return turned / (first * last - across * across)[:, None, None]


def _product(left: Tensor, right: Tensor) -> Tensor:
    """Products of matrices (n, R, 2 or 4, ...) and (n, 2 or 4, C, ...)."""
    total = left[:, :, :1] * right[:, None, 0]
    for place in range(1, left.shape[2]):
        total = total + left[:, :, place, None] * right[:, None, place]
    return total
