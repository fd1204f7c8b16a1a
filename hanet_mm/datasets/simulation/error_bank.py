# Copyright (c) hanet_mm contributors. All rights reserved.
"""A bank of errors that real estimators made.

A bank holds pieces of about a second: errors relative to the size of the
person, with the scores, gaps and swaps of left and right that came with them.
S sequences, T frames, K keypoints, D coordinates; P pieces of N frames.
"""

import json
import zlib
from dataclasses import dataclass, fields
from typing import NamedTuple, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, read_npz, write_npz
from hanet_mm.core.data.gaps import fill_missing, missing_keypoints
from hanet_mm.core.poses.skeleton import plain_name

from .keypoints import keypoint_parts

PARTS = ('train', 'val')
# Films of which errors are held back as 'val': one of so many.
_HELD_BACK = 10
# Errors are turned by up to so much, and mirrored half of the time.
_MOST_TURNED = np.radians(30)
_LEAST_SCORE = 1e-3


class DrawnErrors(NamedTuple):
    """Errors for S windows of T frames.

    Attributes:
        errors (np.ndarray): In sizes of the person, (S, T, K, D) float32;
            NaN = missing.
        scores (np.ndarray): (S, T, K) float32; 0 = missing.
        source (np.ndarray): Keypoint that is reported for each one, itself
            or that of the other side, int (S, T, K).
        bias (np.ndarray): Constant error of each keypoint at its own place,
            (S, 1, K, D) float32.
    """

    errors: np.ndarray
    scores: np.ndarray
    source: np.ndarray
    bias: np.ndarray


