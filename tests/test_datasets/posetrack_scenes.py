# Copyright (c) hanet_mm contributors. All rights reserved.
"""Scripted videos of people, written as PoseTrack and estimators write them.

A script says where each person stands in which frame. Everything that a
converter should find follows from it.
"""

import json
from dataclasses import dataclass, field

import numpy as np

NAMES = (
    *('nose', 'head_bottom', 'head_top', 'left_shoulder', 'right_shoulder'),
    *('left_elbow', 'right_elbow', 'left_wrist', 'right_wrist', 'left_hip'),
    *('right_hip', 'left_knee', 'right_knee', 'left_ankle', 'right_ankle'),
)
NAMES_17 = (*NAMES[:3], 'left_ear', 'right_ear', *NAMES[3:])
# The joints of the files of 2017, as PoseTrack's toolkit numbers them.
OLD_ORDER = (
    *('right_ankle', 'right_knee', 'right_hip', 'left_hip', 'left_knee'),
    *('left_ankle', 'right_wrist', 'right_elbow', 'right_shoulder'),
    *('left_shoulder', 'left_elbow', 'left_wrist'),
    *('head_bottom', 'nose', 'head_top'),
)
# A person who stands at (0, 0), 180 px tall.
BODY = np.array(
    [
        *[(3, -75), (0, -60), (1, -90), (20, -50), (-20, -50), (28, -20)],
        *[(-28, -20), (30, 10), (-30, 10), (12, 5), (-12, 5), (14, 45)],
        *[(-14, 45), (15, 90), (-15, 90)],
    ],
    dtype=np.float32,
)
HEAD = np.array([-14, -98, 30, 40.0])  # x y w h: the diagonal is 50 px
HEAD_SIZE = 30  # 0.6 of it
BOX = np.array([-50, -100, 100, 200.0])  # x y w h


def stand(x, y):
    """Keypoints (15, 2) of a person at (x, y)."""
    return BODY + np.float32([x, y])


def walk(frames, start, step, y=200):
    """Frame -> place of someone who walks step px a frame."""
    return {f: (start + step * (f - frames[0]), y) for f in frames}


@dataclass
class Script:
    """One video.

    Args:
        name: Of the video.
        frames: Number of frames, counted from 0.
        labelled: Frames in which people are annotated.
        people: Track id -> frame -> place; annotated in labelled frames.
        found: (frame, keypoints (15, 2), changes of the entry) of each pose.
        regions: Frame -> polygons.
    """

    name: str
    frames: int
    labelled: tuple
    people: dict = field(default_factory=dict)
    found: list = field(default_factory=list)
    regions: dict = field(default_factory=dict)

    def image(self, frame, old=False):
        if old:  # 2017 counts from 1, with eight digits
            return f'bonn_5sec/{self.name}/{frame + 1:08d}.jpg'
        return f'images/val/{self.name}/{frame:06d}.jpg'

    def image_id(self, frame, old=False):
        """As PoseTrack's toolkit numbers the images of mpii."""
        video = int(self.name.split('_')[0])
        return 10**10 + video * 10**4 + frame + old

    def follow(self, places, shift=(0, 0), **changes):
        """Let the estimator find someone, shifted, in each of the places."""
        for frame, (x, y) in places.items():
            pose = stand(x + shift[0], y + shift[1])
            self.found.append((frame, pose, dict(changes)))


def annotation_18(*scripts, size=(640, 480)):
    """The form of 2018; several videos as MMPose joins them."""
    images, persons = [], []
    for script in scripts:
        for frame in range(script.frames):
            image = dict(
                file_name=script.image(frame),
                id=script.image_id(frame),
                frame_id=script.image_id(frame),
                vid_id=script.name.split('_')[0],
                nframes=script.frames,
                is_labeled=frame in script.labelled,
            )
            if size:
                image.update(width=size[0], height=size[1])
            regions = script.regions.get(frame)
            if regions:
                for axis, key in enumerate('xy'):
                    image[f'ignore_regions_{key}'] = [
                        [point[axis] for point in region] for region in regions
                    ]
            images.append(image)
            for track_id, place in people_at(script, frame):
                offset = np.array([*place, 0, 0])
                points = np.ones((17, 3))
                points[3:5] = 0  # ears are never annotated
                points[[0, 1, 2, *range(5, 17)], :2] = stand(*place)
                persons.append(
                    dict(
                        image_id=script.image_id(frame),
                        track_id=track_id,
                        category_id=1,
                        id=script.image_id(frame) * 100 + track_id,
                        keypoints=points.reshape(-1).tolist(),
                        bbox_head=(HEAD + offset).tolist(),
                        bbox=(BOX + offset).tolist(),
                    )
                )
    categories = [dict(name='person', id=1, keypoints=list(NAMES_17))]
    return dict(images=images, annotations=persons, categories=categories)


def annotation_17(script):
    """The form of 2017, with its lists of one."""
    annolist = []
    for frame in range(script.frames):
        persons = []
        for track_id, (x, y) in people_at(script, frame):
            pose = dict(zip(NAMES, stand(x, y).tolist()))
            left, top, width, height = (HEAD + [x, y, 0, 0]).tolist()
            persons.append(
                dict(
                    track_id=[track_id],
                    x1=[left],
                    y1=[top],
                    x2=[left + width],
                    y2=[top + height],
                    annopoints=[
                        dict(
                            point=[
                                dict(
                                    id=[joint],
                                    x=[pose[name][0]],
                                    y=[pose[name][1]],
                                    is_visible=[joint % 2],
                                )
                                for joint, name in enumerate(OLD_ORDER)
                            ]
                        )
                    ],
                )
            )
        item = dict(
            image=[dict(name=script.image(frame, old=True))],
            imgnum=[frame + 1],
            is_labeled=[int(frame in script.labelled)],
            annorect=persons,
        )
        if frame in script.regions:
            item['ignore_regions'] = [
                dict(point=[dict(x=[x], y=[y]) for x, y in region])
                for region in script.regions[frame]
            ]
        annolist.append(item)
    return dict(annolist=annolist)


def people_at(script, frame):
    """Who is annotated in a frame: pairs of track id and place."""
    if frame not in script.labelled:
        return []
    return [
        (track_id, places[frame])
        for track_id, places in script.people.items()
        if frame in places
    ]


def results(*scripts, old=False, count=17):
    """What an estimator found, as a list in the form of COCO's results."""
    entries = []
    for script in scripts:
        for frame, pose, changes in script.found:
            points = np.zeros((17, 3))
            points[[0, 1, 2, *range(5, 17)]] = np.c_[pose, np.full(15, 0.75)]
            if count == 15:
                points = np.delete(points, [3, 4], axis=0)
            entry = dict(
                image_id=script.image_id(frame, old),
                category_id=1,
                keypoints=points.reshape(-1).tolist(),
                score=0.9,
            )
            entries.append({**entry, **changes})
    return entries


def write(path, content):
    """Write JSON, and give the path back."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return path
