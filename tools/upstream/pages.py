# Copyright (c) hanet_mm contributors. All rights reserved.
"""README and metafile of the project, with the figures of ours."""

import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import yaml
from config_files import CONFIGS, FOLDER

_TEMPLATE = Path(__file__).parent / 'project/README.md'
_REPORTED = 'reported by the paper'


def write_readme() -> str:
    """The README with the results of the configs."""
    reported, measured, data = [], [], set()
    for model in _models():
        meta = model['Metadata']
        for result in model['Results']:
            source = result['Source']
            figures = ', '.join(
                f'{k} {v}' for k, v in result['Metrics'].items()
            )
            row = [
                f'`{model["Name"]}`',
                str(meta['Window']),
                str(meta['Sampling Interval']),
                figures.replace('AP/', ''),
            ]
            if source.startswith(_REPORTED):
                reported.append([*row, source[len(_REPORTED) :].strip(' ()')])
            else:
                measured.append(row)
                data.add(result['Dataset'])
    heads = ['config', 'T', 'N', 'figures']
    text = _TEMPLATE.read_text('utf-8')
    for place, content in (
        ('data', '; '.join(sorted(data))),
        ('reported', _table([*heads, 'paper'], reported)),
        ('measured', _table(heads, measured)),
    ):
        text = text.replace(f'<!-- {place} -->', content)
    return text


def _table(heads: List[str], rows: List[List[str]]) -> str:
    """A table as mdformat pads it."""
    widths = [max(3, *map(len, column)) for column in zip(heads, *rows)]
    lines = [heads, ['-' * width for width in widths], *rows]
    return '\n'.join(
        f'| {" | ".join(map(str.ljust, cells, widths))} |' for cells in lines
    )


def write_metafile() -> str:
    """The metafile, for MMPose's ``model-index.yml``."""
    collections = _read(CONFIGS[0])['Collections']
    collections[0]['README'] = 'projects/hanet/README.md'
    models = list(_models())
    for model in models:
        model['Config'] = f'projects/hanet/configs/{model["Name"]}.py'
    content = dict(Collections=collections, Models=models)
    return yaml.safe_dump(content, sort_keys=False, width=1000)


def _models() -> Iterator[Dict[str, Any]]:
    """Models of the configs, with results that have figures.

    Raises:
        ValueError: If a metafile lacks one, or says other figures than
            ``results.json``.
    """
    measured = json.loads((FOLDER / 'hanet/results.json').read_text('utf-8'))
    for path in CONFIGS:
        name = Path(path).stem
        found: List[Dict[str, Any]] = [
            x for x in _read(path)['Models'] if x['Name'] == name
        ]
        if not found:
            raise ValueError(f'{name}: expected a model in its metafile')
        (model,) = found
        figures = measured['models'].get(name, {}).get('metrics', {})
        if model['Results'][-1]['Metrics'] != figures:
            raise ValueError(
                f'{name}: metafile and results.json have other figures'
            )
        results = [x for x in model['Results'] if x['Metrics']]
        yield {**model, 'Results': results}


def _read(config: str) -> Dict[str, Any]:
    (path,) = (FOLDER / 'hanet' / config).parent.glob('hanet_*.yml')
    return yaml.safe_load(path.read_text('utf-8'))
