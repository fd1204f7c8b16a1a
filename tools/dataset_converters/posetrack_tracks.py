# Copyright (c) hanet_mm contributors. All rights reserved.
"""One track per person of a video, from annotated persons and found poses.

In labelled frames poses are matched to the annotated persons. From there the
persons are followed through the unlabelled frames on both sides, each frame
by the labelled frame that lies nearest, or by the estimator's own track ids.
What matches no person becomes tracks of its own: nothing is dropped.
"""

from collections import Counter
from typing import Dict, List, NamedTuple, Sequence, Tuple

import numpy as np
from posetrack_detections import Detections, no_detections

from hanet_mm.apis.annotations.posetrack import Video
from hanet_mm.apis.annotations.posetrack_sequences import (
    Track,
    annotated_tracks,
)
from hanet_mm.core.poses.assignment import assign_pairs
from hanet_mm.core.poses.boxes import box_areas, box_iou, keypoint_similarity
from hanet_mm.datasets.metainfo import posetrack15

# Poses less similar than this are not the same person's. 0.3 is the usual
# threshold of OKS trackers, 0.5 that of detectors' boxes.
OKS_THRESHOLD = 0.3
IOU_THRESHOLD = 0.5
# A person is followed over at most so many frames without a pose: 0.2 s.
MAX_LOST = 5
# Track id of poses that belong to no annotated person.
UNKNOWN = -1

Pose = Tuple[np.ndarray, np.ndarray]  # keypoints (15, 2), box (4,)
Place = Tuple[int, int]  # number of a frame and of a pose in it
_SIGMAS = np.asarray(posetrack15['sigmas'], np.float32)


class Match(NamedTuple):
    """A pair of poses."""

    first: int
    second: int
    oks: float
    by_box: bool  # whether OKS could not decide and the boxes did


Known = Dict[Track, Tuple[int, Pose]]  # last frame and pose of a track


class Scene:
    """A video whose poses are being assigned to tracks."""

    def __init__(
        self, video: Video, detections: Dict[int, Detections]
    ) -> None:
        self.video = video
        self.numbers = sorted(video.frames)
        self.detections = detections
        self.persons = annotated_tracks(video)
        self._track = {
            id(person): track
            for track in self.persons
            for person in track.truth.values()
        }
        self.owners: Dict[Place, Track] = {}
        self.counts: Counter = Counter()

    def annotated(self, number: int) -> List[Track]:
        """Tracks of the persons annotated in a frame."""
        persons = self.video.frames[number].persons
        return [self._track[id(person)] for person in persons]

    def labelled(self, number: int) -> bool:
        return self.video.frames[number].labelled

    def found(self, number: int) -> Detections:
        return self.detections.get(number) or no_detections()

    def pose(self, number: int, index: int) -> Pose:
        found = self.detections[number]
        return found.keypoints[index], found.bboxes[index]

    def free(self, number: int) -> List[int]:
        """Poses of a frame that belong to no track yet."""
        total = len(self.found(number).scores)
        return [i for i in range(total) if (number, i) not in self.owners]

    def claim(self, track: Track, number: int, index: int) -> None:
        track.found[number] = index
        self.owners[number, index] = track

    def link(self, known: Known, number: int) -> Known:
        """Assign free poses of a frame to similar tracks, and return them."""
        free = self.free(number)
        if not known or not free:
            return {}
        tracks = list(known)
        poses = [self.pose(number, index) for index in free]
        matches = match_poses([pose for _, pose in known.values()], poses)
        for match in matches:
            self.claim(tracks[match.first], number, free[match.second])
        return {tracks[m.first]: (number, poses[m.second]) for m in matches}


def build_tracks(
    video: Video,
    detections: Dict[int, Detections],
    use_track_ids: bool = False,
) -> Tuple[List[Track], Counter]:
    """Assign each pose of a video to a track, and count what was matched.

    The annotated persons come first, by id, then the other tracks by their
    first frame. ``use_track_ids`` follows persons by the estimator's ids.
    """
    scene = Scene(video, detections)
    for number in scene.numbers:
        _match_persons(scene, number)
    if use_track_ids:
        by_id = _places_by_id(scene)
        _follow_ids(scene, by_id)
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
        others = _other_tracks_by_id(scene, by_id)
    else:
        others = _other_tracks(scene)
    others.sort(key=lambda track: min(track.found))
    scene.counts['other tracks'] += len(others)
    scene.counts['shared ids'] += _count_shared(scene.persons)
    return scene.persons + others, scene.counts


def _count_shared(tracks: List[Track]) -> int:
    """Persons whose id another one has in the same frame."""
    first: Dict[int, Track] = {}
    for track in tracks:
        first.setdefault(track.track_id, track)
    return sum(
        len(track.truth)
        for track in tracks
        if track is not first[track.track_id]
    )


