# Copyright (c) hanet_mm contributors. All rights reserved.
"""Texts of our modules and tests as MMPose's linters want them.

Imports in the order of isort with MMPose's ``setup.cfg``, code as yapf formats
it with that file, and MMPose's copyright line.
"""

import ast
import io
import re
import tokenize
from typing import Dict, Iterable, List, Set, Tuple

from docstrings import format_docstrings
from sources import PACKAGE, Closure, Module, imported, read_module
from yapf.yapflib.yapf_api import FormatCode

HEADER = '# Copyright (c) OpenMMLab. All rights reserved.\n'
TARGET = 'projects.hanet.hanet'
# [yapf] of MMPose's setup.cfg.
_YAPF = (
    '{based_on_style: pep8, blank_line_before_nested_class_or_def: true, '
    'split_before_expression_after_opening_paren: true, '
    'split_penalty_import_names: 0, '
    'split_penalty_after_opening_bracket: 800}'
)
_WIDTH = 79
_THIRD_PARTY = {'mmcv', 'mmengine', 'numpy', 'pytest', 'scipy', 'torch'}
_FIRST_PARTY = {'mmpose', 'projects'}
_LOCAL = 3
# Modules and names that are imported from them, as `name` or `name as other`.
Imports = Dict[str, Set[str]]


def write_module(closure: Closure, name: str) -> str:
    """Text of a module with what is needed of it."""
    module = closure.sources.module(name)
    statements = closure.statements(name)
    texts = [
        _rewrite_imports(x.text, module, closure, relative=True)
        for x in statements
    ]
    names = set().union(*(x.uses for x in statements), {'TYPE_CHECKING'})
    plain, members = collect_imports(module, names, closure, relative=True)
    return assemble(closure, module.docstring, plain, members, texts)


def write_package(
    closure: Closure, name: str, exports: Iterable[Tuple[str, str]]
) -> str:
    """Text of ``__init__.py`` that exports names of modules below."""
    members: Imports = {}
    for module, exported in exports:
        members.setdefault(module[len(name) :], set()).add(exported)
    names = sorted(set().union(*members.values())) if members else []
    listed = [f'\n\n__all__ = {names}\n'] if names else []
    docstring = closure.sources.module(name).docstring
    return assemble(closure, docstring, set(), members, listed)


def assemble(
    closure: Closure,
    docstring: str,
    plain: Set[str],
    members: Imports,
    texts: List[str],
) -> str:
    """Join the parts of a module and format them."""
    code = ''.join(texts).strip('\n')
    parts = [docstring, write_imports(plain, members), code and f'\n{code}\n']
    text = HEADER + '\n'.join(x for x in parts if x) + '\n'
    return format_code(format_docstrings(plain_references(text, closure)))


def collect_imports(
    module: Module, names: Set[str], closure: Closure, relative: bool
) -> Tuple[Set[str], Imports]:
    """Imports at the top of a module that bind some names."""
    plain: Set[str] = set()
    members: Imports = {}
    for statement in module.statements:
        node = statement.node
        if isinstance(node, ast.Import):
            for alias in node.names:
                # `import a.b` for what it registers is kept, too.
                bound = alias.asname or alias.name.split('.')[0]
                if bound in names:
                    plain.add(_as(alias))
        elif isinstance(node, ast.ImportFrom):
            for base, alias in imported(module, node):
                if (alias.asname or alias.name) not in names:
                    continue
                place = _target(base, alias, module, closure, relative)
                members.setdefault(place, set()).add(_as(alias))
    return plain, members


def write_imports(plain: Set[str], members: Imports) -> str:
    """Import statements, sorted and wrapped as isort does."""
    sections: Dict[int, List[str]] = {}
    for name in sorted(plain, key=str.lower):
        sections.setdefault(_section(name), []).append(f'import {name}\n')
    for module in sorted(members, key=_module_key):
        lines = sections.setdefault(_section(module), [])
        lines += _from_lines(module, members[module])
    text = ''
    for number in sorted(sections):
        # no_lines_before = STDLIB,LOCALFOLDER: only right behind MMPose's.
        together = number == _LOCAL and _LOCAL - 1 in sections
        text += '\n' if text and not together else ''
        text += ''.join(sections[number])
    return text


def format_code(text: str) -> str:
    """Format code as yapf with MMPose's settings.

    Raises:
        ValueError: If that would change what the code means.
    """
    formatted, _ = FormatCode(without_last_commas(text), style_config=_YAPF)
    if ast.dump(ast.parse(formatted)) != ast.dump(ast.parse(text)):
        raise ValueError('formatting changed the code')
    return formatted


def without_last_commas(text: str) -> str:
    """Leave out commas after the last item, at which yapf splits lines."""
    tokens = [
        x
        for x in tokenize.generate_tokens(io.StringIO(text).readline)
        if x.type not in (tokenize.NL, tokenize.COMMENT)
    ]
    lines = text.splitlines(keepends=True)
    # Of each open bracket: whether a comma makes a tuple of it; its commas.
    depths: List[List[int]] = []
    drop = []
    for before, token, after in zip([tokens[0], *tokens], tokens, tokens[1:]):
        if token.type != tokenize.OP:
            continue
        if token.string in '([{':
            is_call = before.type == tokenize.NAME and (
                before.string not in _KEYWORDS
            )
            is_call |= before.string in (')', ']')
            is_tuple = is_call if token.string == '[' else not is_call
            depths.append([is_tuple and token.string != '{', 0])
        elif token.string in ')]}':
            depths.pop()
        elif token.string == ',' and depths:
            depths[-1][1] += 1
            is_tuple, count = depths[-1]
            if after.string in (')', ']', '}') and not (
                is_tuple and count == 1
            ):
                drop.append(token.start)
    for row, column in reversed(drop):
        line = lines[row - 1]
        lines[row - 1] = line[:column] + line[column + 1 :]
    return ''.join(lines)


