# Copyright (c) hanet_mm contributors. All rights reserved.
"""What refine wrote, compare reads: for every format."""

import pytest
from format_files import EXAMPLES, FRAMES, make_person

from hanet_mm.apis import refine_file
from hanet_mm.apis.compare import compare_files
from hanet_mm.apis.formats import open_poses
from hanet_mm.core.poses.skeleton_data import SKELETONS


@pytest.mark.parametrize('name', EXAMPLES)
def test_filled_and_moved_are_those_of_the_summary(tmp_path, name):
    """Nobody is in the first frame; what was filled is in the file."""
    example = EXAMPLES[name]
    count = len(SKELETONS[example.skeleton])
    persons = {
        4: make_person(1, FRAMES - 1, count, 0),
        9: make_person(3, 7, count, 1, away=(3, 4)),
    }
    persons = dict(list(persons.items())[: example.persons])
    path = example.write(tmp_path, persons)
    assert open_poses(path).tracks[0].first_frame == 1
    out = tmp_path / 'out' / path.name
    summary = refine_file(path, out, 'filter:gaussian')
    both = compare_files(path, out)
    assert both.about['persons'] == len(persons)
    assert both.figures()['filled'].after == summary.num_filled
    assert summary.num_filled == len(persons)
    assert both.figures()['removed'].after == 0
    if name != 'npy':  # which cannot hold its input too
        alone = compare_files(out).figures()
        assert alone['filled'].after == summary.num_filled
        moved = both.figures()['mean_displacement'].after
        assert alone['mean_displacement'].after == pytest.approx(moved)
