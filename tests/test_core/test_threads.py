# Copyright (c) hanet_mm contributors. All rights reserved.
"""Parts of a computation in several threads."""

import threading

import numpy as np
import pytest
import torch
from test_trusted_refiner import harsh, make_refiner

from hanet_mm.core.data import blocks
from hanet_mm.core.refine.threads import map_threads


@pytest.fixture
def threads():
    """Two threads, and as many as before afterwards."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures('threads')
def test_parts_of_parts_stay_in_their_thread():
    meet = threading.Barrier(2, timeout=20)

    def outer(number):
        meet.wait()  # both at once, or the barrier breaks
        inner = map_threads(lambda _: threading.get_ident(), range(5))
        assert set(inner) == {threading.get_ident()}
        return number

    assert map_threads(outer, [3, 4]) == [3, 4]
    assert threading.get_ident() not in map_threads(
        lambda _: threading.get_ident(), range(5)
    )


@pytest.mark.usefixtures('threads')
def test_what_fails_in_a_thread_is_raised():
    def fail(number):
        raise ValueError(f'part {number}')

    with pytest.raises(ValueError, match='part 0'):
        map_threads(fail, [0, 1])


def test_results_do_not_depend_on_threads(monkeypatch):
    monkeypatch.setattr(blocks, '_KEYPOINTS', 200)
    refiner = make_refiner(fps=30)
    given = [harsh(n)[:2] for n in (60, 60, 90, 200)]
    before = torch.get_num_threads()
    results = []
    for number in (1, 2):
        torch.set_num_threads(number)
        try:
            results.append(refiner.refine(*map(list, zip(*given))))
        finally:
            torch.set_num_threads(before)
    for one, two in zip(*results):
        np.testing.assert_allclose(
            two.keypoints, one.keypoints, rtol=0, atol=1e-4
        )
        np.testing.assert_array_equal(two.swapped, one.swapped)
        np.testing.assert_array_equal(two.reason, one.reason)