_KEYWORDS = {'in', 'is', 'and', 'or', 'not', 'return', 'yield', 'if', 'else'}


def plain_references(text: str, closure: Closure) -> str:
    """Cross-references by their last name; none to what is not there."""
    known = set().union(*closure.names.values())
    known |= {name.rpartition('.')[2] for name in closure.names}

    def write(match: 're.Match[str]') -> str:
        role, target = match.groups()
        parts = re.sub(r'\s', '', target).split('.')
        if parts[0] == f'~{PACKAGE}' or parts[0] == PACKAGE:
            parts = parts[-1:]
        elif len(parts) > 1 and parts[0] not in known:
            return match.group()  # of another package
        name = '.'.join(parts)
        return f'{role}`{name}`' if parts[0] in known else f'``{name}``'

    return re.sub(r'(:\w+:)`([^`]+)`', write, text)


def _target(
    base: str,
    alias: ast.alias,
    module: Module,
    closure: Closure,
    relative: bool,
) -> str:
    """The module to import from, as the tree has it."""
    if not base.startswith(PACKAGE):
        return base
    base, _ = closure.sources.resolve((base, alias.name))
    if not relative:
        return TARGET + base[len(PACKAGE) :]
    own = module.name.split('.')[: None if module.is_package else -1]
    parts = base.split('.')
    common = 0
    while own[common : common + 1] == parts[common : common + 1] != []:
        common += 1
    dots = '.' * (len(own) - common + 1)
    return dots + '.'.join(parts[common:])


def _rewrite_imports(
    text: str, module: Module, closure: Closure, relative: bool
) -> str:
    """Rewrite imports of ours inside functions."""
    found = read_module(module.name, text, module.is_package).statements
    nodes = [
        child
        for statement in found
        for child in ast.walk(statement.node)
        if isinstance(child, ast.ImportFrom)
    ]
    lines = text.splitlines(keepends=True)
    for node in sorted(nodes, key=lambda x: -x.lineno):
        members: Imports = {}
        for base, alias in imported(module, node):
            place = _target(base, alias, module, closure, relative)
            members.setdefault(place, set()).add(_as(alias))
        indent = ' ' * node.col_offset
        new = write_imports(set(), members).splitlines(keepends=True)
        lines[node.lineno - 1 : node.end_lineno] = [indent + x for x in new]
    return ''.join(lines)


def _as(alias: ast.alias) -> str:
    return f'{alias.name} as {alias.asname}' if alias.asname else alias.name


def _section(module: str) -> int:
    """Standard library, third party, MMPose, and the tree itself."""
    if module.startswith('.'):
        return _LOCAL
    top = module.split('.')[0].split(' ')[0]
    return 1 if top in _THIRD_PARTY else 2 if top in _FIRST_PARTY else 0


def _module_key(module: str) -> Tuple[int, str]:
    dots = len(module) - len(module.lstrip('.'))
    return -dots, module.lower()


def _name_key(name: str) -> Tuple[int, str]:
    """Constants, classes, functions, each in the order of the alphabet."""
    kind = 0 if name.isupper() and len(name) > 1 else 1
    return (kind if name[0].isupper() else 2), name.lower()


def _from_lines(module: str, names: Set[str]) -> List[str]:
    lines = []
    together = sorted((x for x in names if ' ' not in x), key=_name_key)
    if together:
        line = f'from {module} import {", ".join(together)}'
        if len(line) > _WIDTH and len(together) == 1:
            line = f'from {module} import \\\n    {together[0]}'
        elif len(line) > _WIDTH:
            line = _grid(f'from {module} import (', together)
        lines.append(f'{line}\n')
    alone = sorted(x for x in names if ' ' in x)
    return lines + [f'from {module} import {x}\n' for x in alone]


def _grid(start: str, names: List[str]) -> str:
    """Names in lines under each other (isort's multi_line_output 0)."""
    text, line = '', start + names[0]
    for name in names[1:]:
        if len(f'{line}, {name}') + 1 > _WIDTH:
            text += f'{line},\n'
            line = ' ' * len(start) + name
        else:
            line += f', {name}'
    return f'{text}{line})'


def without_statements(text: str, nodes: Iterable[ast.stmt]) -> str:
    """Leave out statements of a block, with their decorators."""
    lines = text.splitlines(keepends=True)
    for node in sorted(nodes, key=lambda x: -x.lineno):
        decorators = getattr(node, 'decorator_list', [])
        first = min(x.lineno for x in (node, *decorators))
        while first > 1 and not lines[first - 2].strip():
            first -= 1
        del lines[first - 1 : node.end_lineno]
    return ''.join(lines)
