# Copyright (c) hanet_mm contributors. All rights reserved.
"""Markdown pages with places for tables."""

import re
from typing import Mapping


def fill_page(text: str, tables: Mapping[str, str]) -> str:
    """Put tables where a page has a place for them.

    A place is between ``<!-- table: NAME -->`` and ``<!-- end -->``; those of
    other names stay as they are.
    """

    def fill(match: 're.Match[str]') -> str:
        name = match.group(2)
        if name not in tables:
            return match.group(0)
        return f'{match.group(1)}\n{tables[name].rstrip()}\n{match.group(3)}'

    places = r'(<!-- table: (\S+) -->)\n.*?(<!-- end -->)'
    return re.sub(places, fill, text, flags=re.DOTALL)
