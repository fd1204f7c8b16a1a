# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm refine`` on a folder of files, whatever happens to it."""

import errno
import os

import numpy as np
import pytest
from format_files import make_coco_refiner, write_example

from hanet_mm.apis import refine as module
from hanet_mm.apis import refine_file
from hanet_mm.apis.cli import main
from hanet_mm.apis.formats import open_poses
from hanet_mm.apis.refine import RefineOptions, refine_folder

NAMES = ('coco', 'csv', 'arrays', 'openpose', 'alphapose')


@pytest.fixture
def source(tmp_path):
    """A folder with files of many formats, some in a folder of their own."""
    folder = tmp_path / 'videos'
    (folder / 'more').mkdir(parents=True)
    for name in NAMES:
        place = folder / 'more' if name in ('csv', 'openpose') else folder
        write_example(name, place)
    (folder / 'notes.txt').write_text('not poses')
    (folder / '.hidden.json').write_text('{}')
    return folder


@pytest.fixture
def options():
    return RefineOptions(make_coco_refiner())


def files_of(folder):
    return sorted(
        str(x.relative_to(folder)) for x in folder.rglob('*') if x.is_file()
    )


def test_every_file_is_refined_as_alone(source, options, tmp_path):
    out = tmp_path / 'out'
    summary = refine_folder(source, out, options)
    assert (summary.num_refined, summary.num_skipped) == (len(NAMES), 0)
    assert not summary.failed
    expected = [x for x in files_of(source) if x[-3:] != 'txt' and x[0] != '.']
    assert files_of(out) == expected
    for place in ('coco.json', 'more/table.csv', 'more/openpose'):
        alone = tmp_path / 'alone' / place
        refine_file(source / place, alone, make_coco_refiner())
        for track, other in zip(
            open_poses(out / place).tracks, open_poses(alone).tracks
        ):
            np.testing.assert_array_equal(track.keypoints, other.keypoints)


def test_a_run_that_was_cut_off_goes_on(
    source, options, tmp_path, monkeypatch
):
    out = tmp_path / 'out'
    real, calls = module.refine_poses, []

    def interrupted(item, *more):
        calls.append(item.name)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(item, *more)

    monkeypatch.setattr(module, 'refine_poses', interrupted)
    with pytest.raises(KeyboardInterrupt):
        refine_folder(source, out, options)
    finished = {x: (out / x).stat().st_mtime_ns for x in files_of(out)}
    assert finished
    summary = refine_folder(source, out, options)
    assert (summary.num_refined, summary.num_skipped) == (2, 3)
    assert calls[:3] == [x for x in calls if calls.count(x) == 1][:3]
    for name, time in finished.items():
        assert (out / name).stat().st_mtime_ns == time
    assert '2 files refined' in str(summary)
    assert '3 were finished already' in str(summary)


def test_a_file_that_changed_is_refined_again(source, options, tmp_path):
    out = tmp_path / 'out'
    refine_folder(source, out, options)
    later = (out / 'coco.json').stat().st_mtime_ns + 10**9
    os.utime(source / 'coco.json', ns=(later, later))
    summary = refine_folder(source, out, options)
    assert (summary.num_refined, summary.num_skipped) == (1, len(NAMES) - 1)


def test_bad_files_do_not_keep_the_others(source, tmp_path, capsys):
    refiner = tmp_path / 'refiner.safetensors'
    make_coco_refiner().save(refiner)
    (source / 'a.json').write_text('{')
    (source / 'more' / 'z.csv').write_text('frame,a_x,a_y\n1,2,b\n')
    out = tmp_path / 'out'
    arguments = ['refine', source, '-o', out, '--refiner', refiner]
    for refined in (len(NAMES), 0):
        assert main([str(x) for x in arguments]) == 1
        captured = capsys.readouterr()
        assert captured.out == ''
        assert captured.err.count('\n') == 1
        for part in (
            f'hanet-mm: error: {out}: {refined} files refined',
            '2 failed: ',
            f'{source / "a.json"}: expected JSON',
            f'{source / "more" / "z.csv"}: line 2: a_y',
        ):
            assert part in captured.err
        assert not (out / 'a.json').exists()
    (source / 'a.json').unlink()
    (source / 'more' / 'z.csv').unlink()
    assert main([str(x) for x in arguments]) == 0
    assert f'{len(NAMES)} were finished' in capsys.readouterr().out


def test_a_full_disk_ends_the_run(source, options, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(module, 'refine_poses', full)
    with pytest.raises(OSError, match='No space left'):
        refine_folder(source, tmp_path / 'out', options)


def test_folders_that_cannot_be(source, options, tmp_path):
    for out in (source, source / 'out'):
        with pytest.raises(ValueError, match='a folder outside of'):
            refine_folder(source, out, options)
    empty = tmp_path / 'empty'
    empty.mkdir()
    with pytest.raises(ValueError, match='empty: expected pose files'):
        refine_folder(empty, tmp_path / 'out', options)
    assert not (tmp_path / 'out').exists()
