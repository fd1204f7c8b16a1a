"""Tracks of PoseTrack's persons by the estimator's own track ids."""

from typing import Dict, List, Tuple

from hanet_mm.datasets.converters.posetrack_scene import (
    MAX_LOST,
    UNKNOWN,
    Scene,
    Track,
)


def places_by_id(scene: Scene) -> Dict[int, List[Tuple[int, int]]]:
    """Estimator's track id -> frames and indices of its poses."""
    places: Dict[int, List[Tuple[int, int]]] = {}
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


def follow_ids(scene: Scene, by_id: Dict[int, List[Tuple[int, int]]]) -> None:
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


def other_tracks_by_id(
    scene: Scene, by_id: Dict[int, List[Tuple[int, int]]]
) -> List[Track]:
    """Poses that belong to nobody, by their id, split at long gaps."""
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
