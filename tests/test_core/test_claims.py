# Copyright (c) hanet_mm contributors. All rights reserved.
"""One process alone makes an output; those that were killed are replaced."""

import json
import os
import subprocess
import sys

import pytest

from hanet_mm.core.data import claims
from hanet_mm.core.data.claims import (
    claim,
    claim_path,
    remove_stale_claim,
    without_leftovers,
)

# Claims a file, says so, and waits to be killed.
HOLDER = """
import sys, time
from hanet_mm.core.data.claims import claim
with claim(sys.argv[1]) as ours:
    print(ours, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def target(tmp_path):
    return tmp_path / 'folder' / 'poses.json'


@pytest.fixture
def holder(target, repo_root):
    """Another process that has claimed the target."""
    process = subprocess.Popen(
        [sys.executable, '-c', HOLDER, str(target)],
        stdout=subprocess.PIPE,
        env=dict(os.environ, PYTHONPATH=str(repo_root)),
    )
    assert process.stdout.readline().strip() == b'True'
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def is_claimed(target):
    """Whether another may not have it."""
    with claim(target) as ours:
        return not ours


def foreign_claim(target, age, **owner):
    """A claim of another host, renewed so many seconds ago."""
    path = claim_path(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(dict(host='another', pid=1, **owner)))
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))
    return path


def test_one_holds_it_and_nothing_is_left(target):
    with claim(target) as ours:
        assert ours
        assert is_claimed(target)
        assert not is_claimed(target.with_name('other.json'))
    assert not is_claimed(target)
    assert list(target.parent.iterdir()) == []


def test_an_error_ends_the_claim(target):
    with pytest.raises(KeyboardInterrupt), claim(target):
        raise KeyboardInterrupt
    assert not is_claimed(target)


@pytest.mark.skipif(
    claims.running_system() is None, reason='locks tell it on Linux'
)
def test_a_killed_process_holds_nothing(target, holder):
    assert is_claimed(target)
    holder.kill()
    holder.wait()
    # At once: its last renewal was a moment ago.
    assert claim_path(target).exists()
    assert not is_claimed(target)


def test_claims_of_other_hosts_count_by_their_renewal(target):
    path = foreign_claim(target, claims.STALE - 20, locked_in='another')
    assert is_claimed(target)
    assert path.exists()
    foreign_claim(target, claims.STALE + 20, locked_in='another')
    assert not is_claimed(target)
    assert list(target.parent.iterdir()) == []


def test_the_number_of_a_process_says_nothing(target):
    # As in a container: a number that no process here has, or our own.
    for pid in (2**22 + 1, os.getpid()):
        path = foreign_claim(target, 5, locked_in=None)
        path.write_text(json.dumps(dict(host='another', pid=pid)))
        assert is_claimed(target)


@pytest.mark.parametrize('content', ['', '{', '[]', '{"locked_in": 3}'])
def test_a_claim_that_is_being_written_holds(target, content):
    path = foreign_claim(target, 0)
    path.write_text(content)
    assert is_claimed(target)


def test_a_holder_renews_its_claim(target, monkeypatch):
    monkeypatch.setattr(claims, 'RENEWAL', 0.01)
    with claim(target):
        path = claim_path(target)
        os.utime(path, (1000, 1000))
        for _ in range(1000):
            if path.stat().st_mtime > 1000:
                break
            claims.threading.Event().wait(0.01)
        assert path.stat().st_mtime > 1000


def test_a_claim_that_was_taken_over_stays_the_others(target):
    with claim(target):
        # Stopped for minutes: somebody else has it now.
        claim_path(target).unlink()
        path = foreign_claim(target, 0, locked_in='another')
    assert path.exists()


def test_who_takes_over_too_late_gives_it_back(target, monkeypatch):
    path = foreign_claim(target, claims.STALE + 20)
    real = os.rename

    def overtaken(source, grave):
        # Between the look at the claim and its removal.
        path.unlink()
        foreign_claim(target, 0, locked_in='another')
        real(source, grave)

    monkeypatch.setattr(os, 'rename', overtaken)
    assert is_claimed(target)
    assert json.loads(path.read_text())['locked_in'] == 'another'
    assert list(target.parent.iterdir()) == [path]


def test_claims_left_beside_finished_work_go(target):
    path = foreign_claim(target, claims.STALE + 20)
    remove_stale_claim(target)
    assert not path.exists()
    path = foreign_claim(target, 0)
    remove_stale_claim(target)
    assert path.exists()


def test_long_names_have_claims(tmp_path):
    target = tmp_path / ('n' * 250 + '.csv')
    with claim(target) as ours:
        assert ours


def interrupt(targets, work):
    with without_leftovers(targets):
        work()
        raise KeyboardInterrupt


def test_what_a_stopped_process_left_goes_with_an_interruption(target):
    def work():
        foreign_claim(target, claims.STALE + 20)

    with pytest.raises(KeyboardInterrupt):
        interrupt([target], work)
    assert list(target.parent.iterdir()) == []
    # But not what another one is working on.
    with pytest.raises(KeyboardInterrupt):
        interrupt([target], lambda: foreign_claim(target, 0))
    assert claim_path(target).exists()
