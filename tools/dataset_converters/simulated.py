# Copyright (c) hanet_mm contributors. All rights reserved.
"""Write simulated people and estimators as a file, to measure refiners on.

python tools/dataset_converters/simulated.py \\
    configs/hanet/portable/hanet-plus_simulated-49frm_1xb64-9k_coco17-2d.py \\
    data/simulated/coco17_test.npz --split test
python tools/dataset_converters/simulated.py \\
    configs/hanet/portable/hanet-plus_simulated-49frm_1xb64-6k_h36m17-3d.py \\
    data/simulated/h36m17_60fps.npz --noise real-lifter --fps 60
"""

from typing import Any, Dict, List, Optional

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np
    from common import make_parser, run, save
    from mmengine.config import Config

    from hanet_mm.core.data.files import PathLike
    from hanet_mm.core.data.sequences import PoseSequences
    from hanet_mm.datasets import (
        CmuMocapSequenceDataset,
        SimulatedPoseSequenceDataset,
    )
    from hanet_mm.datasets.simulation import NOISE_PRESETS
    from hanet_mm.progress import track


def simulate(dataset: Dict[str, Any]) -> PoseSequences:
    """Take the windows of a data set of simulated people as sequences.

    ``dataset``: arguments of :class:`SimulatedPoseSequenceDataset`, but for
    the pipeline.
    """
    source = SimulatedPoseSequenceDataset(**dataset)
    source.full_init()
    infos = [
        source.get_data_info(index)
        for index in track(range(len(source)), 'simulating')
    ]

    def flat(key: str) -> np.ndarray:
        return np.concatenate([info[key] for info in infos])

    missing = ~flat('keypoints_valid')[..., None]
    optional = {}
    if 'bboxes' in infos[0]:
        optional = dict(
            bboxes=flat('bboxes'),
            image_size=np.stack([info['image_size'] for info in infos]),
        )
    return PoseSequences(
        keypoints_est=np.where(missing, np.nan, flat('keypoints')),
        scores=flat('keypoint_scores'),
        seq_len=[len(info['keypoints']) for info in infos],
        seq_name=[info['seq_name'] for info in infos],
        keypoints_gt=flat('keypoints_gt'),
        visible=flat('keypoints_visible'),
        fps=[info['fps'] for info in infos],
        meta=dict(
            dataset='simulated',
            estimator='simulated',
            units='px' if optional else 'm',
            keypoint_names=list(infos[0]['keypoint_names']),
        ),
        **optional,
    )


def convert(
    config: PathLike,
    out: PathLike,
    split: str,
    fps: Optional[float] = None,
    recordings: bool = False,
    **changes: Any,
) -> List[str]:
    """Simulate the data set of a config, with changes that are not None."""
    loader = Config.fromfile(config)[f'{split}_dataloader']
    given = {key: x for key, x in changes.items() if x is not None}
    options = {**loader.dataset, **given}
    # Windows are written as the estimator leaves them.
    for key in ('type', 'pipeline', 'chunk_pipeline', 'test_mode'):
        options.pop(key, None)
    if fps is not None:
        options['fps_range'] = (fps, fps)
    if not recordings:
        return [save(out, simulate(options))]
    kept = ('ann_file', 'skeleton', 'part', 'noise', 'seed')
    source = CmuMocapSequenceDataset(
        **{key: options[key] for key in kept if key in options},
        lazy_init=True,
    )
    return [save(out, source.load_sequences(source.ann_file))]


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = make_parser(__doc__)
    parser.add_argument('config', help='with SimulatedPoseSequenceDataset')
    parser.add_argument('out', help='the .npz to write')
    parser.add_argument(
        '--split', default='test', choices=('train', 'val', 'test')
    )
    # In place of what the config says.
    parser.add_argument('--ann-file', help='file of captured motion')
    parser.add_argument('--part', help='recordings: train, val or test')
    parser.add_argument('--num-windows', type=int, help='sequences')
    parser.add_argument('--window-size', type=int, help='frames of each')
    parser.add_argument(
        '--noise', choices=tuple(NOISE_PRESETS), help='errors of estimators'
    )
    parser.add_argument('--fps', type=float, help='frame rate of all')
    parser.add_argument('--seed', type=int)
    parser.add_argument(
        '--recordings',
        action='store_true',
        help='captured 3D motion from beginning to end, at its own rate, in '
        'place of windows',
    )
    run(convert, parser)


if __name__ == '__main__':
    main()
