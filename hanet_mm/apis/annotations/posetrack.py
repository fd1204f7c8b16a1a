# Copyright (c) hanet_mm contributors. All rights reserved.
"""PoseTrack's annotation files, in the forms of 2018 and of 2017.

2018 (and 2021): ``images``, ``annotations`` and ``categories`` as in COCO,
one video in a file or many. A keypoint whose three numbers are 0 was not
annotated; all others count, as in PoseTrack's toolkit.

2017: ``annolist``, one video in a file, with joints by number and most
values in lists of one. Images have no numbers there; besides by its name an
image may be called by the number that PoseTrack's toolkit makes of it.
"""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import (
    Any,
    Dict,
    Iterable,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np

from hanet_mm.core.data.files import PathLike, read_json
from hanet_mm.core.poses.boxes import boxes_around
from hanet_mm.core.poses.skeleton_data import SKELETONS

from .fields import (
    numbers,
    take,
    take_id,
    take_list,
    take_objects,
    take_size,
)
from .frame_grid import check_density

KEYPOINTS = SKELETONS['posetrack15'].keypoint_names
# The joints of 2017 by their number.
JOINTS_17 = (
    *('right_ankle', 'right_knee', 'right_hip'),
    *('left_hip', 'left_knee', 'left_ankle'),
    *('right_wrist', 'right_elbow', 'right_shoulder'),
    *('left_shoulder', 'left_elbow', 'left_wrist'),
    *('head_bottom', 'nose', 'head_top'),
)
# How an estimator may refer to an image: its number, or '<video>/<file>'.
ImageKey = Union[int, str]
Polygon = List[List[float]]  # [[x, y], ..] px
_PLACES_17 = [KEYPOINTS.index(name) for name in JOINTS_17]
# Source of a video and the digit that stands for it in an image's number.
_SOURCES = {'mpii': 1, 'bonn': 2, 'mpiinew': 3}
# PoseTrack's toolkit measures a head by this share of its box's diagonal.
_HEAD_SHARE = 0.6
_REGIONS_18 = 'ignore_regions_x', 'ignore_regions_y'
# Numbers of persons are below this.
_MOST_IDS = 2**53


class Person(NamedTuple):
    """One annotated person in one frame."""

    track_id: int
    keypoints: np.ndarray  # (15, 2) float32 px; NaN where not annotated
    bbox: np.ndarray  # (4,) float32 x1 y1 x2 y2, px; NaN if unknown
    head_size: float  # px; NaN if unknown


@dataclass
class Frame:
    """One image of a video; ``regions`` are without annotation."""

    number: int  # by the name of the image
    labelled: bool  # whether people were annotated
    image: str = ''  # name of its picture, as in the file
    persons: List[Person] = field(default_factory=list)
    regions: List[Polygon] = field(default_factory=list)


@dataclass
class Video:
    """One video as annotated, whatever the form of its file."""

    name: str  # folder of its images
    source: str  # file it was read from, for messages
    image: str  # name of its first image, as in the file
    image_size: Optional[Tuple[int, int]] = None  # W, H if the file has them
    frames: Dict[int, Frame] = field(default_factory=dict)
    images: Dict[ImageKey, int] = field(default_factory=dict)  # -> frame

    def add(self, frame: Frame, key: Optional[ImageKey], image: str) -> None:
        """Add a frame and the names of its image."""
        if frame.number in self.frames or key in self.images:
            raise ValueError(
                f'{self.source}: {self.name}, frame {frame.number}: image '
                f'{image!r} ({key}) occurs twice'
            )
        frame.image = image
        self.frames[frame.number] = frame
        self.images[image_key(image)] = frame.number
        if key is not None:
            self.images[key] = frame.number


def read_annotations(files: Iterable[PathLike]) -> Dict[str, Video]:
    """Read JSON files of either form; videos are sorted by name."""
    return parse_annotations((path, read_json(path)) for path in files)


def parse_annotations(
    contents: Iterable[Tuple[PathLike, Any]],
) -> Dict[str, Video]:
    """Videos of the contents of files, as :func:`read_annotations`."""
    videos: Dict[str, Video] = {}
    for path, content in contents:
        if isinstance(content, dict) and 'annolist' in content:
            found = _read_17(str(path), content)
        elif isinstance(content, dict) and 'images' in content:
            found = _read_18(str(path), content)
        else:
            raise ValueError(
                f"{path}: expected an object with key 'images' (PoseTrack "
                "2018) or 'annolist' (2017), found "
                + (', '.join(content) if isinstance(content, dict) else 'none')
            )
        for video in found:
            if video.name in videos:
                raise ValueError(
                    f'{path}: video {video.name!r} is also in '
                    f'{videos[video.name].source}'
                )
            videos[video.name] = video
    for video in videos.values():
        frames = sorted(video.frames)
        check_density(
            len(frames),
            frames[-1] - frames[0] + 1,
            f'{video.source}: {video.name}',
        )
        for frame in video.frames.values():
            # Some copies lack the flag or have it wrong.
            frame.labelled |= any(
                not np.isnan(person.keypoints).all()
                for person in frame.persons
            )
    return dict(sorted(videos.items()))


def list_files(path: PathLike) -> List[Path]:
    """JSON files of a folder, or the file itself."""
    path = Path(path)
    files = sorted(path.glob('*.json')) if path.is_dir() else [path]
    if not files or not files[0].is_file():
        raise ValueError(
            f'{path}: expected a JSON file or a folder of them, found none'
        )
    return files


def keypoint_order(names: Any, where: str) -> List[int]:
    """Places of the 15 keypoints among names; only ears may be besides."""
    names = [*map(str, names)] if isinstance(names, list) else []
    missing = [name for name in KEYPOINTS if name not in names]
    others = {*names} - {*KEYPOINTS, 'left_ear', 'right_ear'}
    if missing or others or len({*names}) != len(names):
        raise ValueError(
            f"{where}: key 'keypoints': expected the 15 joints "
            f'{", ".join(KEYPOINTS)}, and maybe the ears, found '
            f'{", ".join(map(str, names)) or "none"}'
        )
    return [names.index(name) for name in KEYPOINTS]


def category_names(content: dict, where: str) -> Any:
    """Keypoint names of the first category of a file in COCO's form."""
    categories = take(content, 'categories', where)
    if not isinstance(categories, list) or not categories:
        raise ValueError(f"{where}: key 'categories': expected a list")
    return take(categories[0], 'keypoints', f'{where}: categories')


def corners(
    box: Optional[Sequence[float]], key: str, where: str
) -> Optional[np.ndarray]:
    """Box x1 y1 x2 y2 from x y w h; None stays None."""
    if box is None:
        return None
    box = numbers(box, (4,), key, where)
    return np.concatenate([box[:2], box[:2] + box[2:]])


def image_key(image: str) -> str:
    """Key of an image by name: ``<video>/<file>`` without ending."""
    parts = image.replace('\\', '/').split('/')
    return '/'.join([*parts[-2:-1], parts[-1].rpartition('.')[0] or parts[-1]])


def _read_18(path: str, content: dict) -> List[Video]:
    names = category_names(content, path)
    order = keypoint_order(names, f'{path}: categories')
    videos: Dict[str, Video] = {}
    places: Dict[Any, Tuple[Video, Frame]] = {}
    for index, image in enumerate(take_list(content, 'images', path)):
        where = f'{path}: images[{index}]'
        name = take(image, 'file_name', where)
        key = take_id(image, 'id', where)
        video_name, number = _split_image_name(name, where)
        video = videos.setdefault(
            video_name, Video(video_name, path, name, take_size(image, where))
        )
        where = f'{path}: {video_name}, frame {number}'
        frame = Frame(
            number,
            bool(image.get('is_labeled', False)),
            regions=_regions_18(image, where),
        )
        video.add(frame, key, name)
        places[key] = video, frame
    for index, item in enumerate(take_list(content, 'annotations', path)):
        where = f'{path}: annotations[{index}]'
        key = take_id(item, 'image_id', where)
        if key not in places:
            raise ValueError(
                f"{where}: key 'image_id': no image has the id {key!r}"
            )
        video, frame = places[key]
        where = f'{path}: {video.name}, frame {frame.number}'
        frame.persons.append(_person_18(item, len(names), order, where))
    return list(videos.values())


def _person_18(item: dict, count: int, order: List[int], where: str) -> Person:
    values = numbers(
        take(item, 'keypoints', where), (3 * count,), 'keypoints', where
    ).reshape(count, 3)[order]
    points = np.where((values == 0).all(1, keepdims=True), np.nan, values)
    return _make_person(
        take(item, 'track_id', where),
        points[:, :2],
        corners(item.get('bbox_head'), 'bbox_head', where),
        corners(item.get('bbox'), 'bbox', where),
        where,
    )


def _regions_18(image: dict, where: str) -> List[Polygon]:
    given = {key: image.get(key) or [] for key in _REGIONS_18}
    xs, ys = (take_list(given, key, where) for key in _REGIONS_18)
    lengths = [
        [len(line) if isinstance(line, list) else 1 for line in lines]
        for lines in (xs, ys)
    ]
    if lengths[0] != lengths[1]:
        raise ValueError(
            f"{where}: keys 'ignore_regions_x' and 'ignore_regions_y': "
            f'expected equal lengths, found {lengths[0]} and {lengths[1]}'
        )
    return [
        np.stack(
            [
                numbers(x, (size,), 'ignore_regions_x', where),
                numbers(y, (size,), 'ignore_regions_y', where),
            ],
            axis=1,
        ).tolist()
        for x, y, size in zip(xs, ys, lengths[0])
    ]


def _read_17(path: str, content: dict) -> List[Video]:
    videos: Dict[str, Video] = {}
    for index, item in enumerate(take_list(content, 'annolist', path)):
        where = f'{path}: annolist[{index}]'
        name = take(_one(take(item, 'image', where)), 'name', where)
        video_name, number = _split_image_name(name, where)
        video = videos.setdefault(video_name, Video(video_name, path, name))
        where = f'{path}: {video_name}, frame {number}'
        frame = Frame(number, bool(_one(item.get('is_labeled', 0))))
        video.add(frame, _toolkit_number(video_name, number), name)
        place = f'{where}: ignore_regions'
        for region in take_objects(item, 'ignore_regions', where):
            points = take_list(region, 'point', place)
            frame.regions.append([_point(point, place) for point in points])
        # An image without anybody may have an empty object here.
        for person in take_objects(item, 'annorect', where):
            frame.persons.append(_person_17(person, where))
    return list(videos.values())


def _person_17(item: dict, where: str) -> Person:
    points = np.full((len(KEYPOINTS), 2), np.nan, np.float32)
    found = [
        point
        for annotated in take_objects(item, 'annopoints', where)
        for point in take_objects(annotated, 'point', f'{where}: annopoints')
    ]
    for point in found:
        joint = _one(take(point, 'id', f'{where}: annopoints'))
        if not isinstance(joint, int) or not 0 <= joint < len(JOINTS_17):
            raise ValueError(
                f"{where}: annopoints: key 'id': expected a joint 0 to 14, "
                f'found {joint!r}'
            )
        points[_PLACES_17[joint]] = _point(point, f'{where}: annopoints')
    head = None
    if 'x1' in item:
        sides = [
            _one(take(item, key, where)) for key in ('x1', 'y1', 'x2', 'y2')
        ]
        head = numbers(sides, (4,), 'x1', where)
    track_id = _one(take(item, 'track_id', where))
    return _make_person(track_id, points, head, None, where)


def _point(point: dict, where: str) -> List[float]:
    both = [_one(take(point, key, where)) for key in 'xy']
    return numbers(both, (2,), 'x', where).tolist()


def _one(value: Any) -> Any:
    """The only element of a list of one; anything else as it is."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _make_person(
    track_id: Any,
    keypoints: np.ndarray,
    head: Optional[np.ndarray],
    bbox: Optional[np.ndarray],
    where: str,
) -> Person:
    """Check one annotated person; scores need a box of the head.

    ``head`` and ``bbox`` are x1 y1 x2 y2; without ``bbox`` the box around the
    keypoints (15, 2) and the head is taken.
    """
    number = isinstance(track_id, (int, float))
    if isinstance(track_id, bool) or not (
        number and abs(track_id) < _MOST_IDS
    ):
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
        bbox = boxes_around(points)
    return Person(int(track_id), keypoints, bbox, size)


def _split_image_name(image: Any, where: str) -> Tuple[str, int]:
    """Video and frame number from a name ``.../<video>/<number>.jpg``."""
    parts = str(image).replace('\\', '/').split('/')
    digits = re.match(r'\d+', parts[-1])
    if len(parts) < 2 or digits is None:
        raise ValueError(
            f'{where}: expected an image .../<video>/<number>.jpg, '
            f'found {image!r}'
        )
    return parts[-2], int(digits.group())


def _toolkit_number(video: str, number: int) -> Optional[int]:
    """Number TSSSSSSFFFF of an image, as PoseTrack's toolkit makes it.

    T stands for the source (1 mpii, 2 bonn, 3 mpiinew), S for the video and
    F for the frame. None for videos of another name.
    """
    match = re.match(r'(\d+)_([a-z]+)', video)
    source = _SOURCES.get(match.group(2)) if match else None
    if source is None:
        return None
    return source * 10**10 + int(match.group(1)) * 10**4 + number
