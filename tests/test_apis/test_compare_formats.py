# Copyright (c) hanet_mm contributors. All rights reserved.
"""What refine wrote, compare reads: for every format."""

import json

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


def write_bare_landmarks(path, person, **more):
    """A list of landmarks for each frame, without any place for the size."""
    frames = [
        [dict(x=x / 640, y=y / 480, visibility=0.9, **more) for x, y in pose]
        for pose in person.keypoints.tolist()
    ]
    path.write_text(json.dumps(frames))
    return path


def test_bare_landmarks_keep_the_image_size(tmp_path):
    person = make_person(0, FRAMES, 33, 0)
    path = write_bare_landmarks(tmp_path / 'in.json', person)
    out = tmp_path / 'out.json'
    refine_file(path, out, 'filter:gaussian', image_size=(640, 480))
    (track,) = open_poses(out).tracks
    assert tuple(track.image_size) == (640, 480)
    moved = compare_files(path, out, image_size=(640, 480)).figures()
    assert compare_files(out).figures()['mean_displacement'].after == (
        pytest.approx(moved['mean_displacement'].after)
    )


@pytest.mark.parametrize('size', [[640], [0, 480], 'large'])
def test_a_bad_image_size_of_landmarks_is_named(tmp_path, size):
    person = make_person(0, FRAMES, 33, 0)
    path = write_bare_landmarks(tmp_path / 'a.json', person, image_size=size)
    with pytest.raises(ValueError, match=r'a\.json: image_size: expected'):
        open_poses(path)
