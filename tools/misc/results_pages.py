# Copyright (c) hanet_mm contributors. All rights reserved.
"""Write the tables of measured figures into pages and metafiles' pages.

    python tools/misc/results_pages.py

All figures are those of configs/hanet/results.json; a page beside each
metafile of model-index.yml lists its models with what the paper reports and
what was measured.
"""

import json
from pathlib import Path
from typing import Any, Dict, List

import yaml

from hanet_mm.apis.benchmark.pages import fill_page
from hanet_mm.apis.benchmark.tables import markdown_table

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / 'configs/hanet/results.json'
PAGES = ('docs/fidelity.md',)
_FILES = (
    'mediapipe static',
    'mediapipe track',
    'movenet box',
    'movenet track',
)
_WEIGHTS = """No address is known from which to download weights of these
models, so the metafile has no `Weights`. The bundled refiners come with the
package (`hanet-mm models`); all others are trained with `tools/train.py`, or
all together with `tools/train_all.py`.
"""


def main() -> None:
    """Write all pages."""
    for path, text in make_pages().items():
        path.write_text(text, encoding='utf-8')


def make_pages() -> Dict[Path, str]:
    """Texts of the pages by their files."""
    results = json.loads(RESULTS.read_text(encoding='utf-8'))
    tables = dict(
        real=real_table(results['real']),
        written=written_table(results['written']),
    )
    pages = {
        ROOT / page: fill_page((ROOT / page).read_text('utf-8'), tables)
        for page in PAGES
    }
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text('utf-8'))
    for name in index['Import']:
        path = ROOT / name
        metafile = yaml.safe_load(path.read_text('utf-8'))
        pages[path.with_suffix('.md')] = metafile_page(path.stem, metafile)
    return pages


def real_table(rows: List[Dict[str, Any]]) -> str:
    """Mean errors on real estimates, and the frames made worse."""
    lines = [
        [
            row['method'],
            *(
                f'{mean:.2f} ({worse:.1f})' if worse else f'{mean:.2f}'
                for mean, worse in zip(row['mean'], row['worse'])
            ),
            f'{row["pck_0.05"]:.1f}',
        ]
        for row in rows
    ]
    return markdown_table(
        ['mean error % (worse %)', *_FILES, 'average', 'PCK@0.05'], lines
    )


def written_table(rows: List[Dict[str, Any]]) -> str:
    """As published beside as written."""
    keys = ('PCK@0.2', 'PCK@0.1', 'PCK@0.05', 'MPJPE', 'Accel')
    lines = [
        [
            row['method'],
            *(f'{row["metrics"][key]:.2f}' for key in keys),
        ]
        for row in rows
    ]
    heads = ['PCK@0.2', '@0.1', '@0.05', 'mean error px', 'Accel error']
    return markdown_table(['', *heads], lines)


def metafile_page(title: str, metafile: Dict[str, Any]) -> str:
    """Models of a metafile with all figures that it has."""
    lines = []
    for model in metafile['Models']:
        meta = model['Metadata']
        for result in model['Results']:
            if not result['Metrics']:
                continue
            figures = ', '.join(
                f'{k} {v}' for k, v in result['Metrics'].items()
            )
            lines.append(
                [
                    f'`{model["Name"]}`',
                    str(meta['Window']),
                    str(meta['Sampling Interval']),
                    result['Dataset'],
                    figures,
                    result['Source'],
                ]
            )
    table = markdown_table(
        ['config', 'T', 'N', 'data', 'figures', 'source'], lines
    )
    return f'# {title}\n\n{table}\n{_WEIGHTS}'


if __name__ == '__main__':
    main()
