# Copyright (c) hanet_mm contributors. All rights reserved.
"""Points in polygons."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.metrics.posetrack_ap import inside_polygons

ARROW = [[0, 0], [8, 0], [8, 8], [4, 3], [0, 8]]


def test_a_point_on_the_edge_or_a_corner_is_outside():
    points = [[1, 1], [4, 2.9], [4, 3], [4, 0], [8, 4], [8, 8], [4, 5]]
    expected = [True, True, False, False, False, False, False]
    assert inside_polygons(points, [ARROW]).tolist() == expected


def test_level_with_a_corner_is_counted_once():
    """The ray from each of these points passes exactly through corners."""
    diamond = [[0, -4], [4, 0], [0, 4], [-4, 0]]
    points = [[-5, 0], [-1, 0], [5, 0], [-1, 4], [-1, -4]]
    expected = [False, True, False, False, False]
    assert inside_polygons(points, [diamond]).tolist() == expected


def test_any_of_several_polygons_will_do():
    """Overlapping polygons are not holes of each other."""
    moved = np.array(ARROW) + [1, 0]
    points = np.array([[[0.5, 1], [2, 1]], [[8.5, 1], [20, 1]]])
    assert inside_polygons(points, [ARROW, moved]).tolist() == [
        [True, True],
        [True, False],
    ]


@pytest.mark.parametrize('polygon', [[], [[1, 1]], [[0, 0], [4, 4]]])
def test_fewer_than_three_corners_enclose_nothing(polygon):
    points = np.stack(np.meshgrid(range(6), range(6)), axis=-1)
    assert not inside_polygons(points, [polygon]).any()


def test_nothing_is_inside_no_polygon_and_nan_inside_none():
    assert not inside_polygons([[1, 1]], []).any()
    assert not inside_polygons([[np.nan, 1], [1, np.nan]], [ARROW]).any()


@pytest.mark.parametrize(
    'bad', [[1, 2, 3], [[1, 2, 3]], [[1, 2], [3]], [[1, np.nan]], None]
)
def test_a_polygon_of_anything_else_is_refused(bad):
    with pytest.raises(ValueError, match=r'polygon 1 must be a list of corn'):
        inside_polygons([[0, 0]], [ARROW, bad])


@settings(max_examples=50, deadline=None)
@given(st.integers(3, 9), st.integers(0, 10**6))
def test_agrees_with_shapely(corners, seed):
    """On a small grid, so that edges and corners are often met."""
    shapely = pytest.importorskip('shapely')
    rng = np.random.default_rng(seed)
    # By angle about the middle: a polygon that does not cross itself.
    polygon = rng.permutation(36)[:corners]
    polygon = np.stack([polygon // 6, polygon % 6], axis=-1)
    angle = np.arctan2(*(polygon - polygon.mean(axis=0)).T)
    polygon = polygon[np.argsort(angle)]
    region = shapely.Polygon(polygon)
    points = np.stack(np.meshgrid(range(7), range(7)), axis=-1)
    points = np.concatenate([points, points + 0.5])
    if region.is_valid:
        expected = shapely.contains_xy(region, *points.reshape(-1, 2).T)
        found = inside_polygons(points, [polygon])
        assert (found.reshape(-1) == expected).all()
