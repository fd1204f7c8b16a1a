# Copyright (c) hanet_mm contributors. All rights reserved.
"""Write HANet as a project of MMPose: ``projects/hanet``.

    python tools/upstream/make_project.py -o MMPOSE/projects/hanet

The folder has what the paper's experiments on keypoints need: model, codec,
data sets, metrics, configs, tests, a README with results and a metafile. All
is made from the sources of this package, name by name, formatted as MMPose's
pre-commit hooks want it; the same sources give the same bytes.
"""

import argparse
import sys
from pathlib import Path
from typing import Dict, List, Tuple

from config_files import ROOT, write_configs
from literals import write_metainfo
from pages import write_metafile, write_readme
from rewriting import HEADER, format_code, write_module, write_package
from selection import select_tests
from sources import PACKAGE, Closure, Sources

from hanet_mm.core.data.atomic import atomic_folder

# Beside what configs name: to write data files.
EXTRA = [('hanet_mm.core.data.sequences', 'save_pose_sequences')]
METAINFO = 'hanet_mm.datasets.metainfo'
TESTS = (
    'test_codecs/test_pose_sequence_codec.py',
    'test_core/test_gaps.py',
    'test_core/test_metrics.py',
    'test_core/test_normalization.py',
    'test_core/test_sequences.py',
    'test_core/test_windows.py',
    'test_datasets/test_pack_inputs.py',
    'test_datasets/test_pose_sequence_dataset.py',
    'test_datasets/test_sequence_dataset_tasks.py',
    'test_engine/test_fused_adamw.py',
    'test_evaluation/test_pose_sequence_metrics.py',
    'test_evaluation/test_posetrack_ap_metric.py',
    'test_models/test_hanet.py',
    'test_models/test_losses.py',
)
OWN = Path(__file__).parent / 'project'

INIT = '''"""HANet (WACV 2023) refines the poses of an estimator in a video."""
import sys

if 'hanet_mm' in sys.modules:
    raise RuntimeError(
        'projects.hanet.hanet and the package hanet_mm, which is imported, '
        'register the same names: import one of them, or this one first')

from . import {rooms}  # noqa: E402,F401
'''


def make_files() -> Dict[str, str]:
    """Texts of all files by their paths in the project."""
    text = (ROOT / PACKAGE / 'datasets/metainfo.py').read_text('utf-8')
    sources = Sources(ROOT, {METAINFO: write_metainfo(text)})
    files, strings = write_configs()
    ours = sorted(strings & {*sources.registered})
    places = [(sources.registered[name], name) for name in ours]
    closure = Closure(sources, [*EXTRA, *places])
    files.update(_package(closure))
    files.update(_tests(closure))
    files['README.md'] = write_readme()
    files['metafile.yml'] = write_metafile()
    return files


def _package(closure: Closure) -> Dict[str, str]:
    modules = sorted(closure.names)
    texts = {name: write_module(closure, name) for name in modules}
    packages = {x.rpartition('.')[0] for x in modules}
    packages |= {x.rpartition('.')[0] for x in packages} - {''}
    packages.discard(PACKAGE)
    for name in sorted(packages):
        texts[name] = write_package(closure, name, _exports(closure, name))
    rooms = sorted({x.split('.')[1] for x in texts} - {'core'})
    files = {'hanet/__init__.py': HEADER + INIT.format(rooms=', '.join(rooms))}
    for name, text in texts.items():
        path = name.replace(PACKAGE, 'hanet', 1).replace('.', '/')
        path += '/__init__.py' if name in packages else '.py'
        files[path] = text
    return files


def _exports(closure: Closure, package: str) -> List[Tuple[str, str]]:
    """Modules and names that a package exports, of those that are there."""
    found = []
    for name, module in closure.sources.exports(package).items():
        base, _ = closure.sources.resolve((module, name))
        if name in closure.names.get(base, ()):
            found.append((base, name))
    return sorted(found)


def _tests(closure: Closure) -> Dict[str, str]:
    texts = {Path(x).name: (ROOT / 'tests' / x) for x in TESTS}
    texts.update((x.name, x) for x in OWN.glob('test_*.py'))
    conftest = (OWN / 'conftest.py').read_text('utf-8').split('\n', 1)[1]
    files = {'tests/conftest.py': format_code(HEADER + conftest)}
    for name, path in sorted(texts.items()):
        text = select_tests(path.read_text('utf-8'), path.stem, closure)
        if text is None:
            raise ValueError(f'{path}: has no test of what the project has')
        files[f'tests/{name}'] = text
    return files


def count_lines(files: Dict[str, str]) -> Dict[str, Tuple[int, int]]:
    """Files and lines by folder."""
    counts: Dict[str, Tuple[int, int]] = {}
    for path, text in files.items():
        folder = path.split('/')[0] if '/' in path else 'pages'
        number, lines = counts.get(folder, (0, 0))
        counts[folder] = number + 1, lines + text.count('\n')
    return counts


def main() -> None:
    """Write the project."""
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument(
        '-o',
        '--out',
        required=True,
        metavar='DIR',
        help='the folder to make, such as MMPOSE/projects/hanet; there must '
        'be none, or an empty one',
    )
    args = parser.parse_args()
    try:
        with atomic_folder(args.out) as folder:
            files = make_files()
            for path, text in files.items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text, encoding='utf-8')
    except OSError as error:
        sys.exit(f'make_project.py: error: {error}')
    for name, (number, lines) in sorted(count_lines(files).items()):
        print(f'{name:8} {number:3} files {lines:6} lines')


if __name__ == '__main__':
    main()
