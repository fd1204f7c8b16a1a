# Copyright (c) hanet_mm contributors. All rights reserved.
"""Convert the published JHMDB pose files to the flat layout.

python tools/dataset_converters/jhmdb_published.py \\
    jhmdb_gt_test.npz jhmdb_simplebaseline_test.npz data/jhmdb_test.npz \\
    --trust-pickle --splits splits --split 1 --subset test

The ground truth has ``imgname``, ``joints_2d`` (px), ``bbox`` (x1 y1 x2 y2,
px) and ``imgshape`` (H, W, ..), the estimates have ``imgname`` and
``joints_2d``. Image names are ``action/clip/image``.

The files seem to hold all three splits of Sub-JHMDB one after the other, so
that clips repeat and most test clips are train clips of another split. What
was chosen is written to ``meta['protocol']``.
"""

from pathlib import Path
from typing import Dict, List, Optional, Tuple

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np
    from common import load_object_npz, make_parser, numbers, run, save
    from jhmdb_clips import ClipChoice, add_clip_arguments, with_clip_arguments
    from published_files import (
        JHMDB_KEYPOINTS,
        PublishedPair,
        image_names,
        per_frame,
    )

    from hanet_mm.core.data.files import PathLike


def convert_published_jhmdb(
    gt_path: PathLike,
    det_path: PathLike,
    out: PathLike,
    trust_pickle: bool = False,
    clips: Optional[ClipChoice] = None,
    keep_repeated: bool = False,
    estimator: Optional[str] = None,
    fps: float = 25.0,
) -> List[str]:
    """Convert a published pair of files for JHMDB to the flat layout.

    Of sequences that repeat a clip the first is taken, or all with
    ``keep_repeated``, as the published figures do; not with ``clips``.
    """
    if keep_repeated and clips is not None:
        raise ValueError(
            'keep_repeated: expected False with a choice of clips, found True'
        )
    pair = PublishedPair('jhmdb', gt_path, det_path, trust_pickle)
    estimate, truth = (_read_joints(pair, x) for x in (det_path, gt_path))
    notes = [pair.compare_counts()]
    chosen, repeated = _drop_repeated(pair, estimate, keep_repeated)
    notes += repeated
    protocol = 'all sequences of the file' + (
        ', clips repeat' if keep_repeated else ', each clip once'
    )
    if clips is not None:
        protocol = clips.protocol
        wanted = clips.mask(pair.names)
        chosen = [index for index in chosen if wanted[index]]
        notes.append(clips.count([pair.names[index] for index in chosen]))
        if not chosen:
            raise ValueError(
                f'{gt_path}: imgname: expected clips of {protocol}, '
                'found none of them'
            )
    meta = {
        **pair.describe(estimator or Path(det_path).stem),
        'units': 'px',
        'coords': '2d',
        'keypoint_names': list(JHMDB_KEYPOINTS),
        'protocol': protocol,
        'bboxes': 'as published',
        **_read_note(pair),
    }
    flat = pair.assemble(
        estimate,
        truth,
        meta,
        fps,
        chosen,
        bboxes=pair.read(
            gt_path, 'bbox', per_frame(4), '4 numbers a frame (x1 y1 x2 y2)'
        ),
        image_size=_read_sizes(pair),
    )
    return [*notes, save(out, flat)]


def _read_joints(pair: PublishedPair, path: PathLike) -> np.ndarray:
    expected = '30 numbers a frame (15 joints)'
    flat = pair.read(path, 'joints_2d', per_frame(30), expected)
    return flat.reshape(-1, len(JHMDB_KEYPOINTS), 2)


def _read_sizes(pair: PublishedPair) -> np.ndarray:
    """Width and height of the S sequences, (S, 2)."""
    sizes = []
    for index, entry in enumerate(pair.entries(pair.gt_path, 'imgshape')):
        where = pair.where(pair.gt_path, 'imgshape', index)
        shape = numbers(entry, where, (-1,), np.float32)
        if shape.size < 2:
            raise ValueError(f'{where}: expected H, W, found {shape.tolist()}')
        sizes.append(shape[1::-1])
    return np.stack(sizes)


def _read_note(pair: PublishedPair) -> Dict[str, str]:
    if not pair.has(pair.det_path, 'note'):
        return {}
    return {'note': str(load_object_npz(pair.det_path, ('note',))['note'])}


def _drop_repeated(
    pair: PublishedPair, estimate: np.ndarray, keep: bool
) -> Tuple[List[int], List[str]]:
    """Numbers of the sequences to take, and a note where some repeat."""
    images = map(image_names, pair.entries(pair.gt_path, 'imgname'))
    ends = np.cumsum(pair.lengths)[:-1]
    estimates = np.split(estimate, ends)
    first: Dict[Tuple[str, Tuple[str, ...]], int] = {}
    chosen, repeated, differ = [], 0, 0
    for index, key in enumerate(zip(pair.names, images)):
        # The same clip with other images is another track, no repetition.
        before = first.setdefault(key, index)
        if before == index or keep:
            chosen.append(index)
        if before != index:
            repeated += 1
            differ += not np.array_equal(
                estimates[index], estimates[before], equal_nan=True
            )
    if not repeated:
        return chosen, []
    done = 'kept' if keep else 'left out'
    return chosen, [
        f'{repeated} sequences repeat a clip ({done}), {differ} of them with '
        'other estimates; the file seems to hold several splits'
    ]


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = make_parser(__doc__)
    parser.add_argument(
        'gt_path', metavar='gt', help='jhmdb_gt_{train,test}.npz'
    )
    parser.add_argument(
        'det_path', metavar='det', help='jhmdb_<estimator>_{train,test}.npz'
    )
    add_clip_arguments(parser)
    parser.add_argument(
        '--keep-repeated',
        action='store_true',
        help='keep sequences that repeat a clip, as the published figures do',
    )
    run(with_clip_arguments(convert_published_jhmdb), parser)


if __name__ == '__main__':
    main()
