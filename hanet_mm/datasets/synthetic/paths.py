"""How people walk and where: gaits, and the path of the pelvis."""

from dataclasses import dataclass

import numpy as np

from .timeline import ACTIONS, Script, ramp

# The pelvis passes over a foot at this phase of the stride, a little before
# the middle of the stance: the ankle travels on over the toes afterwards.
PASSING = 0.235
# Height of the ankle in metres when the heel strikes.
HEEL_STRIKE = 0.018
# Seconds of path that footsteps may ask for before and after a sequence:
# more than one stride of the slowest walker.
PATH_MARGIN = 2.0


@dataclass
class Gait:
    """Walking habits of S people, (S, 1) each.

    Args:
        speed (np.ndarray): Walking speed in m/s.
        cadence (np.ndarray): Strides (two steps) per second.
        phase (np.ndarray): Stride phase of the left foot at second 0.
        clearance (np.ndarray): Extra lift of the striding foot in metres.
        heel_rise (np.ndarray): Foot pitch at toe-off in radians.
        bob (np.ndarray): Fall of the pelvis between two steps in metres.
        heading (np.ndarray): First heading in radians.
    """

    speed: np.ndarray
    cadence: np.ndarray
    phase: np.ndarray
    clearance: np.ndarray
    heel_rise: np.ndarray
    bob: np.ndarray
    heading: np.ndarray


def sample_gaits(rng: np.random.Generator, stature: np.ndarray) -> Gait:
    """Draw walking habits.

    Speed and cadence are tied by the walk ratio, step length over steps
    per minute, which hardly changes with speed (N. Sekiya and H. Nagasaki,
    "Reproducibility of the walking patterns of normal young adults", Gait
    & Posture 7, 1998); 0.0062 m min here. Step length scales with stature.

    Args:
        rng (np.random.Generator): Source of randomness.
        stature (np.ndarray): Body heights in metres, (S,).

    Returns:
        Gait: One gait per person.
    """
    shape = (len(stature), 1)
    size = stature[:, None] / 1.7
    speed = rng.uniform(0.7, 1.4, shape)
    cadence = np.sqrt(60 * speed / 0.0062) / 120
    # The front leg (0.83 m at 1.70 m) spans most just before the strike.
    span = (PASSING + 0.012) * speed / cadence
    bob = 0.83 - np.sqrt(0.83**2 - span**2) - HEEL_STRIKE
    return Gait(
        speed=speed * size,
        cadence=cadence,
        phase=rng.random(shape),
        clearance=rng.uniform(0.005, 0.04, shape),
        heel_rise=rng.uniform(0.85, 1.15, shape),
        bob=np.maximum(bob, 0.015) * size,
        heading=rng.uniform(-np.pi, np.pi, shape),
    )


@dataclass
class Path:
    """Pelvis path on the floor, tabulated at the frame rate.

    Args:
        time (np.ndarray): Seconds of the table, (P,).
        values (np.ndarray): x, y in metres, heading in radians, share of
            the walking speed, (S, P, 4).
    """

    time: np.ndarray
    values: np.ndarray

    def at(self, time: np.ndarray) -> np.ndarray:
        """Linear interpolation at any second inside the table.

        Args:
            time (np.ndarray): Seconds, (S, ...).

        Returns:
            np.ndarray: x, y, heading and share of speed, (S, ..., 4).
        """
        step = self.time[1] - self.time[0]
        place = np.clip((time - self.time[0]) / step, 0, len(self.time) - 1)
        low = np.minimum(place.astype(np.int64), len(self.time) - 2)
        part = (place - low)[..., None]
        who = np.arange(len(time)).reshape(-1, *[1] * (time.ndim - 1))
        return (1 - part) * self.values[who, low] + part * self.values[
            who, low + 1
        ]


def _headings(script: Script, gait: Gait, time: np.ndarray) -> np.ndarray:
    """Heading in radians at (S, P) seconds: walks bend, pivots turn."""
    walks = script.action == ACTIONS.index('walk')
    pivots = script.action == ACTIONS.index('turn')
    turn = np.where(walks, script.params['bend'], 0.0)
    turn = np.where(pivots, script.params['pivot'], turn)
    before = gait.heading + np.cumsum(turn, axis=1) - turn
    # A pivot takes its time after the walk has come to rest.
    start = script.start + np.where(pivots, 0.3, 0.0)
    end = script.start + script.params['length'] - np.where(pivots, 0.2, 0.0)
    before, turn, start, end = (
        np.take_along_axis(values, script.index(time), 1)
        for values in (before, turn, start, end)
    )
    return before + turn * ramp(time, start, end)


def _speed_shares(script: Script, time: np.ndarray) -> np.ndarray:
    """Share of the walking speed at (S, P) seconds."""
    walks = script.action == ACTIONS.index('walk')
    share = np.where(walks, script.params['pace'], 0.0)
    before = np.concatenate([share[:, :1], share[:, :-1]], axis=1)
    share, before, start = (
        np.take_along_axis(values, script.index(time), 1)
        for values in (share, before, script.start)
    )
    return before + (share - before) * ramp(time, start, start + 0.5)


def make_path(script: Script, gait: Gait, num_frames: int, fps: float) -> Path:
    """Integrate speed and heading of the script.

    Args:
        script (Script): Actions of S people.
        gait (Gait): Their gaits.
        num_frames (int): Frames T of the sequences.
        fps (float): Frames per second.

    Returns:
        Path: Table that covers the sequence and ``PATH_MARGIN`` around it.
    """
    margin = int(np.ceil(PATH_MARGIN * fps))
    time = np.arange(-margin, num_frames + margin) / fps
    times = np.broadcast_to(time, (len(script.start), len(time)))
    heading = _headings(script, gait, times)
    share = _speed_shares(script, times)
    direction = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    velocity = (gait.speed * share)[..., None] * direction
    # Trapezoidal rule, zero at the first frame of the sequence.
    place = np.cumsum(velocity, axis=1) - 0.5 * velocity
    place = (place - place[:, margin : margin + 1]) / fps
    values = np.concatenate([place, heading[..., None], share[..., None]], -1)
    return Path(time, values)
