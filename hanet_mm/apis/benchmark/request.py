# Copyright (c) hanet_mm contributors. All rights reserved.
"""Requests for measurements, and the files that they read."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from hanet_mm.apis.export import checkpoint_refiner
from hanet_mm.apis.formats import open_poses
from hanet_mm.apis.keypoint_plan import plan_keypoints
from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.sequences import PoseSequences, load_pose_sequences
from hanet_mm.core.poses.units import ROTATIONS
from hanet_mm.core.refine.refiner import Refiner, load_refiner

from .curves import CURVES
from .filter_bank import BANK, REFERENCE, UNSWAP
from .methods import INPUT, Method

NO_FILTER = 'none'


@dataclass
class Request:
    """Request for measurements on a file with truth.

    Attributes:
        refiners: What :func:`load_refiner` takes.
        data: Flat ``.npz`` with truth.
        tune: The same of the training split, for the filters; None: they
            have their usual settings.
        curves: Keys of :data:`CURVES`.
        others: Filter for keypoints that a refiner does not know, a key of
            :data:`BANK`, or ``'none'``: they stay as they are.
        root: Names of keypoints whose mean is the root: poses are compared
            each relative to its own.
        device: Where networks run.
        progress: Whether to show progress on stderr.
        checkpoints: Pairs of config and checkpoint, measured as refiners.
        ignore_scores: Whether scores say no more than which keypoints are
            missing.
    """

    refiners: Sequence[str]
    data: PathLike
    tune: Optional[PathLike] = None
    curves: Sequence[str] = field(default_factory=lambda: list(CURVES))
    others: str = 'kalman'
    root: Sequence[str] = ()
    device: str = 'cpu'
    progress: bool = False
    checkpoints: Sequence[Sequence[PathLike]] = ()
    ignore_scores: bool = False

    def check(self) -> None:
        """Raise a ValueError for unknown names, or filters tuned on the test
        data.
        """
        for name, found, known in (
            ('curves', self.curves, CURVES),
            ('others', [self.others], [*BANK, NO_FILTER]),
        ):
            unknown = [x for x in found if x not in known]
            if unknown:
                raise ValueError(
                    f'{name}: expected {", ".join(known)}, found '
                    f'{unknown[0]!r}'
                )
        if not self.refiners and not self.checkpoints:
            raise ValueError('expected at least 1 refiner, found 0')
        if self.tune is not None and digest(self.tune) == digest(self.data):
            raise ValueError(
                f'{self.tune}: filters are tuned on training data, found the '
                f'test data {self.data}'
            )


def read_data(path: PathLike, ignore_scores: bool = False) -> PoseSequences:
    """Sequences of keypoints with truth, from a flat file."""
    sequences = load_pose_sequences(path, require=('keypoints_gt',))
    units = sequences.meta.get('units')
    if units in ROTATIONS:
        raise ValueError(
            f"{path}: meta['units']: expected coordinates, found {units!r}"
        )
    visible = sequences.visible
    if visible is not None and not (visible > 0).any():
        raise ValueError(
            f'{path}: keypoints_gt: expected an annotated keypoint, found '
            f'all NaN or with visible 0 in {len(sequences)} sequences'
        )
    try:
        return sequences.limit_scores(ignore_scores)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def read_root(
    request: Request, sequences: PoseSequences
) -> Optional[List[int]]:
    """Numbers of the root's keypoints, None without a root."""
    if not request.root:
        return None
    names = list(sequences.meta.get('keypoint_names') or [])
    unknown = [name for name in request.root if name not in names]
    if unknown:
        raise ValueError(
            f'{request.data}: root: expected names of its keypoints '
            f'({", ".join(names) or "it has none"}), found {unknown[0]!r}'
        )
    return [names.index(name) for name in request.root]


def read_refiners(request: Request, sequences: PoseSequences) -> List[Method]:
    """Load refiners and checkpoints, match their keypoints with the data."""
    poses = open_poses(request.data)
    methods: List[Method] = []
    titles = [x.title for x in BANK.values()]
    taken = [INPUT, REFERENCE, *titles, *[f'{UNSWAP} + {x}' for x in titles]]
    given: List[Sequence[PathLike]] = [(x,) for x in request.refiners]
    for source in [*given, *request.checkpoints]:
        path = source[-1]
        if len(source) == 1:
            refiner = load_refiner(path, request.device)
        else:
            refiner = checkpoint_refiner(path, source[0]).to(request.device)
        plan = plan_keypoints(poses, refiner)
        _check_fit(f'{request.data}: {path}', refiner, plan, poses, sequences)
        name = _new_name(Path(path).stem, taken)
        taken.append(name)
        methods.append(
            Method(
                name,
                refiner,
                plan.report,
                plan,
                details=dict(given=' '.join(map(str, source))),
            )
        )
    return methods


def _check_fit(
    where: str,
    refiner: Refiner,
    plan: Any,
    poses: Any,
    sequences: PoseSequences,
) -> None:
    head = refiner.network.head
    expected = (head.num_keypoints, head.coord_dims)
    points, _ = plan.to_refiner(poses.tracks[0])
    if points.shape[1:] != expected:
        raise ValueError(
            f'{where} expects keypoints (K, D) = {expected}, found '
            f'{points.shape[1:]}'
        )
    if refiner.normalization == 'image' and sequences.image_size is None:
        raise ValueError(f'{where} needs image_size, the file has none')


def digest(path: PathLike) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def about_file(path: PathLike, sequences: PoseSequences) -> Dict[str, Any]:
    """Describe a file of sequences."""
    meta = sequences.meta
    is_flat = sequences.keypoints_est.shape[2] == 2
    boxes = 'true boxes of the file'
    if sequences.bboxes is None:
        boxes = 'boxes around the true keypoints'
    return dict(
        file=str(path),
        sha256=digest(path),
        sequences=len(sequences),
        frames=len(sequences.scores),
        keypoints=sequences.scores.shape[1],
        missing_percent=float(100 * (1 - sequences.valid.mean())),
        dataset=meta.get('dataset'),
        estimator=meta.get('estimator'),
        note=meta.get('note'),
        boxes=boxes if is_flat else None,
        unit=meta.get('units') or ('px' if is_flat else 'units'),
    )


def _new_name(name: str, taken: Sequence[str]) -> str:
    number = 2
    unique = name
    while unique in taken:
        unique = f'{name} ({number})'
        number += 1
    return unique
