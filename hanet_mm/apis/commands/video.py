# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm video``: from a video to refined poses."""

import argparse
import json
import os
from importlib.util import find_spec
from typing import Any, Dict

from hanet_mm.core.data.extras import import_extra
from hanet_mm.core.refine.weights_file import DEFAULT_WITH_FEET, DEFAULTS

from .output import add_json, add_overwrite, check_unnamed
from .reading import add_engine


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'video',
        description='Estimate the poses of persons with MediaPipe, rtmlib, '
        'Ultralytics or MMPose, track them and refine the tracks. Ctrl-C '
        'keeps what is finished.',
    )
    add = parser.add_argument
    add(
        'source',
        metavar='IN',
        help='video, folder of pictures, folder of videos, number of a camera '
        'or address (http, rtsp; Ctrl-C ends a stream)',
    )
    add(
        '-o',
        '--out',
        metavar='OUT',
        help=".json (MMPose's layout) or .npz (flat layout); for a folder of "
        'videos, a folder. Default: named after IN, in the working directory',
    )
    add(
        '--format',
        choices=('json', 'npz'),
        default='json',
        help='of the files in a folder, or without -o (default: json)',
    )
    add_models(parser)
    _add_refinement(parser)
    add(
        '--fps',
        type=float,
        help='frames per second of pictures, or in place of what a video says',
    )
    add(
        '--save-video',
        action=argparse.BooleanOptionalAction,
        help='write OUT.mp4 too, or OUT_refined.mp4 where that is the input: '
        'poses before and after refinement. Default: without -o, unless IN '
        'is a folder',
    )
    add(
        '--trajectories',
        action='store_true',
        help='with --save-video: draw the paths of wrists and ankles',
    )
    add(
        '--show',
        action='store_true',
        help='show the poses in a window while they are found; q ends it',
    )
    add(
        '--resume',
        action='store_true',
        help='skip videos whose files are there',
    )
    add_overwrite(parser, 'replace outputs of the default name too')
    add_json(parser)
    parser.set_defaults(run=run)


