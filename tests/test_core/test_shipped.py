# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refiners by name: what is a name, and what it leads to."""

from pathlib import Path

import numpy as np
import pytest
import torch

import hanet_mm
from hanet_mm import Refiner, load_refiner
from hanet_mm.core.refine import weights_file as shipped

CARD = """# small-2d

Refines three points
in a picture.

Trained on nothing.
"""


def make_refiner(seed):
    torch.manual_seed(seed)
    shape = dict(num_keypoints=3, coord_dims=2, embed_dims=16)
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=1),
            head=dict(shape, num_layers=1),
            sample_interval=2,
        ),
        window_size=5,
        normalization='box',
    )


@pytest.fixture
def weights(tmp_path, monkeypatch):
    """A package with two refiners; the working directory is another one."""
    folder, here = tmp_path / 'weights', tmp_path / 'here'
    here.mkdir()
    monkeypatch.setattr(shipped, 'WEIGHTS', folder)
    monkeypatch.chdir(here)
    for seed, name in enumerate(('small-2d', 'another')):
        make_refiner(seed).save(folder / f'{name}.safetensors')
        (folder / f'{name}.md').write_text(CARD.replace('small-2d', name))
    (folder / 'README.md').write_text('# Not a refiner')
    return folder


def refined(refiner):
    keypoints = np.random.default_rng(0).normal(100, 20, (9, 3, 2))
    return refiner.refine(keypoints).keypoints


@pytest.mark.parametrize(
    ('text', 'expected'),
    [
        ('coco17-2d', True),
        ('mine', True),
        ('mine.safetensors', False),
        ('./mine', False),
        ('folder/mine', False),
        ('', False),
        (Path('coco17-2d'), False),
    ],
)
def test_a_text_without_folder_and_suffix_is_a_name(text, expected):
    assert shipped.is_name(text) is expected


def test_names_are_those_of_the_weights(weights):
    assert hanet_mm.list_refiners() == ('another', 'small-2d')


def test_a_package_without_weights_has_no_names(monkeypatch, tmp_path):
    monkeypatch.setattr(shipped, 'WEIGHTS', tmp_path / 'nothing')
    assert shipped.list_refiners() == ()
    with pytest.raises(ValueError, match=r"'coco17-2d'; .*refiners: none;"):
        load_refiner('coco17-2d')


def test_a_name_loads_what_the_file_holds(weights):
    by_name = refined(load_refiner('small-2d'))
    np.testing.assert_array_equal(by_name, refined(make_refiner(0)))
    assert not np.array_equal(by_name, refined(load_refiner('another')))


def test_an_unknown_name_is_told_with_the_known_ones(weights):
    for function in (load_refiner, hanet_mm.refiner_card):
        with pytest.raises(ValueError, match='another, small-2d') as info:
            function('smal-2d')
        assert "'smal-2d'" in str(info.value)
        assert '\n' not in str(info.value)


def test_files_with_folder_or_suffix_are_read_as_before(weights):
    make_refiner(7).save('small-2d')
    make_refiner(8).save('small-2d.safetensors')
    for path, seed in (
        ('./small-2d', 7),
        (Path('small-2d'), 7),
        ('small-2d.safetensors', 8),
    ):
        expected = refined(make_refiner(seed))
        np.testing.assert_array_equal(refined(load_refiner(path)), expected)
    with pytest.raises(FileNotFoundError, match='no such refiner file'):
        load_refiner('./another')


def test_a_name_wins_over_a_file_and_says_so(weights):
    make_refiner(7).save('small-2d')
    with pytest.warns(UserWarning, match=r'which is \./small-2d'):
        found = refined(load_refiner('small-2d'))
    np.testing.assert_array_equal(found, refined(make_refiner(0)))


def test_a_file_whose_name_no_refiner_has(weights):
    make_refiner(7).save('mine')
    found = refined(load_refiner('mine'))
    np.testing.assert_array_equal(found, refined(make_refiner(7)))


def test_cards(weights):
    assert hanet_mm.refiner_card('small-2d') == CARD
    expected = 'Refines three points in a picture.'
    assert shipped.summarize_refiner('small-2d') == expected
    (weights / 'small-2d.md').write_text('# small-2d\n')
    assert shipped.summarize_refiner('small-2d') == ''


def test_defaults():
    assert shipped.default_refiner(2) == 'coco17-2d'
    assert shipped.default_refiner(3) == 'h36m17-3d'
    with pytest.raises(ValueError, match='6 coordinates'):
        shipped.default_refiner(6)
