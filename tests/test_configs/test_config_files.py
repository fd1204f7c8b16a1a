# Copyright (c) hanet_mm contributors. All rights reserved.
"""Configs of the package are found by name, to run and to inherit from."""

from pathlib import Path

import pytest

import hanet_mm
from hanet_mm.apis.cli import main

DEMO = 'hanet/synthetic/hanet-small_simulated-21frm_1xb64-4e_synthetic.py'
CHILD = """
_base_ = [__import__('hanet_mm').config_path({name!r})]

max_epochs = 2
train_cfg = dict(max_epochs=max_epochs)
codec_of_parent = {{{{_base_.codec}}}}
"""


@pytest.mark.parametrize(
    'name', [DEMO, DEMO[:-3], Path(DEMO).name, f'synthetic/{Path(DEMO).stem}']
)
def test_a_config_is_found_by_its_path_or_the_end_of_it(repo_root, name):
    found = hanet_mm.config_path(name)
    assert isinstance(found, str)
    assert Path(found).resolve() == repo_root / 'configs' / DEMO


@pytest.mark.parametrize(
    ('name', 'message'),
    [
        (DEMO.replace('simulated', 'simulatd'), f'did you mean {DEMO}'),
        ('hanet_fcn-51frm_1xb96-70e_h36', 'hanet/h36m/hanet_fcn-51frm'),
        ('hanet_plus', 'one of _base_/models/hanet_plus.py, _base_/schedules'),
        ('small_simulated-21frm_1xb64-4e_synthetic', 'unknown config'),
        ('body23-2d', r'did you mean hanet/portable/.*_body23-2d\.py'),
        ('nope', 'unknown config .nope.; hanet-mm config lists all'),
        ('../setup', 'unknown config'),
        ('', 'unknown config'),
    ],
)
def test_a_wrong_name_is_one_line(name, message):
    with pytest.raises(ValueError, match=message) as caught:
        hanet_mm.config_path(name)
    assert '\n' not in str(caught.value)
    assert repr(name) in str(caught.value)


def test_the_command_prints_a_path_or_lists_all(capsys):
    assert main(['config', Path(DEMO).stem]) == 0
    assert capsys.readouterr().out == f'{hanet_mm.config_path(DEMO)}\n'
    assert main(['config']) == 0
    names = capsys.readouterr().out.splitlines()
    assert DEMO in names
    assert not [x for x in names if x.startswith('_base_')]
    assert main(['config', 'other']) == 1
    assert 'unknown config' in capsys.readouterr().err


@pytest.mark.mm
@pytest.mark.parametrize('loaded', ['', 'import hanet_mm; '])
def test_a_config_inherits_from_the_package(tmp_path, run_python, loaded):
    """Before the package is imported, as in MMPose's tools, and after."""
    child = tmp_path / 'child.py'
    child.write_text(CHILD.format(name=Path(DEMO).name))
    code = f'{loaded}from mmengine.config import Config; '
    code += f'cfg = Config.fromfile({str(child)!r}); '
    code += 'print(cfg.train_cfg.max_epochs, cfg.train_cfg.by_epoch, '
    code += 'cfg.codec_of_parent.normalization, cfg.model.type)'
    printed = run_python('-c', code, cwd=tmp_path)
    assert printed.splitlines()[-1] == '2 True box HANet'


@pytest.mark.mm
def test_a_wrong_base_is_named(tmp_path):
    from mmengine.config import Config

    child = tmp_path / 'child.py'
    child.write_text(CHILD.format(name='hanet/synthetic/hanet-smal.py'))
    with pytest.raises(ValueError, match=r"unknown config 'hanet/synthetic"):
        Config.fromfile(child)
