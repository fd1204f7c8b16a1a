# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tables of sports: machines, balls, water, weights, dance."""

from typing import Dict

import numpy as np

from .exercises import Kind, arm_keys, leg_keys

_ANGLE = 2 * np.pi * np.arange(12) / 12
# Ankles on a crank ahead of the saddle and below it, feet going forward
# over the top.
_CRANK = [
    (0.09 + 0.098 * np.sin(a), -0.355 + 0.098 * np.cos(a)) for a in _ANGLE
]
_CLIMB = [(0.16, -0.22), (0.10, -0.36), (0.04, -0.46), (0.08, -0.30)]
_STEPS = [(0.14, -0.30), (0.12, -0.36), (0.06, -0.45), (-0.02, -0.48),
          (-0.06, -0.44), (0.06, -0.33)]  # fmt: skip
_LOOSE = dict(reach=10.0, spread=8.0, elbow=10.0)
_DANCE = dict(
    reach=40.0, spread=28.0, elbow=32.0, inward=20.0, hip=10.0, open=6.0,
    knee=10.0, side=7.0, twist=10.0, bend=7.0, nod=8.0, look=15.0, turn=12.0,
)  # fmt: skip


def _cycling(lean: float, bend: float, reach: float, elbow: float) -> Kind:
    return Kind(
        dict(
            pitch=lean, bend=bend, nod=-0.6 * (lean + bend), reach=reach,
            elbow=elbow, spread=8, side=(-1.5, 1.5),
            **leg_keys(_CRANK, lean),
        ),
        (60 / 110, 60 / 50), 'pelvis', legs_lag=0.5,
        drift=dict(reach=1.5, elbow=2.0, hip=0.6, knee=0.6),
    )  # fmt: skip


