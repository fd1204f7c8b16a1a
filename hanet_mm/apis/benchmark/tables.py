# Copyright (c) hanet_mm contributors. All rights reserved.
"""The report as Markdown, and the verdict on each refiner in words."""

from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

# Heading, figure and digits after the point; None: four significant.
_COLUMNS: Tuple[Tuple[str, str, Optional[int]], ...] = (
    ('mean error', 'mean_error', None),
    ('95 % below', 'error_95', None),
    ('PCK@0.2', 'pck_0.2', 1),
    ('@0.1', 'pck_0.1', 1),
    ('@0.05', 'pck_0.05', 1),
    ('mean %', 'box_error', 2),
    ('95 % below %', 'box_error_95', 2),
    ('worse %', 'worse', 1),
    ('better %', 'better', 1),
    ('PA-MPJPE', 'pa_mpjpe', None),
    ('Accel', 'accel_error', None),
    ('lag', 'lag', 2),
    ('motion %', 'motion_kept', 1),
)


def render_tables(report: Dict[str, Any]) -> str:
    """All tables of a report, with what a reader has to know of them; of
    several files the average and an overview.
    """
    files = report.get('files', {})
    parts = [_files_heading(report) if files else _heading(report)]
    if files and report['tables']:
        parts.append(_overview(report))
    for table in report['tables']:
        parts.append(f'## Of {table["title"]}\n')
        parts.append(_main_table(table['rows'], table['verdicts']))
        parts += [
            f'- **{x["refiner"]}** {x["text"]}.' for x in table['verdicts']
        ]
        parts.append('')
    for name, curve in report['curves'].items():
        parts.append(
            f'## {name}: {curve["axis"]}\n\n{curve["note"]} Of '
            f'{curve["keypoints"]} keypoints.\n'
        )
        for key, title in (
            ('mean_error', 'Mean error'),
            ('accel_error', 'Accel'),
        ):
            parts.append(f'{title}:\n\n{_curve_table(curve["points"], key)}')
    for entry in report['left_out']:
        parts.append(f'{entry["curve"]}: left out, {entry["reason"]}.\n')
    return '\n'.join(parts).rstrip() + '\n'


def point_label(point: Dict[str, Any]) -> str:
    """A point of a curve on its axis."""
    label = 'full' if point['value'] is None else f'{point["value"]:g}'
    if point['note'] and point['value'] is not None:
        label += f' ({point["note"]})'
    return label


def _files_heading(report: Dict[str, Any]) -> str:
    lines = [f'# Average of {len(report["files"])} files', '']
    for name, part in report['files'].items():
        data, tuned = part['data'], part['tuned_on']
        by = f' by {data["estimator"]}' if data['estimator'] else ''
        tuned = f'tuned on {tuned["file"]}' if tuned else 'NOT tuned'
        lines.append(
            f'- {name}: {data["sequences"]} sequences, {data["frames"]} '
            f'frames{by}; filters {tuned}'
        )
    lines += ['', 'Every file counts the same.']
    if not report['complete']:
        lines.append('**Not complete: more was asked for.**')
    return '\n'.join([*lines, ''])


def _overview(report: Dict[str, Any]) -> str:
    """The mean error of each file, with the frames made worse in 2D."""
    title = report['tables'][0]['title']
    tables = [
        next(x for x in part['tables'] if x['title'] == title)['rows']
        for part in report['files'].values()
    ]
    tables.append(report['tables'][0]['rows'])
    is_flat = 'box_error' in tables[-1][0]
    heading = 'Mean error by file'
    if is_flat:
        heading = 'Mean error in % of the box (% of the frames made worse)'
    lines = []
    for row in tables[-1]:
        cells = [row['method']]
        for rows in tables:
            (found,) = [x for x in rows if x['method'] == row['method']]
            if not is_flat:
                cells.append(_number(found['mean_error'], None))
                continue
            error, worse = (found[x] for x in ('box_error', 'worse'))
            cells.append(f'{_number(error, 2)} ({_number(worse, 1)})')
        lines.append(cells)
    table = markdown_table(['method', *report['files'], 'average'], lines)
    return f'## {heading}\n\n{table}'


def _heading(report: Dict[str, Any]) -> str:
    data, tuned = report['data'], report['tuned_on']
    about = [data['dataset'], data['estimator'] and f'by {data["estimator"]}']
    pck = ''
    if data['boxes']:
        pck = (
            f'PCK in percent of {data["boxes"]}, mean % and 95 % below % '
            'errors in percent of its larger side; worse and better: frames '
            'that differ from the input by more than 2 % of it.'
        )
    lines = [
        f'# {data["file"]}',
        '',
        f'{data["sequences"]} sequences, {data["frames"]} frames, '
        f'{data["keypoints"]} keypoints, {data["missing_percent"]:.2g} % '
        f'missing. {" ".join(x for x in about if x)}'.rstrip(),
        f'Errors in {data["unit"]}, Accel in {data["unit"]}/frame^2, lag in '
        f'frames (above 0: late), motion % the range of motion beside that '
        f'of the truth. {pck}'.rstrip(),
        'Filters tuned for the least mean error on '
        f'{tuned["file"]} ({tuned["frames"]} frames).'
        if tuned
        else 'Filters with their usual settings, NOT tuned: no training data '
        'were given.',
        *['Scores ignored: they only mark missing keypoints.']
        * data['ignore_scores'],
        'Keypoints that a refiner does not know, in the first table: '
        f'{report["others"]}. Curves are of those that all refiners refine.',
    ]
    if not report['complete']:
        lines.append('**Not complete: more was asked for.**')
    for entry in report['refiners']:
        lines.append(f'- {entry["name"]}: {entry["refiner"]}')
        if entry['keypoints']:
            lines[-1] += f'; {entry["keypoints"]}'
    return '\n'.join([*lines, ''])


