# Copyright (c) hanet_mm contributors. All rights reserved.
"""The project for MMPose: made, linted, imported, trained, compared."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[2]
TOOL = ROOT / 'tools/upstream/make_project.py'
HEADER = '# Copyright (c) OpenMMLab. All rights reserved.\n'
# No module can import the package, as where it is not installed.
WITHOUT_US = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] == 'hanet_mm':
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocker())
"""
COMPARED = """
import numpy as np, torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample
cfg = Config.fromfile(sys.argv[1])
init_default_scope('mmpose')
torch.manual_seed(0)
model = MODELS.build(cfg.model)
assert type(model).__module__.startswith(sys.argv[3])
rng = np.random.default_rng(0)
poses = rng.normal(0.5, 0.2, (4, 11, 15, 2)).astype(np.float32)
samples = []
for truth in poses + rng.normal(0, 0.01, poses.shape).astype(np.float32):
    sample = PoseDataSample()
    sample.gt_instance_labels = InstanceData(
        keypoint_labels=truth,
        keypoint_weights=np.ones((11, 15), np.float32),
    )
    samples.append(sample)
losses = model.loss(torch.from_numpy(poses), samples)
losses['loss_hanet'].backward()
found = {k: v.detach().numpy() for k, v in losses.items()}
for name, value in model.named_parameters():
    found[name], found['grad/' + name] = value.detach(), value.grad
with torch.no_grad():
    outputs = model.eval()(torch.from_numpy(poses), None, mode='tensor')
found.update(final=outputs.final, refined=outputs.refined)
np.savez(sys.argv[2], **found)
"""
SMALL = 'hanet-small_simplebaseline-11frm_1xb64-15e_jhmdb_published.py'


def run(*args, cwd, path=None, seed='0'):
    env = dict(os.environ, OMP_NUM_THREADS='1', PYTHONHASHSEED=seed)
    env['PYTHONPATH'] = str(path or ROOT)
    return subprocess.run(
        [sys.executable, '-W', 'ignore', *map(str, args)],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )


def make(folder, **kwargs):
    done = run(TOOL, '-o', folder, cwd=ROOT, **kwargs)
    assert done.returncode == 0, done.stderr
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


@pytest.fixture(scope='module')
def checkout(tmp_path_factory):
    """A folder like a checkout of MMPose, with the project in it."""
    folder = tmp_path_factory.mktemp('checkout')
    (folder / 'projects').mkdir()
    make(folder / 'projects/hanet')
    return folder


@pytest.fixture(scope='module')
def texts(checkout):
    """All Python files of the project by their paths in it."""
    project = checkout / 'projects/hanet'
    return {
        path.relative_to(project).as_posix(): path.read_text('utf-8')
        for path in sorted(project.rglob('*.py'))
    }


