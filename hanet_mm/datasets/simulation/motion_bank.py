# Copyright (c) hanet_mm contributors. All rights reserved.
"""Motion in 3D to cut windows from: captured and procedural."""

from typing import NamedTuple, Optional, Tuple

import numpy as np

from hanet_mm.core.poses.skeleton_data import SKELETONS

from ..cmu_mocap import load_recordings_of_part
from .exercise_kinds import generate_exercises, kinds_of_part
from .feet import FOOT_NAMES, captured_feet
from .keypoints import procedural_keypoints
from .motion import generate_motion

# Procedural people: how many, for how many frames of which rate.
_PEOPLE, _FRAMES, _FPS = 192, 360, 30.0
# The same of exercises, people of each kind; their share of this motion.
_EACH, _EXERCISE_FRAMES, _EXERCISE_FPS = 6, 480, 60.0
_EXERCISE_SHARE = 0.65
# Frame rate of recordings in files without one.
_USUAL_FPS = 30.0


class MotionBank(NamedTuple):
    """S sequences of motion, one after the other."""

    joints: np.ndarray  # metres, y up, (N, K, 3) float32
    clean: np.ndarray  # frames that can be trusted, bool (N,)
    start: np.ndarray  # first frame of each sequence, (S,)
    length: np.ndarray  # frames of each sequence, (S,)
    fps: np.ndarray  # frame rates, (S,)
    chance: np.ndarray  # probability to be drawn from, sum 1, (S,)


def _bank(
    joints: np.ndarray,
    clean: np.ndarray,
    length: np.ndarray,
    fps: np.ndarray,
) -> MotionBank:
    """Make a bank whose frames all have the same chance."""
    return MotionBank(
        joints,
        clean,
        np.cumsum(length) - length,
        length,
        np.asarray(fps, dtype=np.float64),
        length / length.sum(),
    )


def captured_motion(
    path: str, skeleton: str, part: Optional[str]
) -> MotionBank:
    """Load the recordings of a part, see :func:`load_recordings_of_part`.

    Feet are those of :func:`captured_feet`, of the joints of the file.
    """
    names = SKELETONS[skeleton].keypoint_names
    has_feet = names[-len(FOOT_NAMES) :] == FOOT_NAMES
    if has_feet:
        skeleton, names = 'coco17', names[: -len(FOOT_NAMES)]
    recordings, _ = load_recordings_of_part(path, skeleton, part)
    if recordings.names != names:
        raise ValueError(
            f'{path}: {skeleton}_names: expected {names}, '
            f'found {recordings.names}'
        )
    joints = recordings.joints
    if has_feet:
        every, _ = load_recordings_of_part(path, 'joints_3d', part)
        feet = captured_feet(every.joints, every.names)
        joints = np.concatenate([joints, feet], axis=1)
    fps = recordings.fps
    if fps is None:
        fps = np.full(len(recordings.seq_len), _USUAL_FPS)
    return _bank(joints, recordings.clean, recordings.seq_len, fps)


def procedural_motion(
    rng: np.random.Generator, skeleton: str, num: int = _PEOPLE
) -> MotionBank:
    """Let ``num`` procedural people act for 12 s each."""
    motion = generate_motion(rng, num, _FRAMES, _FPS)
    joints = procedural_keypoints(
        motion.joints, SKELETONS[skeleton].keypoint_names
    )
    return _bank(
        joints.reshape(-1, *joints.shape[2:]),
        np.ones(num * _FRAMES, dtype=bool),
        np.full(num, _FRAMES),
        np.full(num, _FPS),
    )


def exercise_motion(
    rng: np.random.Generator,
    skeleton: str,
    part: Optional[str] = None,
    each: int = _EACH,
) -> MotionBank:
    """Let ``each`` people do each kind of :func:`kinds_of_part` for 8 s."""
    kinds = kinds_of_part(part) * each
    frames = _EXERCISE_FRAMES
    joints = generate_exercises(rng, kinds, frames, _EXERCISE_FPS)
    joints = procedural_keypoints(joints, SKELETONS[skeleton].keypoint_names)
    num = len(joints)
    return _bank(
        joints.reshape(-1, *joints.shape[2:]),
        np.ones(num * frames, dtype=bool),
        np.full(num, frames),
        np.full(num, _EXERCISE_FPS),
    )


