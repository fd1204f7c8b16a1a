# Copyright (c) hanet_mm contributors. All rights reserved.
"""Convert MMPose's annotation of Human3.6M or MPI-INF-3DHP.

python tools/dataset_converters/mmpose_3d.py h36m \\
    data/h36m/annotation_body3d/fps50/h36m_test.npz \\
    data/h36m/h36m_motionbert_test --estimates results.pkl --trust-pickle

The truth is ``S`` of ``h36m_*.npz`` or ``mpi_inf_3dhp_*.npz`` as MMPose's
``preprocess_*.py`` write them. The estimates are what ``tools/test.py --dump``
wrote for a lifter on that file, or an ``.npz`` with ``joints_3d``. Arrays are
read and written piece by piece.
"""

from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np
    from common import (
        add_arguments,
        arrays_on_disk,
        examples,
        make_parser,
        run,
        save,
    )
    from lifter_results import LifterResults, read_lifter_results
    from official_3d import NO_ESTIMATOR
    from published_files import describe_subjects
    from sides import check_sides

    from hanet_mm.apis.annotations.frame_grid import FrameGrid
    from hanet_mm.apis.annotations.mocap import (
        MOCAP_DATASETS,
        MocapImages,
        check_rows,
        read_mocap_images,
    )
    from hanet_mm.core.data.archive_rows import open_rows
    from hanet_mm.core.data.files import PathLike
    from hanet_mm.core.data.mapped import drop_pages
    from hanet_mm.core.data.sequences import PoseSequences
    from hanet_mm.core.metrics.errors import mpjpe, subtract_root
    from hanet_mm.core.poses.units import to_metres

# Frames of which the error is measured, spread over the whole file.
_FRAMES = 50_000
# Root-relative error above which estimates hardly belong to the truth, m.
_FAR = 0.2

Arrays = Dict[str, np.ndarray]


def convert_mmpose_3d(
    dataset: str,
    annotations: PathLike,
    out: PathLike,
    estimates: Optional[PathLike] = None,
    trust_pickle: bool = False,
    estimator: Optional[str] = None,
    fps: Optional[float] = None,
) -> List[str]:
    """Convert MMPose's 3D annotation and a lifter's output.

    A sequence is one video of one camera. Sequences without any estimate are
    left out; frames without truth or estimate keep their row.
    """
    known = MOCAP_DATASETS[dataset]
    images = read_mocap_images(annotations, dataset)
    found = None
    if estimates is not None:
        found = read_lifter_results(
            estimates, dataset, len(known.keypoints), images, trust_pickle
        )
    plan = _Plan(images, found, annotations, estimates)
    with arrays_on_disk(out) as make:
        shape = (plan.grid.total, len(known.keypoints))
        arrays = dict(
            keypoints_gt=make('keypoints_gt', (*shape, 3), np.nan),
            visible=make('visible', shape, 0),
            scores=make('scores', shape, 0),
        )
        _write_truth(arrays, annotations, plan, found is None)
        if found is None:
            arrays['keypoints_est'] = arrays['keypoints_gt']
        else:
            arrays['keypoints_est'] = make('est', (*shape, 3), np.nan)
            _write_estimates(arrays, found, plan)
        where = f'{annotations}'
        if found is not None:
            where = f'{annotations}, {estimates}'
        try:
            flat = PoseSequences(
                **arrays,
                seq_len=plan.grid.seq_len,
                seq_name=np.array(plan.names),
                fps=[
                    (known.fps(name) if fps is None else fps) / step
                    for name, step in zip(plan.names, plan.grid.step)
                ],
                meta=_describe(dataset, annotations, estimates, estimator),
                extras={'frame_number': plan.grid.numbers()},
            )
            flat.check_estimates()
        except ValueError as error:
            raise ValueError(f'{where}: {error}') from None
        flat = to_metres(flat, where)
        return [
            *plan.notes(dataset),
            *_compare(flat, found, known.root),
            save(out, flat),
        ]


