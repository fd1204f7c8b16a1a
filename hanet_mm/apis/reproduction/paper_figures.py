"""Figures that the paper reports, as printed there.

"Kinematic-aware Hierarchical Attention Network for Human Pose Estimation in
Videos", WACV 2023, Tables 1 to 5. Nothing here was measured with this code.
"""

from typing import Dict, NamedTuple, Optional, Tuple

_PCK = (
    *('PCK@0.2/Head', 'PCK@0.2/Sho', 'PCK@0.2/Elb', 'PCK@0.2/Wri'),
    *('PCK@0.2/Hip', 'PCK@0.2/Knee', 'PCK@0.2/Ank'),
    *('PCK@0.2', 'PCK@0.1', 'PCK@0.05'),
)
_MEANS = _PCK[7:]
_ERRORS = ('MPJPE', 'Accel')
_AP = (
    *('AP/Head', 'AP/Shoulder', 'AP/Elbow', 'AP/Wrist'),
    *('AP/Hip', 'AP/Knee', 'AP/Ankle', 'AP'),
)


class PaperRow(NamedTuple):
    """A row of a table of the paper.

    Attributes:
        method: As the paper calls it.
        metrics: Figures by the names of our metrics.
        interval: N, where the paper or the authors' config tells it.
        window: T, likewise.
        config: Stem of our config of that row.
        where: Table and row.
    """

    method: str
    metrics: Dict[str, float]
    interval: Optional[int] = None
    window: Optional[int] = None
    config: Optional[str] = None
    where: str = ''


def _row(
    method: str,
    names: Tuple[str, ...],
    figures: Tuple[float, ...],
    interval: Optional[int] = None,
    window: Optional[int] = None,
    config: Optional[str] = None,
    where: str = '',
) -> PaperRow:
    metrics = dict(zip(names, figures))
    return PaperRow(method, metrics, interval, window, config, where)


_JHMDB = 'hanet_simplebaseline-11frm_1xb16-70e_jhmdb'

