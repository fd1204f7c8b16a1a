# Copyright (c) hanet_mm contributors. All rights reserved.
"""Importing the package with MMPose there, absent, broken, old or new."""

import subprocess
import sys
import textwrap
from importlib import metadata

import pytest

import hanet_mm
from hanet_mm import _registration
from hanet_mm.apis import cli

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

# Runs code and prints which large packages it has imported.
LIST_HEAVY = """
import sys
{}
heavy = (
    'numpy torch mmengine mmcv mmpose mmdet cv2 scipy matplotlib'
).split()
print(*[x for x in heavy if x in sys.modules])
"""


@pytest.fixture
def python(tmp_path, repo_root, monkeypatch):
    """Run code in a new process that finds packages of ``tmp_path`` first."""
    path = f'{tmp_path}:{repo_root}'
    monkeypatch.setenv('PYTHONPATH', path)

    def run(code, *options):
        return subprocess.run(
            [sys.executable, *options, '-c', textwrap.dedent(code)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )

    return run


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


def test_version_is_that_of_the_distribution():
    assert hanet_mm.__version__ == metadata.version('hanet_mm')


def test_lazy_names_are_listed_and_resolve():
    assert {'Refiner', 'load_refiner'} <= set(dir(hanet_mm))
    from hanet_mm.core.refine import refiner

    assert hanet_mm.Refiner is refiner.Refiner
    assert hanet_mm.load_refiner is refiner.load_refiner


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match=r"'hanet_mm'.*'Refinr'"):
        hanet_mm.Refinr  # noqa: B018


def test_import_loads_neither_torch_nor_openmmlab(python):
    done = python(LIST_HEAVY.format('import hanet_mm'))
    assert (done.returncode, done.stderr) == (0, '')
    assert done.stdout == '\n'


@pytest.mark.parametrize(
    'code',
    [
        'hanet_mm.load_refiner',
        'hanet_mm.StreamingRefiner',
        'import hanet_mm.core.nn.network',
        'from hanet_mm.apis import refine_file',
        'from hanet_mm.datasets import simulation',
    ],
)
def test_core_loads_torch_but_not_openmmlab(python, code):
    done = python(LIST_HEAVY.format(f'import hanet_mm\n{code}'))
    assert (done.returncode, done.stderr) == (0, '')
    assert {*done.stdout.split()} <= {'numpy', 'torch'}


@pytest.mark.parametrize('arguments', [['--help'], ['--version'], ['models']])
def test_commands_that_tell_something_do_without_torch(python, arguments):
    code = f"""
import contextlib, io
from hanet_mm.apis.cli import main
shown = io.StringIO()
with contextlib.redirect_stdout(shown), contextlib.suppress(SystemExit):
    main({arguments})
assert shown.getvalue()
"""
    done = python(LIST_HEAVY.format(code))
    assert (done.returncode, done.stderr) == (0, '')
    assert {*done.stdout.split()} <= {'numpy'}


def test_version_of_the_command_is_that_of_the_package(capsys):
    with pytest.raises(SystemExit) as stopped:
        cli.main(['--version'])
    assert stopped.value.code == 0
    assert capsys.readouterr().out == f'hanet_mm {hanet_mm.__version__}\n'


def test_help_lists_every_command_with_its_purpose(capsys, repo_root):
    with pytest.raises(SystemExit):
        cli.main(['--help'])
    shown = capsys.readouterr().out
    folder = repo_root / 'hanet_mm' / 'apis' / 'commands'
    names = {x.stem for x in folder.glob('*.py')} - {'__init__'}
    assert {*cli.COMMANDS} <= names
    for name, text in cli.COMMANDS.items():
        assert f'{name} ' in shown
        assert text.split()[0] in shown


@pytest.mark.mm
def test_registries_find_our_classes_after_the_import(python):
    done = python("""
        import hanet_mm
        from mmpose import registry as r
        import sys
        assert 'hanet_mm.models' not in sys.modules
        assert 'HANet' in r.MODELS
        assert 'PoseSequenceCodec' in r.KEYPOINT_CODECS
        assert 'PoseSequenceDataset' in r.DATASETS
        assert 'JhmdbSequenceDataset' in r.DATASETS
        assert 'CmuMocapSequenceDataset' in r.DATASETS
        assert 'SimulatedPoseSequenceDataset' in r.DATASETS
        assert 'PackPoseSequenceInputs' in r.TRANSFORMS
        assert 'PoseSequencePCK' in r.METRICS
        assert 'EpochSeedHook' in r.HOOKS
        assert 'PoseSequenceVisualizer' in r.VISUALIZERS
        assert 'FusedAdamW' in r.OPTIMIZERS
        assert 'PoseRefinementInferencer' in r.INFERENCERS
        # MMPose's own are there as before.
        assert 'TopdownPoseEstimator' in r.MODELS
        assert 'CocoDataset' in r.DATASETS
    """)
    assert done.returncode == 0, done.stderr


