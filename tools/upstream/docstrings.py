# Copyright (c) hanet_mm contributors. All rights reserved.
"""Docstrings as MMPose's docformatter leaves them.

Its rules (1.3.1, ``--wrap-descriptions 79``), as far as our docstrings meet
them: a summary of one sentence, an empty line, and a description that is
wrapped if it is a single plain paragraph.
"""

import ast
import re
import textwrap
from typing import Tuple

_WIDTH = 79
# Text with such a line is left as it is: lists, arguments, empty lines.
_LIST = re.compile(
    r'\s*$|\s*[0-9]\.|\s*[-*:=@]|.*\s[-*:=@]\s|\s*\S+[-*:=@]\s'
    r'|\s*\S+:\s*$|\s*\S+\s+--\s'
)
_LONGEST_WORD = 50
_NO_END = ('e.g.', 'i.e.')


def format_docstrings(text: str) -> str:
    """Format all docstrings of a module."""
    lines = text.splitlines(keepends=True)
    nodes = [
        node.body[0].value
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and ast.get_docstring(node) is not None
    ]
    for node in sorted(nodes, key=lambda x: -x.lineno):
        first, last = node.lineno - 1, node.end_lineno
        found = ''.join(lines[first:last])
        indent = ' ' * node.col_offset
        if found.strip().startswith('"""'):
            lines[first:last] = [_format(found.strip(), indent) + '\n']
    return ''.join(lines)


def _format(docstring: str, indent: str) -> str:
    contents = docstring[3:-3].strip()
    summary, description = _split(contents)
    if _is_list(summary):
        return indent + docstring
    if not description:
        return _wrap(f'"""{_one_line(summary)}"""', indent)
    summary = _wrap('"""' + _one_line(summary), indent)
    return f'{summary}\n\n{_paragraph(description, indent)}\n{indent}"""'


def _split(contents: str) -> Tuple[str, str]:
    """The summary, or the first sentence, and the rest."""
    summary, found, description = contents.partition('\n\n')
    if found:
        return summary, description
    for match in re.finditer(r'\S+(?=\s|$)', contents):
        word = match.group()
        if word.endswith(('.', '?', '!')) and not word.endswith(_NO_END):
            return contents[: match.end()], contents[match.end() :].strip()
    return contents, ''


def _paragraph(text: str, indent: str) -> str:
    """A description, wrapped if it is one plain paragraph."""
    first, _, rest = text.partition('\n')
    if not first.startswith(' '):  # the rest of a line
        text = f'{indent}{first}\n{rest}'
    text = textwrap.indent(textwrap.dedent(text), indent).rstrip()
    words = text.split()
    if _is_list(text) or any(len(x) > _LONGEST_WORD for x in words):
        return text
    return _wrap(textwrap.dedent(text), indent)


def _wrap(text: str, indent: str) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent=indent, subsequent_indent=indent
    )


def _is_list(text: str) -> bool:
    return any(map(_LIST.match, text.splitlines()))


def _one_line(text: str) -> str:
    return re.sub(r'\s*\n\s*', ' ', text)