def add_models(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose and run the models."""
    add = parser.add_argument_group('models').add_argument
    add(
        '--pose2d',
        metavar='MODEL',
        help='mediapipe; rtmlib, rtmlib:body_with_feet or rtmlib:wholebody; '
        "ultralytics:MODEL; or MMPose's alias, config name or config file "
        '(default: human where MMPose is installed, else mediapipe)',
    )
    add('--pose2d-weights', metavar='FILE')
    add(
        '--det-model',
        metavar='MODEL',
        help="alias, config name or config file; or 'whole_image' (default: "
        "MMPose's)",
    )
    add('--det-weights', metavar='FILE')
    add(
        '--det-cat-ids',
        type=int,
        nargs='+',
        metavar='ID',
        help='categories of the detector that are persons (default: 0)',
    )
    add(
        '--det-interval',
        type=int,
        default=1,
        metavar='N',
        help='run the detector every N frames (default: 1)',
    )
    add('--batch-size', type=int, default=8, metavar='N', help='default: 8')
    add(
        '--bbox-thr',
        type=float,
        default=0.3,
        help='lowest score of a person (default: 0.3)',
    )
    add('--device', help='default: the GPU if there is one')


def _add_refinement(parser: argparse.ArgumentParser) -> None:
    refinement = parser.add_argument_group('refinement')
    add = refinement.add_argument
    add_how = refinement.add_mutually_exclusive_group().add_argument
    add_how(
        '--refiner',
        metavar='NAME|FILE.safetensors',
        help='name of a refiner of the package, see hanet-mm models, or a '
        f'file, made with: hanet-mm export. Default: {DEFAULTS[2]}, for '
        f'keypoints with feet {DEFAULT_WITH_FEET}',
    )
    add_how(
        '--filter',
        metavar='NAME[:ARGUMENT=NUMBER,...]',
        help='a classical filter instead: savgol, butterworth, gaussian, '
        'one_euro, median, kalman, median_butterworth',
    )
    add(
        '--unswap',
        action='store_true',
        help='undo swaps of left and right before the filter',
    )
    add_how('--no-refine', action='store_true', help='detect and track only')
    add_engine(refinement)
    add(
        '--lookahead',
        type=int,
        metavar='K',
        help='frames that a result waits for, from 0 (default: all that the '
        'refiner can use; 4 for a camera)',
    )
    add(
        '--kpt-thr',
        type=float,
        default=0.0,
        help='keypoints of a lower score count as missing (default: 0)',
    )
    add(
        '--ignore-scores',
        action='store_true',
        help='take from the scores only which keypoints are missing: those '
        'of 0, or below --kpt-thr',
    )
    add(
        '--max-gap',
        type=int,
        default=10,
        metavar='N',
        help='fill gaps of up to N frames (default: 10)',
    )


def run(args: argparse.Namespace) -> str:
    """Run the subcommand; a line for each video, or JSON."""
    if find_spec('cv2') is None:
        from hanet_mm.apis.video.estimators.registry import default_pose2d

        if not args.pose2d:
            default_pose2d()  # names the extras if there is no estimator
        import_extra('cv2', 'hanet-mm video')
    from hanet_mm.apis.video.job import plan_jobs, run_jobs
    from hanet_mm.apis.video.sources import open_source

    save_video = args.save_video
    if save_video is None:
        save_video = args.out is None and not os.path.isdir(args.source)
    if args.trajectories and not (save_video or args.show):
        raise ValueError('--trajectories: needs --save-video or --show')
    if args.show:
        from hanet_mm.visualization.window import check_screen

        check_screen()
    wanted = save_video, args.trajectories, args.show
    jobs, several = plan_jobs(args.source, args.out, args.format, *wanted)
    if not args.resume:
        more = ', or --resume to go on' if several else ''
        files = [x for _, request in jobs for x in request.files]
        check_unnamed(args, files, more)
    waiting = [
        (source, request)
        for source, request in jobs
        if not (args.resume and all(x.is_file() for x in request.files))
    ]
    skipped = len(jobs) - len(waiting)
    lines = []
    if skipped:
        lines.append(f'{skipped} of {len(jobs)} videos were there already')
    told: Dict[str, Any] = dict(skipped=skipped, videos=[])
    if not waiting:
        return json.dumps(told) if args.json else lines[0]
    if not several:
        # Fail on a missing input before loading the models.
        waiting = [(open_source(waiting[0][0], args.fps), waiting[0][1])]
    is_named = args.pose2d is not None
    inferencer = make_inferencer(args)
    if not is_named and args.pose2d:
        lines.append(f'estimator: {args.pose2d}')
    if _by_default(args):
        lines.append(f'refiner: {inferencer.default_name}')
    adapter = getattr(inferencer, 'adapter', None)
    mapping = '' if adapter is None else adapter.report
    if mapping:
        lines.append(f'keypoints: {mapping}')
    name = args.source if several else None
    reports = run_jobs(inferencer, waiting, args.fps, name)
    if args.json:
        told.update(
            estimator=args.pose2d,
            refiner=args.refiner
            or args.filter
            or inferencer.default_name
            or None,
            mapping=mapping,
        )
        told['videos'] = [x.to_dict() for x in reports]
        return json.dumps(told)
    lines += [str(x) if args.verbose else x.brief for x in reports]
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
    from hanet_mm.apis.video import refined_video
    from hanet_mm.apis.video.estimators.registry import default_pose2d
    from hanet_mm.apis.video.refine_stage import NamedFilter

    args.pose2d = args.pose2d or default_pose2d()
    refiner: Any = args.refiner
    if _by_default(args):
        refiner = refined_video.DEFAULT
    if args.unswap and not args.filter:
        raise ValueError(
            '--unswap: needs --filter; refiners decide themselves about swaps'
        )
    if args.filter:
        refiner = NamedFilter(args.filter)
    names = (
        *('pose2d', 'pose2d_weights', 'det_model', 'det_weights'),
        *('det_cat_ids', 'lookahead', 'det_interval', 'batch_size'),
        *(
            'bbox_thr',
            'kpt_thr',
            'ignore_scores',
            'unswap',
            'max_gap',
            'device',
            'engine',
        ),
    )
    options = {name: getattr(args, name) for name in names}
    return refined_video.make_inferencer(refiner=refiner, **options)


def _by_default(args: argparse.Namespace) -> bool:
    """Whether the refinement is left to the default."""
    return not (args.refiner or args.filter or args.no_refine)
