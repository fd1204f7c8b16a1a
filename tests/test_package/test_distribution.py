# Copyright (c) hanet_mm contributors. All rights reserved.
"""What a built distribution holds."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from email import message_from_bytes

import pytest

pytestmark = pytest.mark.slow

SOURCES = (
    'LICENSE',
    'MANIFEST.in',
    'README.md',
    'configs',
    'hanet_mm',
    'model-index.yml',
    'pyproject.toml',
    'requirements',
    'setup.py',
    'tools',
)
# Of a refiner that comes with the package.
WEIGHTS = ('any.safetensors', 'any.md')


def build(kind, source, target):
    """Call the build backend; return the file that it made."""
    target.mkdir(exist_ok=True)
    code = 'import sys, setuptools.build_meta as backend\n'
    code += f'backend.build_{kind}(sys.argv[1])\n'
    done = subprocess.run(
        [sys.executable, '-c', code, str(target)],
        cwd=source,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return max(target.iterdir(), key=lambda path: path.stat().st_mtime_ns)


@pytest.fixture(scope='module')
def source(repo_root, tmp_path_factory):
    """A copy of the sources, so that no build output falls into them."""
    folder = tmp_path_factory.mktemp('source')
    ignore = shutil.ignore_patterns('__pycache__', '.mim')
    for name in SOURCES:
        path = repo_root / name
        if path.is_dir():
            shutil.copytree(path, folder / name, ignore=ignore)
        else:
            shutil.copy2(path, folder / name)
    weights = folder / 'hanet_mm' / 'weights'
    weights.mkdir(exist_ok=True)
    for name in WEIGHTS:
        (weights / name).write_text('as if it were one')
    return folder


@pytest.fixture(scope='module')
def wheel(source, tmp_path_factory):
    """A wheel built from the source archive, as an index would serve it."""
    folder = tmp_path_factory.mktemp('dist')
    with tarfile.open(build('sdist', source, folder)) as archive:
        archive.extractall(folder)
    unpacked = next(path for path in folder.iterdir() if path.is_dir())
    path = build('wheel', unpacked, folder / 'wheel')
    with zipfile.ZipFile(path) as archive:
        yield archive


def relative_files(root, *folders):
    return {
        path.relative_to(root).as_posix()
        for folder in folders
        for path in (root / folder).rglob('*')
        if path.is_file()
    }


def test_wheel_holds_all_modules(source, wheel):
    assert relative_files(source, 'hanet_mm') <= set(wheel.namelist())


def test_wheel_holds_refiners_and_the_clip_of_the_demo(wheel):
    expected = {f'hanet_mm/weights/{name}' for name in WEIGHTS}
    expected.add('hanet_mm/.mim/tools/demo_data/noisy_clip.npz')
    assert expected <= set(wheel.namelist())


def test_wheel_holds_configs_tools_and_model_index(source, wheel):
    resources = relative_files(source, 'configs', 'tools')
    expected = {f'hanet_mm/.mim/{name}' for name in resources}
    expected.add('hanet_mm/.mim/model-index.yml')
    shipped = {n for n in wheel.namelist() if n.startswith('hanet_mm/.mim/')}
    assert shipped == expected


def test_configs_of_an_installed_wheel_are_found(wheel, tmp_path):
    wheel.extractall(tmp_path)
    code = 'import hanet_mm\n'
    code += 'print(hanet_mm.config_path("_base_/models/hanet"))'
    done = subprocess.run(
        [sys.executable, '-c', code],
        cwd=tmp_path,
        env=dict(os.environ, PYTHONPATH=str(tmp_path)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    expected = tmp_path / 'hanet_mm/.mim/configs/_base_/models/hanet.py'
    assert done.stdout == f'{expected}\n'


def test_wheel_installs_nothing_beside_the_package(wheel):
    top = {name.partition('/')[0] for name in wheel.namelist()}
    assert {n for n in top if not n.endswith('.dist-info')} == {'hanet_mm'}


def test_wheel_asks_for_the_core_only_and_pins_nothing(wheel):
    name = next(n for n in wheel.namelist() if n.endswith('/METADATA'))
    metadata = message_from_bytes(wheel.read(name))
    needs = [n for n in metadata.get_all('Requires-Dist') if 'extra' not in n]
    names = {n.partition('>')[0].strip(' (') for n in needs}
    assert names == {'numpy', 'safetensors', 'torch'}
    assert not any(mark in need for need in needs for mark in ('<', '=='))
    extras = set(metadata.get_all('Provides-Extra'))
    assert {'mm', 'video', 'smpl', 'demo', 'tests', 'docs'} <= extras


def test_wheel_says_whose_it_is_and_may_be_used(wheel):
    names = wheel.namelist()
    licence = next(n for n in names if n.endswith('/LICENSE'))
    text = wheel.read(licence).decode()
    assert 'Copyright hanet_mm contributors' in text
    assert 'Apache License' in text
    name = next(n for n in names if n.endswith('/METADATA'))
    metadata = message_from_bytes(wheel.read(name))
    assert metadata['Author'] == 'hanet_mm contributors'
    assert metadata['License'] == 'Apache-2.0'
    assert 'Typing :: Typed' in metadata.get_all('Classifier')
    assert 'hanet_mm/py.typed' in names


def test_description_has_no_link_that_an_index_cannot_follow(wheel):
    name = next(n for n in wheel.namelist() if n.endswith('/METADATA'))
    metadata = message_from_bytes(wheel.read(name))
    assert metadata['Description-Content-Type'] == 'text/markdown'
    links = re.findall(r'\]\(([^)]*)\)', metadata.get_payload())
    assert links
    assert all(link.startswith('https://') for link in links)


def test_wheel_has_the_console_script(wheel):
    name = next(n for n in wheel.namelist() if n.endswith('entry_points.txt'))
    text = wheel.read(name).decode()
    assert 'hanet-mm = hanet_mm.apis.cli:main' in text


def test_editable_build_links_and_a_later_wheel_copies(source, tmp_path):
    build('editable', source, tmp_path / 'editable')
    mim = source / 'hanet_mm' / '.mim'
    assert (mim / 'configs').resolve() == (source / 'configs').resolve()
    with zipfile.ZipFile(build('wheel', source, tmp_path / 'w')) as archive:
        names = [n for n in archive.namelist() if '/.mim/configs/' in n]
    assert set(names) == {
        f'hanet_mm/.mim/{n}' for n in relative_files(source, 'configs')
    }
    assert len(names) == len(set(names))


def test_leftovers_of_earlier_builds_stay_out(source, tmp_path):
    stale = source / 'build' / 'lib' / 'hanet_mm' / 'gone.py'
    stale.parent.mkdir(parents=True, exist_ok=True)
    stale.write_text('')
    with zipfile.ZipFile(build('wheel', source, tmp_path / 'w')) as archive:
        assert 'hanet_mm/gone.py' not in archive.namelist()
