# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm extract``: make a training file for your own estimator."""

import argparse
from pathlib import Path
from typing import Any

from .video import add_models, make_inferencer

# Settings that determine the estimates: parts made with others are refused.
_MODELS = (
    'pose2d',
    'pose2d_weights',
    'det_model',
    'det_weights',
    'det_cat_ids',
    'det_interval',
    'bbox_thr',
)


def add_parser(commands: argparse._SubParsersAction) -> None:
    """Add the subcommand."""
    parser = commands.add_parser(
        'extract',
        description='Run detector and estimator over an annotated video data '
        'set and write the flat file that HANet is trained with. A run that '
        'was stopped resumes where it was.',
    )
    parser.add_argument(
        'annotations',
        metavar='IN',
        help='flat file with keypoints_gt, whose estimates are ignored; or '
        "PoseTrack's .json, MMPose's .json of JHMDB, its h36m_*.npz or "
        "mpi_inf_3dhp_*.npz, or SPIN's .npz of 3DPW with part",
    )
    parser.add_argument(
        '--videos',
        '--data-root',
        required=True,
        metavar='ROOT',
        help='folder with a video, or folder of pictures, ROOT/<seq_name>; '
        'of other layouts the folder to which names of pictures are relative',
    )
    parser.add_argument('-o', '--out', required=True, metavar='OUT.npz')
    parser.add_argument(
        '--gt-boxes',
        action='store_true',
        help='run the estimator in the annotated boxes, enlarged by 25 %%, '
        'without a detector',
    )
    parser.add_argument(
        '--bbox-file',
        metavar='FILE.json',
        help='run the estimator in the boxes of this file, without a '
        "detector: MMPose's bbox_file, for .json annotations; those with a "
        'score above --bbox-thr are taken',
    )
    parser.add_argument(
        '--skip-failed',
        action='store_true',
        help='leave out videos that cannot be read',
    )
    add_models(parser)
    parser.set_defaults(
        run=run,
        # Further settings of the inferencer of a video.
        refiner=None,
        filter=None,
        no_refine=True,
        lookahead=None,
        kpt_thr=0.0,
        ignore_scores=False,
        unswap=False,
        max_gap=10,
        engine='torch',
    )


def run(args: argparse.Namespace) -> str:
    """Run the subcommand and return its summary."""
    from hanet_mm.apis.extract import extract_estimates
    from hanet_mm.apis.video.estimators.registry import default_pose2d

    args.pose2d = args.pose2d or default_pose2d()
    if args.gt_boxes and (args.det_model or args.det_weights):
        raise ValueError('--gt-boxes: runs no detector, found --det-model')
    detector = args.det_model or args.det_weights
    if args.bbox_file and (args.gt_boxes or detector):
        other = '--gt-boxes' if args.gt_boxes else '--det-model'
        raise ValueError(f'--bbox-file: its boxes are taken, found {other}')
    report = extract_estimates(
        args.annotations,
        args.videos,
        args.out,
        lambda: _inferencer(args),
        Path(args.pose2d).stem,
        {key: getattr(args, key) for key in _MODELS},
        args.gt_boxes,
        args.skip_failed,
        args.bbox_file,
        args.bbox_thr,
    )
    return str(report)


def _inferencer(args: argparse.Namespace) -> Any:
    """Build the inferencer of a video, without refinement."""
    if args.gt_boxes or args.bbox_file:
        # No detector is loaded; the boxes come from a file.
        changed = dict(vars(args), det_model='whole_image')
        args = argparse.Namespace(**changed)
    return make_inferencer(args)