def _match_persons(scene: Scene, number: int) -> None:
    """Match the poses of a frame to the persons annotated there."""
    persons = scene.video.frames[number].persons
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
    tracks, found = scene.annotated(number), scene.found(number)
    for match in match_poses(
        [(person.keypoints, person.bbox) for person in persons],
        list(zip(found.keypoints, found.bboxes)),
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
            known.update(scene.link(known, number))
            alive.append((place, step, known))
        chains = alive


def _known_at(scene: Scene, number: int) -> Known:
    """Pose of each person of a labelled frame: as found, or as annotated."""
    return {
        track: (
            number,
            scene.pose(number, track.found[number])
            if number in track.found
            else (track.truth[number].keypoints, track.truth[number].bbox),
        )
        for track in scene.persons
        if number in track.truth
    }


def _other_tracks(scene: Scene) -> List[Track]:
    """Link the poses that match no person, from frame to frame."""
    tracks: List[Track] = []
    known: Known = {}
    for number in scene.numbers:
        known = {
            track: last
            for track, last in known.items()
            if number - last[0] <= MAX_LOST
        }
        known.update(scene.link(known, number))
        for index in scene.free(number):
            track = Track(UNKNOWN)
            tracks.append(track)
            scene.claim(track, number, index)
            known[track] = number, scene.pose(number, index)
    return tracks


def _places_by_id(scene: Scene) -> Dict[int, List[Place]]:
    """Estimator's track id -> frames and indices of its poses."""
    places: Dict[int, List[Place]] = {}
    for number in scene.numbers:
        ids = scene.found(number).track_ids
        for index, track_id in enumerate(ids):
            where = f'{scene.video.name}, frame {number}'
            if track_id is None:
                raise ValueError(
                    f"{where}: key 'track_id': a pose of the estimator has "
                    'none; expected ids everywhere, or not to use them'
                )
            if track_id in ids[:index]:
                raise ValueError(
                    f"{where}: key 'track_id': the estimator has "
                    f'{track_id} twice; expected each id once in a frame'
                )
            places.setdefault(track_id, []).append((number, index))
    return places


def _follow_ids(scene: Scene, by_id: Dict[int, List[Place]]) -> None:
    """Give a pose to the person its id stood for when last, or next, known.

    That is in the nearest labelled frame in which the id occurs. Where two
    ids stand for one person, the one known nearer in time is taken, then the
    one of higher scores.
    """
    claims = []
    for places in by_id.values():
        known = [place for place in places if scene.labelled(place[0])]
        for number, index in places:
            if scene.labelled(number) or not known:
                continue
            nearest = min(known, key=lambda p: (abs(p[0] - number), p[0]))
            track = scene.owners.get(nearest)
            if track is not None:
                score = float(scene.detections[number].scores[index].mean())
                distance = abs(nearest[0] - number)
                claims.append((distance, -score, number, index, track))
    for _, _, number, index, track in sorted(claims, key=lambda c: c[:4]):
        if number not in track.found:
            scene.claim(track, number, index)


def _other_tracks_by_id(
    scene: Scene, by_id: Dict[int, List[Place]]
) -> List[Track]:
    """Poses that match no person, by their id, split at long gaps."""
    tracks: List[Track] = []
    for places in by_id.values():
        last = None
        for number, index in places:
            if (number, index) in scene.owners:
                continue
            if last is None or number - last > MAX_LOST:
                tracks.append(Track(UNKNOWN))
            scene.claim(tracks[-1], number, index)
            last = number
    return tracks


def match_poses(first: Sequence[Pose], second: Sequence[Pose]) -> List[Match]:
    """Match poses one-to-one; OKS is relative to the size of the first.

    First the pairs with the largest sum of OKS, of those above
    ``OKS_THRESHOLD``; then, among the poses that are left, likewise by the
    IoU of their boxes: where fewer than three keypoints are known, or the
    pose of the same person is badly wrong.
    """
    if not len(first) or not len(second):
        return []
    similarity = compare_poses(first, second)
    matches = [
        Match(i, j, float(similarity[i, j]), False)
        for i, j in assign_pairs(similarity, OKS_THRESHOLD)
    ]
    overlap = box_iou(*(np.stack([x[1] for x in y]) for y in (first, second)))
    overlap[[match.first for match in matches]] = 0
    overlap[:, [match.second for match in matches]] = 0
    matches += [
        Match(i, j, float(similarity[i, j]), True)
        for i, j in assign_pairs(overlap, IOU_THRESHOLD)
    ]
    return matches


def compare_poses(first: Sequence[Pose], second: Sequence[Pose]) -> np.ndarray:
    """OKS of n and m poses, (n, m): over the keypoints known in the first.

    A keypoint unknown in the second counts 0; the area is that of the box in
    the first. 0 where fewer than three keypoints are known.
    """
    true, found = (np.stack([x[0] for x in y]) for y in (first, second))
    shape = len(true), len(found)
    known = np.isfinite(true).all(-1)
    found = np.where(np.isnan(found), np.inf, found)  # as far as can be
    # A box may be as flat as a single keypoint, or unknown.
    areas = box_areas(np.stack([box for _, box in first]))
    areas = np.nan_to_num(areas, nan=1.0).clip(1.0)
    similarity = keypoint_similarity(
        true,
        found,
        np.broadcast_to(known[:, None], (*shape, known.shape[1])),
        np.broadcast_to(areas[:, None], shape),
        _SIGMAS,
    )
    return np.nan_to_num(similarity, nan=0.0)
