# Copyright (c) hanet_mm contributors. All rights reserved.
"""Make a bank of real errors from estimates of unannotated video.

python tools/dataset_converters/error_bank.py \\
    mediapipe.npz movenet.npz bank.npz --note 'my videos, two estimators'

Each file is in the flat layout (docs/datasets.md), with keypoint_names in
meta, and holds what one estimator found in the same sequences in the same
order; the estimator's name is meta's, or that of the file. Or one file holds
several: est_NAME (N, K, D) and scores_NAME (N, K) in place of keypoints_est
and scores. film (S,) names what a sequence was cut from, so that films can be
held back from training; without it each sequence is one. Estimators whose
names agree up to the first _ (mediapipe_static, mediapipe_track) are ways to
run the same network.

Errors are measured against the consensus of the estimators over time, with
one estimator against its own smooth path; what that cannot show (constant
offsets, slow drift, swaps of a whole sequence) is simulated when the bank is
used. The bank holds no pictures and no poses, but was learnt from the videos:
where these ask for attribution (HMDB51, CC BY 4.0: H. Kuehne, H. Jhuang,
E. Garrote, T. Poggio, T. Serre, "HMDB: a large video database for human motion
recognition", ICCV 2011), --note it, and name it where a refiner trained with
the bank is published.
"""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np
    from common import make_parser, run

    from hanet_mm.core.data.files import PathLike, read_npz
    from hanet_mm.core.data.gaps import missing_keypoints
    from hanet_mm.core.data.sequences import PoseSequences
    from hanet_mm.core.poses.skeleton_data import SKELETONS
    from hanet_mm.core.refine.swap_chains import swap_chains
    from hanet_mm.datasets.simulation import (
        USUAL_FPS,
        ErrorBank,
        clip_errors,
        definition_biases,
        save_error_bank,
    )
    from hanet_mm.datasets.simulation.estimator_errors import runs_of
    from hanet_mm.progress import track

# Pieces in seconds.
SHORTEST, LONGEST = 0.5, 3.0
_EST, _SCORES = 'est_', 'scores_'


class Estimates(NamedTuple):
    """What estimators found in the same S sequences."""

    by_name: Dict[str, PoseSequences]
    film: np.ndarray  # (S,) str
    keypoint_names: Tuple[str, ...]


def read_estimates(paths: Sequence[PathLike]) -> Estimates:
    """Read files of one or several estimators each; see this script's help.

    Raises a ValueError naming the file and the field if one is broken or they
    do not hold the same sequences.
    """
    found: Dict[str, PoseSequences] = {}
    films: List[np.ndarray] = []
    for path in paths:
        read, film = _read_file(path)
        for name, sequences in read.items():
            if name in found:
                raise ValueError(
                    f'{path}: expected another estimator than in the files '
                    f'before, found {name!r} again'
                )
            found[name] = sequences
            _check_same(path, sequences, next(iter(found.values())))
        films += [] if film is None else [film]
    first = next(iter(found.values()))
    film = films[0] if films else first.seq_name
    return Estimates(found, film, tuple(first.meta['keypoint_names']))


def _read_file(
    path: PathLike,
) -> Tuple[Dict[str, PoseSequences], Any]:
    """Estimators of a file by name, and its films or None."""
    values = read_npz(path, ('seq_len', 'seq_name'), (), prefix='')
    names = [x[len(_EST) :] for x in values if x.startswith(_EST)]
    keys = {name: (_EST + name, _SCORES + name) for name in names}
    try:
        meta = json.loads(str(values.get('meta', '{}')))
        if 'keypoint_names' not in meta:
            skeleton = SKELETONS.get(meta.get('keypoints'))
            if skeleton is None:
                raise ValueError(
                    "meta['keypoint_names']: expected K names, found none"
                )
            meta['keypoint_names'] = list(skeleton.keypoint_names)
        if not keys:
            name = str(meta.get('estimator') or Path(path).stem)
            keys = {name: ('keypoints_est', 'scores')}
        read = {}
        for name, (poses, scores) in keys.items():
            for key in (poses, scores):
                if key not in values:
                    raise ValueError(f'key {key!r} is missing')
            read[name] = PoseSequences(
                keypoints_est=values[poses],
                scores=values[scores],
                seq_len=values['seq_len'],
                seq_name=values['seq_name'],
                fps=values.get('fps'),
                meta=meta,
            )
        film = values.get('film')
        if film is not None and film.shape != values['seq_name'].shape:
            raise ValueError(
                f'film: expected shape {values["seq_name"].shape}, found '
                f'{film.shape}'
            )
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    return read, film


