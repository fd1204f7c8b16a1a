# Copyright (c) hanet_mm contributors. All rights reserved.
"""Figures stand in one file, and one command trains for them."""

import json
import runpy
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RESULTS = json.loads((ROOT / 'configs/hanet/results.json').read_text('utf-8'))
TOOL = ROOT / 'tools/train_all.py'


def test_pages_have_the_figures_of_the_file():
    make_pages = runpy.run_path(str(ROOT / 'tools/misc/results_pages.py'))[
        'make_pages'
    ]
    for path, text in make_pages().items():
        assert path.read_text('utf-8') == text, (
            f'{path.name}: run tools/misc/results_pages.py'
        )


def test_metafiles_have_the_figures_of_the_file():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    found = {}
    for name in index['Import']:
        metafile = yaml.safe_load((ROOT / name).read_text('utf-8'))
        for model in metafile['Models']:
            assert 'Weights' not in model  # there is no address of any
            measured = model['Results'][-1]['Metrics']
            if measured:
                found[model['Name']] = measured
    expected = {k: v['metrics'] for k, v in RESULTS['models'].items()}
    assert found == expected


def train_all(monkeypatch, *arguments, run=None):
    monkeypatch.setattr(sys, 'argv', ['train_all.py', *map(str, arguments)])
    tool = runpy.run_path(str(TOOL))
    if run is not None:
        tool['main'].__globals__['run'] = run
    tool['main']()


def test_all_configs_of_the_command_exist(monkeypatch, capsys):
    train_all(monkeypatch, '--list')
    names = capsys.readouterr().out.split()
    found = {x.stem for x in (ROOT / 'configs/hanet').rglob('*.py')}
    assert set(names) <= found
    assert set(RESULTS['models']) <= set(names)


def test_weights_to_begin_with_are_made_first(monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    name = 'hanet-plus_evidence-49frm_1xb64-5k_body23-2d'
    words = ('--dry-run', '--only', name)
    train_all(monkeypatch, *words)
    made = capsys.readouterr().out.splitlines()
    assert len(made) == 3
    assert made[0].endswith(
        'add_keypoints.py coco17-2d coco_wholebody_body '
        'data/initial/body23-2d.pth'
    )
    config = (ROOT / f'configs/hanet/portable/{name}.py').read_text()
    assert f"load_from = '{made[0].split()[-1]}'" in config
    (tmp_path / 'data/initial').mkdir(parents=True)
    (tmp_path / 'data/initial/body23-2d.pth').touch()
    train_all(monkeypatch, *words)
    assert capsys.readouterr().out.splitlines() == made[1:]


def test_a_killed_run_goes_on_where_it_was(monkeypatch, tmp_path, capsys):
    trained = []

    def run(command):
        """Stands in for the tools: writes what they write."""
        name = Path(command[2]).stem
        work = Path(command[command.index('--work-dir') + 1])
        if command[1].endswith('train.py'):
            assert command[-1] == '--resume'
            if len(trained) == 1:
                raise KeyboardInterrupt
            trained.append(name)
            work.mkdir(parents=True)
            (work / 'best_refined_epoch_1.pth').touch()
        else:
            assert command[3].endswith('best_refined_epoch_1.pth')
            (work / '2026').mkdir(parents=True)
            text = json.dumps({'refined/PCK@0.05': len(trained)})
            (work / '2026/2026.json').write_text(text)

    train_all(monkeypatch, '--list')
    names = capsys.readouterr().out.split()[:3]
    out = tmp_path / 'results.json'
    call = ('-o', out, '--work-dir', tmp_path, '--only', *names)
    with pytest.raises(KeyboardInterrupt):
        train_all(monkeypatch, *call, run=run)
    assert list(json.loads(out.read_text())) == names[:1]
    trained.append('killed')
    train_all(monkeypatch, *call, run=run)
    assert trained == [names[0], 'killed', *names[1:]]
    results = json.loads(out.read_text())
    found = [x['metrics']['refined/PCK@0.05'] for x in results.values()]
    assert found == [1, 3, 4]


def test_a_file_that_is_none_of_results(monkeypatch, tmp_path):
    (tmp_path / 'results.json').write_text('[1')
    with pytest.raises(SystemExit, match='not a file of results'):
        train_all(monkeypatch, '-o', tmp_path / 'results.json')


@pytest.mark.parametrize(
    ('row', 'model'),
    [
        ('..._published.py', '11frm_1xb64-15e_jhmdb_published'),
        ('hanet-small_..._15e_jhmdb.py', '11frm_1xb64-15e_jhmdb'),
        ('hanet-plus_..._300e_jhmdb.py', '300e_jhmdb'),
        ('51frm_..._cmu-mocap.py', '15e_cmu-mocap'),
        ('41frm_..._cmu-mocap-smpl.py', '10e_cmu-mocap-smpl'),
    ],
)
def test_the_page_of_accuracy_has_the_figures_of_the_file(row, model):
    page = (ROOT / 'docs/accuracy.md').read_text('utf-8')
    (line,) = (
        x for x in page.splitlines() if x.startswith('|') and f'{row}`' in x
    )
    cells = [x.strip(' *') for x in line.split('|')[2:-1]]
    (found,) = (k for k in RESULTS['models'] if k.endswith(model))
    figures = RESULTS['models'][found]['metrics'].values()
    assert [float(x) for x in cells] == list(figures)
