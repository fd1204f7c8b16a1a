# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm video``: from a video to steady poses."""

import argparse
import os
from pathlib import Path
from typing import Any, List, Optional, Tuple

from hanet_mm.core.refine.weights_file import DEFAULTS


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'video',
        help='detect, track and refine the poses in a video',
        description="Detect persons, estimate their poses with MMPose's "
        'models, track them and refine the tracks. Ctrl-C keeps what is '
        'finished.',
    )
    parser.add_argument(
        'source',
        metavar='IN',
        help='video, folder of pictures, folder of videos, or number of a '
        'camera (Ctrl-C ends it)',
    )
    parser.add_argument(
        '-o',
        '--out',
        metavar='OUT',
        help=".json (MMPose's layout) or .npz (flat layout); for a folder of "
        'videos, a folder. Default: named after IN, in the working directory',
    )
    parser.add_argument(
        '--format',
        choices=('json', 'npz'),
        default='json',
        help='of the files in a folder, or without -o (default: json)',
    )
    add_models(parser)
    _add_refinement(parser)
    parser.add_argument(
        '--fps',
        type=float,
        help='frames per second of pictures, or in place of what a video says',
    )
    parser.add_argument(
        '--save-video',
        action='store_true',
        help='write OUT.mp4 too: poses before and after refinement',
    )
    parser.add_argument(
        '--trajectories',
        action='store_true',
        help='with --save-video: wrists and ankles draw their way',
    )
    parser.add_argument(
        '--resume',
        action='store_true',
        help='skip videos whose files are there',
    )
    parser.set_defaults(run=run)


def add_models(parser: argparse.ArgumentParser) -> None:
    models = parser.add_argument_group('models')
    models.add_argument(
        '--pose2d',
        default='human',
        metavar='MODEL',
        help='alias, config name or config file (default: human)',
    )
    models.add_argument('--pose2d-weights', metavar='FILE')
    models.add_argument(
        '--det-model',
        metavar='MODEL',
        help="alias, config name or config file; or 'whole_image' (default: "
        "MMPose's)",
    )
    models.add_argument('--det-weights', metavar='FILE')
    models.add_argument(
        '--det-cat-ids',
        type=int,
        nargs='+',
        metavar='ID',
        help='categories of the detector that are persons (default: 0)',
    )
    models.add_argument(
        '--det-interval',
        type=int,
        default=1,
        metavar='N',
        help='run the detector every N frames (default: 1)',
    )
    models.add_argument(
        '--batch-size', type=int, default=8, metavar='N', help='default: 8'
    )
    models.add_argument(
        '--bbox-thr',
        type=float,
        default=0.3,
        help='lowest score of a person (default: 0.3)',
    )
    models.add_argument('--device', help='default: the GPU if there is one')


def _add_refinement(parser: argparse.ArgumentParser) -> None:
    refinement = parser.add_argument_group('refinement')
    how = refinement.add_mutually_exclusive_group()
    how.add_argument(
        '--refiner',
        metavar='NAME|FILE.safetensors',
        help='name of a refiner of the package, see hanet-mm models, or a '
        f'file, made with: hanet-mm export. Default: {DEFAULTS[2]}',
    )
    how.add_argument(
        '--filter',
        metavar='NAME[:ARGUMENT=NUMBER,...]',
        help='a classical filter instead: savgol, butterworth, gaussian, '
        'one_euro, median, kalman, median_butterworth',
    )
    how.add_argument(
        '--no-refine', action='store_true', help='detect and track only'
    )
    refinement.add_argument(
        '--lookahead',
        type=int,
        metavar='K',
        help='frames that the refiner waits for, from 0 (default: as many as '
        'help; 4 for a camera)',
    )
    refinement.add_argument(
        '--kpt-thr',
        type=float,
        default=0.0,
        help='keypoints of a lower score count as missing (default: 0)',
    )
    refinement.add_argument(
        '--max-gap',
        type=int,
        default=10,
        metavar='N',
        help='fill gaps of up to N frames (default: 10)',
    )


