# Copyright (c) hanet_mm contributors. All rights reserved.
"""Train and test all configs that come with figures, one after the other.

    python tools/train_all.py --list
    python tools/train_all.py -o work_dirs/results.json

Each is trained by tools/train.py with --resume and tested by tools/test.py;
the metrics of the test go to the file as soon as they are there. A run that
was killed goes on where it stopped when it is started again: configs that are
in the file are skipped, others continue at their last checkpoint. Data files
are where the configs look for them.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Sequence

from hanet_mm.core.data.files import atomic_path

ROOT = Path(__file__).resolve().parents[1]
# The shortest first.
CONFIGS = (
    'jhmdb/hanet-small_simplebaseline-11frm_1xb64-15e_jhmdb_published',
    'jhmdb/hanet-small_simplebaseline-11frm_1xb64-15e_jhmdb',
    'cmu_mocap/hanet-small_simulated-51frm_1xb64-15e_cmu-mocap',
    'cmu_mocap/hanet-small_simulated-41frm_1xb64-10e_cmu-mocap-smpl',
    'jhmdb/hanet-plus_simplebaseline-32frm_1xb64-300e_jhmdb',
    'portable/hanet-plus_simulated-49frm_1xb64-6k_h36m17-3d',
    'portable/hanet-plus_evidence-49frm_1xb64-8k_h36m17-3d',
    'portable/hanet-plus_evidence-49frm_1xb64-10k_coco17-2d',
    'portable/hanet-plus_evidence-49frm_1xb64-5k_body23-2d',
)
# Weights that a config begins with: the file and the words that make it.
INITIAL = {
    CONFIGS[-1]: (
        'data/initial/body23-2d.pth',
        ('add_keypoints.py', 'coco17-2d', 'coco_wholebody_body'),
    )
}


def main() -> None:
    """Train what is left."""
    args = parse_args()
    configs = [
        x for x in CONFIGS if not args.only or Path(x).name in args.only
    ]
    if args.list:
        print('\n'.join(Path(x).name for x in configs))
        return
    out = Path(args.out)
    results = read_results(out)
    for config in configs:
        name = Path(config).name
        if name in results:
            print(f'{name}: in {out}')
            continue
        work = Path(args.work_dir) / name
        commands = make_commands(config, work, args.cfg_options)
        if args.dry_run:
            print('\n'.join(' '.join(x) for x in commands))
            continue
        *before, test = commands
        for command in before:
            run(command)
        run([x if x != 'BEST' else best_checkpoint(work) for x in test])
        results[name] = dict(
            checkpoint=best_checkpoint(work),
            metrics=read_metrics(work / 'test'),
        )
        with atomic_path(out) as temporary:
            temporary.write_text(json.dumps(results, indent=1) + '\n')


def parse_args() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__.split('\n', maxsplit=1)[0]
    )
    add = parser.add_argument
    names = [Path(x).name for x in CONFIGS]
    add('--list', action='store_true', help='only print their names')
    add('--dry-run', action='store_true', help='only print the commands')
    add('--only', nargs='+', choices=names, metavar='NAME')
    add('--work-dir', default='work_dirs', metavar='FOLDER')
    add('-o', '--out', default='work_dirs/results.json', metavar='FILE')
    add(
        '--cfg-options',
        nargs='+',
        default=[],
        metavar='KEY=VALUE',
        help='for all of them, as of tools/train.py',
    )
    return parser.parse_args()


def read_results(path: Path) -> Dict[str, Any]:
    """What earlier runs wrote; nothing if there is no file."""
    if not path.is_file():
        return {}
    try:
        return dict(json.loads(path.read_text(encoding='utf-8')))
    except (TypeError, ValueError) as error:
        sys.exit(f'{path}: not a file of results: {error}')


def make_commands(
    config: str, work: Path, options: Sequence[str]
) -> List[List[str]]:
    """Commands that train and last one that tests a config.

    BEST stands for a checkpoint.
    """
    path = str(ROOT / f'configs/hanet/{config}.py')
    extra = ['--cfg-options', *options] if options else []

    def tool(name: str, *arguments: str) -> List[str]:
        script = str(ROOT / 'tools' / name)
        return [sys.executable, script, path, *arguments, *extra]

    before = []
    if config in INITIAL and not Path(INITIAL[config][0]).is_file():
        file, (script, *words) = INITIAL[config]
        script = str(ROOT / 'tools/misc' / script)
        before.append([sys.executable, script, *words, file])
    return [
        *before,
        tool('train.py', '--work-dir', str(work), '--resume'),
        tool('test.py', 'BEST', '--work-dir', str(work / 'test')),
    ]


def best_checkpoint(work: Path) -> str:
    """The newest of the best checkpoints of a training."""
    found = sorted(work.glob('best_*.pth'), key=lambda x: x.stat().st_mtime)
    if not found:
        sys.exit(f'{work}: no checkpoint best_*.pth')
    return str(found[-1])


def read_metrics(folder: Path) -> Dict[str, float]:
    """The metrics that the last test in a folder wrote."""
    files = sorted(folder.glob('*/*.json'))
    if not files:
        sys.exit(f'{folder}: the test wrote no metrics')
    return dict(json.loads(files[-1].read_text(encoding='utf-8')))


def run(command: List[str]) -> None:
    """Run a command; stop with its exit status if it fails."""
    status = subprocess.run(command, check=False).returncode
    if status:
        sys.exit(status)


if __name__ == '__main__':
    main()