@dataclass(eq=False, repr=False)
class ErrorBank:
    """Pieces of errors, one after the other.

    Args:
        errors (np.ndarray): Estimate less the place that it is an estimate
            of, in sizes of the person, (N, K, D) float32; NaN = missing.
        scores (np.ndarray): (N, K) float32; 0 = missing.
        swapped (np.ndarray): Where that place is the keypoint of the other
            side, bool (N, K).
        seq_len (np.ndarray): Frames of each piece, (P,).
        estimator (np.ndarray): Name of its estimator, (P,) str.
        film (np.ndarray): What it was filmed in, (P,) str.
        fps (np.ndarray): Its frame rate, (P,).
        biases (np.ndarray): Constant errors of keypoints by their definition,
            in sizes of the person, (B, K, D); B may be 0.
        keypoint_names (np.ndarray): K names.

    Raises:
        ValueError: If a shape or a value is wrong.
    """

    errors: np.ndarray
    scores: np.ndarray
    swapped: np.ndarray
    seq_len: np.ndarray
    estimator: np.ndarray
    film: np.ndarray
    fps: np.ndarray
    biases: np.ndarray
    keypoint_names: np.ndarray

    def __post_init__(self) -> None:
        _check(self)
        names = zip(self.estimator, self.film, self.fps)
        keys = np.array([f'{e}\n{f}\n{r:.3f}' for e, f, r in names])
        # Pieces of one estimator and film lie together.
        _, group = np.unique(keys, return_inverse=True)
        order = np.argsort(group, kind='stable')
        start = np.cumsum(self.seq_len) - self.seq_len
        self._length, self._start = self.seq_len[order], start[order]
        self._rate = self.fps[order].astype(np.float64)
        low = np.searchsorted(group[order], group[order], 'left')
        high = np.searchsorted(group[order], group[order], 'right')
        self._mates = low, high - low
        missing = missing_keypoints(self.errors, self.scores)
        self._missing = missing
        self._filled = fill_missing(self.errors, missing, self.seq_len)

    def __repr__(self) -> str:
        return (
            f'ErrorBank({len(self.seq_len)} pieces, {len(self.errors)} frames '
            f'of {", ".join(sorted({*self.estimator}))})'
        )

    def select(self, pieces: np.ndarray) -> 'ErrorBank':
        """Some of the pieces, bool (P,), with all biases."""
        frames = np.repeat(pieces, self.seq_len)
        values = {x.name: getattr(self, x.name) for x in fields(self)}
        for name in ('errors', 'scores', 'swapped'):
            values[name] = values[name][frames]
        for name in ('seq_len', 'estimator', 'film', 'fps'):
            values[name] = values[name][pieces]
        return ErrorBank(**values)

    def draw(
        self,
        rng: np.random.Generator,
        num: int,
        frames: int,
        fps: np.ndarray,
        keypoint_names: Sequence[str],
    ) -> DrawnErrors:
        """Draw errors for ``num`` windows of ``frames`` frames.

        A window begins anywhere in the bank; where its piece ends another one
        of the same estimator and film follows. Errors are mirrored and turned
        in the picture at random. Between frames of the bank they are
        interpolated where the windows have twice its rate, for neighbouring
        frames look alike then; at its own rate and below each frame takes the
        nearest, so that the size of fast errors is kept.

        Args:
            rng (np.random.Generator): Source of randomness.
            num (int): S.
            frames (int): T.
            fps (np.ndarray): Frame rates of the windows, one number or (S,).
            keypoint_names (Sequence[str]): Keypoints wanted, in any spelling.

        Returns:
            DrawnErrors: Of those keypoints.

        Raises:
            ValueError: If the bank does not have one of them.
        """
        wanted = self._columns(keypoint_names)
        left, right, x = self._places(rng, num, frames, fps)
        nearest = np.where(x < 0.5, left, right)
        x = x[..., None, None].astype(np.float32)
        errors = (1 - x) * self._filled[left] + x * self._filled[right]
        errors[self._missing[nearest]] = np.nan
        scores = np.maximum(self.scores[nearest], _LEAST_SCORE)
        scores = np.where(self._missing[nearest], np.float32(0), scores)
        count = max(len(self.biases), 1)
        bias = self.biases if len(self.biases) else 0 * self.errors[:1]
        bias = np.nan_to_num(bias)[rng.integers(count, size=num)][:, None]
        # Of two networks that differ either one may be the other's truth.
        sign = rng.choice(np.float32([-1, 1]), (num, 1, 1, 1))
        bias = bias * sign
        mirror = keypoint_parts(
            tuple(map(plain_name, keypoint_names)), errors.shape[-1]
        ).mirror
        mirrored = rng.random((2, num)) < 0.5
        turned = rng.uniform(-_MOST_TURNED, _MOST_TURNED, (2, num))
        errors, bias = (
            _turn(_mirror(part[..., wanted, :], who, mirror, True), angle)
            for part, who, angle in zip((errors, bias), mirrored, turned)
        )
        scores, swapped = (
            _mirror(part[..., wanted, None], mirrored[0], mirror)[..., 0]
            for part in (scores, self.swapped[nearest])
        )
        source = np.where(swapped, mirror, np.arange(len(mirror)))
        return DrawnErrors(errors, scores, source, bias)

    def _columns(self, names: Sequence[str]) -> np.ndarray:
        """Where the bank has these keypoints, (K,)."""
        place = {plain_name(x): i for i, x in enumerate(self.keypoint_names)}
        unknown = [x for x in names if plain_name(x) not in place]
        if unknown:
            raise ValueError(
                f'bank: expected errors of the keypoint {unknown[0]!r}, found '
                f'{", ".join(self.keypoint_names)}'
            )
        return np.array([place[plain_name(x)] for x in names])

    def _places(
        self, rng: np.random.Generator, num: int, frames: int, fps: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Two flat frames for each frame of the windows, and the weight.

        (S, T) each; the weight is that of the second.
        """
        chance = self._length / self._length.sum()
        first = rng.choice(len(chance), num, p=chance)
        step = np.broadcast_to(self._rate[first] / fps, num)
        needed = np.ceil((frames - 1) * step.max()) + 2
        more = int(np.ceil(needed / self._length.min()))
        low, count = (x[first, None] for x in self._mates)
        others = low + np.floor(rng.random((num, more)) * count).astype(int)
        pieces = np.concatenate([first[:, None], others], axis=1)
        length = self._length[pieces]
        ends = np.cumsum(length, axis=1)
        begin = rng.random(num) * length[:, 0]
        time = begin[:, None] + np.arange(frames) * step[:, None]
        left = np.floor(time).astype(np.int64)
        x = time - left
        # Linear at twice the rate of the bank, the nearest frame at its own.
        ramp = np.clip(2 * (1 - step), 1e-6, 1)[:, None]
        x = np.clip((x - 0.5) / ramp + 0.5, 0, 1)

        def flat(frame: np.ndarray) -> np.ndarray:
            which = (frame[..., None] >= ends[:, None]).sum(-1)
            shift = self._start[pieces] - (ends - length)
            return frame + np.take_along_axis(shift, which, axis=1)

        return flat(left), flat(left + 1), x


def _mirror(
    values: np.ndarray,
    who: np.ndarray,
    mirror: np.ndarray,
    directed: bool = False,
) -> np.ndarray:
    """Let sides change places in the windows ``who`` (S,) of (S, T, K, D)."""
    other = values[:, :, mirror]
    if directed:
        other = other * np.array([-1] + [1] * (values.shape[-1] - 1))
    return np.where(who[:, None, None, None], other, values)


def _turn(errors: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Turn errors (S, T, K, D) in the picture by angles (S,)."""
    cosine, sine = (f(angle)[:, None, None] for f in (np.cos, np.sin))
    x, y = errors[..., 0], errors[..., 1]
    turned = [cosine * x - sine * y, sine * x + cosine * y]
    turned += [errors[..., i] for i in range(2, errors.shape[-1])]
    return np.stack(turned, axis=-1).astype(np.float32)


def load_error_bank(path: PathLike, part: Optional[str] = None) -> ErrorBank:
    """Read a bank that :func:`save_error_bank` wrote.

    Args:
        path (PathLike): The file.
        part (str, optional): 'val': the errors of every tenth film, chosen
            by a hash of its name; 'train': of the others. None: all.

    Returns:
        ErrorBank: The bank.

    Raises:
        ValueError: One line naming the file and the field.
    """
    if part is not None and part not in PARTS:
        raise ValueError(f'part: expected one of {PARTS}, found {part!r}')
    names = tuple(item.name for item in fields(ErrorBank))
    values = read_npz(path, names, names)
    try:
        bank = ErrorBank(**values)
        if part is not None:
            held = [
                zlib.crc32(x.encode()) % _HELD_BACK == 0 for x in bank.film
            ]
            chosen = np.array(held) == (part == 'val')
            if not chosen.any():
                raise ValueError(
                    f'film: expected some of the part {part!r}, found none'
                )
            bank = bank.select(chosen)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    return bank


def save_error_bank(path: PathLike, bank: ErrorBank, note: str = '') -> None:
    """Write a bank, whole or not at all, with a note on its sources."""
    arrays = {x.name: getattr(bank, x.name) for x in fields(bank)}
    arrays['meta'] = np.array(json.dumps(dict(note=note)))
    write_npz(path, arrays)


def _check(bank: ErrorBank) -> None:
    """Convert the arrays of a bank and raise if they do not fit."""
    kinds = dict(
        errors=np.float32, scores=np.float32, swapped=bool, seq_len=np.int64,
        estimator=np.str_, film=np.str_, fps=np.float32, biases=np.float32,
        keypoint_names=np.str_,
    )  # fmt: skip
    for name, kind in kinds.items():
        value = np.asarray(getattr(bank, name))
        if (kind is np.str_) != (value.dtype.kind == 'U'):
            wanted = 'texts' if kind is np.str_ else 'numbers'
            raise ValueError(f'{name}: expected {wanted}, found {value.dtype}')
        setattr(bank, name, value.astype(kind, copy=False))
    shape = bank.errors.shape
    if len(shape) != 3 or 0 in shape or shape[2] not in (2, 3):
        raise ValueError(
            f'errors: expected (N, K, D) with D 2 or 3, found {shape}'
        )
    pieces = bank.seq_len.shape
    for name, want in dict(
        scores=shape[:2],
        swapped=shape[:2],
        seq_len=(len(bank.seq_len),) if pieces else (0,),
        estimator=pieces,
        film=pieces,
        fps=pieces,
        biases=(len(bank.biases) if bank.biases.ndim else 0, *shape[1:]),
        keypoint_names=shape[1:2],
    ).items():
        found = getattr(bank, name).shape
        if found != want:
            raise ValueError(f'{name}: expected shape {want}, found {found}')
    if (bank.seq_len < 1).any() or bank.seq_len.sum() != shape[0]:
        raise ValueError(
            f'seq_len: expected lengths >= 1 with a sum of {shape[0]} (frames '
            f'of errors), found a sum of {bank.seq_len.sum()} and a least '
            f'length of {min(bank.seq_len, default=0)}'
        )
    for name, wrong, wanted in (
        ('errors', np.isinf(bank.errors), 'finite or NaN'),
        ('scores', ~(bank.scores >= 0), '>= 0'),
        ('scores', np.isinf(bank.scores), 'finite'),
        ('fps', ~(bank.fps > 0), '> 0'),
        ('biases', ~np.isfinite(bank.biases), 'finite'),
    ):
        if wrong.any():
            at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
            raise ValueError(
                f'{name}: expected {wanted}, found '
                f'{getattr(bank, name)[at]:g} in row {at[0]}'
            )
    seen = ~missing_keypoints(bank.errors, bank.scores).all(1)
    starts = np.cumsum(bank.seq_len) - bank.seq_len
    empty = ~np.logical_or.reduceat(seen, starts)
    if empty.any():
        raise ValueError(
            f'errors: piece {int(np.argmax(empty))} has no estimate; expected '
            'at least 1'
        )
