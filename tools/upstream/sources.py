# Copyright (c) hanet_mm contributors. All rights reserved.
"""What of our sources a set of registered classes needs, name by name.

The unit is a statement at the top level of a module: of a module with ten
functions, of which one is needed, one is taken, with the constants, classes
and imports that it uses, and so on. A class is needed if a needed statement
uses its name, or builds it by that name from a registry (``type='Name'``).
"""

import ast
from functools import cache
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Set, Tuple

PACKAGE = 'hanet_mm'
# Name of a module, and of something in it.
Place = Tuple[str, str]


class Statement(NamedTuple):
    """A statement at the top level, with the comments above it."""

    node: ast.stmt
    text: str
    binds: Set[str]
    uses: Set[str]
    built: Set[str]  # names in ``type='Name'``


class Module(NamedTuple):
    """A module by its statements, without its docstring."""

    name: str
    is_package: bool
    docstring: str  # as written, or empty
    statements: List[Statement]

    def find(self, name: str) -> Optional[Statement]:
        """The statement that binds a name at last."""
        found = [x for x in self.statements if name in x.binds]
        return found[-1] if found else None


class Sources:
    """The modules below a folder.

    Args:
        root (Path): The folder that holds the package.
        instead (dict[str, str]): Texts of modules that are written anew.
    """

    def __init__(self, root: Path, instead: Optional[Dict[str, str]] = None):
        self.instead = instead or {}
        self.paths = {
            _module_name(path.relative_to(root)): path
            for path in sorted((root / PACKAGE).rglob('*.py'))
            if '.mim' not in path.parts
        }
        self.registered = {
            name: module
            for module, path in self.paths.items()
            for name in _registered(path.read_text('utf-8'))
        }

    @cache  # noqa: B019 - lives as long as the program
    def module(self, name: str) -> Module:
        """Read a module of the package."""
        path = self.paths[name]
        text = self.instead.get(name) or path.read_text('utf-8')
        return read_module(name, text, path.name == '__init__.py')

    def resolve(self, place: Place) -> Place:
        """Where that is defined which a module has under a name.

        Raises:
            ValueError: If there is no such module or name.
        """
        name, wanted = place
        if name not in self.paths:
            raise ValueError(f'{name}: expected a module of {PACKAGE}')
        statement = self.module(name).find(wanted)
        if statement is None:
            exported = self.exports(name).get(wanted)
            if exported is None:
                raise ValueError(f'{name}: has no {wanted!r}')
            return self.resolve((exported, wanted))
        for base, alias in imported(self.module(name), statement.node):
            if wanted == (alias.asname or alias.name):
                if not base.startswith(PACKAGE):
                    break
                return self.resolve((base, alias.name))
        return place

    def exports(self, name: str) -> Dict[str, str]:
        """Modules of the names that a package has of them.

        Also of those that it imports when they are used (``lazy_names``).
        """
        module = self.module(name)
        found = {}
        for statement in module.statements:
            for base, alias in imported(module, statement.node):
                if base.startswith(name + '.'):
                    found[alias.name] = base
            for node in ast.walk(statement.node):
                if isinstance(node, ast.Dict):
                    found.update(_lazy(name, node))
        return found


class Closure:
    """All that some names need.

    Args:
        sources (Sources): The package.
        places (list[tuple[str, str]]): Modules and names in them.
    """

    def __init__(self, sources: Sources, places: List[Place]):
        self.sources = sources
        self.names: Dict[str, Set[str]] = {}
        todo = list(places)
        while todo:
            name, wanted = sources.resolve(todo.pop())
            if wanted in self.names.setdefault(name, set()):
                continue
            self.names[name].add(wanted)
            todo += self._needed(name, wanted)

    def _needed(self, name: str, wanted: str) -> Iterator[Place]:
        module = self.sources.module(name)
        statement = module.find(wanted)
        if statement is None:
            return
        for used in statement.uses:
            found = module.find(used)
            if found is not None and not _is_foreign(module, found, used):
                yield name, used
        for base, alias in imported(module, statement.node):
            if base.startswith(PACKAGE):
                yield base, alias.name
        for built in statement.built & {*self.sources.registered}:
            yield self.sources.registered[built], built

    def statements(self, name: str) -> List[Statement]:
        """Statements of a module that are needed, imports left out.

        Raises:
            ValueError: If the module does something when it is imported, of
                which nobody can tell whether it is needed.
        """
        found = self.sources.module(name).statements
        acting = [x for x in found if not x.binds]
        if acting:
            raise ValueError(
                f'{name}: line {acting[0].node.lineno}: expected definitions '
                'only'
            )
        return [
            x
            for x in found
            if x.binds & self.names[name]
            and not isinstance(x.node, (ast.Import, ast.ImportFrom))
        ]


