"""The index that OpenMMLab's tools read."""

from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_models_of_the_index_have_configs_and_a_source():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    models = []
    for name in index['Import']:
        metafile = yaml.safe_load((ROOT / name).read_text())
        collections = {x['Name'] for x in metafile['Collections']}
        for model in metafile['Models']:
            assert model['In Collection'] in collections
            models.append(model)
    assert models
    for model in models:
        assert (ROOT / model['Config']).is_file()
        assert Path(model['Config']).stem == model['Name']
        # A figure says whether the paper or this config gave it.
        assert 'reported by the paper' in model['Metadata']['Figures']


def test_paper_figures_of_table_1():
    path = ROOT / 'configs/hanet/jhmdb/hanet_jhmdb.yml'
    (model,) = yaml.safe_load(path.read_text())['Models']
    assert model['Results'][0]['Metrics'] == {
        'PCK@0.2': 99.6,
        'PCK@0.1': 98.3,
        'PCK@0.05': 91.9,
    }
