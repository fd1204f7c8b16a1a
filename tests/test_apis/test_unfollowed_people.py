# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files of trackers that have not followed everybody in every frame."""

import numpy as np
import pytest
from format_files import SIZE, make_person, write
from test_format_programs import write_labels

from hanet_mm.apis import refine_file
from hanet_mm.apis.formats import open_poses
from hanet_mm.apis.tracking import PoseTracker
from hanet_mm.filters import GaussianFilter

FRAMES, UNKNOWN = 12, 3  # without id in the first frames
POINTS = 1 + make_person(0, FRAMES, 17, 0).keypoints
SIGMA = 'filter:gaussian:sigma=2'


def entry(kind, points, number):
    """Somebody in the layout of a program; number of None: not followed."""
    if kind == 'ultralytics':
        axes = dict(zip('xy', points.T.tolist()))
        who = {} if number is None else dict(track_id=number)
        return dict(
            name='person', box={}, confidence=0.9, keypoints=axes, **who
        )
    who = {} if number is None else dict(track_id=number)
    return dict(keypoints=points.tolist(), **who)


def write_file(path, kind):
    """Somebody who gets an id late, and somebody beside who gets none."""
    frames = []
    for t, points in enumerate(POINTS):
        number = None if t < UNKNOWN else 7
        people = [entry(kind, points, number)]
        if t == FRAMES - 1:
            people.append(entry(kind, points + 400, None))
        if kind == 'mmpose':
            people = dict(frame_id=t, instances=people)
        frames.append(people)
    return write(path, frames)


def people_of(path, kind):
    """Keypoints of everybody in each frame."""
    poses = open_poses(path)
    assert kind in type(poses).__module__
    order = np.argsort(poses.detections.frames, kind='stable')
    return poses.detections.keypoints[order]


@pytest.mark.parametrize('kind', ['mmpose', 'ultralytics'])
def test_who_has_no_id_among_others_stays(tmp_path, kind):
    path, out = write_file(tmp_path / 'in.json', kind), tmp_path / 'out.json'
    (track,) = open_poses(path).tracks
    assert track.first_frame == UNKNOWN
    summary = refine_file(path, out, SIGMA)
    text = '4 of 13 detections have no track_id and are unchanged (--track'
    assert text in summary.brief
    refined = GaussianFilter(2).refine(POINTS[UNKNOWN:]).keypoints
    expected = np.concatenate([POINTS[:UNKNOWN], refined, POINTS[-1:] + 400])
    np.testing.assert_allclose(people_of(out, kind), expected, atol=1e-3)
    # Linked anew they are all of somebody.
    summary = refine_file(path, out, SIGMA, tracker=PoseTracker())
    assert 'unchanged' not in summary.brief
    (track, *_) = open_poses(out).tracks
    assert len(track.keypoints) == FRAMES


@pytest.mark.parametrize('linked', [False, True])
def test_labels_without_an_id_are_a_number_shorter(tmp_path, linked):
    person = make_person(0, FRAMES, 17, 0)
    path, out = tmp_path / 'labels', tmp_path / 'out'
    write_labels(path, {7: person})
    files = sorted(path.iterdir(), key=lambda x: int(x.stem.rsplit('_')[-1]))
    for file in files[:UNKNOWN]:
        file.write_text(' '.join(file.read_text().split()[:-1]) + '\n')
    tracker = PoseTracker() if linked else None
    options = dict(image_size=SIZE, tracker=tracker)
    summary = refine_file(path, out, SIGMA, **options)
    assert ('3 of 11 detections' in summary.brief) != linked
    for index, file in enumerate(files):
        before = file.read_text().split()
        after = (out / file.name).read_text().split()
        assert after[:5] == before[:5]
        if linked:
            same = after[-1] == '0'
        elif index < UNKNOWN:
            same = np.allclose(*(np.array(x, float) for x in (before, after)))
        else:
            same = after[-1] == before[-1]
        assert same
    (track,) = open_poses(out, image_size=SIZE).tracks
    assert (
        track.first_frame
        == open_poses(path, image_size=SIZE, tracker=tracker)
        .tracks[0]
        .first_frame
    )


def test_labels_of_other_lengths_are_refused(tmp_path):
    path = tmp_path / 'labels'
    write_labels(path, {7: make_person(0, FRAMES, 17, 0)})
    file = next(iter(sorted(path.iterdir())))
    file.write_text(' '.join(file.read_text().split()[:-3]) + '\n')
    with pytest.raises(ValueError, match='numbers as in other lines, found'):
        open_poses(path, image_size=SIZE)
