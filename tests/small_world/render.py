# Copyright (c) hanet_mm contributors. All rights reserved.
"""Videos of the small world: people in front of clutter, with ground truth.

Letters: T frames, P people, K = 15 keypoints (JHMDB), H, W pixels.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import List, Tuple, Union

import cv2
import numpy as np

from hanet_mm.datasets.simulation.body import JHMDB_KEYPOINT_NAMES
from hanet_mm.datasets.simulation.cameras import Camera

from .people import (
    capsule_ends,
    capsule_polygons,
    capsule_radii,
    layer_colours,
    sample_colours,
)
from .scenery import make_background, make_occluders
from .stage import make_camera, place_people

OCCLUDER = 255
"""What ``Clip.owner`` holds where something hides the scene."""
# Painted at twice the size: smooth edges, positions finer than a pixel.
_FINER = 2
# Fixed point of OpenCV's drawing: 4 bits after the point.
_SHIFT = 4


@dataclass
class Clip:
    """A video with all that is known about it.

    Args:
        frames: BGR, uint8 (T, H, W, 3).
        keypoints: JHMDB-15 in px, float32 (T, P, K, 2); NaN never.
        visible: 1 where the person itself is painted at the keypoint, 0
            where another person or an occluder is, or the frame has ended;
            float32 (T, P, K). Limbs of the person's own count as visible.
        bboxes: Boxes x1 y1 x2 y2 of all of a person that lies in the frame,
            hidden or not, in px, float32 (T, P, 4).
        depths: Distance of each person along the camera's axis in metres,
            float32 (T, P).
        owner: 0 background, 1 + p person p, 255 occluder, uint8 (T, H, W).
        colours: Of each person, see ``people.sample_colours``.
        fps: Frames per second.
    """

    frames: np.ndarray
    keypoints: np.ndarray
    visible: np.ndarray
    bboxes: np.ndarray
    depths: np.ndarray
    owner: np.ndarray
    colours: List[dict]
    fps: float


def make_clip(
    seed: int,
    num_frames: int = 60,
    num_people: int = 2,
    image_size: Tuple[int, int] = (256, 192),
    fps: float = 25.0,
    occluders: int = 2,
    sensor_noise: float = 6.0,
) -> Clip:
    """Render people who act in front of a camera.

    The result depends on the arguments alone.

    Args:
        seed (int): Seed >= 0; another one gives other people, movements,
            cameras and surroundings.
        num_frames (int): T.
        num_people (int): P, 0..200; the more, the smaller they are.
        image_size (Tuple[int, int]): Width and height in px.
        fps (float): Frames per second.
        occluders (int): Number of things that move in front of everything.
        sensor_noise (float): Standard deviation in grey levels.

    Returns:
        Clip: The video and its ground truth.
    """
    motion_rng, camera_rng, look_rng, scene_rng, sensor_rng = (
        np.random.default_rng(x)
        for x in np.random.SeedSequence((77, seed)).spawn(5)
    )
    time = np.arange(num_frames) / fps
    # An empty scene, too, is seen as if somebody were there.
    joints = place_people(motion_rng, max(num_people, 1), num_frames, fps)
    camera = make_camera(camera_rng, joints, time, image_size)
    joints = joints[:, :num_people]
    colours = [sample_colours(look_rng) for _ in range(num_people)]
    hiding = make_occluders(scene_rng, occluders, time, image_size)
    background = make_background(scene_rng, image_size)
    ends, radii, depth = _project_bodies(camera, joints)
    frames = np.empty((num_frames, *image_size[::-1], 3), np.uint8)
    owner = np.empty(frames.shape[:3], np.uint8)
    paint = [layer_colours(x) for x in colours]
    shifts = _background_shifts(camera)
    for t in range(num_frames):
        canvas = _canvas(background, shifts[t])
        _paint_people(canvas, ends[:, t], radii[:, t], depth[:, t], paint)
        _paint_occluders(canvas, hiding[t])
        frames[t], owner[t] = _expose(canvas, sensor_rng, sensor_noise)
    joints = joints[:, :, : len(JHMDB_KEYPOINT_NAMES)]
    flat = (1, num_frames, np.prod(joints.shape[1:3]), 3)
    keypoints = camera.project(joints.reshape(flat))
    keypoints = keypoints.reshape(*joints.shape[:3], 2)
    return Clip(
        frames=frames,
        keypoints=keypoints.astype(np.float32),
        visible=_visibility(keypoints, owner),
        bboxes=_boxes(ends, radii, image_size),
        depths=depth.mean(-1).T.astype(np.float32),
        owner=owner,
        colours=colours,
        fps=fps,
    )


def write_clip(clip: Clip, path: Union[str, Path], fps: float = 0) -> None:
    """Write the frames as a video; the suffix chooses the container.

    Args:
        clip (Clip): What to write.
        path (str | Path): ``.mp4`` or ``.avi``.
        fps (float): Frames per second. Defaults to 0: those of the clip.

    Raises:
        OSError: If the video cannot be written.
    """
    code = 'MJPG' if Path(path).suffix == '.avi' else 'mp4v'
    size = clip.frames.shape[2:0:-1]
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter_fourcc(*code), fps or clip.fps, size
    )
    if not writer.isOpened():
        raise OSError(f'{path}: cannot write a video')
    for frame in clip.frames:
        writer.write(frame)
    writer.release()


def _project_bodies(
    camera: Camera, joints: np.ndarray
) -> Tuple[np.ndarray, ...]:
    """Capsules in the image: ends (P, T, C, 2, 2), radii (P, T, C, 2) in px
    and depths of their middles (P, T, C) in metres."""
    points = np.moveaxis(capsule_ends(joints), 1, 0)  # (P, T, C, 2, 3)
    shape = points.shape
    flat = points.reshape(*shape[:2], shape[2] * shape[3], 3)
    ends = camera.project(flat).reshape(*shape[:-1], 2)
    away = flat - camera.position[:, None, None]
    depth = np.matmul(away, np.swapaxes(camera.rotation, -1, -2))[..., 2]
    depth = depth.reshape(shape[:-1])
    radii = camera.focal[0] * capsule_radii() / depth
    return ends, radii, depth.mean(-1)


def _background_shifts(camera: Camera) -> np.ndarray:
    """How far panning moves what is far away, in px, (T, 2)."""
    first = camera.rotation[0, 0, 2]
    ray = camera.rotation[0] @ first
    return camera.focal[0] * ray[:, :2] / ray[:, 2:]


def _canvas(background: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """The background at painting size with a channel for the owner."""
    height, width = background.shape[:2]
    matrix = np.array([[_FINER, 0, 0], [0, _FINER, 0]], np.float64)
    matrix[:, 2] = _FINER * shift
    size = (_FINER * width, _FINER * height)
    image = cv2.warpAffine(
        background, matrix, size, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.dstack([image, np.zeros(image.shape[:2], np.uint8)])


def _fixed(points: np.ndarray) -> np.ndarray:
    """Pixels as OpenCV's fixed point numbers at painting size.

    Pixel centres are whole numbers here as there: the middle of the first
    pixel is 0, at painting size 0.5 (``_FINER`` - 1) for each small one.
    """
    fine = _FINER * points + 0.5 * (_FINER - 1)
    return np.round(fine * 2**_SHIFT).astype(np.int32)


def _paint_people(
    canvas: np.ndarray,
    ends: np.ndarray,
    radii: np.ndarray,
    depth: np.ndarray,
    paint: List[np.ndarray],
) -> None:
    """Paint all capsules of a frame, the farthest person first."""
    corners = _fixed(capsule_polygons(ends, radii))
    for person in np.argsort(-depth.mean(-1)):
        for part in np.argsort(-depth[person]):
            for polygon, colour in zip(
                corners[person, part], paint[person][part]
            ):
                cv2.fillConvexPoly(
                    canvas,
                    polygon,
                    (*colour.tolist(), int(person) + 1),
                    shift=_SHIFT,
                )


def _paint_occluders(
    canvas: np.ndarray, shapes: List[Tuple[np.ndarray, np.ndarray]]
) -> None:
    for corners, colour in shapes:
        cv2.fillConvexPoly(
            canvas, _fixed(corners), (*colour.tolist(), OCCLUDER), shift=_SHIFT
        )


def _expose(
    canvas: np.ndarray, rng: np.random.Generator, noise: float
) -> Tuple[np.ndarray, np.ndarray]:
    """Frame (H, W, 3) and owners (H, W) of a painted canvas."""
    height, width = (x // _FINER for x in canvas.shape[:2])
    image = cv2.resize(
        canvas[..., :3], (width, height), interpolation=cv2.INTER_AREA
    )
    grain = rng.standard_normal((height, width, 3), dtype=np.float32)
    image = np.clip(image + noise * grain, 0, 255).astype(np.uint8)
    return image, canvas[::_FINER, ::_FINER, 3]


def _visibility(keypoints: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Whose pixel lies at each keypoint: (T, P, K), 1 its own."""
    height, width = owner.shape[1:]
    place = np.round(keypoints).astype(np.int64)
    inside = ((place >= 0) & (place < (width, height))).all(-1)
    x, y = np.moveaxis(np.where(inside[..., None], place, 0), -1, 0)
    frame = np.arange(len(owner))[:, None, None]
    person = np.arange(keypoints.shape[1])[:, None] + 1
    return (inside & (owner[frame, y, x] == person)).astype(np.float32)


def _boxes(
    ends: np.ndarray, radii: np.ndarray, image_size: Tuple[int, int]
) -> np.ndarray:
    """Boxes of all capsules of a person inside the frame, (T, P, 4)."""
    low = (ends - radii[..., None]).min(axis=(2, 3))
    high = (ends + radii[..., None]).max(axis=(2, 3))
    limit = np.array(image_size) - 1
    boxes = np.concatenate(
        [np.clip(low, 0, limit), np.clip(high, 0, limit)], -1
    )
    return np.moveaxis(boxes, 0, 1).astype(np.float32)
