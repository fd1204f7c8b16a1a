# Copyright (c) hanet_mm contributors. All rights reserved.
"""Windows of the protocols, and the figures of the paper."""

import re
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hanet_mm.apis.benchmark.catalog import CATALOG, config_root
from hanet_mm.apis.benchmark.paper_figures import ABLATION_ROWS, PAPER_ROWS
from hanet_mm.apis.benchmark.paper_tables import paper_rows
from hanet_mm.apis.benchmark.protocols import (
    Windows,
    choose_stride,
    scored_frames,
)

pytestmark = pytest.mark.mm

ROOT = Path(__file__).parents[2]
ROWS = [*sum(PAPER_ROWS.values(), ()), *ABLATION_ROWS]


@pytest.mark.parametrize(
    ('interval', 'window', 'read'),
    [
        # Frames 0, 1, 4, 5, 6, 9, 10, as measured on the published code.
        (5, 11, 7),
        (5, 51, 3 * 11 - 2),
        (5, 101, 3 * 21 - 2),
        (10, 101, 3 * 11 - 2),
        # Neighbours of every second frame are all frames.
        (2, 101, 101),
        (1, 5, 5),
    ],
)
def test_share_of_the_frames_that_are_read(interval, window, read):
    assert Windows(interval, window, 1).share_read == read / window


@given(
    interval=st.integers(1, 12),
    samples=st.integers(1, 12),
    distance=st.integers(1, 3),
)
def test_share_read_counts_distinct_frames(interval, samples, distance):
    window = interval * samples + 1
    read = set()
    for frame in range(0, window, interval):
        for other in (frame - distance, frame, frame + distance):
            read.add(min(max(other, 0), window - 1))
    windows = Windows(interval, window, 1, distance)
    assert windows.share_read == len(read) / window


@given(length=st.integers(1, 60), window=st.integers(1, 20), data=st.data())
def test_scored_frames_are_those_of_whole_windows(length, window, data):
    stride = data.draw(st.integers(1, window))
    expected = np.zeros(length, bool)
    expected[:window] = True
    for start in range(0, length - window + 1, stride):
        expected[start : start + window] = True
    found = scored_frames(length, Windows(1, window, stride))
    np.testing.assert_array_equal(found, expected)
    assert scored_frames(length, None).all()


def test_stride():
    assert choose_stride('published', 5, 1, own=2) == 5
    assert choose_stride('published', 10, 10, own=2) == 100
    assert choose_stride('ours', 5, 1, own=2) == 2


def test_every_data_set_has_its_config():
    for entry in CATALOG.values():
        assert (config_root() / 'hanet' / entry.config).is_file()


def metafile_figures():
    """Figures that the model index marks as the paper's, by config."""
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    found = {}
    for name in index['Import']:
        for model in yaml.safe_load((ROOT / name).read_text())['Models']:
            for result in model['Results']:
                if result['Source'].startswith('reported by the paper'):
                    found[model['Name']] = result['Metrics']
    return found


def test_figures_equal_the_model_index():
    index = metafile_figures()
    rows = {row.config: row for row in ROWS if row.config}
    assert set(rows) == set(index)
    for name, metrics in index.items():
        found = rows[name].metrics
        for key, value in metrics.items():
            assert found[key if key in found else f'AP/{key}'] == value


def test_ablations_stand_beside_their_own_checkpoint_only():
    usual = paper_rows('jhmdb', [])
    ablation = ABLATION_ROWS[5]
    assert len(paper_rows('jhmdb', [ablation.config])) == len(usual) + 1
    row = paper_rows('jhmdb', [ablation.config])[-1]
    assert row['method'] == 'SimpleBaseline + HANet (Table 4, row 7)'
    assert row['metrics']['PCK@0.05'] == 90.2
    assert row['protocol'] == 'reported by the paper'
    assert paper_rows('cmu-mocap', [ablation.config]) == []


def test_figures_equal_the_paper(shared_dir):
    (seed,) = (shared_dir / 'seed').glob('*.txt')
    printed = []
    for line in seed.read_text(encoding='utf-8').splitlines():
        # Cells of tables are set apart by tabs; some digits are bold.
        cells = re.sub(r'</?b>|[*]', '', line).split('\t')
        numbers = []
        for cell in cells:
            if re.fullmatch(r'[\d .]+\.[\d ]+|-', cell.strip()):
                numbers.append(cell.replace(' ', ''))
        if numbers:
            printed.append(tuple(float(x) for x in numbers if x != '-'))
    for row in ROWS:
        assert tuple(row.metrics.values()) in printed, row
    assert len(ROWS) == 5 + 6 + 4 + 4 + 7 + 10
