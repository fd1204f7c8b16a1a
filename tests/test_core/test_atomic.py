# Copyright (c) hanet_mm contributors. All rights reserved.
"""Outputs are whole or not there, and never written over an input."""

import errno
import multiprocessing
import os
import stat
import subprocess
import sys

import numpy as np
import pytest

from hanet_mm.apis.cli import main
from hanet_mm.core.data import atomic
from hanet_mm.core.data.atomic import (
    atomic_folder,
    atomic_path,
    check_output,
    check_writable,
    move_file,
    open_locked,
)
from hanet_mm.core.data.files import write_npz

posix = pytest.mark.skipif(os.name != 'posix', reason='POSIX files')


def write(path, text='new'):
    with atomic_path(path) as temporary:
        temporary.write_text(text)


def test_nothing_is_left_of_a_failure(tmp_path):
    path = tmp_path / 'a.txt'
    path.write_text('old')

    def fail():
        with atomic_path(path) as temporary:
            temporary.write_text('half')
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == 'old'
    assert [x.name for x in tmp_path.iterdir()] == ['a.txt']


@posix
def test_links_are_written_through_and_permissions_kept(tmp_path):
    (tmp_path / 'real').mkdir()
    target, link = tmp_path / 'real' / 'a.txt', tmp_path / 'a.txt'
    target.write_text('old')
    target.chmod(0o640)
    link.symlink_to(target)
    write(link)
    assert link.is_symlink()
    assert target.read_text() == 'new'
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


@posix
def test_a_pipe_gets_what_is_written(tmp_path):
    code = (
        'from hanet_mm.core.data.atomic import atomic_path\n'
        f'with atomic_path({str(tmp_path / "out.txt")!r}) as x:\n'
        "    x.write_text('new')\n"
    )
    (tmp_path / 'out.txt').symlink_to('/dev/stdout')
    command = [sys.executable, '-c', code]
    done = subprocess.run(command, check=True, capture_output=True)
    assert done.stdout == b'new'
    assert [x.name for x in tmp_path.iterdir()] == ['out.txt']


@posix
def test_links_to_other_file_systems_are_written_through(
    tmp_path, monkeypatch
):
    replace = os.replace

    def refuse_first(source, target):
        monkeypatch.setattr(os, 'replace', replace)
        raise OSError(errno.EXDEV, 'Invalid cross-device link')

    monkeypatch.setattr(os, 'replace', refuse_first)
    source = tmp_path / 'a.partial.txt'
    source.write_text('new')
    move_file(source, tmp_path / 'a.txt')
    assert (tmp_path / 'a.txt').read_text() == 'new'
    assert [x.name for x in tmp_path.iterdir()] == ['a.txt']


@posix
def test_devices_are_written_to_and_stay(tmp_path):
    device = tmp_path / 'null'
    device.symlink_to('/dev/null')
    write(device)
    assert stat.S_ISCHR(os.stat('/dev/null').st_mode)


@posix
def test_what_may_not_be_written_is_refused(tmp_path, monkeypatch):
    path = tmp_path / 'a.txt'
    path.write_text('old')
    # Administrators may write everything.
    monkeypatch.setattr(os, 'access', lambda *_: False)
    with pytest.raises(PermissionError, match=r'a\.txt'):
        write(path)
    assert path.read_text() == 'old'


@posix
@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('x' * 256, 'too long'),
        ('loop', 'symbolic links'),
        ('file/a.txt', 'Not a directory'),
    ],
)
def test_what_cannot_be_there_is_refused_at_once(tmp_path, name, reason):
    (tmp_path / 'loop').symlink_to(tmp_path / 'loop')
    (tmp_path / 'file').write_text('')
    with pytest.raises(OSError, match=reason):
        check_writable(tmp_path / name)
    with pytest.raises(OSError, match=reason):
        write(tmp_path / name)


