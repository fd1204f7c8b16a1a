"""What is known of the poses in a file."""

import json
from typing import Any, Dict, Mapping, Sequence

from hanet_mm.core.data.files import read_npz

from .catalog import DataSource

_KEYS = ('protocol', 'estimator', 'note')
_SILENT = 'the file does not say'


def describe(
    source: DataSource, metrics: Sequence[Mapping[str, Any]]
) -> Dict[str, str]:
    """Protocol, estimator and note of the test data.

    Args:
        source (DataSource): Its file has ``meta`` or not.
        metrics (Sequence[Mapping]): Configs of the metrics.

    Returns:
        dict[str, str]: ``protocol`` and ``estimator``; ``note`` and ``body
        model`` where there is one.
    """
    value = read_npz(source.test_file, (), ('meta',)).get('meta')
    meta = json.loads(str(value)) if value is not None else {}
    about = {key: _SILENT for key in _KEYS[:2]}
    about.update({key: str(meta[key]) for key in _KEYS if meta.get(key)})
    if source.entry.estimator is not None:
        about['estimator'] = source.entry.estimator
    part = source.test_cfg.get('part')
    if part is not None:
        about['protocol'] += f'; part {part!r} of it'
    for metric in metrics:
        if 'body_model' in metric:
            about['body model'] = _body_model(metric['body_model'])
    return about


def short_estimator(about: Dict[str, str]) -> str:
    """Estimator without what is said in brackets, for a cell of a table."""
    return about['estimator'].split(' (')[0]


def _body_model(cfg: Mapping[str, Any]) -> str:
    if 'model_path' in cfg:
        return f'{cfg["type"]}, {cfg["model_path"]}'
    return f'{cfg["type"]}: a skeleton of mean proportions, no surface'
