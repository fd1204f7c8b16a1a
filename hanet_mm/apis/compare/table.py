# Copyright (c) hanet_mm contributors. All rights reserved.
"""The figures of a comparison, as a table and as JSON."""

import json
import math
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence

# What stands where a figure is not known.
_UNKNOWN = '-'


@dataclass
class Row:
    """One measure.

    Attributes:
        key: In JSON.
        label: In the table.
        unit: Of the figures.
        after: Figure after, or of both together.
        before: Figure before; None where the measure is of both together.
        note: What else there is to say.
        relative: Whether the change is of interest as a part of the figure.
    """

    key: str
    label: str
    unit: str
    after: float
    before: Optional[float] = None
    note: str = ''
    relative: bool = True

    @property
    def change(self) -> Optional[float]:
        """By how much it changed in percent; None where that is unknown."""
        if not self.relative or self.before is None or not self.before > 0:
            return None
        change = 100 * (self.after / self.before - 1)
        return change if math.isfinite(change) else None

    def to_dict(self) -> Dict[str, Any]:
        """For JSON; figures that are not known are None."""
        figures = dict(before=self.before, after=self.after)
        if self.before is None:
            figures = dict(value=self.after)
        figures = {
            key: value if math.isfinite(value) else None
            for key, value in figures.items()
        }
        note = dict(note=self.note) if self.note else {}
        return {'unit': self.unit, **figures, **note}


def format_json(about: Dict[str, Any], rows: Sequence[Row]) -> str:
    """What was compared and a key for each measure, as JSON."""
    content = {**about, **{row.key: row.to_dict() for row in rows}}
    return json.dumps(content, indent=2, allow_nan=False)


def format_table(heading: Sequence[str], rows: Sequence[Row]) -> str:
    """The measures in columns, below lines of heading."""
    lines = [('', 'before', 'after', 'change', '')]
    for row in rows:
        change = '' if row.change is None else f'{row.change:+.1f} %'
        before = '' if row.before is None else _format(row.before)
        label = f'{row.label} ({row.unit})' if row.unit else row.label
        lines.append((label, before, _format(row.after), change, row.note))
    widths = [max(len(line[i]) for line in lines) for i in range(4)]
    table: List[str] = []
    for label, *figures, note in lines:
        cells = [x.rjust(width) for x, width in zip(figures, widths[1:])]
        text = '  '.join([label.ljust(widths[0]), *cells, note])
        table.append(text.rstrip())
    return '\n'.join([*heading, '', *table])


def _format(value: float) -> str:
    """Four significant digits or two after the point, and no -0.00."""
    if not math.isfinite(value):
        return _UNKNOWN
    if float(value).is_integer():
        return f'{value:.0f}' if value else '0'
    digits = 2
    if 0 < abs(value) < 1:
        digits = min(8, 2 - math.floor(math.log10(abs(value))))
    text = f'{value:.{digits}f}'
    return text if float(text) else '0'
