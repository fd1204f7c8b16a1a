# Copyright (c) hanet_mm contributors. All rights reserved.
"""Whoever lacks a package is told which extra brings it."""

import re
import sys

import pytest

from hanet_mm.apis.errors import describe_error
from hanet_mm.core.data.extras import EXTRAS, import_extra

# Distributions that are not called as their module is, or bring it.
DISTRIBUTIONS = {'cv2': 'opencv-python', 'PIL': 'matplotlib'}


def test_every_extra_brings_its_package(repo_root):
    setup = (repo_root / 'setup.py').read_text()
    for module, extra in EXTRAS.items():
        assert f"'{extra}'" in setup
        lines = (repo_root / 'requirements' / f'{extra}.txt').read_text()
        name = DISTRIBUTIONS.get(module, module)
        assert re.search(rf'^{name}\b', lines, re.M), (module, extra)


def test_a_missing_package_is_told_with_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, 'scipy', None)
    with pytest.raises(ImportError) as caught:
        import_extra('scipy', 'a filter')
    line = describe_error(caught.value)
    assert line.startswith('a filter needs scipy: pip install "hanet_mm[filt')
    assert 'in a checkout ".[filters]"' in line


def test_a_plain_import_error_is_told_so_by_the_command():
    error = ModuleNotFoundError("No module named 'cv2'", name='cv2')
    line = describe_error(error)
    assert line.startswith('this needs cv2: pip install "hanet_mm[video]"')
    other = ModuleNotFoundError("No module named 'gone'", name='gone')
    assert describe_error(other) == "No module named 'gone'"


WITHOUT_SCIPY = """
import sys
for name in ('scipy', 'tqdm', 'cv2', 'matplotlib', 'mmengine'):
    sys.modules[name] = None
import numpy as np
from hanet_mm.apis.cli import main
keypoints = np.random.default_rng(0).normal(100, 9, (20, 17, 2))
np.save('in.npy', keypoints)
for name in ('one_euro', 'kalman', 'median', 'butterworth'):
    print(main(['refine', 'in.npy', '-o', 'out.npy', '--filter', name]))
"""


def test_two_filters_need_no_scipy(run_python, tmp_path):
    program = tmp_path / 'program.py'
    program.write_text(WITHOUT_SCIPY)
    lines = run_python(program, cwd=tmp_path).splitlines()
    assert [x for x in lines if x in '01'] == ['0', '0', '1', '1']
