"""Parts of the pose files that the authors of DeciWatch and HANet publish.

The ground truth and the estimates are an ``.npz`` each. Their keys hold
object arrays with one entry a sequence, in the same order in both files; the
number of frames of a sequence is the length of its ``imgname``.
"""

from typing import Any, Mapping, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike


def image_names(entry: Any) -> Tuple[str, ...]:
    """Image names of one sequence, whatever they were stored as."""
    return tuple(
        (name.decode() if isinstance(name, bytes) else str(name))
        for name in np.asarray(entry).reshape(-1)
    )


def sequence_of(
    path: PathLike, index: int, images: Sequence[str], form: str
) -> str:
    """The part that all image names of a sequence share.

    Args:
        path: The file, for messages.
        index: Position of the sequence.
        images: Its image names, ``sequence/image``.
        form: What the names should look like, for messages.

    Raises:
        ValueError: One line naming file, key, sequence and frame.
    """
    name = images[0].rpartition('/')[0] if images else ''
    if not name:
        raise ValueError(
            f'{path}: imgname of sequence {index}: expected images '
            f'{form!r}, found {images[0] if images else "none"!r}'
        )
    for frame, image in enumerate(images):
        if image.rpartition('/')[0] != name:
            raise ValueError(
                f'{path}: imgname of {name_where(name, index)}, frame '
                f'{frame}: expected an image of the same '
                f'{form.split("/")[-2]}, found {image!r}'
            )
    return name


def name_where(name: str, index: int) -> str:
    """Name a sequence in a message."""
    return f'sequence {name!r} (index {index})'


def compare_images(
    path: PathLike,
    where: str,
    images: Sequence[str],
    entry: Any,
    parts: int = 2,
) -> None:
    """Check that the estimates are of the same images as the ground truth.

    Args:
        path: File of the estimates, for messages.
        where: What to call the sequence.
        images: Image names of the ground truth.
        entry: Those of the estimates.
        parts: How many parts of a name, from the end, have to agree; the
            image's ending need not.

    Raises:
        ValueError: One line naming file, key, sequence and frame.
    """
    found = image_names(entry)
    if len(found) != len(images):
        raise ValueError(
            f'{path}: imgname of {where}: expected {len(images)} frames as '
            f'in the ground truth, found {len(found)}'
        )
    if found == tuple(images):
        return
    for frame, (image, other) in enumerate(zip(images, found)):
        if _last(image, parts) != _last(other, parts):
            raise ValueError(
                f'{path}: imgname of {where}, frame {frame}: expected '
                f'{image!r} as in the ground truth, found {other!r}'
            )


def numbers(path: PathLike, key: str, where: str, entry: Any) -> np.ndarray:
    """One entry as float32.

    Raises:
        ValueError: One line naming file, key and sequence.
    """
    try:
        return np.asarray(entry, dtype=np.float32)
    except (TypeError, ValueError):
        raise ValueError(
            f'{path}: {key} of {where}: expected one array of numbers, '
            f'found {type(entry).__name__}'
        ) from None


def check_entries(
    path: PathLike, key: str, value: np.ndarray, count: int, gt_path: PathLike
) -> None:
    """Check that a key has one entry for each sequence.

    Raises:
        ValueError: One line naming file and key.
    """
    if not count or value.shape[:1] != (count,):
        raise ValueError(
            f'{path}: {key}: expected one entry for each of the {count} '
            f'sequences of {gt_path}, found shape {value.shape}'
        )


def compare_counts(
    sequences: int, frames: int, published: Mapping[str, Tuple[int, int]]
) -> str:
    """Say whether a file has as many sequences and frames as published.

    Args:
        sequences: Number found.
        frames: Number found.
        published: Sequences and frames by subset, such as 'train'.
    """
    text = f'read {sequences} sequences, {frames} frames; '
    for subset, counts in published.items():
        if (sequences, frames) == counts:
            return text + f'as the published {subset} file'
    return (
        text
        + 'differs from the published files: '
        + ', '.join(
            f'{subset} {counts[0]} / {counts[1]}'
            for subset, counts in published.items()
        )
    )


def _last(image: str, parts: int) -> Tuple[str, ...]:
    *folders, name = image.split('/')[-parts:]
    return (*folders, name.rpartition('.')[0] or name)