def _check_same(
    path: PathLike, found: PoseSequences, first: PoseSequences
) -> None:
    """Raise unless both hold the same sequences and keypoints."""
    for key in ('seq_name', 'seq_len'):
        mine, other = getattr(found, key), getattr(first, key)
        if len(mine) != len(other) or (mine != other).any():
            raise ValueError(
                f'{path}: {key}: expected that of the first file (the same '
                'sequences in the same order), found another'
            )
    if found.meta['keypoint_names'] != first.meta['keypoint_names']:
        raise ValueError(
            f'{path}: keypoint_names: expected those of the first file, found '
            f'{found.meta["keypoint_names"]}'
        )


def make_bank(estimates: Estimates) -> ErrorBank:
    """Measure the errors of estimators, and cut them into pieces.

    Raises a ValueError if no piece is long enough.
    """
    names = list(estimates.by_name)
    networks = [name.partition('_')[0] for name in names]
    every = list(estimates.by_name.values())
    first = every[0]
    chains = swap_chains(estimates.keypoint_names)
    pieces: Dict[str, list] = {
        key: []
        for key in ('errors', 'scores', 'swapped', 'estimator', 'film', 'fps')
    }
    biases: List[np.ndarray] = []
    for index in track(range(len(first)), 'measuring'):
        start, length = first.starts[index], first.seq_len[index]
        frames = slice(start, start + length)
        poses = np.stack([x.keypoints_est[frames] for x in every])
        scores = np.stack([x.scores[frames] for x in every])
        fps = USUAL_FPS if first.fps is None else float(first.fps[index])
        shortest = max(round(SHORTEST * fps), 2)
        seen = ~missing_keypoints(
            poses.reshape(-1, *poses.shape[2:]),
            scores.reshape(-1, scores.shape[2]),
        ).reshape(scores.shape)
        if length < shortest or not seen.any():
            continue
        found = clip_errors(poses, scores, chains, fps)
        runs = runs_of(found.agreed, shortest, round(LONGEST * fps))
        if len(runs):
            biases.append(definition_biases(found.offsets, networks))
        for begin, count in runs:
            cut = slice(begin, begin + count)
            for e in np.flatnonzero(seen[:, cut].any((1, 2))):
                for key in ('errors', 'scores', 'swapped'):
                    pieces[key].append(getattr(found, key)[e, cut])
                pieces['estimator'].append(names[e])
                pieces['film'].append(str(estimates.film[index]))
                pieces['fps'].append(fps)
    if not pieces['errors']:
        raise ValueError(
            f'expected sequences of at least {SHORTEST:g} s in which the '
            'estimators agree, found none'
        )
    return ErrorBank(
        seq_len=np.array([len(x) for x in pieces['errors']]),
        **{
            key: np.concatenate(pieces.pop(key))
            for key in ('errors', 'scores', 'swapped')
        },
        **{key: np.array(x) for key, x in pieces.items()},
        biases=np.concatenate(biases),
        keypoint_names=np.array(estimates.keypoint_names),
    )


def convert(files: Sequence[PathLike], out: PathLike, note: str) -> List[str]:
    """Make a bank of the files and say what is in it."""
    bank = make_bank(read_estimates(files))
    save_error_bank(out, bank, note)
    count = Counter(bank.estimator.tolist())
    return [
        f'{name}: {number} pieces, '
        f'{bank.seq_len[bank.estimator == name].sum()} frames'
        for name, number in sorted(count.items())
    ] + [
        f'{len({*bank.film})} films, {len(bank.biases)} constant differences '
        f'-> {out}'
    ]


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = make_parser(__doc__)
    parser.add_argument('files', nargs='+', help='.npz of estimates')
    parser.add_argument('out', help='the .npz to write')
    parser.add_argument('--note', default='', help='source and attribution')
    run(convert, parser)


if __name__ == '__main__':
    main()