def run(args: argparse.Namespace) -> str:
    """Run the subcommand.

    Returns:
        str: A line for each video.

    Raises:
        ValueError: One line: what went wrong, and where finished work is.
        OSError: If a file or camera is not there.
    """
    from hanet_mm.apis.video.job import run_video
    from hanet_mm.apis.video.sources import open_source

    if args.trajectories and not args.save_video:
        raise ValueError('--trajectories: needs --save-video')
    jobs, several = _plan(args)
    waiting = [
        (source, request)
        for source, request in jobs
        if not (args.resume and all(x.is_file() for x in request.files))
    ]
    lines = []
    if len(waiting) < len(jobs):
        skipped = len(jobs) - len(waiting)
        lines.append(f'{skipped} of {len(jobs)} videos were there already')
    if not waiting:
        return lines[0]
    if not several:
        # A file that is not there shall be told before models are loaded.
        waiting = [(open_source(waiting[0][0], args.fps), waiting[0][1])]
    inferencer = make_inferencer(args)
    if _by_default(args):
        lines.append(f'refiner: {DEFAULTS[2]}')
    report = getattr(inferencer, 'adapter', None)
    if report is not None and report.report:
        lines.append(f'keypoints: {report.report}')
    failures: List[str] = []
    for source, request in waiting:
        try:
            opened = open_source(source, args.fps)
            lines.append(str(run_video(inferencer, opened, request)))
        except (OSError, ValueError) as error:
            if not several or getattr(error, 'interrupted', False):
                raise
            failures.append(str(error))
    if failures:
        done = len(waiting) - len(failures)
        raise ValueError(
            f'{args.source}: {done} of {len(waiting)} videos done; '
            + '; '.join(failures)
        )
    return '\n'.join(lines)


def make_inferencer(args: argparse.Namespace) -> Any:
    """Build the inferencer that the arguments ask for."""
    for flag, model, weights in (
        ('pose2d', args.pose2d, args.pose2d_weights),
        ('det', args.det_model, args.det_weights),
    ):
        if model and os.path.isfile(model) and not weights:
            raise ValueError(
                f'{model}: a config file has no weights: give them with '
                f'--{flag}-weights'
            )
    from hanet_mm.apis.video.inferencer import PoseRefinementInferencer
    from hanet_mm.apis.video.refine_stage import NamedFilter

    refiner = args.refiner
    if args.filter:
        refiner = NamedFilter(args.filter)
    elif _by_default(args):
        refiner = DEFAULTS[2]
    return PoseRefinementInferencer(
        pose2d=args.pose2d,
        pose2d_weights=args.pose2d_weights,
        det_model=args.det_model,
        det_weights=args.det_weights,
        det_cat_ids=args.det_cat_ids,
        refiner=refiner,
        lookahead=args.lookahead,
        det_interval=args.det_interval,
        batch_size=args.batch_size,
        bbox_thr=args.bbox_thr,
        kpt_thr=args.kpt_thr,
        max_gap=args.max_gap,
        device=args.device,
    )


def _by_default(args: argparse.Namespace) -> bool:
    """Whether nobody said how to refine."""
    return not (args.refiner or args.filter or args.no_refine)


def _plan(args: argparse.Namespace) -> Tuple[List[Tuple[Any, Any]], bool]:
    """Sources and what to write of each; whether IN is a folder of videos."""
    from hanet_mm.apis.video.job import OutputRequest

    def request(poses: Path) -> OutputRequest:
        wanted = OutputRequest(poses, args.save_video, args.trajectories)
        wanted.check()
        return wanted

    source = Path(args.source)
    videos = _videos(source)
    if videos is None:
        name = source.stem if source.exists() else f'webcam{source.name}'
        out = args.out or f'{name}.{args.format}'
        return [(args.source, request(Path(out)))], False
    folder = Path(args.out or f'{source.name}_poses')
    if folder.suffix.lower() in ('.json', '.npz'):
        raise ValueError(f'{folder}: expected a folder for a folder of videos')
    stems = [video.stem for video in videos]
    jobs = []
    for video in videos:
        # Two videos that differ in their ending only keep it.
        name = video.stem if stems.count(video.stem) == 1 else video.name
        jobs.append((video, request(folder / f'{name}.{args.format}')))
    return jobs, True


def _videos(source: Path) -> Optional[List[Path]]:
    """Videos of a folder; None if it is none, or has pictures."""
    from hanet_mm.apis.video.sources import (
        IMAGE_SUFFIXES,
        VIDEO_SUFFIXES,
        list_files,
    )

    if not source.is_dir():
        return None
    videos = list_files(source, VIDEO_SUFFIXES)
    pictures = list_files(source, IMAGE_SUFFIXES)
    if videos and pictures:
        raise ValueError(
            f'{source}: the folder has {len(videos)} videos and '
            f'{len(pictures)} pictures; expected either'
        )
    return videos or None
