# Copyright (c) hanet_mm contributors. All rights reserved.
"""Every module says whose it is, as in OpenMMLab."""

HEADER = '# Copyright (c) hanet_mm contributors. All rights reserved.\n'


def test_modules_begin_with_the_copyright(repo_root):
    """Of the package and its tools; configs have none, as in OpenMMLab."""
    modules = [
        path
        for folder in ('hanet_mm', 'tools')
        for path in (repo_root / folder).rglob('*.py')
        if '.mim' not in path.parts
    ]
    assert modules
    texts = {x: x.read_text(encoding='utf-8') for x in modules}
    assert [
        str(path.relative_to(repo_root))
        for path, text in texts.items()
        if text.strip() and not text.startswith(HEADER)
    ] == []
