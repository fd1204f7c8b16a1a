# Copyright (c) hanet_mm contributors. All rights reserved.
"""Decisions of the set-up program, without installing anything."""

import subprocess
import sys
from types import SimpleNamespace

import pytest

BROKEN = 'ImportError: _ext.so: undefined symbol'


@pytest.fixture(autouse=True)
def tools_on_path(repo_root, monkeypatch):
    monkeypatch.syspath_prepend(repo_root / 'tools')


class FakeEnvironment:
    """An environment in which installs succeed or fail as told.

    Args:
        folder (Path): Where logs may be written.
        outcomes (list): What the mmcv check says, time after time; the last
            is repeated.
        status (int): Exit status of install commands.
    """

    def __init__(self, folder, outcomes, status=0):
        self.folder = folder
        self.outcomes = list(outcomes)
        self.status = status
        self.commands = []

    def run(self, *arguments, variables=None, capture=False):
        self.commands.append((arguments, variables or {}))
        log = 'ERROR: No matching distribution found for mmcv\nhint\n'
        return SimpleNamespace(returncode=self.status, stdout=log)

    def fault(self, code):
        if len(self.outcomes) > 1:
            return self.outcomes.pop(0)
        return self.outcomes[0]

    def installs(self):
        return [c for c in self.commands if 'install' in c[0]]


def test_importable_mmcv_is_kept(tmp_path, capsys):
    from environment.mmcv_routes import provide_mmcv

    env = FakeEnvironment(tmp_path, [''])
    provide_mmcv(env)
    assert env.commands == []
    assert 'already importable' in capsys.readouterr().out


def test_routes_are_tried_in_order_and_named(tmp_path, monkeypatch, capsys):
    from environment.mmcv_routes import provide_mmcv

    monkeypatch.setenv('MMCV_WHEELS', str(tmp_path))
    # Not there; prebuilt and folder do not fit this torch; the build does.
    env = FakeEnvironment(tmp_path, [BROKEN, BROKEN, BROKEN, ''])
    provide_mmcv(env)
    tools = [(c[0][1], 'find-links' in ' '.join(c[0])) for c in env.installs()]
    assert tools == [('mim', False), ('pip', True), ('pip', False)]
    lines = capsys.readouterr().out.splitlines()
    assert BROKEN in lines[0]
    assert 'about 12 minutes' in lines[-2]
    assert lines[-1].endswith('built from source')


def test_build_that_does_not_work_is_removed(tmp_path, monkeypatch):
    from environment.mmcv_routes import from_folder

    monkeypatch.setenv('MMCV_WHEELS', str(tmp_path))
    env = FakeEnvironment(tmp_path, [BROKEN])
    assert from_folder(env) == BROKEN
    assert env.commands[-1][0][1:3] == ('pip', 'uninstall')


def test_prebuilt_route_cannot_build_nor_wait(tmp_path):
    from environment.mmcv_routes import prebuilt

    env = FakeEnvironment(tmp_path, [''], status=1)
    assert 'No matching distribution' in prebuilt(env)
    _, variables = env.installs()[0]
    assert variables['PIP_ONLY_BINARY'] == 'mmcv'
    assert variables['PIP_NO_CACHE_DIR'] == '1'
    assert variables['PIP_RETRIES'] == '0'


def test_source_build_never_uses_the_cache(tmp_path):
    from environment.mmcv_routes import from_source

    env = FakeEnvironment(tmp_path, [''])
    assert from_source(env) == ''
    arguments, variables = env.installs()[0]
    assert {'--no-cache-dir', '--no-build-isolation'} <= set(arguments)
    assert ('--no-binary', 'mmcv') in zip(arguments, arguments[1:])
    assert variables['MMCV_WITH_OPS'] == '1'


def test_source_build_without_a_compiler_says_so(tmp_path, monkeypatch):
    from environment.mmcv_routes import from_source

    monkeypatch.setenv('CXX', 'no-such-compiler')
    env = FakeEnvironment(tmp_path, [''])
    assert 'no-such-compiler' in from_source(env)
    assert env.commands == []


def test_killed_build_says_so(tmp_path):
    from environment.mmcv_routes import from_source

    env = FakeEnvironment(tmp_path, [''], status=-9)
    assert 'ended by signal 9' in from_source(env)


def test_no_route_left_is_an_error(tmp_path, monkeypatch):
    from environment.mmcv_routes import provide_mmcv
    from environment.venv import SetupError

    monkeypatch.delenv('MMCV_WHEELS', raising=False)
    env = FakeEnvironment(tmp_path, [BROKEN], status=1)
    with pytest.raises(SetupError, match='no way to install mmcv'):
        provide_mmcv(env)


@pytest.mark.parametrize('version', [(3, 8, 18), (3, 13, 0), (3, 14, 1)])
def test_unsupported_python_is_refused(monkeypatch, version):
    import setup_env

    monkeypatch.setattr(setup_env.sys, 'version_info', version)
    with pytest.raises(setup_env.SetupError, match=r'expected 3\.9 to 3\.12'):
        setup_env.check_python()


@pytest.fixture
def finished(tmp_path):
    """A folder that looks like a finished environment."""
    from environment.venv import Environment

    (tmp_path / 'bin').mkdir()
    (tmp_path / 'bin' / 'python').symlink_to(sys.executable)
    env = Environment(tmp_path)
    env.write_stamp('inputs')
    return env


def test_finished_environment_is_left_alone(finished):
    assert finished.is_current('inputs')


def test_changed_requirements_run_the_setup_again(finished):
    assert not finished.is_current('other inputs')


def test_changed_packages_run_the_setup_again(finished):
    text = finished.stamp.read_text()
    finished.stamp.write_text(text.replace('"python": "3', '"python": "2'))
    assert not finished.is_current('inputs')


def test_removed_python_runs_the_setup_again(finished):
    finished.python.unlink()
    assert not finished.is_current('inputs')


def test_python_of_a_windows_environment_is_found(tmp_path):
    from environment.venv import Environment

    (tmp_path / 'Scripts').mkdir()
    (tmp_path / 'Scripts' / 'python.exe').symlink_to(sys.executable)
    env = Environment(tmp_path)
    assert env.python == tmp_path / 'Scripts' / 'python.exe'
    env.write_stamp('inputs')
    assert env.is_current('inputs')


def test_failed_step_ends_with_its_reason(repo_root, tmp_path, monkeypatch):
    (tmp_path / 'file').write_text('')
    monkeypatch.setenv('HANET_VENV', str(tmp_path / 'file' / 'venv'))
    done = subprocess.run(
        [sys.executable, str(repo_root / 'tools' / 'setup_env.py')],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert 'failed: cannot create' in done.stdout
    assert 'Traceback' not in done.stdout + done.stderr
