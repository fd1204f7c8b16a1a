# Copyright (c) hanet_mm contributors. All rights reserved.
"""Figures that the paper reports, as printed there.

"Kinematic-aware Hierarchical Attention Network for Human Pose Estimation in
Videos", WACV 2023, Tables 1 to 5. Nothing here was measured with this code.
"""

from typing import Dict, List, NamedTuple, Optional, Tuple

_PCK = (
    *('PCK@0.2/Head', 'PCK@0.2/Sho', 'PCK@0.2/Elb', 'PCK@0.2/Wri'),
    *('PCK@0.2/Hip', 'PCK@0.2/Knee', 'PCK@0.2/Ank'),
    *('PCK@0.2', 'PCK@0.1', 'PCK@0.05'),
)
_AP = (
    *('AP/Head', 'AP/Shoulder', 'AP/Elbow', 'AP/Wrist'),
    *('AP/Hip', 'AP/Knee', 'AP/Ankle', 'AP'),
)
# Metrics by the number of figures in a row; of 8, those of a data set.
_METRICS = {2: ('MPJPE', 'Accel'), 3: _PCK[7:], 10: _PCK}

# Figures of a method; below, where the paper or the authors' config tells
# them, N and T, and our config of that row.
_TABLES = """
[jhmdb]
DKD | 98.3 96.6 90.4 87.1 99.1 96.0 92.9 94.0
KFP (ResNet18) | 94.7 96.3 95.2 90.2 96.4 95.5 93.2 94.5
SimpleBaseline | 97.5 97.8 91.1 86.0 99.6 96.8 92.6 94.4 81.3 56.9
SimpleBaseline + DeciWatch | 99.8 99.5 99.7 99.7 98.7 99.4 96.5 98.8 94.1 79.4
SimpleBaseline + HANet | 99.9 99.7 99.7 99.7 99.2 99.9 98.8 99.6 98.3 91.9
    5 11 hanet_simplebaseline-11frm_1xb16-70e_jhmdb
[h36m-fcn]
FCN | 54.6 19.2
FCN + DeciWatch | 52.8 1.5
    - 101
FCN + HANet | 51.8 2.0
    5 51 hanet_fcn-51frm_1xb96-70e_h36m
FCN + HANet | 52.8 1.4
    5 101 hanet_fcn-101frm_1xb96-70e_h36m
[h36m-mhformer]
MHFormer | 38.3 0.8
MHFormer + HANet | 35.4 0.8
    2 101 hanet_mhformer-101frm_1xb576-70e_h36m
[pw3d]
PARE | 78.9 25.7
PARE + DeciWatch | 77.2 6.9
    - 101
PARE + HANet | 74.6 8.0
    5 51 hanet_pare-51frm_1xb64-70e_pw3d
PARE + HANet | 77.1 6.8
    5 101 hanet_pare-101frm_1xb64-70e_pw3d
[aist]
SPIN | 107.7 33.8
SPIN + DeciWatch | 71.3 5.7
    - 101
SPIN + HANet | 64.3 6.4
    5 51 hanet_spin-51frm_1xb256-70e_aist
SPIN + HANet | 69.2 5.4
    5 101 hanet_spin-101frm_1xb256-70e_aist
[posetrack17]
HRNet | 82.1 83.6 80.4 73.3 75.5 75.3 68.5 77.3
PoseWarper | 81.4 88.3 83.9 78.0 82.4 80.5 73.6 81.2
DCPose | 88.0 88.7 84.1 78.4 83.0 81.4 74.2 82.8
DCPose + HANet | 90.0 90.0 85.0 78.8 83.1 82.1 77.1 84.2
    1 5 hanet_dcpose-5frm_1xb16-70e_posetrack17
[posetrack18]
PoseWarper | 79.9 86.3 82.4 77.5 79.8 78.8 73.2 79.7
DCPose | 84.0 86.6 82.7 78.0 80.4 79.3 73.8 80.9
DCPose + HANet | 86.1 88.5 84.1 78.7 79.0 80.3 77.4 82.3
    1 5 hanet_dcpose-5frm_1xb16-70e_posetrack18
"""

# Shown beside a checkpoint of their config. The rows of these tables that
# are the whole network are that of Table 1. The marks of rows 3 and 4 are
# hard to read in print; by the text row 4 is that with L1.
_ABLATIONS = """
Table 4, row 1 | 98.2 95.9 83.8 | constant-width-4levels-no-oml
Table 4, row 2 | 99.2 97.0 86.1 | 4levels-no-oml
Table 4, row 3 | 99.1 96.3 85.8 | 4levels-oml-l2
Table 4, row 4 | 99.3 97.2 86.7 | 4levels-oml-l1
Table 4, row 5 | 99.4 97.3 87.2 | 4levels
Table 4, row 7 | 99.5 97.7 90.2 | 6levels
Table 5, row 1 | 99.1 96.3 86.5 | no-kinematics
Table 5, row 2 | 99.4 97.4 88.4 | flow
Table 5, row 3 | 99.4 97.6 90.6 | flow-velocity
Table 5, row 4 | 99.5 98.1 91.5 | flow-velocity-acceleration
"""


class PaperRow(NamedTuple):
    """A row of a table of the paper: figures by the names of our metrics; N, T
    and the stem of our config of that row where they are known; table and row
    for ablations.
    """

    method: str
    metrics: Dict[str, float]
    interval: Optional[int] = None
    window: Optional[int] = None
    config: Optional[str] = None
    where: str = ''


def _figures(text: str, data_set: str = 'jhmdb') -> Dict[str, float]:
    values = [float(x) for x in text.split()]
    eight = _AP if data_set.startswith('posetrack') else _PCK[:8]
    return dict(zip(_METRICS.get(len(values), eight), values))


def _read_tables(text: str) -> Dict[str, Tuple[PaperRow, ...]]:
    tables: Dict[str, List[PaperRow]] = {}
    rows: List[PaperRow] = []
    for line in text.strip().splitlines():
        if line.startswith('['):
            name = line.strip('[]')
            rows = tables.setdefault(name, [])
        elif line.startswith(' '):
            interval, window, *config = line.split()
            rows[-1] = rows[-1]._replace(
                interval=None if interval == '-' else int(interval),
                window=int(window),
                config=config[0] if config else None,
            )
        else:
            method, figures = line.split(' | ')
            rows.append(PaperRow(method, _figures(figures, name)))
    return {name: tuple(found) for name, found in tables.items()}


def _read_ablation(line: str) -> PaperRow:
    where, figures, config = line.split(' | ')
    whole = PAPER_ROWS['jhmdb'][-1]
    return whole._replace(
        metrics=_figures(figures),
        config=f'{whole.config}_{config}',
        where=where,
    )


PAPER_ROWS = _read_tables(_TABLES)
ABLATION_ROWS = tuple(map(_read_ablation, _ABLATIONS.strip().splitlines()))
