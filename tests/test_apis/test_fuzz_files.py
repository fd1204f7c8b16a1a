# Copyright (c) hanet_mm contributors. All rights reserved.
"""Damaged files of every format: refused in one line, or refined."""

import warnings
from importlib.util import find_spec

import numpy as np
import pytest
from file_kinds import write_all
from file_mutations import mutate

from hanet_mm.apis.formats import FORMATS, open_poses
from hanet_mm.apis.refine import RefineOptions, refine_poses

# What of pickles that users trust goes through the boundary of open_poses.
UNFORESEEN = ('.pkl', '.npz')


@pytest.fixture(scope='module')
def kinds(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp('kinds'))


def test_there_is_a_file_of_every_format(kinds):
    found = {
        type(open_poses(x.path, **x.options)).__module__.rpartition('.')[2]
        for x in kinds.values()
    }
    left_out = {'coco', 'alphapose'}
    for package, name in (('c3d', 'c3d'), ('h5py', 'sleap_h5')):
        if find_spec(package) is None:
            left_out.add(name)
    assert found >= {*FORMATS, 'smpl'} - left_out
    for kind in kinds.values():
        open_poses(kind.path, **kind.options).check()


@pytest.mark.fuzz(200)
def test_a_damaged_file_is_refused_or_refined(kinds, tmp_path, seed):
    rng = np.random.default_rng(seed)
    kind = [*kinds.values()][seed % len(kinds)]
    others = [x.path for x in kinds.values() if x.path.is_file()]
    path = mutate(kind, others, tmp_path, rng)
    options = RefineOptions(refiner='filter:median', **kind.options).load()
    options.unswap = bool(rng.random() < 0.1)
    error = refusal(path, tmp_path / 'out' / path.name, options)
    if error is None:
        return
    message = str(error)
    assert str(path) in message
    assert '\n' not in message
    assert len(message) < 1000
    assert path.suffix in UNFORESEEN or error.__cause__ is None, message


def refusal(path, out, options):
    """Why a file is not refined, None if it is."""
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        try:
            refine_poses(path, out, options)
        except ValueError as error:
            return error
    return None
