"""A video of PoseTrack as annotated, whatever the form of its file."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.datasets.metainfo.posetrack15 import posetrack15

KEYPOINTS = tuple(
    info['name'] for info in posetrack15['keypoint_info'].values()
)
# What an estimator may call an image: its number, or '<video>/<file>'.
ImageKey = Union[int, str]
# Source of a video and the digit that stands for it in an image's number.
_SOURCES = {'mpii': 1, 'bonn': 2, 'mpiinew': 3}
# PoseTrack's toolkit measures a head by this share of its box's diagonal.
_HEAD_SHARE = 0.6


class Person(NamedTuple):
    """One annotated person in one frame."""

    track_id: int
    keypoints: np.ndarray  # (15, 2) float32 px; NaN where not annotated
    bbox: np.ndarray  # (4,) float32 x1 y1 x2 y2, px; NaN if unknown
    head_size: float  # px; NaN if unknown


@dataclass
class Frame:
    """One image of a video.

    Args:
        number: Of the frame, by the name of its image.
        labelled: Whether people were annotated here.
        persons: Who was annotated.
        regions: Polygons [[x, y], ..] where people were not annotated, px.
    """

    number: int
    labelled: bool
    persons: List[Person] = field(default_factory=list)
    regions: List[List[List[float]]] = field(default_factory=list)


@dataclass
class Video:
    """One video.

    Args:
        name: Folder of its images.
        source: File it was read from, for messages.
        image: Name of its first image, as in the file.
        image_size: Width and height, px, where the file has them.
        frames: By their number.
        images: What an image may be called -> number of its frame.
    """

    name: str
    source: str
    image: str
    image_size: Optional[Tuple[int, int]] = None
    frames: Dict[int, Frame] = field(default_factory=dict)
    images: Dict[ImageKey, int] = field(default_factory=dict)

    def add(self, frame: Frame, key: Optional[ImageKey], image: str) -> None:
        """Add a frame, and remember what its image may be called.

        Raises:
            ValueError: If there is such a frame or image already.
        """
        if frame.number in self.frames or key in self.images:
            raise ValueError(
                f'{self.source}: {self.name}, frame {frame.number}: image '
                f'{image!r} ({key}) occurs twice'
            )
        self.frames[frame.number] = frame
        self.images[image_key(image)] = frame.number
        if key is not None:
            self.images[key] = frame.number


def read_json(path: PathLike) -> Any:
    """Read a JSON file.

    Raises:
        ValueError: One line naming the file.
    """
    try:
        return json.loads(Path(path).read_text(encoding='utf-8'))
    except ValueError as error:
        raise ValueError(f'{path}: expected JSON, found {error}') from None


def take(mapping: Any, key: str, where: str) -> Any:
    """Value of a key that has to be there.

    Raises:
        ValueError: One line naming the place and the key.
    """
    if not isinstance(mapping, dict):
        raise ValueError(
            f'{where}: expected an object with key {key!r}, '
            f'found {type(mapping).__name__}'
        )
    if key not in mapping:
        raise ValueError(f'{where}: key {key!r} is missing')
    return mapping[key]


def numbers(
    value: Any, count: Tuple[int, ...], key: str, where: str
) -> np.ndarray:
    """Array of float32 whose number of elements is one of ``count``.

    Raises:
        ValueError: One line naming the place and the key.
    """
    try:
        # What float32 cannot hold becomes inf and is refused below.
        with np.errstate(over='ignore'):
            array = np.asarray(value, dtype=np.float32).reshape(-1)
    except (TypeError, ValueError):
        array = np.zeros(0, np.float32)
    if array.size not in count or np.isinf(array).any():
        raise ValueError(
            f'{where}: key {key!r}: expected '
            f'{" or ".join(map(str, count))} finite numbers, found '
            f'{str(value)[:60]}'
        )
    return array


def split_image_name(image: Any, where: str) -> Tuple[str, int]:
    """Video and frame number from a name ``.../<video>/<number>.jpg``."""
    parts = str(image).replace('\\', '/').split('/')
    digits = re.match(r'\d+', parts[-1])
    if len(parts) < 2 or digits is None:
        raise ValueError(
            f'{where}: expected an image .../<video>/<number>.jpg, '
            f'found {image!r}'
        )
    return parts[-2], int(digits.group())


def image_key(image: str) -> str:
    """How images are looked up by name: ``<video>/<file>``, no ending."""
    parts = image.replace('\\', '/').split('/')
    return '/'.join([*parts[-2:-1], parts[-1].rpartition('.')[0] or parts[-1]])


def toolkit_number(video: str, number: int) -> Optional[int]:
    """Number TSSSSSSFFFF of an image, as PoseTrack's toolkit makes it.

    T stands for the source (1 mpii, 2 bonn, 3 mpiinew), S for the video and
    F for the frame. None for videos of another name.
    """
    match = re.match(r'(\d+)_([a-z]+)', video)
    source = _SOURCES.get(match.group(2)) if match else None
    if source is None:
        return None
    return source * 10**10 + int(match.group(1)) * 10**4 + number


def make_person(
    track_id: Any,
    keypoints: np.ndarray,
    head: Optional[np.ndarray],
    bbox: Optional[np.ndarray],
    where: str,
) -> Person:
    """Put together one annotated person.

    Args:
        track_id: As in the file.
        keypoints: (15, 2) px, NaN where not annotated.
        head: Box of the head, x1 y1 x2 y2, or None.
        bbox: Box of the person, or None: then the box around the keypoints
            and the head is taken.
        where: Place in the file, for messages.

    Raises:
        ValueError: If the track id is no integer, or there are keypoints
            without a head box, which scores need.
    """
    if isinstance(track_id, bool) or not isinstance(track_id, (int, float)):
        raise ValueError(
            f"{where}: key 'track_id': expected an integer, found {track_id!r}"
        )
    known = ~np.isnan(keypoints).any(-1)
    size = float('nan')
    if head is not None:
        size = _HEAD_SHARE * float(np.hypot(*(head[2:] - head[:2])))
    elif known.any():
        raise ValueError(
            f'{where}: a person with keypoints but without a head box'
        )
    if bbox is None or not (bbox[2:] > bbox[:2]).all():
        points = keypoints[known]
        if head is not None:
            points = np.concatenate([points, head.reshape(2, 2)])
        bbox = box_around(points)
    return Person(int(track_id), keypoints, bbox, size)


def box_around(points: np.ndarray) -> np.ndarray:
    """Box x1 y1 x2 y2 of points (n, 2), which may be NaN; NaN if none."""
    points = points[~np.isnan(points).any(-1)]
    if not len(points):
        return np.full(4, np.nan, np.float32)
    return np.concatenate([points.min(0), points.max(0)]).astype(np.float32)
