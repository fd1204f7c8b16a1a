# Copyright (c) hanet_mm contributors. All rights reserved.
"""Assign the rows of a table to its columns, one-to-one."""

from typing import List, Tuple

import numpy as np


def assign_pairs(
    values: np.ndarray, threshold: float = 0.0
) -> List[Tuple[int, int]]:
    """Pairs of a row and a column with the largest sum of values.

    Hungarian method by shortest augmenting paths (Jonker and Volgenant,
    Computing 38, 1987).

    Args:
        values (np.ndarray): Finite, (M, N).
        threshold (float): Pairs of a lower value count as 0. Defaults to 0.

    Returns:
        list: Pairs of a value above 0, by row.
    """
    allowed = np.where(values >= threshold, values, 0.0)
    if allowed.shape[0] > allowed.shape[1]:
        rows = _assign_rows(-allowed.T)
        pairs = sorted((row, column) for column, row in enumerate(rows))
    else:
        pairs = list(enumerate(_assign_rows(-allowed)))
    return [(i, j) for i, j in pairs if allowed[i, j] > 0]


def _assign_rows(costs: np.ndarray) -> List[int]:
    """A column of least total cost for each of M rows, M <= N."""
    num_rows, num_columns = costs.shape
    row_price, column_price = np.zeros(num_rows), np.zeros(num_columns)
    row_of = np.full(num_columns, -1)
    column_of = np.full(num_rows, -1)
    for start in range(num_rows):
        # Shortest path to a free column, as Dijkstra finds it.
        distance = np.full(num_columns, np.inf)
        before = np.full(num_columns, -1)
        passed = np.zeros(num_columns, bool)
        row, length, column = start, 0.0, -1
        while row >= 0:
            reach = length + costs[row] - row_price[row] - column_price
            shorter = ~passed & (reach < distance)
            distance[shorter], before[shorter] = reach[shorter], row
            column = int(np.where(passed, np.inf, distance).argmin())
            length = distance[column]
            passed[column] = True
            row = row_of[column]
        excess = length - distance[passed]
        column_price[passed] -= excess
        owners = row_of[passed]
        row_price[owners[owners >= 0]] += excess[owners >= 0]
        row_price[start] += length
        while column >= 0:  # along the path back to the new row
            row = before[column]
            row_of[column] = row
            column_of[row], column = column, column_of[row]
    return column_of.tolist()
