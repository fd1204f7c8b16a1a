"""Refine the poses in a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.refine.refiner import Refiner, RefineResult

from .filter_choice import choose_filter
from .formats import open_poses
from .keypoint_plan import KeypointPlan, plan_keypoints, split_empty
from .pose_files import PoseFile, PoseTrack
from .refine_options import RefineOptions


@dataclass
class RefineSummary:
    """What was refined, and how.

    Attributes:
        num_sequences: Persons, or sequences of persons.
        num_frames: Frames of all of them.
        num_keypoints: Keypoints of all frames.
        num_filled: Those that were missing and are filled.
        refiner: What refined them.
        keypoints: What was mapped, computed or left as it was; '' if all
            keypoints are those of the refiner.
        num_left: Sequences without any keypoint that the refiner knows,
            which are as they were.
        default: Name of the refiner, if nobody named one.
    """

    num_sequences: int
    num_frames: int
    num_keypoints: int
    num_filled: int
    refiner: Any
    keypoints: str = ''
    num_left: int = 0
    default: str = ''

    def __str__(self) -> str:
        left = ''
        if self.num_left:
            left = f'{self.num_left} sequences without a known keypoint left; '
        names = f'; {self.keypoints}' if self.keypoints else ''
        default = f'by {self.default}: ' if self.default else ''
        return (
            f'{self.num_frames} frames of {self.num_sequences} sequences '
            f'refined, {self.num_filled} of {self.num_keypoints} keypoints '
            f'filled; {left}{default}{_describe(self.refiner)}{names}'
        )


def refine_file(
    source: PathLike,
    out: PathLike,
    refiner: Union[PathLike, Any, None] = None,
    image_size: Optional[Sequence[int]] = None,
    device: str = 'cpu',
    **options: Any,
) -> RefineSummary:
    """Refine a file of keypoints into one of the same layout.

    Args:
        source (PathLike): In one of :data:`hanet_mm.apis.formats.FORMATS`.
        out (PathLike): Written whole or not at all; a file that is there is
            replaced.
        refiner (PathLike | Refiner | SequenceFilter, optional): See
            :class:`RefineOptions`, as all that follow. Defaults to None: the
            refiner of the package for such poses.
        image_size (Sequence[int], optional): W, H in pixels.
        device (str): Defaults to 'cpu'.
        **options: ``format``, ``skeleton``, ``others``, ``tracker``,
            ``max_gap``, ``fps``.

    Returns:
        RefineSummary: Its text says in a line what was done.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: One line naming the file and what is wrong with it.
    """
    settings = RefineOptions(refiner, image_size, device, **options)
    check_names(source, out)
    return refine_poses(source, out, settings.load())


def refine_poses(
    source: PathLike, out: PathLike, options: RefineOptions
) -> RefineSummary:
    """:func:`refine_file` with options that are loaded."""
    poses = open_poses(
        source, options.format, options.image_size, options.tracker
    )
    poses.check()
    refiner = options.choose(poses)
    if poses.has_rotations and not isinstance(refiner, Refiner):
        raise ValueError(
            f'{poses.path}: expected keypoints, found rotations, which '
            'filters of coordinates do not smooth'
        )
    plan = plan_keypoints(poses, refiner, options.skeleton)
    if options.default_name(poses):
        plan.check_known(poses)
    inputs = [plan.to_refiner(track) for track in poses.tracks]
    results = _refine(poses, inputs, refiner, plan, options)
    others = None
    if options.others is not None:
        others = choose_filter(options.others, poses.tracks, options.fps)
    final = [
        plan.from_refiner(track, result, options.max_gap, others)
        for track, result in zip(poses.tracks, results)
    ]
    poses.save(out, final)
    return RefineSummary(
        num_sequences=len(final),
        num_frames=sum(len(x.keypoints) for x in final),
        num_keypoints=sum(x.filled.size for x in final),
        num_filled=sum(int(x.filled.sum()) for x in final),
        refiner=refiner,
        keypoints=plan.report,
        num_left=results.count(None),
        default=options.default_name(poses),
    )


def check_names(source: PathLike, out: PathLike) -> None:
    """Check that an output has the ending of its input."""
    ending = Path(source).suffix
    if Path(source).is_dir() or Path(out).suffix.lower() == ending.lower():
        return
    raise ValueError(
        f'{out}: expected an output ending in {ending} as {source}: the '
        'layout stays'
    )


def _refine(
    poses: PoseFile,
    inputs: List[tuple],
    refiner: Any,
    plan: KeypointPlan,
    options: RefineOptions,
) -> List[Optional[RefineResult]]:
    """Refine the tracks of a file; None for those with nothing to refine."""
    path, tracks = poses.path, poses.tracks
    # Of each track; filters need none of it.
    knowledge: Dict[str, list] = {}
    if isinstance(refiner, Refiner):
        _check_shapes(poses, inputs, refiner)
        if refiner.normalization == 'image':
            sizes = _image_sizes(path, tracks, options.image_size)
            knowledge['image_size'] = sizes
        if refiner.fps is not None:
            rates = [options.fps or x.fps or refiner.fps for x in tracks]
            knowledge['fps'] = rates
    some = split_empty(inputs)
    if not some:
        raise ValueError(
            f'{path}: no person has a keypoint that the refiner knows '
            f'({plan.report})'
        )
    try:
        results = refiner.refine(
            [inputs[i][0] for i in some],
            [inputs[i][1] for i in some],
            **{
                key: [values[i] for i in some]
                for key, values in knowledge.items()
            },
        )
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    found: List[Optional[RefineResult]] = [None] * len(tracks)
    for index, result in zip(some, results):
        if not np.isfinite(result.keypoints).all():
            raise ValueError(
                f'{path}: {tracks[index].name}: the refined keypoints are '
                'not finite: coordinates beyond float32, or a damaged refiner'
            )
        found[index] = result
    return found


def _check_shapes(
    poses: PoseFile, inputs: List[tuple], refiner: Refiner
) -> None:
    """Check the shapes of what goes to a refiner."""
    head = refiner.network.head
    # Rotations are taken as axis-angle too.
    dims = (3, 6) if refiner.normalization == 'rot6d' else (head.coord_dims,)
    for track, (points, _) in zip(poses.tracks, inputs):
        if points.shape[1:] not in [(head.num_keypoints, x) for x in dims]:
            raise ValueError(
                f'{poses.path}: {track.name}: the refiner expects keypoints '
                f'(T, K, D) = (T, {head.num_keypoints}, '
                f'{" or ".join(map(str, dims))}), found {points.shape}'
            )


def _image_sizes(
    source: PathLike, tracks: List[PoseTrack], given: Optional[Sequence[int]]
) -> List[Sequence[float]]:
    if given is not None:
        return [given] * len(tracks)
    if any(track.image_size is None for track in tracks):
        raise ValueError(
            f"{source}: has no image size, which the refiner's 'image' "
            'normalisation needs: give it with --image-size W H'
        )
    return [track.image_size for track in tracks]


def _describe(refiner: Any) -> str:
    if not isinstance(refiner, Refiner):
        return str(refiner)
    return (
        f'window T = {refiner.window_size}, sampling interval '
        f'N = {refiner.network.sample_interval} (a sampled frame reads '
        f'its two neighbours too), stride {refiner.stride}, '
        f'normalization {refiner.normalization!r}'
    )
