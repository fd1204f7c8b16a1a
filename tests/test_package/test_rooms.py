# Copyright (c) hanet_mm contributors. All rights reserved.
"""Imports inside the package run in one direction only."""

import ast

import pytest

import hanet_mm

# What each room of the core may import besides itself.
ROOMS = {
    'data': set(),
    'poses': {'data'},
    'metrics': {'data', 'poses'},
    'nn': {'data', 'poses'},
    'refine': {'data', 'poses', 'nn'},
    'stream': {'data', 'poses', 'nn', 'refine'},
}
OPENMMLAB = ('mmengine', 'mmcv', 'mmpose', 'mmdet', 'mim')
LONGEST_FILE = 400


def is_type_checking(node):
    return isinstance(node, ast.If) and 'TYPE_CHECKING' in ast.dump(node.test)


def statements(node, module_level):
    """All nodes that run, or only those that run when a module loads."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            continue
        if module_level and isinstance(
            child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        ):
            continue
        yield child
        yield from statements(child, module_level)


def imported_modules(name, path, module_level=False):
    """Absolute names of what a module imports: ``a.b`` and ``a.b.c``."""
    package = name.split('.')
    if path.name != '__init__.py':
        package = package[:-1]
    found = set()
    for node in statements(ast.parse(path.read_text()), module_level):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            start = '.'.join(base) if node.level else ''
            module = '.'.join(filter(None, (start, node.module)))
            found.add(module)
            found |= {f'{module}.{alias.name}' for alias in node.names}
    return found


@pytest.fixture(scope='module')
def modules(repo_root):
    """Path of each module of the package by its name."""
    assert hanet_mm.__file__ == str(repo_root / 'hanet_mm' / '__init__.py')
    paths = {}
    for path in sorted((repo_root / 'hanet_mm').rglob('*.py')):
        parts = path.relative_to(repo_root).with_suffix('').parts
        if parts[-1] == '__init__':
            parts = parts[:-1]
        paths['.'.join(parts)] = path
    return paths


def wrong_imports(modules, inside, is_wrong):
    return [
        f'{name} imports {other}'
        for name, path in modules.items()
        if f'{name}.'.startswith(f'{inside}.')
        for other in sorted(imported_modules(name, path))
        if is_wrong(other)
    ]


def lies_in(name, *packages):
    return any(f'{name}.'.startswith(f'{x}.') for x in packages)


@pytest.mark.parametrize('room', ROOMS)
def test_rooms_of_the_core_import_lower_rooms_only(modules, room):
    higher = [
        f'hanet_mm.core.{other}' for other in {*ROOMS} - ROOMS[room] - {room}
    ]
    assert f'hanet_mm.core.{room}' in modules
    assert not wrong_imports(
        modules, f'hanet_mm.core.{room}', lambda x: lies_in(x, *higher)
    )


def test_every_room_of_the_core_has_its_place(modules):
    rooms = {x.split('.')[2] for x in modules if x.count('.') == 3}
    assert {
        x.split('.')[2] for x in modules if x.startswith('hanet_mm.core.')
    } - {'sequences', 'forward_kinematics'} == {*ROOMS}
    assert {*ROOMS} <= rooms


def test_core_needs_neither_openmmlab_nor_the_rest_of_the_package(modules):
    def is_above(name):
        ours = lies_in(name, 'hanet_mm') and name != 'hanet_mm'
        return ours and not lies_in(name, 'hanet_mm.core')

    assert not wrong_imports(
        modules,
        'hanet_mm.core',
        lambda x: lies_in(x, *OPENMMLAB) or is_above(x),
    )


@pytest.mark.parametrize('inside', ['hanet_mm.models', 'hanet_mm.codecs'])
def test_models_and_codecs_need_no_datasets_or_commands(modules, inside):
    assert inside in modules
    assert not wrong_imports(
        modules,
        inside,
        lambda x: lies_in(x, 'hanet_mm.datasets', 'hanet_mm.apis'),
    )


def test_no_module_imports_itself_through_others(modules):
    def edges(name, path):
        found = imported_modules(name, path, module_level=True)
        # A package that re-exports its modules is no fault of theirs.
        return {x for x in found if x in modules and not lies_in(name, x)}

    graph = {name: edges(name, path) for name, path in modules.items()}
    done = set()

    def visit(name, above):
        assert name not in above, ' -> '.join([*above, name])
        if name not in done:
            for other in sorted(graph[name]):
                visit(other, [*above, name])
            done.add(name)

    for name in graph:
        visit(name, [])


def test_no_file_is_longer_than_the_house_allows(modules):
    lines = {
        name: len(path.read_text().splitlines())
        for name, path in modules.items()
    }
    assert not {k: v for k, v in lines.items() if v > LONGEST_FILE}
