# Copyright (c) hanet_mm contributors. All rights reserved.
"""Runs of frames in which something lasts, of few of many series."""

from typing import NamedTuple, Optional

import numpy as np


class Runs(NamedTuple):
    """Places (m, ) of R runs, series by series and in the order of time."""

    series: np.ndarray
    rows: np.ndarray
    begins: np.ndarray  # bool: first place of a run
    ends: np.ndarray  # bool: last place of a run
    number: np.ndarray  # of the run that a place belongs to, 0 ... R - 1


def find_runs(active: np.ndarray, first: Optional[np.ndarray] = None) -> Runs:
    """Find the runs in series (N, K) of bool.

    ``first`` is the first row, of each row (N, ), of the sequence to which it
    belongs, where a run begins anew; None: all rows are of one.
    """
    rows_of_one = len(active)
    place = np.flatnonzero(np.ascontiguousarray(active.T))
    series, rows = np.divmod(place, max(rows_of_one, 1))
    begins = rows == (0 if first is None else first[rows])
    begins[:1] = True
    begins[1:] |= place[1:] != place[:-1] + 1
    ends = np.ones_like(begins)
    ends[:-1] = begins[1:]
    return Runs(series, rows, begins, ends, np.cumsum(begins) - 1)
