"""Tables and their columns."""

from typing import Dict, NamedTuple, Tuple


class Table(NamedTuple):
    """A table of the report.

    Attributes:
        title: Its heading.
        columns: Heading and metric of each column of figures.
        notes: What a reader has to know, sentences.
    """

    title: str
    columns: Tuple[Tuple[str, str], ...]
    notes: Tuple[str, ...] = ()


_ERRORS = (
    ('MPJPE', 'MPJPE'),
    ('PA-MPJPE', 'PA-MPJPE'),
    ('Accel', 'Accel'),
)
_BODY = (
    *_ERRORS[:2],
    ('MPVPE', 'MPVPE'),
    *_ERRORS[2:],
    ('MPJAE', 'MPJAE'),
)
_IN_MM = 'MPJPE and PA-MPJPE in mm, Accel in mm/frame^2.'
_BODY_UNITS = 'MPVPE in mm, MPJAE in degrees.'

TABLES: Dict[str, Table] = {
    'table1': Table(
        'Table 1: 2D poses',
        (
            *(
                (heading, f'PCK@0.2/{heading.rstrip(".")}')
                for heading in 'Head Sho. Elb. Wri. Hip Knee Ank.'.split()
            ),
            ('Avg.', 'PCK@0.2'),
            ('@0.1', 'PCK@0.1'),
            ('@0.05', 'PCK@0.05'),
            ('Accel', 'Accel'),
        ),
        (
            'PCK in percent of the larger side of the true box, @0.2 where '
            'nothing else is said; Avg. is the mean over all keypoints, '
            'those without a column too. Accel in px/frame^2.',
        ),
    ),
    'table2': Table(
        'Table 2: 3D poses',
        _ERRORS,
        (f'{_IN_MM} Prediction and truth each relative to its own root.',),
    ),
    'smpl': Table(
        'Body mesh (SMPL)',
        _BODY,
        (
            f'{_IN_MM} {_BODY_UNITS} The paper has one row '
            'for each of these data sets, shown with the 3D poses: it does '
            'not tell joints from rotations.',
        ),
    ),
    'table3': Table(
        'Table 3: sparsely annotated poses of several people',
        (
            *(
                (heading, f'AP/{heading}')
                for heading in (
                    *('Head', 'Shoulder', 'Elbow', 'Wrist'),
                    *('Hip', 'Knee', 'Ankle'),
                )
            ),
            ('Mean', 'AP'),
        ),
        (
            'Average precision in percent. Frames without annotation are '
            'read, not scored; where the published protocol refines no '
            'frame, the estimate counts.',
        ),
    ),
    'cmu': Table(
        'Captured motion with a simulated 3D estimator (not in the paper)',
        _ERRORS,
        (f'{_IN_MM} Prediction and truth each relative to its own root.',),
    ),
    'cmu-smpl': Table(
        'Rotations of captured motion with a simulated estimator (not in the '
        'paper)',
        _BODY,
        (f'{_IN_MM} {_BODY_UNITS}',),
    ),
}