def read_module(name: str, text: str, is_package: bool = False) -> Module:
    """Split a module into its statements."""
    lines = text.splitlines(keepends=True)
    body = ast.parse(text).body
    docstring, end = '', 0
    statements: List[Statement] = []
    for node in body:
        start, end = end, node.end_lineno or 0
        if _is_text(node):
            if not statements:
                docstring = ast.get_source_segment(text, node) or ''
                continue
            # The docstring of a constant.
            last = statements[-1]
            statements[-1] = last._replace(
                text=last.text + ''.join(lines[start:end])
            )
            continue
        statements.append(
            Statement(
                node,
                ''.join(lines[start:end]),
                _binds(node),
                _uses(node),
                set(built_names(node)),
            )
        )
    return Module(name, is_package, docstring, statements)


def imported(module: Module, node: ast.AST) -> Iterator[Tuple[str, ast.alias]]:
    """What ``from ... import`` statements in a node import, and whence."""
    package = module.name.split('.')
    if not module.is_package:
        package = package[:-1]
    for child in ast.walk(node):
        if isinstance(child, ast.ImportFrom):
            base = package[: len(package) - child.level + 1]
            parts = [*(base if child.level else []), child.module or '']
            for alias in child.names:
                yield '.'.join(filter(None, parts)), alias


def built_names(node: ast.AST) -> Iterator[str]:
    """Names in ``type='Name'`` and ``{'type': 'Name'}``."""
    for child in ast.walk(node):
        pairs = []
        if isinstance(child, ast.keyword):
            pairs = [(child.arg, child.value)]
        elif isinstance(child, ast.Dict):
            keys = (getattr(x, 'value', None) for x in child.keys)
            pairs = list(zip(keys, child.values))
        for key, value in pairs:
            if key == 'type' and isinstance(value, ast.Constant):
                yield str(value.value)


def texts_in(node: ast.AST) -> Iterator[str]:
    """All strings in a node."""
    for child in ast.walk(node):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child.value


def _module_name(path: Path) -> str:
    parts = path.with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def _registered(text: str) -> Iterator[str]:
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                if 'register_module' in ast.dump(decorator):
                    yield node.name


def _lazy(package: str, node: ast.Dict) -> Iterator[Tuple[str, str]]:
    for key, value in zip(node.keys, node.values):
        if isinstance(key, ast.Constant) and isinstance(value, ast.Constant):
            yield str(key.value), f'{package}.{value.value}'


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _is_foreign(module: Module, statement: Statement, name: str) -> bool:
    """Whether a name is imported from another package."""
    if isinstance(statement.node, ast.Import):
        return True
    return isinstance(statement.node, ast.ImportFrom) and not any(
        base.startswith(PACKAGE)
        for base, alias in imported(module, statement.node)
        if name == (alias.asname or alias.name)
    )


def _binds(node: ast.stmt) -> Set[str]:
    """Names that a statement gives to its module."""
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        return {node.name}
    found = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            found.add(child.id)
        elif isinstance(child, ast.alias):
            found.add((child.asname or child.name).split('.')[0])
    return found


def _uses(node: ast.stmt) -> Set[str]:
    """Names that a statement uses, also in quoted types."""
    found = set()
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Load):
            found.add(child.id)
        for name in ('annotation', 'returns'):
            found |= _quoted(getattr(child, name, None))
        if isinstance(child, ast.Subscript) and isinstance(node, ast.Assign):
            found |= _quoted(child)
    return found


def _quoted(annotation: Optional[ast.AST]) -> Set[str]:
    """Names in the quoted parts of a type."""
    found: Set[str] = set()
    if annotation is None:
        return found
    for child in ast.walk(annotation):
        if isinstance(child, ast.Constant) and isinstance(child.value, str):
            try:
                tree = ast.parse(child.value)
            except SyntaxError:
                continue
            found |= {x.id for x in ast.walk(tree) if isinstance(x, ast.Name)}
    return found