def imported(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


@pytest.mark.mm
def test_modules_are_those_of_a_project(texts):
    for path, text in texts.items():
        assert text.startswith(HEADER) != path.startswith('configs/'), path
        tops = {name.split('.')[0] for name in imported(text)}
        assert 'hanet_mm' not in tops, path
        # Parenthesised context managers are no syntax for MMPose's yapf.
        assert 'with (' not in text, path
    package = {x for x in texts if x.startswith('hanet/')}
    assert 'hanet/models/pose_refiners.py' in package
    for absent in ('apis', 'filters', 'stream', 'simulation', 'weights'):
        assert not [x for x in package if f'/{absent}' in x]
    # Neither is what only the refiners of the plugin need.
    assert ':class:`MeasureEvidence`' not in ''.join(texts.values())
    assert 'def robust_path' not in ''.join(texts.values())
    assert 'AtomicCheckpointHook' not in ''.join(texts.values())


@pytest.mark.mm
def test_same_sources_give_the_same_bytes(checkout, tmp_path):
    project = checkout / 'projects/hanet'
    other = make(tmp_path / 'again', seed='1')
    assert other == {
        path.relative_to(project).as_posix(): path.read_bytes()
        for path in project.rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }


@pytest.mark.mm
def test_nothing_is_written_over(tmp_path):
    (tmp_path / 'notes.txt').write_text('mine')
    done = run(TOOL, '-o', tmp_path, cwd=ROOT)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert str(tmp_path) in line
    assert [x.name for x in tmp_path.iterdir()] == ['notes.txt']


@pytest.mark.mm
def test_lint_of_mmpose_as_far_as_ruff_knows_it(checkout):
    done = run(
        *('-m', 'ruff', 'check', '--isolated', '--line-length', 79),
        *('--select', 'E,F,W', 'projects'),
        cwd=checkout,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.mm
def test_pages_have_our_figures(checkout):
    project = checkout / 'projects/hanet'
    readme = (project / 'README.md').read_text('utf-8')
    metafile = yaml.safe_load((project / 'metafile.yml').read_text('utf-8'))
    assert '<!--' not in readme
    for model in metafile['Models']:
        assert (checkout / model['Config']).is_file()
        assert f'`{model["Name"]}`' in readme
        assert model['Results']
    measured = metafile['Models'][1]['Results'][-1]
    assert measured['Source'] == 'trained with this config'
    assert f'PCK@0.05 {measured["Metrics"]["PCK@0.05"]}' in readme


@pytest.mark.mm
@pytest.mark.slow
def test_its_own_tests_pass_without_us(checkout):
    code = f'{WITHOUT_US}\nimport pytest\nsys.exit(pytest.main(sys.argv[1:]))'
    done = run('-c', code, '-q', 'projects/hanet', cwd=checkout, path=checkout)
    assert done.returncode == 0, done.stdout[-3000:]
    assert ' passed' in done.stdout


@pytest.mark.mm
@pytest.mark.slow
def test_forward_loss_and_gradients_equal_ours(checkout, tmp_path):
    configs = checkout / 'projects/hanet/configs'
    sides = {
        'projects.hanet.hanet': (WITHOUT_US, configs / SMALL, checkout),
        'hanet_mm': ('import sys', ROOT / 'configs/hanet/jhmdb' / SMALL, ROOT),
    }
    found = []
    for name, (start, config, path) in sides.items():
        out = tmp_path / f'{name}.npz'
        done = run(
            *('-c', start + COMPARED, config, out, name),
            cwd=tmp_path,
            path=path,
        )
        assert done.returncode == 0, done.stderr
        found.append(np.load(out))
    ours, theirs = found
    assert set(ours.files) == set(theirs.files)
    assert len(ours.files) > 100
    for name in ours.files:
        np.testing.assert_array_equal(ours[name], theirs[name], err_msg=name)


@pytest.mark.mm
def test_a_second_import_of_the_names_is_one_clear_line(checkout):
    path = os.pathsep.join([str(checkout), str(ROOT)])
    code = 'import hanet_mm, projects.hanet.hanet'
    done = run('-c', code, cwd=checkout, path=path)
    last = done.stderr.splitlines()[-1]
    assert last.startswith('RuntimeError: projects.hanet.hanet and the ')
    assert 'hanet_mm' in last


@pytest.mark.mm
@pytest.mark.slow
def test_imported_first_the_project_stays_and_we_say_so(checkout):
    path = os.pathsep.join([str(checkout), str(ROOT)])
    code = (
        'import warnings, projects.hanet.hanet\n'
        'with warnings.catch_warnings(record=True) as found:\n'
        '    warnings.simplefilter("always")\n'
        '    import hanet_mm\n'
        'from mmpose.registry import MODELS, HOOKS\n'
        'print(MODELS.get("HANet").__module__)\n'
        'print([str(x.message) for x in found])\n'
        'print(hanet_mm.list_refiners())\n'
    )
    done = run('-c', code, cwd=checkout, path=path)
    assert done.returncode == 0, done.stderr
    module, messages, refiners = done.stdout.splitlines()
    assert module == 'projects.hanet.hanet.models.pose_refiners'
    assert 'has registered HANet before hanet_mm' in messages
    assert 'coco17-2d' in refiners
