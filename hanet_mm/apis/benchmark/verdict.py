# Copyright (c) hanet_mm contributors. All rights reserved.
"""Whether a refiner is worth its name, in words."""

from typing import Any, Dict, List, Mapping, Sequence, Tuple

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
    """Compare each refiner with the input and every filter.

    A refiner has to be better than all of them in mean error, 95th
    percentile and PCK@0.05, within 1.3 times the acceleration error of the
    smoothest filter, and known to be at most half a frame late or early.
    Of each refiner come ``refiner`` (its name), ``passes`` and ``text``.
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