@posix
def test_folders_in_which_nothing_may_be_written(tmp_path, monkeypatch):
    allowed = os.access
    # Administrators may write everywhere.
    monkeypatch.setattr(
        os, 'access', lambda x, mode: x != tmp_path and allowed(x, mode)
    )
    for path in (tmp_path / 'a.txt', tmp_path / 'new' / 'a.txt'):
        with pytest.raises(PermissionError, match=r'a\.txt'):
            check_writable(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(OSError, match='expected a file, found a folder'):
        write(tmp_path)


@pytest.mark.parametrize('name', ['x' * 251 + '.txt', 'a.' + 'y' * 253])
def test_names_as_long_as_names_may_be(tmp_path, name):
    path = tmp_path / name
    write(path)
    assert path.read_text() == 'new'
    assert len(list(tmp_path.iterdir())) == 1


def run_killed(writer, path, action):
    """Kill a process while it writes something."""
    code = (
        'import os\n'
        f'from hanet_mm.core.data.atomic import {writer}\n'
        f'with {writer}({str(path)!r}) as x:\n'
        f'    {action}\n'
        '    os.kill(os.getpid(), 9)\n'
    )
    subprocess.run([sys.executable, '-c', code], check=False)


@posix
@pytest.mark.parametrize('name', ['a.txt', 'a.h5', 'x' * 251 + '.txt'])
def test_leftovers_of_killed_runs_are_removed(tmp_path, name):
    path = tmp_path / name
    run_killed('atomic_path', path, "x.write_text('half')")
    (left,) = tmp_path.iterdir()
    assert left.name.startswith('.')
    write(path)
    assert [x.name for x in tmp_path.iterdir()] == [name]


@posix
@pytest.mark.parametrize(('hours', 'stays'), [(23, True), (25, False)])
def test_those_of_other_hosts_have_to_be_old(
    tmp_path, monkeypatch, hours, stays
):
    path = tmp_path / 'a.txt'
    run_killed('atomic_path', path, "x.write_text('half')")
    (left,) = tmp_path.iterdir()
    then = left.stat().st_mtime - 3600 * hours
    os.utime(left, (then, then))
    monkeypatch.setattr(atomic, 'running_system', lambda: 'another')
    write(path)
    assert left.exists() == stays


@posix
def test_folders_of_killed_runs_are_removed(tmp_path):
    path = tmp_path / 'out'
    run_killed('atomic_folder', path, "(x / 'a').write_text('half')")
    assert not path.exists()
    assert len(list(tmp_path.iterdir())) == 1
    with atomic_folder(path) as folder:
        (folder / 'a').write_text('new')
    assert [x.name for x in tmp_path.iterdir()] == ['out']
    assert (path / 'a').read_text() == 'new'


@posix
def test_links_to_empty_folders_are_written_through(tmp_path):
    (tmp_path / 'real').mkdir(mode=0o750)
    (tmp_path / 'link').symlink_to(tmp_path / 'real')
    with atomic_folder(tmp_path / 'link') as folder:
        (folder / 'a').write_text('new')
    assert (tmp_path / 'link').is_symlink()
    assert (tmp_path / 'real' / 'a').read_text() == 'new'
    assert stat.S_IMODE((tmp_path / 'real').stat().st_mode) == 0o750


@posix
def test_a_growing_file_has_one_writer(tmp_path):
    path = tmp_path / 'a.partial.json'
    path.write_text('of a run that was killed')
    with open_locked(path) as file:
        file.write(b'new')
        with pytest.raises(OSError, match=r'another run.*a\.partial'):
            open_locked(path)
    assert path.read_text() == 'new'


@posix
def test_those_of_running_ones_are_not(tmp_path):
    path = tmp_path / 'a.txt'
    with atomic_path(path) as first:
        first.write_text('first')
        write(path, 'second')
        assert first.exists()
    assert path.read_text() == 'first'


def _write_often(path, text):
    for _ in range(20):
        write(path, text)


@posix
def test_writers_at_the_same_time(tmp_path):
    path = tmp_path / 'a.txt'
    context = multiprocessing.get_context('fork')
    texts = [letter * 10_000 for letter in 'abc']
    writers = [
        context.Process(target=_write_often, args=(path, text))
        for text in texts
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [x.exitcode for x in writers] == [0, 0, 0]
    assert path.read_text() in texts
    assert len(list(tmp_path.iterdir())) == 1


@posix
def test_a_full_disk_names_the_file(tmp_path):
    code = (
        'import resource\n'
        'from hanet_mm.core.data.atomic import atomic_path\n'
        'resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n'
        f'with atomic_path({str(tmp_path / "a.txt")!r}) as x:\n'
        "    x.write_text(2000 * 'x')\n"
    )
    command = [sys.executable, '-c', code]
    done = subprocess.run(command, capture_output=True, text=True)
    error = done.stderr.splitlines()[-1]
    assert 'File too large' in error
    assert error.endswith(f'{str(tmp_path / "a.txt")!r}')
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize('compressed', [False, True])
def test_archives_are_those_of_numpy(tmp_path, compressed):
    arrays = dict(file=np.arange(6.0).reshape(2, 3), b=np.array('text'))
    arrays['empty'] = np.zeros((0, 2), np.float32)
    save = np.savez_compressed if compressed else np.savez
    expected = {f'{key}x': value for key, value in arrays.items()}
    save(tmp_path / 'numpy.npz', **expected)
    write_npz(tmp_path / 'a.npz', expected, compressed)
    path = tmp_path / 'numpy.npz'
    assert (tmp_path / 'a.npz').read_bytes() == path.read_bytes()
    # A name that numpy takes for its own argument.
    write_npz(tmp_path / 'b.npz', arrays)
    with np.load(tmp_path / 'b.npz') as found:
        assert found['file'].shape == (2, 3)


@posix
@pytest.mark.parametrize('room', [500, 5000, 7900])
def test_a_full_disk_is_one_line_for_archives(tmp_path, room):
    code = (
        'import resource, sys\n'
        'import numpy as np\n'
        'from hanet_mm.core.data.files import write_npz\n'
        f'resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n'
        'try:\n'
        f'    write_npz({str(tmp_path / "a.npz")!r}, dict(a=np.ones(1000)))\n'
        'except OSError as error:\n'
        '    sys.exit(str(error))\n'
    )
    command = [sys.executable, '-c', code]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.stderr.count('\n') == 1
    assert 'File too large' in done.stderr
    assert str(tmp_path / 'a.npz') in done.stderr
    assert not list(tmp_path.iterdir())


def test_temporary_names_are_not_told(tmp_path):
    def fail():
        with atomic_path(tmp_path / 'a.txt') as temporary:
            raise PermissionError(errno.EACCES, 'denied', str(temporary))

    with pytest.raises(PermissionError, match=r"/a\.txt'"):
        fail()


@posix
def test_inputs_are_known_by_any_name(tmp_path):
    path = tmp_path / 'a.npz'
    path.write_bytes(b'')
    (tmp_path / 'link.npz').symlink_to(path)
    os.link(path, tmp_path / 'hard.npz')
    around = tmp_path / '..' / tmp_path.name / 'a.npz'
    for same in (path, tmp_path / 'link.npz', tmp_path / 'hard.npz', around):
        with pytest.raises(ValueError, match='another name for the output'):
            check_output(same, [path])
    check_output(tmp_path / 'b.npz', [path])


def test_refine_does_not_write_over_its_input(tmp_path, capsys):
    path = tmp_path / 'a.csv'
    path.write_text('frame,nose_x,nose_y\n0,1,2\n1,2,3\n')
    content = path.read_bytes()
    command = ['refine', str(path), '-o', str(path), '--filter', 'median']
    assert main(command) == 1
    assert 'another name for the output' in capsys.readouterr().err
    assert path.read_bytes() == content


def test_refine_of_folders_in_each_other(tmp_path, capsys):
    text = 'frame,nose_x,nose_y\n0,1,2\n1,2,3\n'
    inner = tmp_path / 'in'
    (inner / 'in').mkdir(parents=True)
    for place in (inner, inner / 'in'):
        (place / 'a.csv').write_text(text)
    # in/in/a.csv would be written to in/a.csv, an input too.
    command = ['refine', str(inner), '-o', str(tmp_path)]
    assert main([*command, '--filter', 'median']) == 1
    assert 'another name for the output' in capsys.readouterr().err
    assert (inner / 'a.csv').read_text() == text
