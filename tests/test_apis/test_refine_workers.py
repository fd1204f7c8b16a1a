# Copyright (c) hanet_mm contributors. All rights reserved.
"""Several processes, and several machines, refine one folder."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from refine_data import make_poses, make_refiner

from hanet_mm.apis import refine as module
from hanet_mm.apis.refine import RefineOptions, refine_folder
from hanet_mm.apis.workers import WorkerError, Workers
from hanet_mm.core.data.claims import claim, claim_path


@pytest.fixture
def source(tmp_path):
    """A folder with four recordings and one that is none."""
    folder = tmp_path / 'in'
    (folder / 'more').mkdir(parents=True)
    for number, name in enumerate(('a', 'b', 'more/c', 'more/d')):
        np.save(folder / f'{name}.npy', make_poses(40 + number, number))
    (folder / 'bad.npy').write_bytes(b'nothing')
    return folder


def contents(folder):
    return {
        str(x.relative_to(folder)): x.read_bytes()
        for x in folder.rglob('*')
        if x.is_file()
    }


def odd_task(number):
    """Ends its process, fails, or works."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 9:
        raise OSError(28, 'No space left on device', 'disk')
    return number**2


@pytest.mark.skipif(os.name != 'posix', reason='signals of POSIX')
def test_a_killed_process_costs_its_item_alone():
    with Workers(odd_task, 2) as workers:
        results = dict(workers.run(range(8)))
        assert isinstance(results.pop(3), WorkerError)
        assert results == {n: n**2 for n in (0, 1, 2, 4, 5, 6, 7)}
        # The same processes go on, until an error ends it all.
        assert dict(workers.run([2])) == {2: 4}
        with pytest.raises(OSError, match='No space left'):
            list(workers.run([9]))
        processes = list(workers._processes.values())
    assert not any(x.is_alive() for x in processes)


def test_work_that_cannot_be_shared():
    with pytest.raises(ValueError, match='workers: expected at least 1'):
        Workers(odd_task, 0)
    with pytest.raises(ValueError, match='cannot be sent to other proc'):
        Workers(lambda item: item, 2)


def test_two_processes_write_what_one_writes(source, tmp_path):
    one, two = tmp_path / 'one', tmp_path / 'two'
    first = refine_folder(source, one, RefineOptions(make_refiner()))
    second = refine_folder(
        source, two, RefineOptions(make_refiner()), workers=2
    )
    assert len(contents(one)) == 4
    assert contents(one) == contents(two)
    assert second == first
    assert [Path(x).name for x, _ in second.failed] == ['bad.npy']
    assert (second.num_refined, second.num_frames) == (4, 166)


def test_files_of_others_are_waited_for(source, tmp_path, monkeypatch):
    monkeypatch.setattr(module, '_LOOK_AGAIN', 0.01)
    (source / 'bad.npy').unlink()
    out = tmp_path / 'out'
    started, done = threading.Event(), threading.Event()
    real, refined = module.refine_poses, []

    def other_machine():
        # It works on b, and another on c until that is killed.
        with claim(out / 'b.npy'):
            started.set()
            done.wait(60)
            real(source / 'b.npy', out / 'b.npy', options)

    def seen(item, *more):
        refined.append(item.name)
        if len(refined) == 2:
            done.set()
        return real(item, *more)

    options = RefineOptions(make_refiner()).load()
    monkeypatch.setattr(module, 'refine_poses', seen)
    other = threading.Thread(target=other_machine)
    other.start()
    assert started.wait(60)
    dead = claim_path(out / 'more' / 'c.npy')
    dead.parent.mkdir()
    dead.write_text('{"host": "killed", "locked_in": "another"}')
    os.utime(dead, (1000, 1000))
    summary = refine_folder(source, out, options)
    other.join()
    assert refined == ['a.npy', 'c.npy', 'd.npy']
    assert (summary.num_refined, summary.num_skipped) == (3, 1)
    assert sorted(contents(out)) == [
        'a.npy',
        'b.npy',
        'more/c.npy',
        'more/d.npy',
    ]


@pytest.mark.skipif(os.name != 'posix', reason='signals of POSIX')
def test_an_interruption_is_one_line_and_stops_all(tmp_path, repo_root):
    source, out = tmp_path / 'in', tmp_path / 'out'
    source.mkdir()
    for number in range(300):
        np.save(source / f'{number:03d}.npy', make_poses(2000, number))
    refiner = tmp_path / 'refiner.safetensors'
    make_refiner().save(refiner)
    command = ['-m', 'hanet_mm.apis.cli', 'refine', source, '-o', out]
    command += ['--refiner', refiner, '--workers', '2']
    process = subprocess.Popen(
        [sys.executable, '-W', 'ignore', *map(str, command)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(repo_root)),
        start_new_session=True,
    )
    wait = threading.Event().wait
    while process.poll() is None and not list(out.glob('*.npy')):
        wait(0.1)
    # As a terminal does: to all processes in front.
    os.killpg(process.pid, signal.SIGINT)
    printed, errors = process.communicate(timeout=120)
    assert (process.returncode, printed) == (130, '')
    assert errors == 'hanet-mm: interrupted\n'
    left = contents(out)
    assert 0 < len(left) < 300
    assert all(x.endswith('.npy') and x[0] != '.' for x in left)
