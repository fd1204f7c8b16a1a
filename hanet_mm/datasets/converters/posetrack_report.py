"""What a conversion of PoseTrack has to say about its counts."""

from collections import Counter
from typing import List, Optional

# Videos with annotation in each split, as publicly documented; PoseTrack18
# since version 0.45 of its labels (74 in val before).
PUBLISHED_VIDEOS = {
    'posetrack17': {'train': 250, 'val': 50},
    'posetrack18': {'train': 593, 'val': 170},
}


def compare_videos(
    dataset: str, split: Optional[str], counts: Counter
) -> List[str]:
    if split is None:
        return []
    published = PUBLISHED_VIDEOS[dataset][split]
    found = counts['labelled videos']
    if found == published:
        return [f'{found} labelled videos, as published']
    return [
        f'WARNING: {found} labelled videos, but {published} are published '
        f'for {dataset} {split}'
    ]


def describe(counts: Counter) -> List[str]:
    """What was matched and what not, a line each."""
    c = counts
    unlabelled = c['frames'] - c['labelled frames']
    lines = [
        f'{c["videos"]} videos, {c["labelled videos"]} with labelled frames',
        f'{c["labelled frames"]} frames labelled, {unlabelled} not',
        f'{c["persons"]} persons annotated in them: {c["matched"]} matched '
        f'to a pose ({c["matched by box"]} of them by box alone), '
        f'{c["persons"] - c["matched"]} not found',
        f'{c["unmatched poses"]} poses in labelled frames match nobody',
        f'{c["poses between"]} poses in unlabelled frames: '
        f'{c["poses between"] - c["unlinked poses"]} linked to annotated '
        f'persons, {c["unlinked poses"]} not',
        f'{c["other tracks"]} tracks of poses without annotated person',
    ]
    if c['matched']:
        mean = c['oks'] / c['matched']
        lines.append(f'mean OKS of the matched poses: {mean:.3f}')
    for key, text in (
        ('empty labelled frames', 'labelled frames without any person'),
        ('persons without keypoints', 'annotated persons without keypoints'),
        ('shared ids', 'persons share their track id with another in a frame'),
        ('poses without score', 'poses without any score above 0 left out'),
    ):
        if c[key]:
            lines.append(f'{c[key]} {text}')
    return lines