def _main_table(
    rows: Sequence[Dict[str, Any]], verdicts: Sequence[Dict[str, Any]]
) -> str:
    passes = {x['refiner']: x['passes'] for x in verdicts}
    columns = [x for x in _COLUMNS if x[1] in rows[0]]
    has_holes = any(row['empty'] for row in rows)
    headings = ['method', *[x[0] for x in columns], 's', '']
    lines = []
    for row in rows:
        name = row['method']
        mark = ''
        if row['kind'] == 'refiner':
            mark = 'better than all' if passes[name] else 'NOT good enough'
            name = f'**{name}**'
        elif row['settings']:
            name += f' ({row["settings"]})'
        if has_holes and row['empty']:
            mark += f' ({row["empty"]} keypoints left empty)'
        cells = [_number(row[key], digits) for _, key, digits in columns]
        lines.append([name, *cells, f'{row["seconds"]:.2f}', mark.strip()])
    return markdown_table(headings, lines)


def _curve_table(points: Sequence[Dict[str, Any]], key: str) -> str:
    names: List[str] = []
    for point in points:
        names += [
            row['method']
            for row in point['rows']
            if row['method'] not in names
        ]
    found = [{x['method']: x[key] for x in p['rows']} for p in points]
    lines = [
        [name, *[_number(values.get(name), None) for values in found]]
        for name in names
    ]
    return markdown_table(['method', *map(point_label, points)], lines)


def markdown_table(
    headings: Sequence[str], lines: Sequence[Sequence[str]]
) -> str:
    """A Markdown table, the first column to the left."""
    rule = ['---', *['---:'] * (len(headings) - 1)]
    rows = [headings, rule, *lines]
    return '\n'.join(f'| {" | ".join(row)} |' for row in rows) + '\n'


def _number(value: Optional[float], digits: Optional[int]) -> str:
    if value is None:
        return '-'
    if digits is None:
        return f'{value:.4g}'
    # No -0.00.
    return f'{round(value, digits) + 0.0:.{digits}f}'


# Of the smoothest filter's acceleration error.
ACCEL_LIMIT = 1.3
# Frames; below it nobody sees a lag.
LAG_LIMIT = 0.5
# Figure, what to call it, and whether more of it is better.
_AIMS: Tuple[Tuple[str, str, bool], ...] = (
    ('mean_error', 'mean error', False),
    ('error_95', '95th percentile', False),
    ('pck_0.05', 'PCK@0.05', True),
)
Row = Mapping[str, Any]


def judge(rows: Sequence[Row]) -> List[Dict[str, Any]]:
    """Compare each refiner with the input and every filter: it has to be
    better than all in mean error, 95th percentile and PCK@0.05, within 1.3
    times the acceleration error of the smoothest filter, and known to be at
    most half a frame late or early.
    """
    rivals = [row for row in rows if row['kind'] != 'refiner']
    results = []
    for row in rows:
        if row['kind'] != 'refiner':
            continue
        faults = [*_not_better(row, rivals), *_not_smooth(row, rivals)]
        results.append(
            dict(
                refiner=row['method'],
                passes=not faults,
                text='; '.join(faults) or _praise(row),
            )
        )
    return results


def _praise(row: Row) -> str:
    aims = [title for key, title, _ in _AIMS if row.get(key) is not None]
    return (
        f'beats the input and every filter on {", ".join(aims)}; smooth and '
        'without lag'
    )


def _not_better(row: Row, rivals: Sequence[Row]) -> List[str]:
    faults = []
    for key, title, more in _AIMS:
        value = row.get(key)
        known = [x for x in rivals if x.get(key) is not None]
        if value is None or not known:
            continue
        sign = 1 if more else -1
        winners = [x for x in known if sign * x[key] >= sign * value]
        if winners:
            best = max(winners, key=lambda x: sign * x[key])
            faults.append(
                f'does NOT beat {best["method"]} on {title}: {value:.4g} '
                f'against {best[key]:.4g}'
            )
    return faults


def _not_smooth(row: Row, rivals: Sequence[Row]) -> List[str]:
    faults = []
    value = row.get('accel_error')
    filters = [
        x
        for x in rivals
        if x['kind'] == 'filter' and x.get('accel_error') is not None
    ]
    if value is not None and filters:
        best = min(filters, key=lambda x: x['accel_error'])
        least = best['accel_error']
        if value > ACCEL_LIMIT * least:
            faults.append(
                f'Accel {value:.4g} is MORE than {ACCEL_LIMIT:g} times that '
                f'of the smoothest filter ({best["method"]}, {least:.4g})'
            )
    lag = row.get('lag')
    if lag is None:
        faults.append('its LAG is unknown')
    elif abs(lag) > LAG_LIMIT:
        faults.append(f'has a LAG of {lag:.2f} frames')
    return faults
