# Copyright (c) hanet_mm contributors. All rights reserved.
"""Importing the package with OpenMMLab absent, broken, old or new."""

from importlib import metadata

import pytest
from fresh_python import make_python

from hanet_mm import _registration


@pytest.fixture
def python(tmp_path, repo_root, monkeypatch):
    return make_python(tmp_path, repo_root, monkeypatch)


# Hides OpenMMLab from a process as if it were not installed.
HIDE_OPENMMLAB = """
import sys

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition('.')[0] in (
            'mmengine', 'mmcv', 'mmpose', 'mmdet', 'mim'
        ):
            raise ModuleNotFoundError(f'No module named {name!r}', name=name)

sys.meta_path.insert(0, Hide())
"""


@pytest.fixture
def installed(monkeypatch):
    """Pretend that other releases of some packages are installed."""

    def pretend(**versions):
        true_version = metadata.version
        monkeypatch.setattr(
            metadata,
            'version',
            lambda name: versions.get(name) or true_version(name),
        )

    return pretend


def write_distribution(folder, name, version):
    """Write the metadata of an installed package."""
    info = folder / f'{name}-{version}.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text(
        f'Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n'
    )


def test_without_openmmlab_the_import_is_silent_and_light(python):
    code = HIDE_OPENMMLAB + (
        'import hanet_mm\n'
        "assert 'torch' not in sys.modules\n"
        'import hanet_mm.core.nn.network\n'
        "print({'mmpose', 'mmengine', 'mmcv', 'mmdet'} & set(sys.modules))\n"
    )
    done = python(code, '-W', 'error')
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout.strip() == 'set()'


def test_core_refines_without_openmmlab(python, repo_root):
    script = repo_root / 'tools' / 'misc' / 'core_only_check.py'
    run = f"import runpy\nrunpy.run_path({str(script)!r}, run_name='__main__')"
    done = python(HIDE_OPENMMLAB + run)
    assert done.returncode == 0, done.stderr
    assert 'core works' in done.stdout


@pytest.mark.parametrize(
    ('body', 'cause'),
    [
        (
            "raise OSError('libcudart.so.11.0: cannot open')",
            'OSError: libcudart.so.11.0: cannot open',
        ),
        (
            "raise ValueError('numpy.dtype size\\n changed')",
            'ValueError: numpy.dtype size changed',
        ),
        ('import mmcv_of_nowhere', 'ModuleNotFoundError: No module named'),
    ],
)
@pytest.mark.mm
@pytest.mark.parametrize(
    'imports',
    ['import mmengine\nimport hanet_mm', 'import hanet_mm, mmengine.runner'],
)
def test_broken_mmpose_is_one_warning_with_its_cause(
    python, tmp_path, body, cause, imports
):
    (tmp_path / 'mmpose').mkdir()
    (tmp_path / 'mmpose' / '__init__.py').write_text(body)
    done = python(
        imports
        + """
import hanet_mm.core.refine.windows
print('core imported')
"""
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == 'core imported\n'
    assert done.stderr.count('Warning: ') == 1
    assert f'MMPose does not import: {cause}' in done.stderr


def test_broken_mmpose_does_not_matter_to_the_core(python, tmp_path):
    (tmp_path / 'mmpose').mkdir()
    (tmp_path / 'mmpose' / '__init__.py').write_text('raise OSError')
    done = python('import hanet_mm.core.refine.windows', '-W', 'error')
    assert (done.returncode, done.stderr) == (0, '')


@pytest.mark.mm
@pytest.mark.parametrize(
    ('name', 'found', 'lowest', 'mend'),
    [
        ('mmengine', '0.9.1', '0.10', 'pip install "mmengine>=0.10.0'),
        ('mmcv', '1.7.2', '2.0', 'mim install "mmcv>=2.0.0,<2.2.0"'),
        ('mmpose', '1.2.0', '1.3', 'pip install "mmpose>=1.3.0'),
    ],
)
def test_too_old_is_an_error_with_the_mending_command(
    installed, name, found, lowest, mend
):
    installed(**{name: found})
    with pytest.raises(ImportError) as error:
        _registration.register_openmmlab_floor()
    message = str(error.value)
    assert f'needs {name}>={lowest}, found {found}' in message
    assert mend in message
    assert '\n' not in message


@pytest.mark.parametrize(
    'versions',
    [{'mmpose': '1.3'}, {'mmcv': '2.0.0rc4'}, {'mmengine': '0.10.0'}],
)
def test_lowest_releases_are_accepted(installed, versions):
    installed(**versions)
    assert _registration.find_too_old() == ''


@pytest.mark.mm
def test_newer_than_tested_is_a_warning(python, tmp_path):
    write_distribution(tmp_path, 'mmpose', '1.4.0')
    done = python('import hanet_mm, mmpose.registry')
    assert done.returncode == 0, done.stderr
    assert 'mmpose up to 1.3.x, found 1.4.0' in done.stderr


@pytest.mark.mm
def test_config_that_imports_us_fails_if_mmpose_is_too_old(python, tmp_path):
    write_distribution(tmp_path, 'mmpose', '1.1.0')
    (tmp_path / 'config.py').write_text(
        "custom_imports = dict(imports=['hanet_mm'], "
        'allow_failed_imports=False)\n'
    )
    done = python("""
        from mmengine.config import Config
        Config.fromfile('config.py')
    """)
    assert done.returncode != 0
    assert 'needs mmpose>=1.3, found 1.1.0' in done.stderr


@pytest.mark.mm
def test_core_alone_works_beside_an_old_mmpose(python, tmp_path):
    write_distribution(tmp_path, 'mmpose', '0.29.0')
    done = python('import hanet_mm.core.refine.windows', '-W', 'error')
    assert (done.returncode, done.stderr) == (0, '')


@pytest.mark.mm
def test_old_mmpose_that_is_imported_later_still_imports(python, tmp_path):
    write_distribution(tmp_path, 'mmpose', '1.1.0')
    done = python("""
        import hanet_mm
        from mmpose.registry import MODELS
        print('hanet_mm.models' in MODELS._locations)
    """)
    assert done.returncode == 0, done.stderr
    assert done.stdout == 'False\n'
    assert 'pip install "mmpose>=1.3.0' in done.stderr
