# Copyright (c) hanet_mm contributors. All rights reserved.
"""Cutting into windows and merging them."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.nn.decoder import RefinedPoses
from hanet_mm.core.refine.inference import refine_sequences
from hanet_mm.core.refine.windows import (
    window_starts,
    window_table,
    window_weights,
)


def refine(sequences, network=None, valid=None, **kwargs):
    """Refine with a network that returns what it gets, by default."""
    options = dict(window=11, stride=5, normalization='none')
    options.update(kwargs)
    if valid is None:
        valid = [torch.ones(x.shape[:2], dtype=torch.bool) for x in sequences]
    network = network or (lambda x, _: RefinedPoses(x, x))
    return refine_sequences(network, sequences, valid, **options)


class TestStarts:
    def test_last_window_ends_at_the_last_frame(self):
        assert window_starts(28, 11, 5).tolist() == [0, 5, 10, 15, 17]

    def test_published_protocol_drops_the_tail(self):
        assert window_starts(28, 11, 5, 'drop').tolist() == [0, 5, 10, 15]

    def test_no_window_twice(self):
        assert window_starts(26, 11, 5).tolist() == [0, 5, 10, 15]
        assert window_starts(11, 11, 5).tolist() == [0]

    def test_short_sequences_have_one_window(self):
        assert window_starts(3, 11, 5).tolist() == [0]

    @given(st.integers(1, 60), st.integers(1, 20), st.integers(1, 20))
    def test_every_frame_is_covered_if_windows_overlap(
        self, length, window, stride
    ):
        stride = min(stride, window)
        table = window_table([length], window, stride)
        assert set(table.frames[table.inside]) == set(range(length))

    @pytest.mark.parametrize(
        ('lengths', 'window', 'stride'),
        [([0], 11, 5), ([5], 0, 5), ([5], 11, 0)],
    )
    def test_nothing_below_one(self, lengths, window, stride):
        with pytest.raises(ValueError, match='at least 1'):
            window_table(lengths, window, stride)

    def test_unknown_tail(self):
        with pytest.raises(ValueError, match="'keep'"):
            window_table([5], 3, 1, 'keep')


def test_short_sequences_repeat_their_last_frame():
    table = window_table([2, 3], 4, 1)
    assert table.frames.tolist() == [[0, 1, 1, 1], [2, 3, 4, 4]]
    assert table.inside.tolist() == [
        [True, True, False, False],
        [True, True, True, False],
    ]
    assert table.sequence.tolist() == [0, 1]


def test_published_coverage():
    # PUBLISHED section 9: T=11, step 5, 4 windows.
    expected = ('1,1,1,1,1,2,2,2,2,2,3,2,2,2,2,3,2,2,2,2,2,1,1,1,1,1').split(
        ','
    )
    table = window_table([26], 11, 5)
    assert np.bincount(table.frames.ravel()).tolist() == [
        int(x) for x in expected
    ]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(1, 40), min_size=1, max_size=5),
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(1, 7),
    st.booleans(),
)
def test_a_network_that_changes_nothing_gives_the_input(
    lengths, window, stride, batch, taper
):
    sequences = [torch.randn(n, 3, 2) for n in lengths]
    results = refine(
        sequences,
        window=window,
        stride=min(stride, window),
        window_batch=batch,
        taper=taper,
    )
    for sequence, result in zip(sequences, results):
        torch.testing.assert_close(result.keypoints, sequence)
        assert result.covered.all()


def test_weights_of_a_tapered_window_are_those_of_hann():
    # Without the zeros at its ends; shifted by half of it they add up to 1.
    weights = window_weights(11, taper=True)
    np.testing.assert_allclose(weights, np.hanning(13)[1:-1], atol=1e-6)
    assert weights.min() > 0
    np.testing.assert_allclose(weights[:5] + weights[6:], 1, atol=1e-6)
    assert (window_weights(11, taper=False) == 1).all()


def count_windows(windows, _):
    """The k-th window of the call says k everywhere."""
    values = torch.arange(len(windows), dtype=torch.float32)
    return RefinedPoses(values.view(-1, 1, 1, 1).expand_as(windows), None)


def test_tapered_windows_pass_into_each_other():
    (result,) = refine(
        [torch.zeros(17, 1, 2)], count_windows, stride=6, taper=True
    )
    # Alone at first and last; between, as the two windows fade out and in.
    rise = np.sin(np.pi * np.arange(1, 6) / 12) ** 2
    expected = np.concatenate([np.zeros(6), rise, np.ones(6)])
    np.testing.assert_allclose(result.keypoints[:, 0, 0], expected, atol=1e-6)


def test_no_number_of_a_window_gets_into_other_sequences():
    def spoil(windows, _):
        result = windows.clone()
        result[0] = float('nan')
        return RefinedPoses(result, None)

    sequences = [torch.ones(3, 1, 2), torch.ones(12, 1, 2)]
    short, other = refine(sequences, spoil, stride=1, taper=True)
    assert short.keypoints.isnan().all()
    assert (other.keypoints == 1).all()


def test_overlaps_are_averaged():
    (result,) = refine(
        [torch.zeros(6, 1, 2)], count_windows, window=4, stride=1
    )
    # Windows 0, 1, 2 cover frames 0-3, 1-4, 2-5.
    assert result.keypoints[:, 0, 0].tolist() == [0, 0.5, 1, 1, 1.5, 2]


def test_dropped_tail_comes_back_as_it_was():
    sequence = torch.randn(13, 1, 2)
    (result,) = refine(
        [sequence], lambda x, _: RefinedPoses(x + 1, x), tail='drop'
    )
    assert result.covered.tolist() == [True] * 11 + [False] * 2
    torch.testing.assert_close(result.keypoints[11:], sequence[11:])
    torch.testing.assert_close(result.keypoints[:11], sequence[:11] + 1)


def test_batching_of_windows_does_not_matter():
    torch.manual_seed(0)
    layer = torch.nn.Linear(2, 2)
    sequences = [torch.randn(n, 3, 2) for n in (30, 5, 17)]
    results = [
        refine(
            sequences,
            lambda x, _: RefinedPoses(layer(x), None),
            window_batch=batch,
        )
        for batch in (1, 4, 512)
    ]
    for other in results[1:]:
        for one, two in zip(results[0], other):
            torch.testing.assert_close(
                one.keypoints, two.keypoints, rtol=0, atol=1e-6
            )


def test_no_sequences_at_all():
    assert refine([]) == []
