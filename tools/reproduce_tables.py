# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measure the paper's tables on the data sets that are there.

python tools/reproduce_tables.py --data-root data --json tables.json \
    --checkpoint configs/hanet/jhmdb/NAME.py work_dirs/NAME/best.pth
"""

import argparse
import logging
import sys
from typing import Any, Dict, List, Optional

from hanet_mm.apis.errors import INTERRUPTED, one_line_interrupts

with one_line_interrupts():
    from mmengine.logging import MMLogger

    from hanet_mm.apis.benchmark.catalog import CATALOG
    from hanet_mm.apis.benchmark.paper import (
        PaperRequest,
        has_failures,
        new_paper_report,
        reproduce,
    )
    from hanet_mm.apis.benchmark.paper_tables import render_paper_tables
    from hanet_mm.apis.benchmark.report import write_json


def main(argv: Optional[List[str]] = None) -> int:
    """Measure and print the tables.

    Args:
        argv: Arguments without the name of the program. Defaults to None:
            those of the process.

    Returns:
        0; 1 if anything could not be measured or the arguments are wrong;
        130 if interrupted.
    """
    args = _build_parser().parse_args(argv)
    _log_to_stderr()
    report: Dict[str, Any] = new_paper_report()
    code = 0
    try:
        for report in reproduce(_request(args)):
            if args.json:
                write_json(args.json, report)
        code = int(has_failures(report))
    except (OSError, ValueError) as error:
        sys.stderr.write(f'error: {" ".join(str(error).split())}\n')
        code = 1
    except KeyboardInterrupt:
        sys.stderr.write('interrupted: what was finished is shown\n')
        code = INTERRUPTED
    sys.stdout.write(render_paper_tables(report))
    return code


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Measure the paper's tables on the data sets that are "
        'there: input, tuned filters and networks, by two protocols.',
    )
    parser.add_argument(
        '--data-root',
        default='data',
        metavar='FOLDER',
        help='folder of the converted data sets. Default: %(default)s',
    )
    parser.add_argument(
        '--datasets',
        nargs='+',
        metavar='NAME',
        help=f'of {", ".join(CATALOG)}. Default: all that are there',
    )
    parser.add_argument(
        '--checkpoint',
        nargs=2,
        action='append',
        default=[],
        metavar=('CONFIG', 'CKPT'),
        help='a trained network, measured on the test data of its config; '
        'may be repeated',
    )
    parser.add_argument(
        '--refiner',
        action='append',
        default=[],
        metavar='DATASET=FILE',
        help='a portable refiner (.safetensors) for a data set; may be '
        'repeated',
    )
    parser.add_argument(
        '--smpl-model',
        metavar='FILE',
        help="the user's SMPL_*.npz or .pkl, for joints and vertices of the "
        'SMPL data sets; without it joints are those of a mean skeleton',
    )
    parser.add_argument(
        '--trust-pickle',
        action='store_true',
        help='unpickle the SMPL file, which runs any code that its author '
        'put there',
    )
    parser.add_argument('--device', default='cpu', help='default: cpu')
    parser.add_argument(
        '--json', metavar='OUT', help='file for the same figures, unrounded'
    )
    return parser


def _request(args: argparse.Namespace) -> PaperRequest:
    smpl_model = None
    if args.smpl_model:
        smpl_model = dict(
            type='SMPLBodyModel',
            model_path=args.smpl_model,
            trust_pickle=args.trust_pickle,
        )
    return PaperRequest(
        data_root=args.data_root,
        data_sets=args.datasets,
        checkpoints=args.checkpoint,
        refiners=args.refiner,
        smpl_model=smpl_model,
        device=args.device,
        progress=True,
    )


def _log_to_stderr() -> None:
    """Keep stdout for the tables; the tables of the metrics are not shown."""
    logger = MMLogger.get_instance('reproduce_tables')
    logger.setLevel('WARNING')
    for handler in logger.handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(sys.stderr)


if __name__ == '__main__':
    sys.exit(main())