class _Plan:
    """Which sequences are written, and where their frames lie."""

    def __init__(
        self,
        images: MocapImages,
        found: Optional[LifterResults],
        annotations: PathLike,
        estimates: Optional[PathLike],
    ) -> None:
        self.images = images
        chosen = np.ones(len(images.names), bool)
        sequence, number = images.sequence, images.number
        self.repeated = 0
        if found is not None:
            own = _match(images, found.images, f'{estimates}')
            chosen = np.isin(np.arange(len(images.names)), own)
            sequence = np.append(sequence, own)
            number = np.append(number, found.images.number)
            self.found = own
        self.names = [n for n, yes in zip(images.names, chosen) if yes]
        self.left_out = [n for n, yes in zip(images.names, chosen) if not yes]
        # Number of a sequence among those that are written, or -1.
        self.place = np.where(chosen, np.cumsum(chosen) - 1, -1)
        kept = self.place[sequence] >= 0
        self.grid = FrameGrid(
            self.place[sequence[kept]], number[kept], self.names, annotations
        )

    def rows(
        self, sequence: np.ndarray, number: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Flat frames of images and which of these are written at all."""
        place = self.place[sequence]
        kept = place >= 0
        return self.grid.places(place[kept], number[kept]), kept

    def notes(self, dataset: str) -> List[str]:
        grid = self.grid
        steps, counts = np.unique(grid.step, return_counts=True)
        lines = [
            f'{len(self.names)} sequences; an image in '
            + ', '.join(f'{s} ({c} sequences)' for s, c in zip(steps, counts))
        ]
        if dataset == 'h36m':
            subjects = {name.split('_')[0] for name in self.names}
            text, odd = describe_subjects(subjects)
            lines.append(f'WARNING: {text}' if odd else text)
        missing = grid.total - len(self.rows(*_both(self.images))[0])
        if missing:
            lines.append(f'{missing} of {grid.total} frames without truth')
        if self.left_out:
            lines.append(
                f'{len(self.left_out)} sequences left out, they have no '
                f'estimate: {examples(self.left_out)}'
            )
        if self.repeated:
            lines.append(
                f'{self.repeated} frames estimated more than once: the first '
                'is taken'
            )
        return lines


def _both(images: MocapImages) -> Tuple[np.ndarray, np.ndarray]:
    return images.sequence, images.number


def _match(images: MocapImages, found: MocapImages, where: str) -> np.ndarray:
    """Sequence of each estimate among those of the annotation."""
    index = {name: place for place, name in enumerate(images.names)}
    others = [name for name in found.names if name not in index]
    if others:
        raise ValueError(
            f'{where}: expected estimates for sequences of the annotation, '
            f'found {len(others)} others: {examples(others)}'
        )
    return np.array([index[name] for name in found.names])[found.sequence]


def _write_truth(
    arrays: Arrays, path: PathLike, plan: _Plan, is_estimate: bool
) -> None:
    total = len(plan.images.number)
    keypoints = arrays['visible'].shape[1]
    with open_rows(path, 'S') as (truth,):
        check_rows(truth, f'{path}: S', (total, keypoints, 4))
        begin = 0
        for block in truth:
            own = slice(begin, begin + len(block))
            begin = own.stop
            rows, kept = plan.rows(
                plan.images.sequence[own], plan.images.number[own]
            )
            arrays['keypoints_gt'][rows] = block[kept, :, :3]
            arrays['visible'][rows] = block[kept, :, 3] > 0
            if is_estimate:
                arrays['scores'][rows] = 1
            for array in arrays.values():
                drop_pages(array)


def _write_estimates(
    arrays: Arrays, found: LifterResults, plan: _Plan
) -> None:
    """Write each frame's first estimate."""
    rows, _ = plan.rows(plan.found, found.images.number)
    first = np.zeros(len(rows), bool)
    first[np.unique(rows, return_index=True)[1]] = True
    plan.repeated = int((~first).sum())
    begin, written = 0, 0
    for points, scores in found.blocks():
        own = slice(begin, begin + len(points))
        begin = own.stop
        new = first[own]
        arrays['keypoints_est'][rows[own][new]] = points[new]
        arrays['scores'][rows[own][new]] = scores[new]
        written += points.nbytes
        if written > 2**26:
            written = 0
            for array in arrays.values():
                drop_pages(array)


def _describe(
    dataset: str,
    annotations: PathLike,
    estimates: Optional[PathLike],
    estimator: Optional[str],
) -> Dict[str, Any]:
    name = NO_ESTIMATOR
    if estimates is not None:
        name = estimator or Path(estimates).stem
    return {
        'dataset': dataset,
        'estimator': name,
        'units': 'm',
        'coords': '3d',
        'keypoint_names': list(MOCAP_DATASETS[dataset].keypoints),
        'protocol': f'all sequences of {Path(annotations).name} that were '
        'estimated; a sequence is one video of one camera',
        'origin': 'truth: camera; estimates: as the lifter has them',
    }


def _compare(
    flat: PoseSequences, found: Optional[LifterResults], root: int
) -> List[str]:
    """Check sides, and whether the estimates are of these persons."""
    names = flat.meta['keypoint_names']
    notes = check_sides(flat.keypoints_gt, names, 'truth')
    if found is None:
        return notes
    notes += check_sides(flat.keypoints_est, names, 'estimates')
    some = slice(None, None, max(1, len(flat.scores) // _FRAMES))
    both = (flat.visible[some] > 0) & (flat.scores[some] > 0)
    pred, truth = (
        subtract_root(x[some], [root])
        for x in (flat.keypoints_est, flat.keypoints_gt)
    )
    both &= ~np.isnan(pred).any(-1) & ~np.isnan(truth).any(-1)
    total, count = mpjpe(pred, truth, both)
    if not count:
        return [*notes, 'WARNING: no frame has both truth and estimate']
    error = total / count
    text = f'MPJPE of the estimates about the root: {1000 * error:.1f} mm'
    if error > _FAR:
        text = f'WARNING: {text}: are they of these images, and in metres?'
    return [*notes, text]


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = make_parser(__doc__)
    parser.add_argument('dataset', choices=sorted(MOCAP_DATASETS))
    parser.add_argument(
        'annotations', help='h36m_{train,test}.npz or mpi_inf_3dhp_*.npz'
    )
    add_arguments(parser, fps=None)
    parser.add_argument(
        '--estimates',
        help='.pkl of tools/test.py --dump (--trust-pickle) or .npz with '
        'joints_3d; without it the truth is written as the estimate',
    )
    run(convert_mmpose_3d, parser)


if __name__ == '__main__':
    main()
