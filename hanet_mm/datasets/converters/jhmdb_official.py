"""JHMDB's own annotation with an estimator's predictions by MMPose.

The annotation is a tree ``joint_positions/<action>/<clip>/
joint_positions.mat`` with ``pos_img`` (2, 15, T): pixels counted from 1, as
MATLAB does. 1 is subtracted, as MMPose does in its ``JhmdbDataset``, so that
the truth lies where an estimator counts from 0.
"""

from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    Iterable,
    List,
    NamedTuple,
    Optional,
    Tuple,
)

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.datasets.converters.jhmdb_clips import (
    ClipChoice,
    jhmdb_keypoint_names,
)
from hanet_mm.datasets.converters.mmpose_predictions import (
    ClipPredictions,
    follow_truth,
    open_predictions,
    order_keypoints,
)

_FILE = 'joint_positions.mat'
# The tree has no boxes: the tight box of the joints, this much larger.
_BOX_SCALE = 1.1


class _Clip(NamedTuple):
    name: str
    keypoints_est: np.ndarray
    scores: np.ndarray
    keypoints_gt: np.ndarray


def convert_official_jhmdb(
    joint_positions: PathLike,
    predictions: PathLike,
    out: PathLike,
    trust_pickle: bool = False,
    clips: Optional[ClipChoice] = None,
    estimator: Optional[str] = None,
    image_size: Tuple[int, int] = (320, 240),
    fps: float = 25.0,
    progress: bool = False,
) -> List[str]:
    """Convert JHMDB's annotation and predictions to the flat layout.

    Clips without predictions, or in whose frames nobody was found, are left
    out; single frames where nobody was found are missing (NaN, score 0).

    Args:
        joint_positions: Root of the annotation tree.
        predictions: Folder of MMPose's JSON files, or a ``.pkl`` dump; see
            :mod:`hanet_mm.datasets.converters.mmpose_predictions`.
        out: Flat ``.npz`` to write.
        trust_pickle: Whether to unpickle a dump.
        clips: Clips to take; all where not given.
        estimator: What to call the estimator; by default the name of its
            file or folder.
        image_size: Width and height of the videos, px.
        fps: Frame rate to note, 1/s; the tree has none.
        progress: Whether to show a progress bar on stderr.

    Returns:
        What was read and left out, a line each.

    Raises:
        ValueError: One line naming file, key, sequence and frame.
    """
    files = _find_clips(Path(joint_positions), clips)
    lookup = open_predictions(predictions, trust_pickle)
    found, notes = _read_clips(files, lookup, progress)
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
        'keypoint_names': list(jhmdb_keypoint_names()),
        'protocol': clips.protocol if clips else 'all clips of the tree',
        'bboxes': 'tight box of the joints enlarged by 10 %',
    }
    flat = _flatten(found, image_size, fps, meta)
    save_pose_sequences(out, flat)
    missing = int((~flat.valid.any(-1)).sum())
    notes.append(f'{missing} of {len(flat.scores)} frames without a person')
    notes.append(f'{len(flat)} sequences, {len(flat.scores)} frames -> {out}')
    return notes


def read_joint_positions(path: PathLike) -> np.ndarray:
    """Read the annotation of one clip.

    Args:
        path: A ``joint_positions.mat``.

    Returns:
        Keypoints (T, 15, 2) float32, px counted from 0.

    Raises:
        ValueError: One line naming the file.
    """
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
    keypoints = len(jhmdb_keypoint_names())
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
    wanted = clips.mask(names) if clips else [True] * len(names)
    chosen = [
        (name, path) for name, path, yes in zip(names, files, wanted) if yes
    ]
    if not chosen:
        raise ValueError(
            f'{root}: expected clips of {clips.protocol}, found none of them'
        )
    return chosen


def _read_clips(
    files: List[Tuple[str, Path]],
    lookup: Callable[[str], Optional[ClipPredictions]],
    progress: bool,
) -> Tuple[List[_Clip], List[str]]:
    found, unseen, late = [], [], 0
    for name, path in _track(files, progress):
        truth, seen = read_joint_positions(path), lookup(name)
        if seen is not None:
            late += sum(frame >= len(truth) for frame in seen.frames)
        clip = _estimate(name, truth, seen)
        if clip is None:
            unseen.append(name)
        else:
            found.append(clip)
    notes = []
    if unseen:
        notes.append(
            f'{len(unseen)} of {len(files)} clips left out, nobody was found '
            f'in them: {", ".join(unseen[:3])}'
            + (', ..' if len(unseen) > 3 else '')
        )
    if late:
        notes.append(f'{late} predicted frames after the last annotated one')
    return found, notes


def _track(items: List[Any], progress: bool) -> Iterable[Any]:
    if not progress:
        return items
    from rich.console import Console
    from rich.progress import track

    return track(items, 'Clips', console=Console(stderr=True))


def _estimate(
    name: str, truth: np.ndarray, seen: Optional[ClipPredictions]
) -> Optional[_Clip]:
    if seen is None:
        return None
    ordered = order_keypoints(seen, jhmdb_keypoint_names())
    estimate, scores = follow_truth(ordered, truth)
    if not (scores > 0).any():
        return None
    return _Clip(name, estimate, scores, truth)


def _boxes(truth: np.ndarray) -> np.ndarray:
    """Enlarged boxes of the joints (N, 4); NaN in frames without any."""
    known = ~np.isnan(truth).any(-1, keepdims=True)
    low = np.where(known, truth, np.inf).min(1)
    high = np.where(known, truth, -np.inf).max(1)
    low[~known.any(1)[:, 0]] = high[~known.any(1)[:, 0]] = np.nan
    center, half = (low + high) / 2, (high - low) / 2 * _BOX_SCALE
    return np.concatenate([center - half, center + half], axis=-1)


def _flatten(
    clips: List[_Clip],
    image_size: Tuple[int, int],
    fps: float,
    meta: Dict[str, Any],
) -> PoseSequences:
    truth = np.concatenate([clip.keypoints_gt for clip in clips])
    flat = PoseSequences(
        keypoints_est=np.concatenate([clip.keypoints_est for clip in clips]),
        scores=np.concatenate([clip.scores for clip in clips]),
        seq_len=np.array([len(clip.scores) for clip in clips]),
        seq_name=np.array([clip.name for clip in clips]),
        keypoints_gt=truth,
        visible=~np.isnan(truth).any(-1),
        bboxes=_boxes(truth),
        image_size=np.tile(image_size, (len(clips), 1)),
        fps=np.full(len(clips), fps),
        meta=meta,
    )
    flat.check_estimates()
    return flat
