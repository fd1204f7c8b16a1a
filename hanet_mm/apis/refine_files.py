"""Refine the poses in a file."""

from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Sequence, Union

import numpy as np
import torch

from hanet_mm.core.files import PathLike
from hanet_mm.core.refiner import Refiner, RefineResult, load_refiner

from .mmpose_files import MMPosePredictions
from .npz_files import read_npz_poses
from .pose_files import PoseFile, PoseTrack

_READERS = {'.npz': read_npz_poses, '.json': MMPosePredictions}


@dataclass
class RefineSummary:
    """What was refined, and how.

    Attributes:
        num_sequences: Persons, or sequences of persons.
        num_frames: Frames of all of them.
        num_keypoints: Keypoints of all frames.
        num_filled: Those that were missing.
        refiner: What refined them.
    """

    num_sequences: int
    num_frames: int
    num_keypoints: int
    num_filled: int
    refiner: Refiner

    def __str__(self) -> str:
        refiner = self.refiner
        return (
            f'{self.num_frames} frames of {self.num_sequences} sequences '
            f'refined, {self.num_filled} of {self.num_keypoints} keypoints '
            f'filled; window T = {refiner.window_size}, sampling interval '
            f'N = {refiner.network.sample_interval} (a sampled frame reads '
            f'its two neighbours too), stride {refiner.stride}, '
            f'normalization {refiner.normalization!r}'
        )


def refine_file(
    source: PathLike,
    out: PathLike,
    refiner: Union[PathLike, Refiner],
    image_size: Optional[Sequence[int]] = None,
    device: str = 'cpu',
) -> RefineSummary:
    """Refine a file of keypoints into one of the same layout.

    Args:
        source (PathLike): ``.npz``, see :func:`read_npz_poses`, or ``.json``,
            see :class:`MMPosePredictions`.
        out (PathLike): Written whole or not at all; a file that is there is
            replaced.
        refiner (PathLike | Refiner): A portable file, or what was loaded
            from one.
        image_size (Sequence[int], optional): W, H in pixels, in place of
            what the file says. Needed by refiners with 'image' normalisation
            where the file says nothing.
        device (str): Where the network runs. Defaults to 'cpu'.

    Returns:
        RefineSummary: Its text says in a line what was done.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: One line naming the file and what is wrong with it.
    """
    read = _find_reader(source, out)
    _check_device(device)
    if not isinstance(refiner, Refiner):
        refiner = load_refiner(refiner)
    refiner.to(device)
    if not Path(source).is_file():
        raise FileNotFoundError(f'{source}: no such file of keypoints')
    poses: PoseFile = read(source)
    head = refiner.network.head
    # Rotations are taken as axis-angle too.
    dims = (3, 6) if refiner.normalization == 'rot6d' else (head.coord_dims,)
    poses.check(head.num_keypoints, dims, refiner.keypoint_names)
    sizes = None
    if refiner.normalization == 'image':
        sizes = _image_sizes(source, poses.tracks, image_size)
    try:
        results = refiner.refine(
            [track.keypoints for track in poses.tracks],
            [track.scores for track in poses.tracks],
            sizes,
        )
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from None
    _check_finite(source, poses.tracks, results)
    poses.save(out, results)
    return RefineSummary(
        num_sequences=len(results),
        num_frames=sum(len(x.keypoints) for x in results),
        num_keypoints=sum(x.filled.size for x in results),
        num_filled=sum(int(x.filled.sum()) for x in results),
        refiner=refiner,
    )


def _find_reader(source: PathLike, out: PathLike):
    suffix = Path(source).suffix.lower()
    if suffix not in _READERS:
        raise ValueError(
            f'{source}: expected a file ending in {" or ".join(_READERS)}, '
            f'found {suffix or "no ending"}'
        )
    if Path(out).suffix.lower() != suffix:
        raise ValueError(
            f'{out}: expected an output ending in {suffix} as {source}: the '
            'layout stays'
        )
    return _READERS[suffix]


def _check_device(device: str) -> None:
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).split('\n', 1)[0]
        raise ValueError(f'device {device!r}: {reason}') from None


def _image_sizes(
    source: PathLike, tracks: List[PoseTrack], given: Optional[Sequence[int]]
) -> List[Sequence[float]]:
    if given is not None:
        if min(given) <= 0:
            raise ValueError(
                f'image size: expected W, H > 0, found {list(given)}'
            )
        return [given] * len(tracks)
    if any(track.image_size is None for track in tracks):
        raise ValueError(
            f"{source}: has no image size, which the refiner's 'image' "
            'normalisation needs: give it with --image-size W H'
        )
    return [track.image_size for track in tracks]


def _check_finite(
    source: PathLike, tracks: List[PoseTrack], results: List[RefineResult]
) -> None:
    for track, result in zip(tracks, results):
        if not np.isfinite(result.keypoints).all():
            raise ValueError(
                f'{source}: {track.name}: the refined keypoints are not '
                'finite: coordinates beyond float32, or a damaged refiner'
            )
