# Copyright (c) hanet_mm contributors. All rights reserved.
"""The progress bar."""

import builtins

import pytest

from hanet_mm.progress import progress_bar, track


def test_it_counts_with_rate_and_time_left(capsys):
    pytest.importorskip('tqdm')
    assert list(track('abc', 'letters', 'letter')) == ['a', 'b', 'c']
    with progress_bar(10, 'frames') as advance:
        advance(4)
        advance()
    shown = capsys.readouterr().err
    assert 'letters: 100%' in shown
    assert '3/3' in shown
    assert '5/10' in shown
    assert '<' in shown  # spent < left


def test_nothing_is_shown_unless_asked_for(capsys):
    assert list(track([1, 2], shown=False)) == [1, 2]
    with progress_bar(None, shown=False) as advance:
        advance()
    assert capsys.readouterr().err == ''


def test_without_tqdm_nothing_is_shown(capsys, monkeypatch):
    plain = builtins.__import__

    def fail(name, *args, **kwargs):
        if name == 'tqdm':
            raise ImportError
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', fail)
    assert list(track([1, 2])) == [1, 2]
    assert capsys.readouterr().err == ''
