# Copyright (c) hanet_mm contributors. All rights reserved.
"""Convert JHMDB's joint_positions tree and MMPose's predictions.

python tools/dataset_converters/jhmdb_official.py \\
    JHMDB/joint_positions predictions data/jhmdb_test.npz \\
    --splits JHMDB/splits --split 1 --subset test

The annotation is a tree ``joint_positions/<action>/<clip>/
joint_positions.mat`` with ``pos_img`` (2, 15, T): pixels counted from 1, as
MATLAB does. 1 is subtracted, as MMPose does in its ``JhmdbDataset``, so that
the truth lies where an estimator counts from 0. In place of the tree,
MMPose's own ``Sub<k>_{train,test}.json`` is read, with its boxes.
"""

from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np
    from common import examples, join_tracks, make_parser, run, save
    from jhmdb_clips import ClipChoice, add_clip_arguments, with_clip_arguments
    from mmpose_predictions import (
        ClipPredictions,
        follow_truth,
        open_predictions,
        order_keypoints,
    )
    from published_files import JHMDB_KEYPOINTS

    from hanet_mm.apis.annotations.jhmdb import (
        AnnotatedClip,
        read_mmpose_jhmdb,
    )
    from hanet_mm.core.data.files import PathLike
    from hanet_mm.core.poses.boxes import boxes_around
    from hanet_mm.progress import track

_FILE = 'joint_positions.mat'
# The tree has no boxes: the tight box of the joints, enlarged by this share.
_BOX_MARGIN = 0.1


def convert_official_jhmdb(
    joint_positions: PathLike,
    predictions: PathLike,
    out: PathLike,
    trust_pickle: bool = False,
    clips: Optional[ClipChoice] = None,
    estimator: Optional[str] = None,
    image_size: Sequence[int] = (320, 240),
    fps: float = 25.0,
) -> List[str]:
    """Convert JHMDB's annotation and predictions to the flat layout.

    Clips without predictions, or in whose frames nobody was found, are left
    out; single frames where nobody was found are missing (NaN, score 0).
    """
    source = Path(joint_positions)
    own_boxes = source.suffix.lower() == '.json'
    files: Sequence[Tuple[str, Union[Path, AnnotatedClip]]] = (
        _choose([*read_mmpose_jhmdb(source).items()], source, clips)
        if own_boxes
        else _find_clips(source, clips)
    )
    found, notes = _read_clips(
        files, open_predictions(predictions, trust_pickle)
    )
    if not found:
        raise ValueError(
            f'{predictions}: expected predictions for some of the '
            f'{len(files)} clips of {joint_positions}, found none'
        )
    if clips is not None:
        notes.insert(0, clips.count([name for name, _ in files]))
    meta = {
        'dataset': 'jhmdb',
        'estimator': estimator or Path(predictions).stem,
        'units': 'px',
        'coords': '2d',
        'keypoint_names': list(JHMDB_KEYPOINTS),
        'protocol': clips.protocol if clips else f'all clips of {source.name}',
        'bboxes': (
            'annotated'
            if own_boxes
            else 'tight box of the joints enlarged by 10 %'
        ),
    }
    size = np.tile(image_size, (len(found), 1))
    flat = join_tracks([*found], [*found.values()], fps, meta, size)
    flat.check_estimates()
    missing = int((~flat.valid.any(-1)).sum())
    notes.append(f'{missing} of {len(flat.scores)} frames without a person')
    return [*notes, save(out, flat)]


def read_joint_positions(path: PathLike) -> np.ndarray:
    """Read the joints of one clip, (T, 15, 2) float32 px counted from 0."""
    from scipy.io import loadmat

    try:
        content = loadmat(path, variable_names=['pos_img'])
    except FileNotFoundError:
        raise
    except Exception as error:  # scipy raises many kinds on damaged files
        reason = ' '.join(str(error).split()) or 'no data'
        raise ValueError(
            f'{path}: cannot be read, truncated or not a MATLAB file '
            f'({type(error).__name__}: {reason})'
        ) from None
    if 'pos_img' not in content:
        raise ValueError(f"{path}: key 'pos_img' is missing")
    value = content['pos_img']
    if value.ndim == 2:  # MATLAB drops a last axis of length 1
        value = value[..., None]
    keypoints = len(JHMDB_KEYPOINTS)
    if value.shape[:2] != (2, keypoints) or not value.shape[-1]:
        raise ValueError(
            f'{path}: pos_img: expected shape (2, {keypoints}, T), '
            f'found {value.shape}'
        )
    return value.transpose(2, 1, 0).astype(np.float32) - 1


def _find_clips(
    root: Path, clips: Optional[ClipChoice]
) -> List[Tuple[str, Path]]:
    # Hidden folders hold what macOS left in the archive.
    files = sorted(
        path
        for path in root.glob(f'*/*/{_FILE}')
        if not any(part.startswith('.') for part in path.parts[-3:])
    )
    if not files:
        raise ValueError(
            f'{root}: expected <action>/<clip>/{_FILE}, found none'
        )
    names = [path.parent.relative_to(root).as_posix() for path in files]
    return _choose([*zip(names, files)], root, clips)


def _choose(
    named: List[Tuple[str, Any]], root: Path, clips: Optional[ClipChoice]
) -> List[Tuple[str, Any]]:
    wanted = (
        clips.mask([x for x, _ in named]) if clips else [True] * len(named)
    )
    chosen = [x for x, yes in zip(named, wanted) if yes]
    if not chosen:
        text = clips.protocol if clips else 'any kind'
        raise ValueError(
            f'{root}: expected clips of {text}, found none of them'
        )
    return chosen


def _read_clips(
    files: Sequence[Tuple[str, Union[Path, AnnotatedClip]]],
    lookup: Callable[[str], Optional[ClipPredictions]],
) -> Tuple[Dict[str, Dict[str, np.ndarray]], List[str]]:
    """Arrays of the clips in which somebody was found, and notes."""
    found: Dict[str, Dict[str, np.ndarray]] = {}
    unseen, late, notes = [], 0, []
    for name, source in track(files, 'Clips'):
        if isinstance(source, AnnotatedClip):
            truth, bboxes = source.truth, source.bboxes
        else:
            truth = read_joint_positions(source)
            bboxes = boxes_around(truth, margin=_BOX_MARGIN)
        seen = lookup(name)
        if seen is not None:
            late += sum(frame >= len(truth) for frame in seen.frames)
            ordered = order_keypoints(seen, JHMDB_KEYPOINTS)
            estimate, scores = follow_truth(ordered, truth)
        if seen is None or not (scores > 0).any():
            unseen.append(name)
            continue
        found[name] = dict(
            keypoints_est=estimate,
            scores=scores,
            keypoints_gt=truth,
            bboxes=bboxes,
        )
    if unseen:
        notes.append(
            f'{len(unseen)} of {len(files)} clips left out, nobody was found '
            f'in them: {examples(unseen)}'
        )
    if late:
        notes.append(f'{late} predicted frames after the last annotated one')
    return found, notes


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = make_parser(__doc__)
    parser.add_argument(
        'joint_positions',
        help='root of <action>/<clip>/joint_positions.mat, or a Sub*.json',
    )
    parser.add_argument(
        'predictions', help="folder of MMPose's JSON files, or a .pkl dump"
    )
    add_clip_arguments(parser)
    parser.add_argument(
        '--image-size',
        type=int,
        nargs=2,
        default=(320, 240),
        metavar=('W', 'H'),
    )
    run(with_clip_arguments(convert_official_jhmdb), parser)


if __name__ == '__main__':
    main()
