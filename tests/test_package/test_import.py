# Copyright (c) hanet_mm contributors. All rights reserved.
"""Importing the package: what is loaded, found and registered."""

from importlib import metadata

import pytest
from fresh_python import make_python

import hanet_mm
from hanet_mm.apis import cli


@pytest.fixture
def python(tmp_path, repo_root, monkeypatch):
    return make_python(tmp_path, repo_root, monkeypatch)


# Runs code and prints which large packages it has imported.
LIST_HEAVY = """
import sys
{}
heavy = (
    'numpy torch mmengine mmcv mmpose mmdet cv2 scipy matplotlib'
).split()
print(*[x for x in heavy if x in sys.modules])
"""


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


def test_the_package_runs_as_the_command(python):
    done = python(
        """
        import runpy, sys
        sys.argv[1:] = ['refine', 'nowhere.npz', '-o', 'out.npz']
        runpy.run_module('hanet_mm', run_name='__main__', alter_sys=True)
        """
    )
    assert done.returncode == 1
    assert done.stderr.count('\n') == 1
    assert 'nowhere.npz' in done.stderr


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
