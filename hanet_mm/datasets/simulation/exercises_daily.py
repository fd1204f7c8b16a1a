# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tables of everyday motion: sitting, standing up, work, wheelchairs."""

from typing import Dict

from .exercises import Kind, arm_keys, leg_keys

_TALKING = dict(
    reach=26.0, spread=12.0, elbow=26.0, inward=22.0, look=16.0, nod=9.0,
    twist=7.0, bend=5.0,
)  # fmt: skip
_RISE = (2, 20, 38, 24, 4, 3, 30, 28)

DAILY: Dict[str, Kind] = dict(
    typing=Kind(
        dict(
            pitch=-4, bend=10, hip=86, knee=88, open=8, reach=(34, 37),
            elbow=(72, 76), inward=12, nod=8,
        ),
        (0.5, 1.5), 'pelvis', ('ankles',), arms_lag=0.4,
        drift=dict(reach=7.0, elbow=9.0, look=14.0, nod=8.0, bend=4.0),
    ),
    sitting_talk=Kind(
        dict(
            pitch=-8, bend=6, hip=84, knee=82, open=12, reach=38, elbow=72,
            inward=22,
        ),
        (1.5, 4.0), 'pelvis', ('ankles',), drift=_TALKING,
    ),
    cross_legged=Kind(
        dict(
            pitch=-2, bend=14, hip=105, open=50, rotate=42, knee=132,
            reach=35, elbow=62, inward=15,
        ),
        (2.0, 5.0), 'pelvis', drift=_TALKING,
    ),
    eating=Kind(
        dict(
            bend=(12, 18, 22, 16), hip=88, knee=86, open=8, nod=(5, 12),
            reach=(32, 40, 52, 42), elbow=(70, 105, 138, 100), inward=25,
            reach_right=34, elbow_right=74,
        ),
        (1.5, 4.0), 'pelvis', ('ankles',), drift=dict(look=12.0, reach=6.0),
    ),
    standing_up=Kind(
        dict(
            pitch=_RISE, bend=(4, 12, 16, 8, 0, 0, 12, 10),
            **leg_keys(
                [(0.23, -0.25), (0.23, -0.25), (0.18, -0.30),
                 (0.06, -0.44), (0.01, -0.478), (0.01, -0.478),
                 (0.12, -0.38), (0.22, -0.26)],
                _RISE,
            ),
            reach=(30, 38, 42, 24, 4, 4, 28, 32),
            elbow=(55, 45, 30, 18, 14, 14, 30, 50), open=5,
        ),
        (2.4, 6.0), 'ankles', ('ankles',),
    ),
    wheelchair=Kind(
        dict(
            pitch=-4, bend=(6, 14), hip=86, knee=80, open=5, spread=17,
            **arm_keys(
                [(-0.07, -0.235), (0.03, -0.245), (0.12, -0.255),
                 (0.16, -0.275), (0.08, -0.315), (-0.03, -0.285)]
            ),
        ),
        (0.8, 1.8), 'pelvis', ('ankles',), speed=(0.0, 0.9), spin=40.0,
        part='test',
    ),
    kneeling_work=Kind(
        dict(
            pitch=(14, 30), bend=(15, 25), hip=(58, 74), knee=124,
            reach=(55, 80), elbow=(62, 20), nod=10,
        ),
        (0.8, 2.2), 'ankles', ('ankles',), drift=dict(spread=10.0),
    ),
    half_kneeling=Kind(
        dict(
            bend=(8, 16), hip=82, knee=88, hip_right=2, knee_right=92,
            reach=(40, 65), elbow=(75, 50), open=5,
        ),
        (1.2, 3.5), 'pelvis', drift=_TALKING,
    ),
    sweeping=Kind(
        dict(
            pitch=14, bend=14, twist=(-22, 22), turn=(-8, 8), reach=(48, 66),
            elbow=(32, 60), hip=18, knee=16, inward=20, left=(-3, 3),
        ),
        (0.9, 2.2), arms_lag=0.5, speed=(0.0, 0.3), spin=25.0,
    ),
    digging=Kind(
        dict(
            pitch=(20, 42, 50, 30, 8, 12), bend=(10, 18, 22, 12, 4, 6),
            twist=(0, -5, -10, 5, 32, 25), reach=(45, 55, 62, 60, 58, 50),
            elbow=(40, 20, 15, 60, 70, 50), inward=15,
            hip=(32, 58, 68, 44, 18, 22), knee=(24, 34, 38, 28, 16, 20),
        ),
        (1.5, 3.5),
    ),
    hammering=Kind(
        dict(
            pitch=12, bend=16, hip=18, knee=12, reach=(70, 105, 120, 60),
            elbow=(30, 95, 105, 25), reach_right=50, elbow_right=45,
            nod=12,
        ),
        (0.5, 1.3), 'ankles',
    ),
    shelf_work=Kind(
        dict(
            bend=(0, 4, -4, 0), reach=(25, 90, 158, 95),
            elbow=(60, 80, 18, 85), hip=4, knee=(14, 10, 5, 10),
            spread=10, twist=(-10, 12),
        ),
        (1.6, 4.5), 'ankles', drift=dict(reach=12.0, spread=8.0),
    ),
    lifting=Kind(
        dict(
            pitch=(2, 30, 52, 34, 6, 0), bend=(0, 12, 22, 14, 0, -4),
            **leg_keys(
                [(0.0, -0.478), (0.07, -0.38), (0.12, -0.29),
                 (0.07, -0.38), (0.01, -0.475), (0.0, -0.478)],
                (2, 30, 52, 34, 6, 0),
            ),
            reach=(40, 60, 75, 50, 40, 45), elbow=(60, 25, 10, 50, 72, 75),
        ),
        (2.2, 5.0), 'ankles', ('ankles',),
    ),
    waving=Kind(
        dict(
            reach=(120, 128), spread=(25, 45), elbow=(40, 75),
            reach_right=6, spread_right=10, elbow_right=20, hip=3, knee=8,
        ),
        (0.5, 1.4), 'ankles', drift=dict(reach=15.0, elbow=8.0),
    ),
    clapping=Kind(
        dict(
            reach=(58, 60), spread=(30, 6), inward=(10, 42), elbow=70,
            hip=3, knee=8,
        ),
        (0.3, 0.9), 'ankles', drift=dict(reach=12.0),
    ),
    standing_talk=Kind(
        dict(
            reach=28, elbow=62, inward=18, hip=(3, 8), knee=(6, 16),
            left=(-2, 2), side=(-2, 2),
        ),
        (2.5, 6.0), 'floor', legs_lag=0.5, drift=_TALKING, spin=15.0,
    ),
    side_bends=Kind(
        dict(
            side=(-26, 26), roll=(-6, 6), spread=(20, 150), elbow=(15, 60),
            open=10, knee=8, hip=3, left=(4, -4),
        ),
        (2.0, 5.0), 'ankles', ('ankles',), arms_lag=0.5,
    ),
    balance=Kind(
        dict(
            hip=(70, 92), knee=(95, 112), open=(10, 32), open_right=4,
            hip_right=3,
            knee_right=8, spread=(40, 80), elbow=25,
        ),
        (3.0, 7.0), drift=dict(spread=14.0, reach=10.0, side=4.0),
    ),
)  # fmt: skip
"""Everyday motion by its names."""
