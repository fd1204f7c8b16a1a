# Copyright (c) hanet_mm contributors. All rights reserved.
"""What all converters refuse, and how they end."""

import sys

import pytest
from common import make_parser, run


def run_converter(monkeypatch, convert, *arguments):
    parser = make_parser('A converter.')
    parser.add_argument('files', nargs='+')
    parser.add_argument('out')
    monkeypatch.setattr(sys, 'argv', ['converter', *map(str, arguments)])
    with pytest.raises(SystemExit) as caught:
        run(convert, parser)
    return caught.value.code


def write_over(files, out):
    with open(out, 'w') as file:
        file.write('written over')
    return []


def test_an_input_is_not_written_over(tmp_path, monkeypatch):
    path, link = tmp_path / 'a.npz', tmp_path / 'link.npz'
    path.write_text('input')
    link.symlink_to(path)
    for out in (path, link):
        code = run_converter(monkeypatch, write_over, 'none', path, out)
        assert f'error: {out}: expected another name' in code
    assert path.read_text() == 'input'


def test_a_file_in_a_folder_of_inputs_is_not_written_over(
    tmp_path, monkeypatch
):
    path = tmp_path / 'inputs' / 'clip' / 'joints.mat'
    path.parent.mkdir(parents=True)
    path.write_text('input')
    inputs = tmp_path / 'inputs'
    code = run_converter(monkeypatch, write_over, inputs, path)
    assert 'expected an output ending in .npz' in code
    assert path.read_text() == 'input'


def test_a_folder_with_something_in_it_is_no_output(tmp_path, monkeypatch):
    (tmp_path / 'here').write_text('')
    code = run_converter(monkeypatch, write_over, 'none', tmp_path)
    assert 'expected no such folder or an empty one' in code


def test_a_folder_is_no_file_to_write(tmp_path, monkeypatch):
    folder = tmp_path / 'x.npz'
    folder.mkdir()
    code = run_converter(monkeypatch, write_over, 'none', folder)
    assert 'expected a file, found a folder' in code


def test_an_interruption_is_one_line(tmp_path, monkeypatch, capsys):
    def stop(files, out):
        raise KeyboardInterrupt

    out = tmp_path / 'a.npz'
    assert run_converter(monkeypatch, stop, 'none', out) == 130
    assert capsys.readouterr().err == 'interrupted\n'