@pytest.mark.mm
@pytest.mark.parametrize(
    'before',
    [
        'import hanet_mm',
        'from mmpose.registry import MODELS\nimport hanet_mm',
        # A registry that was asked before does not ask its locations again.
        "from mmpose.registry import MODELS\nMODELS.get('HRNet')\n"
        'import hanet_mm',
        'import hanet_mm\nfrom mmengine.config import Config\n'
        "Config.fromfile('config.py')",
        "from mmengine.config import Config\nConfig.fromfile('config.py')",
        # As MMPose's inferencers and MMEngine's registries name the class.
        'import hanet_mm\nfrom mmpose.utils import register_all_modules\n'
        'register_all_modules()',
    ],
    ids=['first', 'after', 'asked', 'before-config', 'config', 'all'],
)
def test_models_build_in_any_order_of_imports(python, tmp_path, before):
    (tmp_path / 'config.py').write_text(
        "custom_imports = dict(imports=['hanet_mm'], "
        'allow_failed_imports=False)\n'
    )
    done = python(
        before
        + """
from mmengine.registry import MODELS as ROOT
from mmpose.registry import MODELS
cfg = dict(type='WeightedKeypointLoss')
print(type(MODELS.build(cfg)).__module__)
print(type(ROOT.build(dict(cfg, type='mmpose.WeightedKeypointLoss'))).__name__)
from mmengine.registry import init_default_scope
init_default_scope('mmpose')
print(type(ROOT.build(cfg)).__name__)
"""
    )
    assert done.returncode == 0, done.stderr
    module, *names = done.stdout.split()
    assert module.startswith('hanet_mm.models.')
    assert names == ['WeightedKeypointLoss'] * 2


@pytest.mark.mm
def test_registries_without_locations_stay_without(python):
    done = python("""
        import hanet_mm
        import mmpose.registry
        from mmengine.registry import LOOPS, MODELS
        assert not LOOPS._locations
        assert not any('hanet' in x for x in MODELS._locations)
    """)
    assert done.returncode == 0, done.stderr


@pytest.mark.mm
def test_registries_have_their_own_loader(python):
    done = python("""
        import hanet_mm
        import inspect, sys
        import mmpose.registry as r
        assert type(r.__loader__) is type(r.__spec__.loader)
        assert type(r.__loader__).__module__.startswith('_frozen_importlib')
        assert 'KEYPOINT_CODECS' in inspect.getsource(r)
        names = [getattr(x, 'name', None) for x in sys.meta_path]
        assert 'mmpose.registry' not in names
    """)
    assert done.returncode == 0, done.stderr


@pytest.mark.mm
def test_spawned_workers_load_samples(python, tmp_path):
    (tmp_path / 'spawned.py').write_text("""
import hanet_mm
from mmpose.registry import DATASETS
from mmengine.registry import init_default_scope
from torch.utils.data import DataLoader

if __name__ == '__main__':
    init_default_scope('mmpose')
    data = DATASETS.build(dict(
        type='SyntheticPoseSequenceDataset', num_sequences=1,
        seq_len_range=(9, 9), window_size=8,
        pipeline=[dict(type='PackPoseSequenceInputs')],
    ))
    loader = DataLoader(
        data, batch_size=None, num_workers=1, multiprocessing_context='spawn'
    )
    print(len(list(loader)) == len(data))
""")
    done = python(
        'import subprocess, sys\n'
        "subprocess.run([sys.executable, 'spawned.py'], check=True)"
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == 'True\n'


def test_a_finder_that_is_not_ours_is_asked(python, tmp_path):
    # As editable installs have it.
    (tmp_path / 'elsewhere.py').write_text('there = True\n')
    done = python("""
        import importlib.util, sys
        from hanet_mm._after_import import after_import

        class Finder:
            def find_spec(self, name, path=None, target=None):
                if name == 'mine':
                    return importlib.util.spec_from_file_location(
                        'mine', 'elsewhere.py')

        sys.meta_path.append(Finder())
        after_import('mine', lambda: print(sys.modules['mine'].there))
        after_import('mine_not_there', lambda: print('never'))
        import mine
        after_import('mine', lambda: print('again'))
        try:
            import mine_not_there
        except ModuleNotFoundError as error:
            print(error)
    """)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        'True',
        'again',
        "No module named 'mine_not_there'",
    ]


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
