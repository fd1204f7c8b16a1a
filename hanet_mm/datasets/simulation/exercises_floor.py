# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tables of what people do on the floor: floor work, crawling, lying."""

from typing import Dict

from .exercises import Kind, leg_keys

# Of somebody who lies, every limb wanders.
_RESTLESS = dict(
    reach=14.0, spread=10.0, elbow=14.0, hip=6.0, knee=8.0, open=3.0,
    nod=8.0, look=14.0,
)  # fmt: skip

FLOOR: Dict[str, Kind] = dict(
    push_ups=Kind(
        dict(
            pitch=(69, 76, 82, 76), hip=3, knee=6, nod=-20,
            reach=(60, 33, 15, 33), elbow=(28, 92, 130, 92), spread=24,
        ),
        (1.1, 3.0), 'ankles', ('ankles', 'wrists'),
    ),
    plank=Kind(
        dict(
            pitch=(79, 82), hip=(4, 8), knee=4, nod=-15, reach=82, elbow=88,
        ),
        (3.0, 8.0), 'ankles', ('ankles', 'wrists'),
    ),
    mountain_climbers=Kind(
        dict(
            pitch=72, hip=(15, 60, 105, 60), knee=(10, 70, 100, 80),
            reach=70, elbow=8, spread=12, nod=-15,
        ),
        (0.5, 1.4), 'wrists', ('wrists',), legs_lag=0.5,
    ),
    sit_ups=Kind(
        dict(
            pitch=(-88, -75, -45, -15, -8, -20, -50, -80),
            bend=(5, 20, 35, 30, 25, 30, 32, 18),
            **leg_keys(
                [(0.30, 0.0)] * 8, (-88, -75, -45, -15, -8, -20, -50, -80)
            ),
            reach=130, elbow=125, spread=30, inward=20,
        ),
        (1.8, 4.5), 'ankles', ('ankles',), drift=dict(reach=12.0),
    ),
    crunches=Kind(
        dict(
            pitch=(-89, -84), bend=(2, 38), nod=(10, 30),
            **leg_keys([(0.28, 0.0)] * 2, (-89, -84)),
            reach=50, elbow=125, inward=30,
        ),
        (1.0, 2.6), 'pelvis', ('ankles',), drift=dict(reach=10.0),
    ),
    leg_raises=Kind(
        dict(
            pitch=-88, hip=(8, 45, 85, 45), knee=(8, 14, 10, 8),
            reach=12, spread=18, elbow=12,
        ),
        (1.6, 4.0), 'pelvis',
    ),
    air_cycling=Kind(
        dict(
            pitch=-84, bend=25, nod=20,
            hip=(60, 85, 105, 95, 65, 45), knee=(15, 50, 100, 105, 80, 30),
            reach=125, elbow=130, spread=40,
        ),
        (0.8, 2.2), 'pelvis', legs_lag=0.5,
    ),
    bridge=Kind(
        dict(
            pitch=(-88, -112), hip=(52, 6), knee=(98, 82),
            bend=(0, -6), reach=(8, -12), spread=15, elbow=10,
        ),
        (1.4, 4.0), 'ankles', ('ankles',),
    ),
    superman=Kind(
        dict(
            pitch=88, bend=(-2, -22), hip=(2, -16), knee=(5, 12),
            reach=(165, 178), elbow=12, spread=12, nod=(-5, -20),
        ),
        (1.5, 4.0), 'pelvis',
    ),
    crawling=Kind(
        dict(
            pitch=72, side=(-4, 4), nod=-30,
            hip=(85, 72, 55, 62, 78, 90), knee=(100, 92, 78, 92, 112, 112),
            reach=(52, 66, 88, 98, 88, 66), elbow=(10, 8, 10, 25, 35, 22),
        ),
        (0.9, 2.0), arms_lag=0.5, legs_lag=0.5, speed=(0.18, 0.36),
        spin=15.0, part='val',
    ),
    bear_crawl=Kind(
        dict(
            pitch=88, hip=(105, 90, 70, 85), knee=(75, 62, 50, 88),
            reach=(80, 95, 112, 98), elbow=(8, 8, 12, 40), nod=-30,
        ),
        (0.8, 1.6), arms_lag=0.5, legs_lag=0.5, speed=(0.2, 0.45),
        spin=15.0,
    ),
    cat_cow=Kind(
        dict(
            pitch=(67, 78), bend=(16, -10), hip=(70, 82), knee=94,
            reach=(88, 66), elbow=6, nod=(20, -35),
        ),
        (2.5, 6.0), 'ankles', ('ankles', 'wrists'),
    ),
    rolling=Kind(
        dict(
            pitch=89, reach=160, elbow=25, spread=8, hip=4, knee=12,
        ),
        (2.2, 5.0), wind=dict(roll=360.0),
        drift=dict(hip=8.0, knee=10.0, reach=15.0, elbow=15.0),
    ),
    somersaults=Kind(
        dict(
            bend=45, nod=35, hip=115, knee=120, reach=55, elbow=60,
            open=8, spread=10,
        ),
        (1.5, 3.5), wind=dict(pitch=360.0), speed=(0.2, 0.3),
    ),
    lying_back=Kind(
        dict(
            pitch=-88, hip=(12, 18), knee=(18, 28), hip_right=8,
            knee_right=12, reach=15, spread=28, elbow=35,
        ),
        (4.0, 9.0), 'pelvis', drift=_RESTLESS,
    ),
    lying_side=Kind(
        dict(
            pitch=84, roll=86, hip=(38, 48), knee=(55, 68), hip_right=30,
            knee_right=45, reach=70, elbow=70, reach_right=110,
            elbow_right=95, bend=12,
        ),
        (4.0, 9.0), 'pelvis', drift=_RESTLESS,
    ),
    lying_front=Kind(
        dict(
            pitch=88, bend=-8, hip=2, knee=(15, 70), reach=120, elbow=80,
            spread=25, nod=-15,
        ),
        (3.0, 7.0), 'pelvis', legs_lag=0.5, drift=_RESTLESS,
    ),
    floor_stretch=Kind(
        dict(
            pitch=(0, 15, 28, 15), bend=(12, 32, 50, 32),
            hip=(92, 106, 118, 106),
            knee=8, open=14, reach=(50, 62, 72, 62), elbow=12,
        ),
        (2.5, 6.0), 'pelvis', ('ankles',),
    ),
    downward_dog=Kind(
        dict(
            pitch=(118, 126), bend=(-4, 4), hip=(88, 98), knee=(18, 8),
            reach=(160, 152), elbow=28, nod=-5,
        ),
        (3.0, 7.0), 'ankles', ('ankles', 'wrists'),
    ),
    burpees=Kind(
        dict(
            pitch=(5, 50, 78, 80, 74, 50, 5, -2),
            bend=(0, 25, 0, 0, 10, 25, 0, -2),
            hip=(8, 120, 20, 4, 45, 120, 8, 4),
            knee=(12, 115, 25, 6, 60, 110, 12, 8),
            reach=(10, 70, 72, 60, 70, 75, 100, 150),
            elbow=(15, 10, 15, 50, 15, 10, 15, 15),
            up=(0, 0, 0, 0, 0, 0, 4, 7), spread=12,
        ),
        (2.2, 4.0),
    ),
)  # fmt: skip
"""Kinds of motion on the floor by their names."""