PAPER_ROWS: Dict[str, Tuple[PaperRow, ...]] = {
    # Table 1
    'jhmdb': (
        _row(
            'DKD',
            _PCK,
            (98.3, 96.6, 90.4, 87.1, 99.1, 96.0, 92.9, 94.0),
        ),
        _row(
            'KFP (ResNet18)',
            _PCK,
            (94.7, 96.3, 95.2, 90.2, 96.4, 95.5, 93.2, 94.5),
        ),
        _row(
            'SimpleBaseline',
            _PCK,
            (97.5, 97.8, 91.1, 86.0, 99.6, 96.8, 92.6, 94.4, 81.3, 56.9),
        ),
        _row(
            'SimpleBaseline + DeciWatch',
            _PCK,
            (99.8, 99.5, 99.7, 99.7, 98.7, 99.4, 96.5, 98.8, 94.1, 79.4),
        ),
        _row(
            'SimpleBaseline + HANet',
            _PCK,
            (99.9, 99.7, 99.7, 99.7, 99.2, 99.9, 98.8, 99.6, 98.3, 91.9),
            interval=5,
            window=11,
            config=_JHMDB,
        ),
    ),
    # Table 2
    'h36m-fcn': (
        _row('FCN', _ERRORS, (54.6, 19.2)),
        _row('FCN + DeciWatch', _ERRORS, (52.8, 1.5), window=101),
        _row(
            'FCN + HANet',
            _ERRORS,
            (51.8, 2.0),
            interval=5,
            window=51,
            config='hanet_fcn-51frm_1xb96-70e_h36m',
        ),
        _row(
            'FCN + HANet',
            _ERRORS,
            (52.8, 1.4),
            interval=5,
            window=101,
            config='hanet_fcn-101frm_1xb96-70e_h36m',
        ),
    ),
    'h36m-mhformer': (
        _row('MHFormer', _ERRORS, (38.3, 0.8)),
        _row(
            'MHFormer + HANet',
            _ERRORS,
            (35.4, 0.8),
            interval=2,
            window=101,
            config='hanet_mhformer-101frm_1xb576-70e_h36m',
        ),
    ),
    'pw3d': (
        _row('PARE', _ERRORS, (78.9, 25.7)),
        _row('PARE + DeciWatch', _ERRORS, (77.2, 6.9), window=101),
        _row(
            'PARE + HANet',
            _ERRORS,
            (74.6, 8.0),
            interval=5,
            window=51,
            config='hanet_pare-51frm_1xb64-70e_pw3d',
        ),
        _row(
            'PARE + HANet',
            _ERRORS,
            (77.1, 6.8),
            interval=5,
            window=101,
            config='hanet_pare-101frm_1xb64-70e_pw3d',
        ),
    ),
    'aist': (
        _row('SPIN', _ERRORS, (107.7, 33.8)),
        _row('SPIN + DeciWatch', _ERRORS, (71.3, 5.7), window=101),
        _row(
            'SPIN + HANet',
            _ERRORS,
            (64.3, 6.4),
            interval=5,
            window=51,
            config='hanet_spin-51frm_1xb256-70e_aist',
        ),
        _row(
            'SPIN + HANet',
            _ERRORS,
            (69.2, 5.4),
            interval=5,
            window=101,
            config='hanet_spin-101frm_1xb256-70e_aist',
        ),
    ),
    # Table 3
    'posetrack17': (
        _row('HRNet', _AP, (82.1, 83.6, 80.4, 73.3, 75.5, 75.3, 68.5, 77.3)),
        _row(
            'PoseWarper', _AP, (81.4, 88.3, 83.9, 78.0, 82.4, 80.5, 73.6, 81.2)
        ),
        _row('DCPose', _AP, (88.0, 88.7, 84.1, 78.4, 83.0, 81.4, 74.2, 82.8)),
        _row(
            'DCPose + HANet',
            _AP,
            (90.0, 90.0, 85.0, 78.8, 83.1, 82.1, 77.1, 84.2),
            interval=1,
            window=5,
            config='hanet_dcpose-5frm_1xb16-70e_posetrack17',
        ),
    ),
    'posetrack18': (
        _row(
            'PoseWarper', _AP, (79.9, 86.3, 82.4, 77.5, 79.8, 78.8, 73.2, 79.7)
        ),
        _row('DCPose', _AP, (84.0, 86.6, 82.7, 78.0, 80.4, 79.3, 73.8, 80.9)),
        _row(
            'DCPose + HANet',
            _AP,
            (86.1, 88.5, 84.1, 78.7, 79.0, 80.3, 77.4, 82.3),
            interval=1,
            window=5,
            config='hanet_dcpose-5frm_1xb16-70e_posetrack18',
        ),
    ),
}


def _ablation(
    where: str, config: str, figures: Tuple[float, float, float]
) -> PaperRow:
    return _row(
        'SimpleBaseline + HANet',
        _MEANS,
        figures,
        interval=5,
        window=11,
        config=f'{_JHMDB}_{config}',
        where=where,
    )


# Shown beside a checkpoint of their config. The rows of these tables that
# are the whole network are that of Table 1.
ABLATION_ROWS: Tuple[PaperRow, ...] = (
    _ablation(
        'Table 4, row 1', 'constant-width-4levels-no-oml', (98.2, 95.9, 83.8)
    ),
    _ablation('Table 4, row 2', '4levels-no-oml', (99.2, 97.0, 86.1)),
    # The marks of rows 3 and 4 are hard to read in print; by the text
    # row 4 is that with L1.
    _ablation('Table 4, row 3', '4levels-oml-l2', (99.1, 96.3, 85.8)),
    _ablation('Table 4, row 4', '4levels-oml-l1', (99.3, 97.2, 86.7)),
    _ablation('Table 4, row 5', '4levels', (99.4, 97.3, 87.2)),
    _ablation('Table 4, row 7', '6levels', (99.5, 97.7, 90.2)),
    _ablation('Table 5, row 1', 'no-kinematics', (99.1, 96.3, 86.5)),
    _ablation('Table 5, row 2', 'flow', (99.4, 97.4, 88.4)),
    _ablation('Table 5, row 3', 'flow-velocity', (99.4, 97.6, 90.6)),
    _ablation(
        'Table 5, row 4', 'flow-velocity-acceleration', (99.5, 98.1, 91.5)
    ),
)
