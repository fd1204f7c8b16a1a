# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files that do not say who is who, and those that do."""

import json

import numpy as np
import pytest
from format_files import (
    COCO,
    FRAMES,
    make_coco_refiner,
    make_person,
    write,
    write_alphapose,
    write_coco,
    write_csv,
    write_example,
    write_openpose,
)

from hanet_mm.apis import refine_file
from hanet_mm.apis.formats import open_poses


class OneAfterTheOther:
    """A tracker that knows people by the place of their first keypoint."""

    def __init__(self):
        self.resets, self.frames = 0, []

    def reset(self):
        self.resets += 1

    def update(self, frame, boxes, box_scores, keypoints, scores):
        assert boxes is None
        assert box_scores is None
        assert keypoints.shape == (*scores.shape, 2)
        self.frames.append(frame)
        left = keypoints[:, 0, 0] < self.border
        tracked = type('Tracked', (), {})()
        tracked.track_ids = np.where(left, 0, 1)
        tracked.track_ids[keypoints[:, 0, 1] > 10_000] = -1
        tracked.segments = np.full(len(left), int(frame >= 6))
        return tracked


@pytest.mark.parametrize('name', ['openpose', 'alphapose', 'csv'])
def test_people_without_ids_need_a_tracker(tmp_path, name):
    path, persons = write_example(name, tmp_path)
    if name == 'openpose':
        path = write_openpose(_new(tmp_path / 'again'), persons, ids=False)
    elif name == 'alphapose':  # what it writes without tracking
        path = write_alphapose(tmp_path, persons, lambda x: [0.0])
    else:
        path = write_csv(tmp_path, persons)
        path.write_text(path.read_text().replace('person', 'who', 1))
    with pytest.raises(ValueError, match=r'frame 3: .* tracker \(--track\)'):
        open_poses(path)
    tracker = OneAfterTheOther()
    noses = [x.keypoints[..., 0, 0] for x in persons.values()]
    tracker.border = (np.nanmean(noses[0]) + np.nanmean(noses[1])) / 2
    assert np.nanmax(noses[0]) < tracker.border < np.nanmin(noses[1])
    poses = open_poses(path, tracker=tracker)
    assert tracker.resets == 1
    assert tracker.frames == list(range(FRAMES))
    # Each in two segments: frames 0 to 5 and 6 to 11, 3 to 5 and 8 to 9.
    found = sorted((x.first_frame, len(x.keypoints)) for x in poses.tracks)
    assert found == [(0, 6), (3, 3), (6, 6), (8, 2)]
    out = tmp_path / 'out' / path.name
    refine_file(path, out, make_coco_refiner(), tracker=tracker)
    # Each segment was refined by itself.
    order = [poses.keypoint_names.index(x) for x in COCO]
    after = open_poses(out, tracker=tracker).detections
    np.testing.assert_array_equal(after.frames, poses.detections.frames)
    for rows, track in zip(poses.rows, poses.tracks):
        direct = make_coco_refiner().refine(
            track.keypoints[:, order], track.scores[:, order]
        )
        places = after.frames[rows] - track.first_frame
        np.testing.assert_allclose(
            after.keypoints[rows][:, order],
            direct.keypoints[places],
            atol=2e-3,
        )


def _new(folder):
    folder.mkdir()
    return folder


def test_whom_the_tracker_leaves_out_stays_as_it_was(tmp_path):
    person = make_person(0, FRAMES, 17, 0)
    ghost = make_person(0, FRAMES, 17, 1)
    ghost = ghost._replace(keypoints=ghost.keypoints + 20_000)
    path = write_coco(tmp_path, {1: person, 2: ghost})
    content = json.loads(path.read_text())
    for entry in content:
        del entry['track_id']
    write(path, content)
    tracker = OneAfterTheOther()
    tracker.border = 10_000
    out = tmp_path / 'out.json'
    summary = refine_file(path, out, make_coco_refiner(), tracker=tracker)
    assert summary.num_sequences == 2  # the two segments
    for old, new in zip(content, json.loads(out.read_text())):
        same = new['keypoints'] == old['keypoints']
        assert same == (old['keypoints'][0] > 10_000)


def test_ids_in_the_file_need_no_tracker(tmp_path):
    path, persons = write_example('coco', tmp_path)
    tracker = OneAfterTheOther()
    tracks = open_poses(path, tracker=tracker).tracks
    assert [x.name for x in tracks] == [f'track_id {x}' for x in persons]
    assert not tracker.frames


@pytest.mark.parametrize('ids', [{}, dict(track_id=3)])
def test_the_longest_absence_of_a_person(tmp_path, ids):
    """At most 10000 frames are filled between two appearances."""

    def write_two(last):
        entry = dict(keypoints=[1, 2, 0.5] * 17, **ids)
        frames = [dict(image_id=i, **entry) for i in (7, 7 + last)]
        return write(tmp_path / 'in.json', frames)

    (track,) = open_poses(write_two(10_000)).tracks
    assert len(track.keypoints) == 10_001
    with pytest.raises(ValueError, match=r'at most 10000 .* 7 and then 10008'):
        open_poses(write_two(10_001))
