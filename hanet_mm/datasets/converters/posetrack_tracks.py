"""One track per person of a video, from annotated persons and found poses.

In labelled frames poses are matched to the annotated persons. From there the
persons are followed through the unlabelled frames on both sides, each frame
by the labelled frame that lies nearest, or by the estimator's own track ids.
What belongs to nobody becomes tracks of its own: nothing is dropped.
"""

from collections import Counter
from typing import Dict, List, Tuple

import numpy as np

from hanet_mm.datasets.converters.posetrack_detections import Detections
from hanet_mm.datasets.converters.posetrack_matching import (
    match_poses,
    stack_poses,
)
from hanet_mm.datasets.converters.posetrack_scene import (
    MAX_LOST,
    UNKNOWN,
    Pose,
    Scene,
    Track,
)
from hanet_mm.datasets.converters.posetrack_track_ids import (
    follow_ids,
    other_tracks_by_id,
    places_by_id,
)
from hanet_mm.datasets.converters.posetrack_video import Video


def build_tracks(
    video: Video,
    detections: Dict[int, Detections],
    use_track_ids: bool = False,
) -> Tuple[List[Track], Counter]:
    """Give each pose of a video to a track.

    Args:
        video: As annotated.
        detections: Frame number -> the poses found there.
        use_track_ids: Whether to follow persons by the estimator's ids.

    Returns:
        The annotated persons by id, then the other tracks by their first
        frame; and counts of what was matched.

    Raises:
        ValueError: If ids are to be used and one is missing or occurs twice
            in a frame.
    """
    scene = Scene(video, detections)
    for number in scene.numbers:
        _match_persons(scene, number)
    if use_track_ids:
        by_id = places_by_id(scene)
        follow_ids(scene, by_id)
    else:
        _follow_poses(scene)
    for number in scene.numbers:
        free = len(scene.free(number))
        total = len(scene.found(number).scores)
        if scene.labelled(number):
            scene.counts['unmatched poses'] += free
        else:
            scene.counts['poses between'] += total
            scene.counts['unlinked poses'] += free
    if use_track_ids:
        others = other_tracks_by_id(scene, by_id)
    else:
        others = _other_tracks(scene)
    others.sort(key=lambda track: min(track.found))
    persons = [track for _, track in sorted(scene.persons.items())]
    scene.counts['other tracks'] += len(others)
    return persons + others, scene.counts


def _match_persons(scene: Scene, number: int) -> None:
    """Match the poses of a frame to the persons annotated there."""
    persons = scene.video.frames[number].persons
    tracks = []
    for person in persons:
        repeated = 0
        while True:
            key = person.track_id, repeated
            track = scene.persons.setdefault(key, Track(person.track_id))
            if number not in track.truth:
                break
            repeated += 1  # an id that two persons of a frame share
        scene.counts['shared ids'] += repeated > 0
        track.truth[number] = person
        tracks.append(track)
    scene.counts['frames'] += 1
    scene.counts['labelled frames'] += scene.labelled(number)
    scene.counts['empty labelled frames'] += (
        scene.labelled(number) and not persons
    )
    scene.counts['persons'] += len(persons)
    scene.counts['persons without keypoints'] += sum(
        bool(np.isnan(person.keypoints).all()) for person in persons
    )
    if not persons or not scene.free(number):
        return
    truth = stack_poses([(p.keypoints, p.bbox) for p in persons])
    found = scene.found(number)
    for match in match_poses(
        truth, stack_poses(list(zip(found.keypoints, found.bboxes)))
    ):
        scene.claim(tracks[match.first], number, match.second)
        scene.counts['matched'] += 1
        scene.counts['matched by box'] += match.by_box
        scene.counts['oks'] += match.oks


def _follow_poses(scene: Scene) -> None:
    """Follow the persons outwards from each labelled frame, step by step.

    All labelled frames take their n-th step before any takes the next, so
    that a pose goes to the labelled frame that is nearest, the earlier one
    of two.
    """
    chains = [
        (place, step, _known_at(scene, number))
        for step in (1, -1)
        for place, number in enumerate(scene.numbers)
        if scene.labelled(number)
    ]
    while chains:
        alive = []
        for place, step, known in chains:
            place += step
            if not 0 <= place < len(scene.numbers):
                continue
            number = scene.numbers[place]
            known = {
                track: (seen, pose)
                for track, (seen, pose) in known.items()
                # Found here already: from the other side, which took over.
                if abs(number - seen) <= MAX_LOST and number not in track.found
            }
            if scene.labelled(number) or not known:
                continue
            linked = scene.link(
                {track: pose for track, (_, pose) in known.items()}, number
            )
            known.update(
                {track: (number, pose) for track, pose in linked.items()}
            )
            alive.append((place, step, known))
        chains = alive


def _known_at(scene: Scene, number: int) -> Dict[Track, Tuple[int, Pose]]:
    """Pose of each person of a labelled frame: as found, or as annotated."""
    return {
        track: (
            number,
            scene.pose(number, track.found[number])
            if number in track.found
            else (track.truth[number].keypoints, track.truth[number].bbox),
        )
        for track in scene.persons.values()
        if number in track.truth
    }


def _other_tracks(scene: Scene) -> List[Track]:
    """Link the poses that belong to nobody, from frame to frame."""
    tracks: List[Track] = []
    known: Dict[Track, Tuple[int, Pose]] = {}
    for number in scene.numbers:
        known = {
            track: last
            for track, last in known.items()
            if number - last[0] <= MAX_LOST
        }
        linked = scene.link(
            {track: pose for track, (_, pose) in known.items()}, number
        )
        for index in scene.free(number):
            track = Track(UNKNOWN)
            tracks.append(track)
            scene.claim(track, number, index)
            linked[track] = scene.pose(number, index)
        known.update({track: (number, pose) for track, pose in linked.items()})
    return tracks