SPORT: Dict[str, Kind] = dict(
    cycling=_cycling(28, 24, 78, 22),
    cycling_upright=_cycling(8, 6, 55, 25),
    cycling_low=_cycling(42, 28, 88, 75),
    hand_cycling=Kind(
        dict(
            hip=92, knee=55, bend=4,
            **arm_keys([
                (0.25 + 0.06 * np.sin(a), -0.10 + 0.06 * np.cos(a))
                for a in _ANGLE
            ]),
        ),
        (0.6, 1.3), 'pelvis',
    ),
    rowing=Kind(
        dict(
            pitch=(24, 20, 4, -14, -20, -6, 14, 22), bend=12, nod=-8,
            **leg_keys(
                [(0.20, -0.06), (0.27, -0.05), (0.39, -0.05),
                 (0.465, -0.05), (0.47, -0.05), (0.44, -0.05),
                 (0.34, -0.05), (0.24, -0.06)],
                (24, 20, 4, -14, -20, -6, 14, 22),
            ),
            **arm_keys([
                (0.24, -0.22), (0.25, -0.20), (0.27, -0.18), (0.16, -0.16),
                (0.05, -0.17), (0.20, -0.18), (0.26, -0.20), (0.25, -0.21),
            ]),
            spread=8,
        ),
        (1.5, 3.4), 'ankles', ('ankles',), part='val',
    ),
    running=Kind(
        dict(
            pitch=8, bend=4, twist=(-6, 6), turn=(5, -5),
            hip=(38, 22, 4, -14, -16, 8, 36, 48),
            knee=(18, 34, 24, 22, 58, 100, 92, 48),
            reach=(-38, -20, 0, 20, 30, 12, -12, -34), elbow=88, spread=10,
            up=(0, 2.2, 0, 2.2),
        ),
        (0.58, 0.85), 'pelvis', arms_lag=0.5, legs_lag=0.5, speed=(0.0, 2.6),
        spin=15.0,
    ),
    high_knees=Kind(
        dict(
            pitch=-3, hip=(0, 45, 95, 45), knee=(8, 75, 100, 60),
            reach=(40, 5, -30, 5), elbow=85, up=(0, 2, 0, 2),
        ),
        (0.5, 1.1), 'pelvis', arms_lag=0.5, legs_lag=0.5,
    ),
    stair_climbing=Kind(
        dict(
            pitch=12, bend=5, twist=(-4, 4), **leg_keys(_STEPS, 12),
            reach=(-15, 0, 20, 25, 15, -5), elbow=30,
        ),
        (0.9, 1.7), 'pelvis', arms_lag=0.5, legs_lag=0.5, speed=(0.2, 0.5),
        rise=(0.1, 0.3),
    ),
    elliptical=Kind(
        dict(
            pitch=4,
            **leg_keys([
                (0.03 + 0.15 * np.sin(a), -0.415 + 0.05 * np.cos(a))
                for a in _ANGLE
            ], 4),
            reach=(20, 52), elbow=(80, 40), spread=8,
        ),
        (0.8, 1.6), 'pelvis', arms_lag=0.5, legs_lag=0.5,
    ),
    skiing=Kind(
        dict(
            pitch=(8, 40), bend=(5, 22), nod=(0, -20),
            **leg_keys([(0.02, -0.47), (0.08, -0.42)], (8, 40)),
            reach=(105, 70, 5, -20, 20, 75), elbow=(40, 60, 25, 5, 15, 30),
        ),
        (1.0, 2.0), 'ankles', ('ankles',),
    ),
    skating=Kind(
        dict(
            pitch=42, bend=15, nod=-30, left=(-7, 7), twist=(-8, 8),
            hip=(78, 85, 60, 40, 50, 70), knee=(75, 85, 45, 15, 55, 80),
            open=(0, 2, 20, 26, 12, 2),
            reach=(60, 40, -10, -45, -20, 30), elbow=35,
        ),
        (1.0, 2.2), arms_lag=0.5, legs_lag=0.5, speed=(0.0, 2.0),
        spin=20.0,
    ),
    jumping_jacks=Kind(
        dict(
            spread=(12, 90, 162, 90), elbow=14, open=(3, 14, 25, 14),
            hip=(8, 3, 8, 3), knee=(14, 5, 14, 5), up=(0, 4, 0, 4),
        ),
        (0.75, 1.5), part='test',
    ),
    rope_skipping=Kind(
        dict(
            hip=(14, 4), knee=(24, 8), up=(0, 5), reach=10, spread=22,
            elbow=78, inward=(-30, -10),
        ),
        (0.35, 0.6),
    ),
    squats=Kind(
        dict(
            pitch=(2, 22, 36, 22), bend=(0, 6, 10, 6), nod=(0, -8, -15, -8),
            **leg_keys(
                [(0.0, -0.478), (0.06, -0.37), (0.12, -0.25), (0.06, -0.37)],
                (2, 22, 36, 22),
            ),
            open=9, reach=(15, 65, 95, 65), elbow=12,
        ),
        (1.4, 4.0), 'ankles', ('ankles',),
    ),
    barbell_squats=Kind(
        dict(
            pitch=(4, 32), bend=(2, 10), open=12,
            **leg_keys([(0.01, -0.475), (0.12, -0.27)], (4, 32)),
            reach=20, spread=35, elbow=145, inward=-30,
        ),
        (1.8, 4.5), 'ankles', ('ankles',),
    ),
    lunges=Kind(
        dict(
            pitch=(2, 8), knee_right=(26, 78), hip_right=(-18, -2),
            **leg_keys([(0.22, -0.42), (0.23, -0.27)], (2, 8)),
            reach=15, spread=18, elbow=(60, 75),
        ),
        (1.4, 3.5), 'ankles', ('ankles',),
    ),
    deadlifts=Kind(
        dict(
            pitch=(4, 45, 74, 45), bend=(0, 8, 14, 8), nod=(0, -20, -35, -20),
            **leg_keys(
                [(0.0, -0.478), (0.07, -0.45), (0.12, -0.40), (0.07, -0.45)],
                (4, 45, 74, 45),
            ),
            reach=(4, 50, 82, 50), elbow=6, spread=8,
        ),
        (1.8, 4.5), 'ankles', ('ankles',),
    ),
    kettlebell_swings=Kind(
        dict(
            pitch=(58, 30, 0, 25), bend=(12, 5, 0, 5),
            **leg_keys(
                [(0.11, -0.43), (0.06, -0.46), (0.0, -0.478), (0.05, -0.46)],
                (58, 30, 0, 25),
            ),
            open=8, reach=(35, 75, 92, 75), elbow=8, inward=10,
        ),
        (1.2, 2.2), 'ankles', ('ankles',),
    ),
    presses=Kind(
        dict(
            reach=(50, 110, 170, 110), spread=(35, 25, 10, 25),
            elbow=(135, 100, 12, 100), knee=10, hip=4,
        ),
        (1.2, 3.0), 'ankles',
    ),
    curls=Kind(
        dict(reach=(5, 20), elbow=(12, 130), spread=10, hip=4, knee=8),
        (1.0, 3.0), 'ankles', arms_lag=0.5,
    ),
    lateral_raises=Kind(
        dict(spread=(10, 90), reach=8, elbow=12, hip=5, knee=10),
        (1.2, 3.0), 'ankles',
    ),
    pull_ups=Kind(
        dict(
            spread=(14, 30, 48, 30), reach=(166, 146, 118, 146),
            elbow=(26, 76, 130, 76), hip=(8, 18), knee=(20, 45), bend=-6,
        ),
        (1.6, 4.0), 'wrists', ('wrists',), part='val',
    ),
    climbing=Kind(
        dict(
            pitch=4, side=(-5, 5), left=(-2, 2), **leg_keys(_CLIMB, 4),
            open=24, reach=(168, 135, 85, 130), elbow=(12, 70, 105, 90),
            spread=18, nod=-20,
        ),
        (1.6, 4.0), 'pelvis', arms_lag=0.5, legs_lag=0.5,
        rise=(0.05, 0.3),
    ),
    kicking=Kind(
        dict(
            pitch=(4, 12, -8, -10, 0, 4), hip_right=(6, 10, 4, 8),
            knee_right=(14, 22, 12, 14), twist=(0, -15, 10, 12, 4, 0),
            hip=(8, -22, 62, 86, 32, 10), knee=(14, 82, 30, 10, 50, 20),
            reach=(10, 35, -12, -20, 5, 8), reach_right=(8, -20, 40, 45, 15),
            spread=20, elbow=30,
        ),
        (1.2, 2.6), drift=_LOOSE,
    ),
    side_kicks=Kind(
        dict(
            side=(0, -8, -22, -8), open=(6, 25, 72, 30), open_right=5,
            hip=(10, 70, 30, 60), knee=(15, 105, 12, 95), hip_right=10,
            knee_right=18, reach=55, elbow=105, inward=20,
        ),
        (1.2, 2.6), spin=40.0, drift=_LOOSE,
    ),
    throwing=Kind(
        dict(
            twist=(0, 35, 50, 15, -35, -40, -15, 0),
            side=(0, 5, 10, 0, -10, -8, -3, 0),
            pitch=(0, -5, -6, 6, 22, 24, 10, 0),
            bend=(0, -4, -8, 2, 18, 18, 8, 0),
            reach=(15, 20, 60, 110, 95, 30, 15, 12),
            spread=(10, 55, 80, 60, 20, 0, 5, 8),
            inward=(0, 0, -60, -70, 10, 30, 15, 0),
            elbow=(30, 60, 95, 80, 12, 20, 35, 30),
            reach_right=(10, 50, 80, 50, 5, -10, 5, 10), elbow_right=35,
            hip_right=(10, 40, 60, 40, 38, 30, 18, 10),
            knee_right=(12, 60, 60, 18, 28, 25, 18, 12),
            hip=(5, 5, -5, -15, -18, 10, 10, 5),
            knee=(12, 18, 30, 25, 25, 45, 25, 12),
        ),
        (1.4, 3.0), drift=_LOOSE,
    ),
    overhead_strokes=Kind(
        dict(
            twist=(10, 40, 20, -30, -35, 0), side=(0, 12, 5, -8, -5, 0),
            reach=(30, 80, 150, 160, 60, 20), spread=(20, 60, 40, 10, 0, 10),
            elbow=(60, 110, 95, 12, 20, 40),
            reach_right=(40, 140, 100, 20, 5, 20),
            elbow_right=20, hip=(12, 18, 10, -5, 8, 12),
            knee=(20, 35, 15, 8, 20, 22),
            hip_right=(8, 12, 6, 12, 20, 12),
            knee_right=(15, 30, 8, 15, 30, 18),
        ),
        (1.2, 2.6), spin=20.0, drift=_LOOSE,
    ),
    golf_swing=Kind(
        dict(
            pitch=28, bend=8, hip=36, knee=22,
            turn=(0, 25, 40, 0, -50, -60, -30, -5),
            twist=(0, 30, 50, 5, -30, -45, -20, -3),
            reach=(38, 60, 95, 45, 60, 110, 70, 40),
            elbow=(6, 10, 45, 6, 12, 70, 35, 8),
            inward=15,
        ),
        (1.6, 3.5), 'ankles', ('ankles',),
    ),
    boxing=Kind(
        dict(
            pitch=8, bend=10, turn=(12, -12), twist=(14, -14),
            reach=(40, 62, 86, 60), elbow=(130, 70, 10, 90), inward=25,
            hip=28, knee=35, hip_right=-4, knee_right=28, up=(0.6, 0),
        ),
        (0.5, 1.3), arms_lag=0.5, spin=25.0,
        drift=dict(reach=8.0, left=2.0, ahead=3.0),
    ),
    dribbling=Kind(
        dict(
            pitch=25, bend=15, nod=-20, hip=45, knee=45, open=8,
            reach=(38, 62), elbow=(30, 75), reach_right=25, elbow_right=70,
        ),
        (0.4, 0.8), spin=60.0, speed=(0.0, 0.8), drift=dict(hip=8.0, knee=8.0),
    ),
    front_crawl=Kind(
        dict(
            pitch=86, roll=(28, -28), nod=-10, spread=8,
            reach=170, elbow=(12, 35, 75, 35, 55, 90, 45, 15),
            hip=(10, -8) * 3, knee=(12, 24) * 3,
        ),
        (0.9, 1.9), 'pelvis', arms_lag=0.5, legs_lag=0.5,
        wind=dict(reach=-360.0), speed=(0.0, 1.0),
    ),
    backstroke=Kind(
        dict(
            pitch=-86, roll=(24, -24), spread=8, reach=0,
            elbow=(8, 10, 60, 40, 8, 6), hip=(12, -4) * 3,
            knee=(10, 28) * 3,
        ),
        (1.0, 2.0), 'pelvis', arms_lag=0.5, legs_lag=0.5,
        wind=dict(reach=360.0), speed=(-1.0, 0.0), part='test',
    ),
    breaststroke=Kind(
        dict(
            pitch=(86, 74, 68, 82), nod=-15, reach=(176, 130, 85, 140),
            spread=(4, 45, 20, 6), elbow=(6, 30, 120, 60),
            hip=(0, 10, 55, 20), open=(4, 10, 30, 24), knee=(6, 40, 118, 40),
        ),
        (1.1, 2.2), 'pelvis', speed=(0.0, 0.6),
    ),
    dance=Kind(
        dict(
            hip=(10, 30), knee=(16, 46), side=(-7, 7), left=(-4, 4),
            reach=45, spread=35, elbow=60, turn=(8, -8),
        ),
        (0.8, 1.6), legs_lag=0.5, arms_lag=0.5, spin=90.0, drift=_DANCE,
    ),
    slow_dance=Kind(
        dict(
            hip=(8, 22, 45, 20), knee=(12, 25, 50, 20), open=(4, 22, 12, 6),
            reach=(60, 140), spread=(30, 80), elbow=35, roll=(-4, 4),
        ),
        (2.0, 4.5), legs_lag=0.5, arms_lag=0.3, spin=70.0, drift=_DANCE,
    ),
    aerobics=Kind(
        dict(
            hip=(5, 30, 60, 30), knee=(10, 45, 80, 40), left=(-6, 6),
            reach=(20, 90, 150, 90), spread=(10, 60, 20, 40),
            elbow=(20, 80, 20, 90), up=(0, 1, 0, 1),
        ),
        (0.9, 1.8), legs_lag=0.5, arms_lag=0.5, spin=20.0,
        drift=dict(reach=15.0, spread=15.0, elbow=15.0),
    ),
    cartwheels=Kind(
        dict(reach=4, spread=150, elbow=8, open=34, knee=8, left=(-6, 6)),
        (1.0, 2.2), wind=dict(roll=-360.0), part='test',
    ),
    arm_circles=Kind(
        dict(reach=90, spread=12, elbow=12, hip=4, knee=8),
        (0.9, 2.5), 'ankles', wind=dict(reach=360.0),
    ),
)  # fmt: skip
"""Sports by their names."""
