# Copyright (c) hanet_mm contributors. All rights reserved.
"""Convert PoseTrack's annotation and an estimator's output.

python tools/dataset_converters/posetrack.py \\
    posetrack18/annotations/val dcpose_val.json \\
    data/posetrack18/posetrack18_dcpose_val.npz \\
    --dataset posetrack18 --split val --images posetrack18
"""

from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np
    from common import (
        add_arguments,
        join_tracks,
        make_parser,
        run,
        save,
    )
    from posetrack_detections import Detections, read_detections
    from posetrack_tracks import (
        IOU_THRESHOLD,
        MAX_LOST,
        OKS_THRESHOLD,
        build_tracks,
    )

    from hanet_mm.apis.annotations.posetrack import (
        Video,
        list_files,
        read_annotations,
    )
    from hanet_mm.apis.annotations.posetrack_sequences import (
        FPS,
        Track,
        describe_annotation,
        track_boxes,
        truth_arrays,
    )
    from hanet_mm.core.data.files import PathLike
    from hanet_mm.progress import track as show

# Videos with annotation in each split, as publicly documented; PoseTrack18
# since version 0.45 of its labels (74 in val before).
PUBLISHED_VIDEOS = {
    'posetrack17': {'train': 250, 'val': 50},
    'posetrack18': {'train': 593, 'val': 170},
}


def convert_posetrack(
    annotations: PathLike,
    predictions: PathLike,
    out: PathLike,
    dataset: str,
    split: Optional[str] = None,
    images: Optional[PathLike] = None,
    image_size: Optional[Sequence[int]] = None,
    use_track_ids: bool = False,
    trust_pickle: bool = False,
    estimator: Optional[str] = None,
    fps: float = FPS,
) -> List[str]:
    """Convert a split of PoseTrack to the flat layout.

    A sequence is one person of a video, from the first to the last frame in
    which the person is annotated or found. Persons who were never found, and
    poses that fit no annotated person, are sequences too: misses and false
    positives of the estimator, which AP counts.
    """
    videos = read_annotations(show(list_files(annotations), 'Annotations'))
    found, empty = read_detections(
        show(list_files(predictions), 'Predictions'), videos, trust_pickle
    )
    counts: Counter = Counter({'poses without score': empty})
    names, arrays, sizes = [], [], []
    for video in show(list(videos.values()), 'Videos'):
        size = _image_size(video, images, image_size)
        tracks, counted = build_tracks(video, found[video.name], use_track_ids)
        counts.update(counted)
        counts['videos'] += 1
        counts['labelled videos'] += counted['labelled frames'] > 0
        for person in tracks:
            names.append(video.name)
            arrays.append(_arrays(video, person, found[video.name]))
            sizes.append(size)
    if not names:
        raise ValueError(
            f'{annotations}: expected annotated persons or poses in some of '
            f'{len(videos)} videos, found none'
        )
    meta = _meta(dataset, split, estimator or Path(predictions).stem, videos)
    flat = join_tracks(names, arrays, fps, meta, np.array(sizes))
    return [
        *_compare_videos(dataset, split, counts),
        *_describe(counts),
        save(out, flat),
    ]


def _arrays(
    video: Video, person: Track, found: Dict[int, Detections]
) -> Dict[str, np.ndarray]:
    """Everything that the flat layout has of the frames of a track."""
    arrays = truth_arrays(video, person)
    span, shape = person.span(), arrays['keypoints_gt'].shape
    arrays.update(
        keypoints_est=np.full(shape, np.nan, np.float32),
        scores=np.zeros(shape[:2], np.float32),
        order_est=np.full(len(span), -1, np.int64),
        bboxes=track_boxes(
            person, {n: found[n].bboxes[i] for n, i in person.found.items()}
        ),
    )
    for number, index in person.found.items():
        place = number - span.start
        arrays['keypoints_est'][place] = found[number].keypoints[index]
        arrays['scores'][place] = found[number].scores[index]
        arrays['order_est'][place] = index
    return arrays


def _meta(
    dataset: str,
    split: Optional[str],
    estimator: str,
    videos: Dict[str, Video],
) -> Dict[str, Any]:
    return {
        **describe_annotation(dataset, videos),
        'estimator': estimator,
        'protocol': f'{dataset} {split or "unnamed split"}, one sequence per '
        'person of a video; poses matched to annotated persons in labelled '
        f'frames by OKS >= {OKS_THRESHOLD}, then by IoU >= {IOU_THRESHOLD}, '
        f'followed over gaps of up to {MAX_LOST} frames elsewhere',
    }


def _image_size(
    video: Video,
    images: Optional[PathLike],
    image_size: Optional[Sequence[int]],
) -> Sequence[int]:
    if video.image_size is not None:
        return video.image_size
    if images is not None:
        from PIL import Image

        path = Path(images) / video.image
        try:
            with Image.open(path) as image:
                return image.size
        except OSError as error:
            raise ValueError(
                f'{path}: first image of {video.name}: cannot be read '
                f'({type(error).__name__})'
            ) from None
    if image_size is None:
        raise ValueError(
            f'{video.source}: {video.name}: the annotation has no width and '
            'height: expected a folder of images or an image size'
        )
    return image_size


def _compare_videos(
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


def _describe(counts: Counter) -> List[str]:
    """Matched and unmatched poses, a line each."""
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


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = make_parser(__doc__)
    parser.add_argument(
        'annotations', help="folder of PoseTrack's JSON files, or one file"
    )
    parser.add_argument(
        'predictions',
        help="the estimator's JSON file, a folder of them, or the .pkl of "
        'tools/test.py --dump',
    )
    add_arguments(parser, fps=FPS)
    parser.add_argument(
        '--dataset', choices=sorted(PUBLISHED_VIDEOS), required=True
    )
    parser.add_argument(
        '--split',
        choices=('train', 'val'),
        help='compare the number of videos with the published one',
    )
    parser.add_argument(
        '--images',
        help='folder to which the names of the images are relative: read '
        'their sizes where the annotation has none',
    )
    parser.add_argument(
        '--image-size',
        type=int,
        nargs=2,
        metavar=('W', 'H'),
        help='of all videos, where neither says it',
    )
    parser.add_argument(
        '--track-ids',
        dest='use_track_ids',
        action='store_true',
        help="follow persons by the estimator's track ids, not by the "
        'similarity of poses from frame to frame',
    )
    run(convert_posetrack, parser)


if __name__ == '__main__':
    main()
