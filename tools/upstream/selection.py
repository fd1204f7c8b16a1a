# Copyright (c) hanet_mm contributors. All rights reserved.
"""Those of our tests that need nothing but what a project has.

A test is taken if all names that it imports, all registered classes that it
names and all fixtures that it asks for are there, and the same holds for what
it uses of its own module.
"""

import ast
from typing import Iterator, Optional, Set

from rewriting import assemble, collect_imports, without_statements
from sources import (
    PACKAGE,
    Closure,
    Module,
    Statement,
    imported,
    read_module,
    texts_in,
)

# Of pytest itself.
_FIXTURES = {
    'caplog',
    'capsys',
    'monkeypatch',
    'request',
    'tmp_path',
    'tmp_path_factory',
}
_PACKAGES = {'mmengine', 'mmpose', 'numpy', 'pytest', 'torch'}
_ABSENT_MARKS = ('fuzz', 'gpu', 'slow')


def select_tests(text: str, name: str, closure: Closure) -> Optional[str]:
    """Text of a test module with the tests that a project can run.

    Returns:
        str | None: None if there are none.
    """
    selection = _Selection(read_module(name, text), closure)
    return selection.write()


class _Selection:
    def __init__(self, module: Module, closure: Closure):
        self.module = module
        self.closure = closure
        self.absent = {
            registered
            for registered, place in closure.sources.registered.items()
            if registered not in closure.names.get(place, ())
        }
        self.fixtures = {
            x.node.name for x in module.statements if _is_fixture(x.node)
        }

    def write(self) -> Optional[str]:
        texts = {}
        for statement in self.module.statements:
            node = statement.node
            is_test = getattr(node, 'name', '').lower().startswith('test')
            if not is_test or not self._has(statement):
                continue
            texts[id(node)] = self._without_methods(statement)
        if not texts:
            return None
        names: Set[str] = set()
        for statement in self.module.statements:
            automatic = 'autouse=True' in statement.text
            if automatic and self._has(statement):
                texts[id(statement.node)] = statement.text
        todo = [x for x in self.module.statements if id(x.node) in texts]
        while todo:
            statement = todo.pop()
            text = texts.setdefault(id(statement.node), statement.text)
            (kept,) = read_module(self.module.name, text).statements
            used = kept.uses | (_arguments(kept.node) & self.fixtures)
            names |= used
            for name in used:
                found = self.module.find(name)
                if (
                    found
                    and not _is_import(found)
                    and (id(found.node) not in texts)
                ):
                    todo.append(found)
        plain, members = collect_imports(
            self.module, names, self.closure, relative=False
        )
        # For what it registers.
        plain.add('projects.hanet.hanet  # noqa: F401')
        ordered = [
            texts[id(x.node)]
            for x in self.module.statements
            if id(x.node) in texts
        ]
        return assemble(
            self.closure, self.module.docstring, plain, members, ordered
        )

    def _without_methods(self, statement: Statement) -> str:
        """The text of a test, of a class without what is not there."""
        (kept,) = read_module(self.module.name, statement.text).statements
        if not isinstance(kept.node, ast.ClassDef):
            return statement.text
        absent = [
            node
            for node in kept.node.body
            if isinstance(node, ast.FunctionDef)
            and not self._has_all(node, _uses(node))
        ]
        return without_statements(statement.text, absent)

    def _has(self, statement: Statement, above: tuple = ()) -> bool:
        """Whether a statement of the module can run."""
        node = statement.node
        if _is_import(statement):
            return all(self._has_import(node, x) for x in statement.binds)
        if isinstance(node, ast.ClassDef):
            methods = [x for x in node.body if isinstance(x, ast.FunctionDef)]
            tests = [x for x in methods if x.name.startswith('test')]
            if tests:
                return any(self._has_all(x, _uses(x), above) for x in tests)
        return self._has_all(node, statement.uses, above)

    def _has_all(
        self, node: ast.AST, uses: Set[str], above: tuple = ()
    ) -> bool:
        if {*texts_in(node)} & self.absent or _has_mark(node):
            return False
        fixtures = _fixtures_of(node)
        if fixtures - self.fixtures - _FIXTURES:
            return False
        if any(not self._has_place(*x) for x in imported(self.module, node)):
            return False
        for name in uses | (fixtures & self.fixtures):
            found = self.module.find(name)
            if found is None or name in above:
                continue
            if _is_import(found):
                if not self._has_import(found.node, name):
                    return False
            elif found.node is not node and not self._has(
                found, (*above, name)
            ):
                return False
        return True

    def _has_import(self, node: ast.AST, name: str) -> bool:
        if isinstance(node, ast.Import):
            tops = {alias.name.split('.')[0] for alias in node.names}
            return tops <= _PACKAGES | _STANDARD | {PACKAGE}
        return all(
            self._has_place(base, alias)
            for base, alias in imported(self.module, node)
            if name == (alias.asname or alias.name)
        )

    def _has_place(self, base: str, alias: ast.alias) -> bool:
        top = base.split('.')[0]
        if top != PACKAGE:
            return top in _PACKAGES or top in _STANDARD
        try:
            module, name = self.closure.sources.resolve((base, alias.name))
        except ValueError:
            return False
        return name in self.closure.names.get(module, ())


# Of the standard library; no clocks or processes, which tests of a project
# need not depend on.
_STANDARD = {
    *('collections', 'contextlib', 'dataclasses', 'itertools', 'json', 'math'),
    *('multiprocessing', 'os', 'pathlib', 'pickle', 're', 'types', 'typing'),
}


def _is_import(statement: Statement) -> bool:
    return isinstance(statement.node, (ast.Import, ast.ImportFrom))


def _is_fixture(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        'fixture' in ast.unparse(x) for x in node.decorator_list
    )


def _has_mark(node: ast.AST) -> bool:
    marks = [ast.unparse(x) for x in getattr(node, 'decorator_list', [])]
    return any(f'pytest.mark.{x}' in m for x in _ABSENT_MARKS for m in marks)


def _arguments(node: ast.AST) -> Set[str]:
    """Arguments of a function, of a class those of all methods."""
    return {
        argument.arg
        for child in ast.walk(node)
        if isinstance(child, ast.FunctionDef)
        for argument in child.args.args
    } - {'self'}


def _fixtures_of(node: ast.AST) -> Set[str]:
    """Fixtures that a test or fixture asks for."""
    if not isinstance(node, ast.FunctionDef):
        return set()
    if not node.name.startswith('test') and not _is_fixture(node):
        return set()
    arguments = {x.arg for x in node.args.args} - {'self'}
    return arguments - set(_parametrized(node))


def _parametrized(node: ast.FunctionDef) -> Iterator[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and decorator.args:
            names = (
                ast.literal_eval(decorator.args[0])
                if ('parametrize' in ast.unparse(decorator.func))
                else ()
            )
            if isinstance(names, str):
                names = names.replace(' ', '').split(',')
            yield from names


def _uses(node: ast.AST) -> Set[str]:
    return {x.id for x in ast.walk(node) if isinstance(x, ast.Name)}
