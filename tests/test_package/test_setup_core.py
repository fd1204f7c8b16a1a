# Copyright (c) hanet_mm contributors. All rights reserved.
"""The part of the environment that the demo needs, without installing."""

import sys

import pytest


@pytest.fixture
def setup(repo_root, monkeypatch, tmp_path):
    """The set-up program with steps that only tell that they ran."""
    monkeypatch.syspath_prepend(repo_root / 'tools')
    import setup_env

    (tmp_path / 'bin').mkdir()
    (tmp_path / 'bin' / 'python').symlink_to(sys.executable)
    monkeypatch.setenv('HANET_VENV', str(tmp_path))
    steps, ran = {}, []
    for name in ('STEPS', 'CORE_STEPS', 'VIDEO_STEPS'):
        steps[name] = getattr(setup_env, name)
        fake = {name: lambda env, name=name: ran.append(name)}
        monkeypatch.setattr(setup_env, name, fake)

    def run(*arguments):
        ran.clear()
        monkeypatch.setattr(sys, 'argv', ['setup_env.py', *arguments])
        assert setup_env.main() == 0
        return list(ran)

    run.module, run.steps, run.folder = setup_env, steps, tmp_path
    return run


def test_the_core_is_set_up_once_and_the_rest_added(setup):
    assert setup('--core') == ['CORE_STEPS']
    assert setup('--core') == []
    assert setup() == ['STEPS']
    assert setup() == []
    assert setup('--core') == []


def test_the_whole_serves_for_the_core(setup):
    assert setup() == ['STEPS']
    assert setup('--core') == []


def test_a_video_needs_more_than_the_others_and_serves_for_the_core(setup):
    assert setup() == ['STEPS']
    assert setup('--video') == ['VIDEO_STEPS']
    assert setup('--video') == setup() == []
    (setup.folder / 'hanet-env.json').unlink()
    assert setup('--core') == []


def test_mediapipe_comes_to_the_core(setup):
    names = list(setup.steps['VIDEO_STEPS'])
    assert names[:2] == list(setup.steps['CORE_STEPS'])[:2]
    env = Recorder()
    setup.steps['VIDEO_STEPS'][names[-2]](env)
    assert env.lists == [('-r', 'requirements/mediapipe.txt')]


def test_other_requirements_set_the_core_up_again(setup, monkeypatch):
    setup('--core')
    monkeypatch.setattr(setup.module, 'hash_inputs', lambda: 'others')
    assert setup('--core') == ['CORE_STEPS']


class Recorder:
    """Takes what is to be installed."""

    def __init__(self):
        self.lists = []

    def install(self, *arguments):
        self.lists.append(arguments)


def test_the_core_is_torch_pictures_and_this_package(setup, repo_root):
    env = Recorder()
    list(setup.steps['CORE_STEPS'].values())[1](env)
    files = [
        x for x in sum(env.lists, ()) if str(x).startswith('requirements/')
    ]
    assert files == ['requirements/core.txt', 'requirements/demo.txt']
    packages = ' '.join((repo_root / x).read_text() for x in files).lower()
    wanted = (repo_root / files[1]).read_text().splitlines()[1:]
    assert wanted == ['matplotlib', 'opencv-python', 'scipy']
    assert 'torch>=' in packages
    # Its own requirements would bring nothing else, and tools to build it
    # are there already.
    assert '--no-deps' in env.lists[-1]
    assert '--no-build-isolation' in env.lists[-1]


@pytest.mark.parametrize('check', ['core_check', 'video_check', 'final_check'])
def test_a_check_runs_and_names_what_fails(setup, monkeypatch, check):
    """The program that imports the modules is valid, whatever it finds."""
    import environment.venv as venv

    env = venv.Environment(setup.module.Path(sys.prefix))
    name = {
        'core_check': 'CORE_MODULES',
        'video_check': 'VIDEO_MODULES',
        'final_check': 'ALL_MODULES',
    }[check]
    monkeypatch.setattr(setup.module, name, ('json', 'no_such_module'))
    with pytest.raises(venv.SetupError, match='no_such_module does not impo'):
        getattr(setup.module, check)(env)
    monkeypatch.setattr(setup.module, name, ('json', 'decimal'))
    getattr(setup.module, check)(env)
