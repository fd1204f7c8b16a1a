# Copyright (c) hanet_mm contributors. All rights reserved.
"""Estimates of any estimator for an annotated video data set.

The result is a flat file with which HANet can be trained for the estimator.
The part of each video is kept in ``OUT.parts`` as soon as it is finished, so
that a run that was stopped resumes where it was.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import (
    Any,
    Callable,
    Dict,
    List,
    Optional,
)

import numpy as np

from hanet_mm.core.data.atomic import (
    check_output,
    check_writable,
    remove_leftovers,
)
from hanet_mm.core.data.files import (
    PathLike,
    atomic_path,
    read_npz,
    write_npz,
)
from hanet_mm.core.data.sequences import (
    PoseSequences,
    flat_arrays,
    save_pose_sequences,
)
from hanet_mm.progress import progress_bar

from .annotations.bbox_file import read_bbox_file
from .annotations.reading import AnnotatedImages, read_annotations
from .extract_video import (
    AnnotatedVideo,
    ExtractionWork,
    find_video,
    read_annotation,
    rows_by_frame,
    run_video,
)
from .video.refine_stage import SkeletonAdapter

_PART_KEYS = (
    *('keypoints_est', 'scores', 'image_size', 'fps', 'keypoint_names'),
)


@dataclass
class ExtractionReport:
    """Result of an extraction; printed as the summary of the command."""

    out: Path
    videos: int  # in the file
    resumed: int  # videos that an earlier run had finished
    annotated: int  # persons, counted in each frame
    unmatched: int  # annotated persons that were not found
    keypoints: str = ''  # how they were mapped; '' if they are the same
    failures: List[str] = field(default_factory=list)  # videos left out

    def __str__(self) -> str:
        share = 100 * self.unmatched / max(self.annotated, 1)
        lines = [f'keypoints: {self.keypoints}'] if self.keypoints else []
        lines += [f'left out: {failure}' for failure in self.failures]
        lines.append(
            f'{self.out}: {self.videos} videos ({self.resumed} resumed), '
            f'{self.annotated} annotated poses, {self.unmatched} '
            f'({share:.1f} %) not found'
        )
        return '\n'.join(lines)


def extract_estimates(
    annotations: PathLike,
    videos: PathLike,
    out: PathLike,
    make_inferencer: Callable[[], Any],
    estimator: str,
    models: Dict[str, Any],
    gt_boxes: bool = False,
    skip_failed: bool = False,
    bbox_file: Optional[PathLike] = None,
    bbox_thr: float = 0.3,
) -> ExtractionReport:
    """Run detector and estimator over an annotated video data set.

    Args:
        annotations: Flat file with ``keypoints_gt`` (N, K, 2) px; estimates
            in it are ignored. Frame i of a sequence is frame i of its video,
            or number ``frame_number`` (extra, from 0) of it. Or another
            layout of :func:`~.annotations.reading.read_annotations`, which
            names the picture of each frame.
        videos: Folder with ``<seq_name>.<any video>`` or folders of pictures
            ``<seq_name>``. Sequences of one name are persons of one video.
            Or the folder to which the pictures' names are relative.
        out: The flat file to write.
        make_inferencer: Builds an object with ``reader`` (a
            :class:`~.video.pipeline.PoseReader`) and ``keypoint_names`` of the
            estimator.
        estimator: Its name, for ``meta['estimator']``.
        models: The settings that determine the estimates, as JSON can hold
            them. Parts made with other settings are refused.
        gt_boxes: Whether the estimator gets the annotated boxes, enlarged by
            25 %, in place of a detector's.
        skip_failed: Whether videos that cannot be read are left out.
        bbox_file: Boxes of a detector that ran before, see
            :func:`~.annotations.bbox_file.read_bbox_file`, for annotations
            that number their pictures.
        bbox_thr: Boxes of it with this score or less are left out.

    Returns:
        ExtractionReport: Counts of videos and persons.

    Raises:
        ValueError: One line: a wrong annotation file, skeletons that have
            nothing in common, parts of a different run, or videos that
            cannot be read; the others are finished and kept then.
        OSError: If a file or folder does not exist.
    """
    out = Path(out)
    check_output(out, [annotations])
    check_writable(out)
    found = _load(annotations, videos, out)
    seqs = found.seqs
    detections = None
    request = dict(models=models, gt_boxes=gt_boxes)
    if bbox_file is not None:
        if found.by_id is None:
            raise ValueError(
                f'{annotations}: expected pictures with a number, as in a '
                f'.json file, which {bbox_file} refers to, found none'
            )
        detections = read_bbox_file(bbox_file, found.by_id, bbox_thr)
        content = Path(bbox_file).read_bytes()
        request['bbox_file'] = hashlib.sha256(content).hexdigest()
    jobs = _plan(seqs, out)
    _claim_parts(out, found, request)
    waiting = [video for video in jobs if not video.part.is_file()]
    failures: Dict[str, str] = {}
    keypoints = ''
    if waiting:
        _check_root(Path(videos), waiting, found.images)
        work = _prepare(found, Path(videos), make_inferencer(), gt_boxes)
        work = work._replace(detections=detections)
        _check_boxes(work)
        keypoints = work.adapter.report
        failures = _run_all(waiting, work)
    if failures and not (skip_failed and len(failures) < len(jobs)):
        raise ValueError(
            f'{annotations}: {len(failures)} of {len(jobs)} videos failed, '
            f'the others are kept in {_parts_folder(out)}; '
            + '; '.join(failures.values())
        )
    done = [video for video in jobs if video.name not in failures]
    result = _assemble(seqs, done, estimator)
    save_pose_sequences(out, result)
    _remove_parts(out, jobs)
    annotated = read_annotation(result).annotated
    return ExtractionReport(
        out,
        len(done),
        len(jobs) - len(waiting),
        int(annotated.sum()),
        int((annotated & ~result.valid.any(1)).sum()),
        keypoints,
        list(failures.values()),
    )


def _load(path: PathLike, videos: PathLike, out: Path) -> AnnotatedImages:
    """Read the annotations and check what is quick to check."""
    if not Path(videos).is_dir():
        raise FileNotFoundError(f'{videos}: no such folder of videos')
    if out.suffix.lower() != '.npz':
        raise ValueError(f'{out}: expected a name ending in .npz')
    if out.resolve() == Path(path).resolve():
        raise ValueError(f'{out}: expected another file than the annotations')
    found = read_annotations(path, videos)
    seqs = found.seqs
    units = seqs.meta.get('units', 'px')
    if seqs.keypoints_gt.shape[2] != 2 or units != 'px':
        raise ValueError(
            f'{path}: keypoints_gt: expected (N, K, 2) in px, found '
            f'{seqs.keypoints_gt.shape} in {units}'
        )
    number = seqs.extras.get('frame_number')
    if number is not None and (
        number.shape != seqs.scores.shape[:1]
        or number.dtype.kind not in 'iu'
        or number.min() < 0
    ):
        raise ValueError(
            f"{path}: extras['frame_number']: expected ({len(seqs.scores)},) "
            f'integers from 0, found {number.dtype} {number.shape}'
        )
    names, key = seqs.seq_name, 'seq_name: expected the name of a video'
    if found.images is not None:
        names = found.images[found.images != '']
        key = 'images: expected the name of a picture'
    for name in names:
        if Path(name).is_absolute() or '..' in Path(name).parts or not name:
            raise ValueError(
                f'{path}: {key} within {videos}, found {str(name)!r}'
            )
    return found


def _check_root(
    root: Path, videos: List[AnnotatedVideo], images: Optional[np.ndarray]
) -> None:
    """Fail before the models are loaded if no video of all is there."""
    for video in videos:
        if images is not None:
            if any((root / x).is_file() for x in images[video.rows] if x):
                return
            continue
        try:
            find_video(root, video.name)
        except FileNotFoundError:
            continue
        except ValueError:
            pass  # several have that name
        return
    name = videos[0].name
    if images is not None:
        name = next((x for x in images[videos[0].rows] if x), name)
    raise FileNotFoundError(
        f'{root}: expected the annotated videos, found none of '
        f'{len(videos)}, such as {name}'
    )


def _plan(seqs: PoseSequences, out: Path) -> List[AnnotatedVideo]:
    """The videos, in the order of their first sequences."""
    names, first = np.unique(seqs.seq_name, return_index=True)
    sequence = np.repeat(np.arange(len(seqs)), seqs.seq_len)
    jobs = []
    for index, name in enumerate(names[np.argsort(first)]):
        members = np.flatnonzero(seqs.seq_name == name)
        rows = np.flatnonzero(np.isin(sequence, members))
        part = _parts_folder(out) / f'{index}.npz'
        jobs.append(AnnotatedVideo(str(name), members, rows, part))
    return jobs


def _prepare(
    found: AnnotatedImages, root: Path, inferencer: Any, gt_boxes: bool
) -> ExtractionWork:
    seqs = found.seqs
    names = list(inferencer.keypoint_names)
    wanted = seqs.meta.get('keypoint_names')
    if wanted is None and len(names) != seqs.scores.shape[1]:
        raise ValueError(
            f'annotations: {seqs.scores.shape[1]} keypoints without '
            f"meta['keypoint_names'] cannot be matched with the {len(names)} "
            'of the estimator'
        )
    seqs.meta.setdefault('keypoint_names', names)
    numbers = seqs.extras.get('frame_number')
    if numbers is None:
        starts = np.repeat(seqs.starts, seqs.seq_len)
        numbers = np.arange(len(seqs.scores)) - starts
    return ExtractionWork(
        seqs,
        read_annotation(seqs),
        np.asarray(numbers, np.int64),
        root,
        inferencer,
        SkeletonAdapter(names, wanted),
        gt_boxes,
        found.images,
    )


def _check_boxes(work: ExtractionWork) -> None:
    """Raise if boxes are given to an estimator that takes none."""
    if work.known_boxes and work.inferencer.reader.detector is None:
        raise ValueError(
            f'{"gt_boxes" if work.gt_boxes else "bbox_file"}: expected an '
            'estimator that works in boxes, found one that finds persons by '
            'itself'
        )


def _run_all(
    waiting: List[AnnotatedVideo], work: ExtractionWork
) -> Dict[str, str]:
    """Finish the videos one by one; return the errors of the others."""
    failures = {}
    total = sum(len(rows_by_frame(video, work)) for video in waiting)
    with progress_bar(total, 'frames') as advance:
        for video in waiting:
            try:
                arrays = run_video(video, work, advance)
            except (OSError, ValueError) as error:
                failures[video.name] = str(error)
                continue
            write_npz(video.part, arrays)
    return failures


def _assemble(
    seqs: PoseSequences, done: List[AnnotatedVideo], estimator: str
) -> PoseSequences:
    """Put the parts together; sequences keep their order."""
    estimates = np.full_like(seqs.keypoints_gt, np.nan)
    scores = np.zeros(seqs.scores.shape, np.float32)
    size = np.ones((len(seqs), 2), np.float32)
    fps = np.full(len(seqs), np.nan, np.float32)
    meta = dict(seqs.meta, estimator=estimator, units='px')
    for video in done:
        part = read_npz(video.part, _PART_KEYS, _PART_KEYS)
        estimates[video.rows] = part['keypoints_est']
        scores[video.rows] = part['scores']
        size[video.sequences] = part['image_size']
        fps[video.sequences] = part['fps']
        meta['keypoint_names'] = part['keypoint_names'].tolist()
    chosen = np.sort(np.concatenate([x.sequences for x in done]))
    known = np.isfinite(fps[chosen]).all()
    if seqs.fps is not None or not known:
        fps = seqs.fps
    extras = {
        # Arrays that belong to the replaced estimates are dropped.
        key: value
        for key, value in seqs.extras.items()
        if not key.endswith('_est')
    }
    return PoseSequences(
        estimates,
        scores,
        seqs.seq_len,
        seqs.seq_name,
        seqs.keypoints_gt,
        seqs.visible,
        seqs.bboxes,
        size if seqs.image_size is None else seqs.image_size,
        # Videos that were left out have no rate; they are not chosen.
        fps if fps is None else np.nan_to_num(fps, nan=1.0),
        meta,
        extras,
    ).select(chosen)


def _parts_folder(out: Path) -> Path:
    return out.with_name(out.name + '.parts')


def _claim_parts(
    out: Path, found: AnnotatedImages, request: Dict[str, Any]
) -> None:
    """Record what the parts are made of; refuse those of another run."""
    seqs = found.seqs
    digest = hashlib.sha256()
    if found.images is not None:
        digest.update('\n'.join(found.images).encode())
    for key, value in sorted(flat_arrays(seqs).items()):
        if key not in ('keypoints_est', 'scores'):
            digest.update(f'{key} {value.dtype} {value.shape}'.encode())
            digest.update(np.ascontiguousarray(value).tobytes())
    text = json.dumps(
        dict(request, annotations=digest.hexdigest()), sort_keys=True
    )
    path = _parts_folder(out) / 'request.json'
    if path.is_file():
        if path.read_text(encoding='utf-8') == text:
            return
        if any(_parts_folder(out).glob('*.npz')):
            raise ValueError(
                f'{_parts_folder(out)}: made with other annotations or '
                'models; remove the folder to start again'
            )
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def _remove_parts(out: Path, jobs: List[AnnotatedVideo]) -> None:
    """Remove the parts, and the folder unless it has other files."""
    for path in (*(x.part for x in jobs), _parts_folder(out) / 'request.json'):
        path.unlink(missing_ok=True)
    remove_leftovers(_parts_folder(out))
    if not any(_parts_folder(out).iterdir()):
        _parts_folder(out).rmdir()
