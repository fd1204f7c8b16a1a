# Copyright (c) hanet_mm contributors. All rights reserved.
"""The progress bar."""

import builtins
from contextlib import contextmanager

import pytest

from hanet_mm.core.data.steps import watched
from hanet_mm.progress import (
    inner_progress,
    progress_bar,
    silent_progress,
    track,
)


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


@pytest.fixture
def no_tqdm(monkeypatch):
    plain = builtins.__import__

    def fail(name, *args, **kwargs):
        if name == 'tqdm':
            raise ImportError
        return plain(name, *args, **kwargs)

    monkeypatch.setattr(builtins, '__import__', fail)


def test_without_tqdm_short_work_shows_nothing(capsys, no_tqdm):
    assert list(track([1, 2])) == [1, 2]
    assert capsys.readouterr().err == ''


def test_without_tqdm_long_work_shows_a_line(capsys, no_tqdm, monkeypatch):
    """A step takes a minute: after 3 of 10, seven are left."""
    now = [0.0]
    monkeypatch.setattr('time.monotonic', lambda: now[0])
    with progress_bar(10, 'frames') as advance:
        for _ in range(3):
            now[0] += 60
            advance()
        shown = capsys.readouterr().err
    assert 'frames: 30% 3/10 frames, 3:00 passed, 7:00 left' in shown
    assert '\n' not in shown
    assert capsys.readouterr().err.endswith('\n')


def test_watched_steps_show_progress_on_a_terminal(capsys, monkeypatch):
    """Only where somebody asks, and never if all is to be silent."""
    shown = []

    @contextmanager
    def bar(total, *more, **options):
        shown.append(total)
        yield lambda: shown.append('step')

    monkeypatch.setattr('hanet_mm.progress.progress_bar', bar)
    assert list(watched([1, 2])) == [1, 2]
    assert shown == []
    with inner_progress('poses'):
        assert list(watched([1, 2])) == [1, 2]
    assert shown == [2, 'step', 'step']


def test_silence_covers_all_bars(capsys):
    with silent_progress(), progress_bar(2) as advance:
        advance(2)
    assert capsys.readouterr().err == ''
