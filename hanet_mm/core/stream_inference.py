"""What a stream asks of its refiner: one call for several persons."""

from typing import List, Optional, Sequence

import numpy as np
import torch

from .inference import refine_windows
from .normalization import finish_poses
from .refiner import Refiner
from .stream_track import DueWindows


def check_stream(
    refiner: Refiner, lookahead: int, image_size: Optional[Sequence[int]]
) -> None:
    """Check the arguments of a stream.

    Raises:
        TypeError: If it is not a refiner.
        ValueError: If look-ahead or image size is wrong.
    """
    if not isinstance(refiner, Refiner):
        raise TypeError(
            f'refiner: expected a Refiner, found {type(refiner).__name__}'
        )
    if not isinstance(lookahead, (int, np.integer)) or lookahead < 0:
        raise ValueError(
            'lookahead: expected a number of frames from 0, found '
            f'{lookahead!r}'
        )
    if refiner.normalization == 'image' and image_size is None:
        raise ValueError("normalization 'image' needs image_size (W, H)")
    if image_size is not None and np.shape(image_size) != (2,):
        raise ValueError(
            f'image_size: expected (W, H) in pixels, found {image_size!r}'
        )


def refine_due_windows(
    refiner: Refiner,
    windows: Sequence[DueWindows],
    image_size: Optional[Sequence[int]] = None,
) -> List[np.ndarray]:
    """Refine the windows of several persons together.

    Args:
        refiner (Refiner): Its network is called once, or not at all without
            windows.
        windows (Sequence[DueWindows]): (W_i, T, K, D) of each person.
        image_size (Sequence[int], optional): W, H in pixels of all.

    Returns:
        list[np.ndarray]: Refined windows of each person, (W_i, T, K, D).
    """
    if not windows:
        return []
    name = refiner.normalization
    device = next(refiner.network.parameters()).device
    poses = torch.from_numpy(np.concatenate([x.poses for x in windows]))
    scores = torch.from_numpy(np.concatenate([x.scores for x in windows]))
    sizes = None
    if image_size is not None:
        size = torch.as_tensor(np.asarray(image_size, dtype=np.float32))
        sizes = size.expand(len(poses), 2).to(device)
    guarded = refiner.guarded
    refined = refine_windows(
        guarded,
        finish_poses(name, poses.to(device)),
        scores.to(device),
        name,
        sizes,
        refiner.root,
    ).keypoints.cpu()
    guarded.warn(stacklevel=2)
    return [x.numpy() for x in refined.split([len(x.starts) for x in windows])]