def made_motion(
    rng: np.random.Generator, skeleton: str, part: Optional[str] = None
) -> MotionBank:
    """People who walk, reach and jump, and exercises of a part."""
    acting = procedural_motion(rng, skeleton)
    exercises = exercise_motion(rng, skeleton, part)
    return join(acting, exercises, _EXERCISE_SHARE)


def join(first: MotionBank, second: MotionBank, share: float) -> MotionBank:
    """Join two banks; the second is drawn with probability ``share``."""
    return MotionBank(
        np.concatenate([first.joints, second.joints]),
        np.concatenate([first.clean, second.clean]),
        np.concatenate([first.start, second.start + len(first.joints)]),
        np.concatenate([first.length, second.length]),
        np.concatenate([first.fps, second.fps]),
        np.concatenate([(1 - share) * first.chance, share * second.chance]),
    )


def cut_windows(
    rng: np.random.Generator,
    bank: MotionBank,
    num: int,
    frames: int,
    fps_range: Tuple[float, float],
    speed_range: Tuple[float, float],
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cut S windows of T frames at any time, half of them backwards.

    Frame rates are log-uniform in ``fps_range``; ``speed_range`` is of factors
    on the recorded speed. A sequence too short for a window at the rate drawn
    is sampled at a higher one. Joints in metres, y up, (S, T, K, 3) float32;
    clean frames, bool (S, T); fps, (S,) float32.
    """
    low, high = fps_range
    sequence = rng.choice(len(bank.start), num, p=bank.chance)
    speed = rng.uniform(*speed_range, num)
    source = bank.fps[sequence] * speed
    step = source / (low * (high / low) ** rng.random(num))
    last = bank.length[sequence] - 1.0
    step = np.minimum(step, last / max(frames - 1, 1))
    begin = rng.random(num) * (last - (frames - 1) * step)
    backwards = rng.random(num) < 0.5
    index = np.arange(frames)
    index = np.where(backwards[:, None], index[::-1], index)
    time = begin[:, None] + step[:, None] * index
    joints, clean = _at(bank, sequence, time)
    # A sequence of one frame stands still, whatever the rate.
    fps = np.where(step > 0, source / np.where(step > 0, step, 1), high)
    return joints, clean, fps.astype(np.float32)


def _at(
    bank: MotionBank, sequence: np.ndarray, time: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Cubic interpolation at (S, T) frames of sequences (S,).

    Returns joints (S, T, K, 3) float32, and whether the frames that they are
    made of are clean, (S, T).
    """
    last = bank.length[sequence, None] - 1
    left = np.clip(np.floor(time).astype(np.int64), 0, np.maximum(last - 1, 0))
    x = (time - left).astype(np.float32)
    rows = bank.joints.reshape(len(bank.joints), -1)
    joints = np.zeros((*time.shape, rows.shape[1]), dtype=np.float32)
    part = np.empty_like(joints)
    clean = np.ones(time.shape, dtype=bool)
    for offset, weight in zip(range(-1, 3), _weights(x, left, last)):
        frame = np.clip(left + offset, 0, last) + bank.start[sequence, None]
        # Without a mode it is checked, through a copy, before it is written.
        np.take(rows, frame, axis=0, out=part, mode='clip')
        part *= weight[..., None]
        joints += part
        clean &= bank.clean[frame]
    return joints.reshape(*time.shape, *bank.joints.shape[1:]), clean


def _weights(
    x: np.ndarray, left: np.ndarray, last: np.ndarray
) -> Tuple[np.ndarray, ...]:
    """Weights of four frames, (S, T) each; ``x`` counts from the second.

    E. Catmull and R. Rom, "A class of local interpolating splines", 1974.
    Before the first frame and after the last the motion is linear.
    """
    before = 0.5 * x * (-1 + x * (2 - x))
    after = 0.5 * x * x * (x - 1)
    here = 1 + 0.5 * x * x * (3 * x - 5)
    there = 0.5 * x * (1 + x * (4 - 3 * x))
    beyond = np.where(left == 0, before, 0)
    here, there = here + 2 * beyond, there - beyond
    before = before - beyond
    beyond = np.where(left >= last - 1, after, 0)
    here, there = here - beyond, there + 2 * beyond
    return before, here, there, after - beyond
