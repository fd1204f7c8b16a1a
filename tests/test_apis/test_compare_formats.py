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


@pytest.mark.parametrize('max_gap', [None, 0])
def test_places_of_score_0_that_stay_are_not_filled(tmp_path, max_gap):
    """Estimators write where a hidden keypoint may be, with score 0."""
    person = make_person(0, FRAMES, 17, 0)
    person.scores[3:5, 9] = 0
    frames = [
        dict(
            frame_id=t,
            instances=[
                dict(
                    keypoints=person.keypoints[t].tolist(),
                    keypoint_scores=person.scores[t].tolist(),
                )
            ],
        )
        for t in range(FRAMES)
    ]
    path, out = tmp_path / 'in.json', tmp_path / 'out.json'
    path.write_text(json.dumps(frames))
    summary = refine_file(path, out, 'filter:gaussian', max_gap=max_gap)
    assert summary.num_filled == (3 if max_gap is None else 0)
    for files in ([out], [path, out]):
        figures = compare_files(*files).figures()
        assert figures['filled'].after == summary.num_filled
        assert figures['removed'].after == 0


@pytest.mark.parametrize('delimiter', [',', ';', '\t'])
def test_tables_with_other_delimiters_bring_their_input(tmp_path, delimiter):
    points = make_person(0, FRAMES, 17, 0).keypoints + 1
    rows = [['frame', *(f'k{k}_{x}' for k in range(17) for x in 'xy')]]
    rows += [[t, *points[t].ravel()] for t in range(FRAMES)]
    path, out = tmp_path / 'in.csv', tmp_path / 'out.csv'
    lines = (delimiter.join(map(str, row)) for row in rows)
    path.write_text('\n'.join(lines))
    refine_file(path, out, 'filter:gaussian')
    moved = compare_files(path, out).figures()['mean_displacement'].after
    alone = compare_files(out).figures()['mean_displacement'].after
    assert alone == pytest.approx(moved)
    assert moved > 0


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
