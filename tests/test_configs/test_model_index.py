# Copyright (c) hanet_mm contributors. All rights reserved.
"""The index that OpenMMLab's tools read."""

from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
REPORTED, TRAINED = 'reported by the paper', 'trained with this config'


def load_models():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    models = []
    for name in index['Import']:
        metafile = yaml.safe_load((ROOT / name).read_text())
        collections = {x['Name'] for x in metafile['Collections']}
        for model in metafile['Models']:
            assert model['In Collection'] in collections
            models.append(model)
    return models


MODELS = load_models()


@pytest.mark.parametrize('model', MODELS, ids=lambda x: x['Name'])
def test_models_have_a_config_and_a_source(model):
    assert (ROOT / model['Config']).is_file()
    assert Path(model['Config']).stem == model['Name']
    # Every figure says whether the paper or this config gave it.
    for result in model['Results']:
        source = result['Source'].split(' (')[0]
        assert source in (REPORTED, TRAINED)
    own = [x['Source'].startswith(TRAINED) for x in model['Results']]
    assert sum(own) == 1


def test_every_row_config_is_in_the_index():
    folders = ('aist', 'h36m', 'jhmdb', 'posetrack', 'pw3d')
    configs = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / 'configs/hanet' / folder).rglob('hanet_*.py')
    }
    assert configs <= {model['Config'] for model in MODELS}


# Tables 1-5 of the paper, every row with HANet.
PAPER = {
    # Tables 1, 4, 5: PCK@0.2, @0.1, @0.05
    '1xb16-70e_jhmdb': [99.6, 98.3, 91.9],
    'constant-width-4levels-no-oml': [98.2, 95.9, 83.8],
    '_4levels-no-oml': [99.2, 97.0, 86.1],
    '4levels-oml-l2': [99.1, 96.3, 85.8],
    '4levels-oml-l1': [99.3, 97.2, 86.7],
    'jhmdb_4levels': [99.4, 97.3, 87.2],
    '6levels': [99.5, 97.7, 90.2],
    'no-kinematics': [99.1, 96.3, 86.5],
    'jhmdb_flow': [99.4, 97.4, 88.4],
    'jhmdb_flow-velocity': [99.4, 97.6, 90.6],
    'flow-velocity-acceleration': [99.5, 98.1, 91.5],
    # Table 2: MPJPE, Accel
    'fcn-51frm_1xb96-70e_h36m': [51.8, 2.0],
    'fcn-101frm_1xb96-70e_h36m': [52.8, 1.4],
    'mhformer-101frm_1xb576-70e_h36m': [35.4, 0.8],
    'pare-51frm_1xb64-70e_pw3d': [74.6, 8.0],
    'pare-101frm_1xb64-70e_pw3d': [77.1, 6.8],
    'spin-51frm_1xb256-70e_aist': [64.3, 6.4],
    'spin-101frm_1xb256-70e_aist': [69.2, 5.4],
    # Table 3: Head to Ankle, Mean
    'posetrack17': [90.0, 90.0, 85.0, 78.8, 83.1, 82.1, 77.1, 84.2],
    'posetrack18': [86.1, 88.5, 84.1, 78.7, 79.0, 80.3, 77.4, 82.3],
}


def test_figures_of_the_paper():
    found = {}
    for model in MODELS:
        for result in model['Results']:
            if result['Source'].startswith(REPORTED):
                found[model['Name']] = list(result['Metrics'].values())
    assert len(found) == len(PAPER)
    for ending, figures in PAPER.items():
        (name,) = (x for x in found if x.endswith(ending))
        assert found[name] == figures


def test_windows_of_the_index_are_those_of_the_configs():
    from mmengine.config import Config

    for model in MODELS:
        cfg = Config.fromfile(ROOT / model['Config'])
        meta = model['Metadata']
        assert cfg.model.window_size == meta['Window']
        assert cfg.model.sample_interval == meta['Sampling Interval']
